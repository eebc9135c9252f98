//! A running emulator.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::control::handle::Control;
use crate::seed::Seed;
use crate::server::connection::accept;

/// A running emulator. Dropping it stops it.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    control: Control,
    accepting: JoinHandle<()>,
}

impl Emulator {
    /// Starts an emulator on the current tokio runtime.
    ///
    /// # Errors
    /// If it cannot listen on the address, or `config` has a project or a key twice.
    pub async fn start(config: Config) -> io::Result<Self> {
        Self::start_seeded(config, Seed::default()).await
    }

    /// Starts an emulator that has everything in `seed` before its first answer.
    ///
    /// # Errors
    /// If it cannot listen on the address, or if something in `config` and `seed` exists twice or has a name that is not allowed.
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

    /// Returns its URL, such as `http://127.0.0.1:41234`, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a handle that observes and changes it.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Closes the port and all connections.
    pub async fn stop(mut self) {
        self.accepting.abort();
        // The only possible error is the cancellation.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
