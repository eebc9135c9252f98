//! An HTTP client that reads raw bytes.

use std::io;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The maximum duration of a request, so that a server without an answer fails the test instead of blocking it.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }
}

/// Sends a request, and returns all bytes until the connection ends.
pub async fn raw(
    url: &str,
    method: &str,
    path: &str,
    key: &str,
    body: &str,
) -> io::Result<Vec<u8>> {
    let exchange = async {
        let mut stream = send(url, method, path, key, body).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok(bytes)
    };
    tokio::time::timeout(PATIENCE, exchange)
        .await
        .expect("the connection ends in time")
}

/// Sends a request without waiting for the answer.
pub async fn send(
    url: &str,
    method: &str,
    path: &str,
    key: &str,
    body: &str,
) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).await?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nApi-Key: {key}\r\n\
         X-Pinecone-Api-Version: 2025-10\r\nUser-Agent: test\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

/// Sends a request, and returns the answer.
pub async fn ask(url: &str, method: &str, path: &str, key: &str, body: &str) -> Answer {
    let bytes = raw(url, method, path, key, body).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("not an answer: {text:?}"));
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// Waits for a condition for at most 30 s.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("timed out, waiting until {what}"));
}
