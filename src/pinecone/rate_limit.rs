use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::api_key::KeyId;
use super::failure::{Failure, FailureKind};
use crate::runtime::clock::BootTime;

/// Requests a second that one API key may make. Pinecone publishes no limit for
/// its control plane; this keeps a thousand resources after a restart polite.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(40).unwrap();

/// Lets requests through at a pace that each API key's project bears.
#[derive(Debug)]
pub struct Admission {
    limiter: DefaultKeyedRateLimiter<KeyId>,
    paused: Mutex<HashMap<KeyId, BootTime>>,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_second(PER_SECOND).allow_burst(BURST)),
            paused: Mutex::default(),
        }
    }
}

impl Admission {
    /// Waits for this key's turn.
    ///
    /// # Errors
    /// Does not wait where Pinecone itself asked for a pause: that is answered
    /// like a 429 of its own, with what is left of the pause.
    pub async fn admit(&self, key: KeyId) -> Result<(), Failure> {
        if let Some(left) = self.pause_left(key, BootTime::now()) {
            let mut failure = Failure::without_answer(
                FailureKind::RateLimited,
                "held back until the pause is over that Pinecone asked for",
            );
            failure.retry_after = Some(left);
            return Err(failure);
        }
        self.limiter.until_key_ready(&key).await;
        Ok(())
    }

    /// Remembers a pause that Pinecone asked for with a 429.
    pub fn learn(&self, key: KeyId, failure: &Failure, now: BootTime) {
        if failure.kind == FailureKind::RateLimited
            && let Some(wait) = failure.retry_after
        {
            self.lock().insert(key, now.plus(wait));
        }
    }

    fn pause_left(&self, key: KeyId, now: BootTime) -> Option<Duration> {
        let mut paused = self.lock();
        paused.retain(|_, until| *until > now);
        paused.get(&key).map(|until| until.since(now))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<KeyId, BootTime>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::api_key::ApiKey;
    use super::*;

    #[test]
    fn a_429_pauses_its_key_alone_and_for_its_time() {
        let admission = Admission::default();
        let (a, b) = (
            ApiKey::new(b"a").unwrap().id(),
            ApiKey::new(b"b").unwrap().id(),
        );
        let start = BootTime::after_boot(Duration::from_secs(100));
        let mut failure = Failure::without_answer(FailureKind::RateLimited, "");
        failure.retry_after = Some(Duration::from_secs(7));
        admission.learn(a, &failure, start);
        let later = start.plus(Duration::from_secs(3));
        assert_eq!(admission.pause_left(a, later), Some(Duration::from_secs(4)));
        assert_eq!(admission.pause_left(b, later), None);
        let after = start.plus(Duration::from_secs(7));
        assert_eq!(admission.pause_left(a, after), None);
    }
}
