use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use governor::{DefaultKeyedRateLimiter, Quota};

use super::api_key::KeyId;
use super::failure::{Failure, FailureKind};
use crate::runtime::clock::BootTime;

/// Requests per second and API key. Pinecone publishes no limit for its control plane; this one
/// limits the load of a thousand resources after a restart.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(40).unwrap();

/// What a Retry-After pauses: after a 429 of Pinecone's own every request of the key (`None`), and
/// otherwise reads of the path that was answered with it.
type Paused = (KeyId, Option<String>);

/// Limits the requests of each API key. A Retry-After pauses what it was an answer to: until then
/// every such request fails at once, with that answer.
#[derive(Debug)]
pub struct RateLimiter {
    limiter: DefaultKeyedRateLimiter<KeyId>,
    pauses: Mutex<HashMap<Paused, (BootTime, Failure)>>,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self {
            limiter: DefaultKeyedRateLimiter::keyed(
                Quota::per_second(PER_SECOND).allow_burst(BURST),
            ),
            pauses: Mutex::default(),
        }
    }
}

impl RateLimiter {
    /// Waits until this API key may make a request.
    ///
    /// # Errors
    /// While the key is paused: the answer that paused it, with the rest of the pause.
    pub async fn until_ready(&self, key: KeyId) -> Result<(), Failure> {
        self.check_pause(&(key, None), BootTime::now())?;
        self.limiter.until_key_ready(&key).await;
        Ok(())
    }

    /// Waits until this key may read that path.
    ///
    /// # Errors
    /// While the key or the path is paused: the answer that paused it, with the rest of the pause.
    pub async fn until_ready_to_read(&self, key: KeyId, path: &str) -> Result<(), Failure> {
        self.check_pause(&(key, Some(path.to_owned())), BootTime::now())?;
        self.until_ready(key).await
    }

    /// Pauses what the failure asks to pause with a Retry-After: the key after a 429, and
    /// otherwise the path, where a path was read.
    pub fn pause_after(&self, key: KeyId, path: Option<&str>, failure: &Failure, now: BootTime) {
        let Some(wait) = failure.retry_after else {
            return;
        };
        let paused = match (failure.kind, path) {
            (FailureKind::RateLimited, _) => (key, None),
            (_, Some(path)) => (key, Some(path.to_owned())),
            (_, None) => return,
        };
        let mut pauses = self.lock();
        pauses.retain(|_, (until, _)| *until > now);
        pauses.insert(paused, (now.plus(wait), failure.clone()));
    }

    fn check_pause(&self, paused: &Paused, now: BootTime) -> Result<(), Failure> {
        match self.lock().get(paused) {
            Some((until, failure)) if *until > now => Err(Failure {
                retry_after: Some(until.since(now)),
                ..failure.clone()
            }),
            _ => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Paused, (BootTime, Failure)>> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::api_key::ApiKey;
    use super::*;

    fn left(rate_limiter: &RateLimiter, paused: &Paused, now: BootTime) -> Option<Duration> {
        let failure = rate_limiter.check_pause(paused, now).err()?;
        failure.retry_after
    }

    fn failure(kind: FailureKind) -> Failure {
        let mut failure = Failure::without_answer(kind, "");
        failure.retry_after = Some(Duration::from_secs(7));
        failure
    }

    #[test]
    fn a_429_pauses_its_key_alone_and_for_its_time() {
        let rate_limiter = RateLimiter::default();
        let key = |text: &[u8]| (ApiKey::new(text).unwrap().id(), None);
        let (a, b) = (key(b"a"), key(b"b"));
        let start = BootTime::after_boot(Duration::from_secs(100));
        let limited = failure(FailureKind::RateLimited);
        rate_limiter.pause_after(a.0, Some("indexes"), &limited, start);
        let later = start.plus(Duration::from_secs(3));
        assert_eq!(left(&rate_limiter, &a, later), Some(Duration::from_secs(4)));
        assert_eq!(left(&rate_limiter, &b, later), None);
        let after = start.plus(Duration::from_secs(7));
        assert_eq!(left(&rate_limiter, &a, after), None);
    }

    #[test]
    fn another_retry_after_pauses_reads_of_its_path_alone() {
        let rate_limiter = RateLimiter::default();
        let key = ApiKey::new(b"a").unwrap().id();
        let start = BootTime::after_boot(Duration::from_secs(100));
        let away = failure(FailureKind::Unavailable);
        rate_limiter.pause_after(key, Some("indexes/a"), &away, start);
        let path = |path: &str| (key, Some(path.to_owned()));
        let later = start.plus(Duration::from_secs(6));
        assert_eq!(
            left(&rate_limiter, &path("indexes/a"), later),
            Some(Duration::from_secs(1))
        );
        assert_eq!(left(&rate_limiter, &path("indexes/b"), later), None);
        assert_eq!(left(&rate_limiter, &(key, None), later), None);
        let after = start.plus(Duration::from_secs(7));
        assert_eq!(left(&rate_limiter, &path("indexes/a"), after), None);
    }

    #[test]
    fn a_create_that_fails_with_a_retry_after_pauses_nothing_but_after_a_429() {
        let rate_limiter = RateLimiter::default();
        let key = ApiKey::new(b"a").unwrap().id();
        let now = BootTime::after_boot(Duration::from_secs(100));
        rate_limiter.pause_after(key, None, &failure(FailureKind::Unavailable), now);
        assert_eq!(left(&rate_limiter, &(key, None), now), None);
        rate_limiter.pause_after(key, None, &failure(FailureKind::RateLimited), now);
        assert!(left(&rate_limiter, &(key, None), now).is_some());
    }
}
