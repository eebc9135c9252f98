//! The pauses between observations.

use std::time::Duration;

/// Pauses that grow from 0.2 s to 5 s: short lags are measured precisely, and long waits need few requests.
#[derive(Debug)]
pub struct Pause(Duration);

impl Pause {
    const FIRST: Duration = Duration::from_millis(200);
    const LONGEST: Duration = Duration::from_secs(5);

    /// The first, shortest pause.
    pub fn new() -> Self {
        Self(Self::FIRST)
    }

    /// Waits, and makes the next pause longer.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 5 / 4).min(Self::LONGEST);
    }
}
