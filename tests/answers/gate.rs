//! A gate between the operator and Pinecone. It serves one request a connection, and from
//! a chosen answer on every new connection fails, so that the very next request meets a
//! failure that no HTTP server can make.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use testkit::free_port;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::certificates::Certificates;
use crate::record::DEADLINE;

/// What stands behind the port while the gate works.
#[derive(Clone)]
pub enum Layer {
    Plain,
    Tls(Arc<Certificates>),
    /// A proxy that opens a tunnel, with TLS in it.
    Proxy(Arc<Certificates>),
}

/// How new connections fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    Refused,
    /// The queue of the listening socket is full: nothing comes back.
    Unaccepted,
    Closed,
    Reset,
    /// Another protocol.
    Banner,
    /// The request is read; the answer ends in its first line.
    CutHead,
    /// Plain HTTP where TLS is expected.
    NoTls,
    HandshakeClosed,
    Untrusted,
    WrongName,
    Expired,
    /// The proxy answers this instead of opening a tunnel.
    NoTunnel(u16),
}

/// Stops when it is dropped.
pub struct Gate {
    pub port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    port: u16,
    upstream: SocketAddr,
    layer: Layer,
    failing: Failing,
    /// The beginning of the request whose answer is the last one.
    last: Mutex<Option<String>>,
    wanted: watch::Sender<bool>,
    is_broken: watch::Sender<bool>,
}

impl Gate {
    pub async fn start(upstream: SocketAddr, layer: Layer, failing: Failing) -> Self {
        let port = free_port().unwrap();
        let shared = Arc::new(Shared {
            port,
            upstream,
            layer,
            failing,
            last: Mutex::new(None),
            wanted: watch::Sender::new(false),
            is_broken: watch::Sender::new(true),
        });
        let accepting = tokio::spawn(Arc::clone(&shared).accept());
        shared.set(false).await;
        Self {
            port,
            shared,
            accepting,
        }
    }

    /// From now on.
    pub async fn break_now(&self) {
        self.shared.set(true).await;
    }

    /// From the answer to the next request on that begins like this.
    pub fn break_after(&self, request: &str) {
        *self.shared.last.lock().unwrap() = Some(request.to_owned());
    }

    pub async fn until_broken(&self) {
        let mut is_broken = self.shared.is_broken.subscribe();
        let broken = is_broken.wait_for(|is_broken| *is_broken);
        tokio::time::timeout(DEADLINE, broken)
            .await
            .expect("the gate breaks")
            .unwrap();
    }

    pub async fn restore(&self) {
        *self.shared.last.lock().unwrap() = None;
        self.shared.set(false).await;
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    async fn set(&self, broken: bool) {
        self.wanted.send_replace(broken);
        let mut is_broken = self.is_broken.subscribe();
        let _ = is_broken.wait_for(|now| *now == broken).await;
    }

    async fn accept(self: Arc<Self>) {
        let mut wanted = self.wanted.subscribe();
        loop {
            let broken = *wanted.borrow_and_update();
            if broken && matches!(self.failing, Failing::Refused | Failing::Unaccepted) {
                let _full = match self.failing {
                    Failing::Unaccepted => Some(full_queue(self.port).await),
                    _ => None,
                };
                self.is_broken.send_replace(true);
                let _ = wanted.wait_for(|broken| !broken).await;
                continue;
            }
            let listener = listen(self.port, 1_024);
            self.is_broken.send_replace(broken);
            loop {
                tokio::select! {
                    biased;
                    _ = wanted.changed() => {
                        let broken = *wanted.borrow_and_update();
                        if broken && matches!(self.failing, Failing::Refused | Failing::Unaccepted) {
                            break;
                        }
                        self.is_broken.send_replace(broken);
                    }
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else { continue };
                        let shared = Arc::clone(&self);
                        // A connection that breaks is the gate's purpose.
                        tokio::spawn(async move { shared.connection(stream).await.ok() });
                    }
                }
            }
        }
    }

    async fn connection(&self, mut stream: TcpStream) -> io::Result<()> {
        let is_broken = *self.is_broken.borrow();
        let failing = Some(self.failing).filter(|_| is_broken);
        let certificates = match &self.layer {
            Layer::Plain => None,
            Layer::Tls(certificates) => Some(certificates),
            Layer::Proxy(certificates) => {
                read_head(&mut stream).await?;
                if let Some(Failing::NoTunnel(status)) = failing {
                    return write(stream, &format!("HTTP/1.1 {status} No\r\n\r\n")).await;
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                Some(certificates)
            }
        };
        let acceptor = match (failing, certificates) {
            (None, None) => return self.serve(stream).await,
            (None, Some(certificates)) => &certificates.good,
            (Some(Failing::Untrusted), Some(certificates)) => &certificates.untrusted,
            (Some(Failing::WrongName), Some(certificates)) => &certificates.wrong_name,
            (Some(Failing::Expired), Some(certificates)) => &certificates.expired,
            (Some(failing), _) => return fail(stream, failing).await,
        };
        let stream = TlsAcceptor::clone(acceptor).accept(stream).await?;
        self.serve(stream).await
    }

    /// Hands one request on, and its answer back.
    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let (head, body) = read_head(&mut stream).await?;
        let length = head
            .to_ascii_lowercase()
            .split_once("content-length: ")
            .and_then(|(_, rest)| rest.split("\r\n").next()?.parse().ok())
            .unwrap_or(0);
        let mut body = body;
        while body.len() < length {
            if stream.read_buf(&mut body).await? == 0 {
                return Ok(());
            }
        }
        let mut upstream = TcpStream::connect(self.upstream).await?;
        let head_closing = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
        upstream.write_all(head_closing.as_bytes()).await?;
        upstream.write_all(&body).await?;
        let mut answer = Vec::new();
        // What the emulator broke off is handed on as far as it came.
        let _ = upstream.read_to_end(&mut answer).await;
        let is_last = {
            let last = self.last.lock().unwrap();
            last.as_ref().is_some_and(|last| head.starts_with(last))
        };
        if is_last {
            self.set(true).await;
        }
        stream.write_all(&answer).await?;
        stream.shutdown().await
    }
}

async fn fail(mut stream: TcpStream, failing: Failing) -> io::Result<()> {
    match failing {
        // Before the request has begun, the reset may meet the connection while it is opened:
        // then nothing was sent for certain.
        Failing::Reset => {
            stream.read_u8().await?;
            stream.set_zero_linger()
        }
        Failing::Banner => write(stream, "SSH-2.0-OpenSSH_9.6\r\n").await,
        Failing::NoTls => write(stream, "HTTP/1.1 400 Bad Request\r\n\r\n").await,
        Failing::CutHead => {
            read_head(&mut stream).await?;
            write(stream, "HTTP/1.1 202 Acc").await
        }
        // It has begun to speak by then.
        Failing::HandshakeClosed => stream.read_u8().await.map(drop),
        _ => Ok(()),
    }
}

async fn write(mut stream: TcpStream, words: &str) -> io::Result<()> {
    stream.write_all(words.as_bytes()).await?;
    stream.shutdown().await?;
    // Closed while something is unread, it would be reset.
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.map(drop)
}

/// The head of a request, and what came with it of the body.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), body));
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn listen(port: u16, queue: u32) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, port).into()).unwrap();
    socket.listen(queue).unwrap()
}

/// A listening socket that nobody accepts from, and the connections that fill its queue.
async fn full_queue(port: u16) -> (TcpListener, Vec<TcpStream>) {
    let listener = listen(port, 0);
    let mut queued = Vec::new();
    // The first that gets no answer shows that the queue is full.
    let patience = std::time::Duration::from_millis(300);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    while let Ok(Ok(stream)) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
        queued.push(stream);
    }
    (listener, queued)
}
