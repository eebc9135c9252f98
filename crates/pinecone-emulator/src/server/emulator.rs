//! The server: HTTP around the service.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::control::handle::Control;
use crate::seed::Seed;
use crate::server::connection::accept;

/// A running emulator. It stops when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    control: Control,
    accepting: JoinHandle<()>,
}

impl Emulator {
    /// Starts to listen and to answer, on the current tokio runtime.
    ///
    /// # Errors
    /// If the address can't be listened on, or a project or a key is there twice.
    pub async fn start(config: Config) -> io::Result<Self> {
        Self::start_seeded(config, Seed::default()).await
    }

    /// Starts with everything in `seed` in place before the first answer.
    ///
    /// # Errors
    /// If the address can't be listened on, or something in `config` and `seed` is there twice.
    pub async fn start_seeded(config: Config, seed: Seed) -> io::Result<Self> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let control = Control::new(&config).map_err(invalid)?;
        control.plant(seed).map_err(invalid)?;
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, control.clone()));
        Ok(Self {
            address,
            control,
            accepting,
        })
    }

    /// Where it listens, such as `http://127.0.0.1:41234`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A handle to look into it and to change it.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Closes its port and all connections.
    pub async fn stop(mut self) {
        self.accepting.abort();
        // The only error is the cancellation just asked for.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
