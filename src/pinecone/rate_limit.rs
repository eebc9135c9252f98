use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota};

use super::api_key::KeyId;
use super::failure::{Failure, FailureKind};
use crate::runtime::clock::BootTime;

/// Requests per second and API key. Pinecone publishes no limit for its control plane; this one
/// limits the load of a thousand resources after a restart.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(40).unwrap();

/// Limits the requests of each API key, and pauses a key for as long as Pinecone asked.
#[derive(Debug)]
pub struct RateLimiter {
    limiter: DefaultKeyedRateLimiter<KeyId>,
    paused: Mutex<HashMap<KeyId, BootTime>>,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self {
            limiter: DefaultKeyedRateLimiter::keyed(
                Quota::per_second(PER_SECOND).allow_burst(BURST),
            ),
            paused: Mutex::default(),
        }
    }
}

impl RateLimiter {
    /// Waits until this API key may make a request.
    ///
    /// # Errors
    /// During a pause that Pinecone asked for: a failure like its own 429, with the rest of the
    /// pause.
    pub async fn until_ready(&self, key: KeyId) -> Result<(), Failure> {
        if let Some(left) = self.pause_left(key, BootTime::now()) {
            let mut failure = Failure::without_answer(
                FailureKind::RateLimited,
                "not sent during the pause that Pinecone asked for",
            );
            failure.retry_after = Some(left);
            return Err(failure);
        }
        self.limiter.until_key_ready(&key).await;
        Ok(())
    }

    /// Pauses the key if this failure is a 429 with a Retry-After.
    pub fn pause_after(&self, key: KeyId, failure: &Failure, now: BootTime) {
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
        let rate_limiter = RateLimiter::default();
        let (a, b) = (
            ApiKey::new(b"a").unwrap().id(),
            ApiKey::new(b"b").unwrap().id(),
        );
        let start = BootTime::after_boot(Duration::from_secs(100));
        let mut failure = Failure::without_answer(FailureKind::RateLimited, "");
        failure.retry_after = Some(Duration::from_secs(7));
        rate_limiter.pause_after(a, &failure, start);
        let later = start.plus(Duration::from_secs(3));
        assert_eq!(
            rate_limiter.pause_left(a, later),
            Some(Duration::from_secs(4))
        );
        assert_eq!(rate_limiter.pause_left(b, later), None);
        let after = start.plus(Duration::from_secs(7));
        assert_eq!(rate_limiter.pause_left(a, after), None);
    }
}
