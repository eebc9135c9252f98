//! A TCP link on loopback whose answers can be held back.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Passes bytes on to a port. What is sent arrives always; what comes back waits
/// while the link is stalled. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct StallingLink {
    pub(crate) port: u16,
    stalled: watch::Sender<bool>,
    accepting: tokio::task::JoinHandle<()>,
}

impl StallingLink {
    pub(crate) async fn start(to: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("a link's port")?;
        let port = listener.local_addr()?.port();
        let stalled = watch::Sender::new(false);
        let accepting = tokio::spawn(accept(listener, to, stalled.subscribe()));
        Ok(Self {
            port,
            stalled,
            accepting,
        })
    }

    pub(crate) fn set_stalled(&self, stalled: bool) {
        self.stalled.send_replace(stalled);
    }
}

impl Drop for StallingLink {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, to: u16, stalled: watch::Receiver<bool>) {
    let mut links = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                match accepted {
                    Ok((near, _)) => { links.spawn(link(near, to, stalled.clone())); }
                    // Such as too many open files: trying again at once would spin.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
            Some(_) = links.join_next() => {}
        }
    }
}

/// Ends with either side.
async fn link(near: TcpStream, to: u16, stalled: watch::Receiver<bool>) {
    let Ok(far) = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], to))).await else {
        return;
    };
    // Else each small frame would wait for the acknowledgement of the one before.
    if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
        return;
    }
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    tokio::select! {
        () = pass(near_in, far_out, None) => {}
        () = pass(far_in, near_out, Some(stalled)) => {}
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut stalled: Option<watch::Receiver<bool>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        if let Some(stalled) = &mut stalled
            && stalled.wait_for(|stalled| !stalled).await.is_err()
        {
            return;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
