use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::api_key::KeyId;
use super::failure::{Failure, FailureKind};
use super::pace::Pace;
use crate::runtime::clock::{BootTime, doubled};

/// How long the pace of a key that makes no requests is remembered.
const IDLE: Duration = Duration::from_secs(600);

/// How long a key that Pinecone rejected twice in a row is not sent again: doubled by each further
/// rejection. One alone may be a fault in between.
const REJECTED: Duration = Duration::from_secs(2);
const LONGEST_REJECTED: Duration = Duration::from_secs(15);

tokio::task_local! {
    /// How long this task has waited for the pace of a key.
    static WAITED: Cell<Duration>;
}

/// Runs `work`, and returns how much of its time it waited for the pace of an API key.
pub async fn with_waits<T>(work: impl Future<Output = T>) -> (T, Duration) {
    WAITED
        .scope(Cell::default(), async {
            let output = work.await;
            (output, WAITED.get().get())
        })
        .await
}

/// What is paused: every request of the key (`None`) after a 429 of Pinecone's own with a
/// Retry-After and after a 401, and otherwise reads of the path that a Retry-After answered.
type Paused = (KeyId, Option<String>);

/// Limits the requests of each API key to what Pinecone's 429s allow. A Retry-After pauses what it
/// was an answer to, and a rejected key is paused too: until then every such request fails at once,
/// with that answer.
#[derive(Debug, Default)]
pub struct RateLimiter {
    ceiling: Option<f64>,
    paces: Mutex<HashMap<KeyId, Pace>>,
    pauses: Mutex<HashMap<Paused, Pause>>,
}

#[derive(Debug)]
struct Pause {
    until: BootTime,
    /// The answer that asked for it.
    failure: Failure,
    /// Rejections of the key in a row.
    rejections: u32,
}

impl RateLimiter {
    /// Returns a limiter that allows each API key `ceiling` requests per second at most.
    pub fn new(ceiling: Option<f64>) -> Self {
        Self {
            ceiling,
            ..Self::default()
        }
    }

    /// Waits until this API key may make a request.
    ///
    /// # Errors
    /// While the key is paused: the answer that paused it, with the rest of the pause.
    pub async fn until_ready(&self, key: KeyId) -> Result<(), Failure> {
        let now = BootTime::now();
        self.check_pause(&(key, None), now)?;
        let wait = self.pace(key, now, |pace| pace.reserve(now)).since(now);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
            let _ = WAITED.try_with(|waited| waited.set(waited.get() + wait));
            self.check_pause(&(key, None), BootTime::now())?;
        }
        Ok(())
    }

    /// Learns that Pinecone answered a request of this key.
    pub fn answered(&self, key: KeyId, code: u16, now: BootTime) {
        self.pace(key, now, |pace| match code {
            429 => pace.limited(now),
            _ => pace.answered(now),
        });
        // What is answered otherwise shows that the key is accepted.
        if !matches!(code, 401 | 429) && code < 500 {
            let mut pauses = self.lock();
            if pauses
                .get(&(key, None))
                .is_some_and(|pause| pause.rejections > 0)
            {
                pauses.remove(&(key, None));
            }
        }
    }

    fn pace<T>(&self, key: KeyId, now: BootTime, act: impl FnOnce(&mut Pace) -> T) -> T {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        if !paces.contains_key(&key) {
            paces.retain(|_, pace| !pace.is_idle(now, IDLE));
        }
        act(paces
            .entry(key)
            .or_insert_with(|| Pace::new(self.ceiling, now)))
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
        let (paused, wait) = match (failure.kind, failure.retry_after, path) {
            (FailureKind::Unauthorized, _, _) => return self.reject(key, failure, now),
            (FailureKind::RateLimited, Some(wait), _) => ((key, None), wait),
            (_, Some(wait), Some(path)) => ((key, Some(path.to_owned())), wait),
            (_, Some(_), None) | (_, None, _) => return,
        };
        let pause = Pause {
            until: now.plus(wait),
            failure: failure.clone(),
            rejections: 0,
        };
        let mut pauses = self.lock();
        pauses.retain(|_, pause| pause.until.plus(LONGEST_REJECTED * 2) > now);
        pauses.insert(paused, pause);
    }

    fn reject(&self, key: KeyId, failure: &Failure, now: BootTime) {
        let mut pauses = self.lock();
        let former = pauses
            .get(&(key, None))
            .filter(|pause| pause.rejections > 0);
        // Those that were under way together are one rejection.
        if former.is_some_and(|pause| pause.until > now) {
            return;
        }
        let rejections = former.map_or(0, |pause| pause.rejections) + 1;
        let wait = match rejections {
            1 => Duration::ZERO,
            more => doubled(REJECTED, more - 2, LONGEST_REJECTED),
        };
        let pause = Pause {
            until: now.plus(wait),
            failure: failure.clone(),
            rejections,
        };
        pauses.insert((key, None), pause);
    }

    fn check_pause(&self, paused: &Paused, now: BootTime) -> Result<(), Failure> {
        match self.lock().get(paused) {
            Some(pause) if pause.until > now => Err(pause.failure.until(pause.until, now)),
            _ => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Paused, Pause>> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_rejected_key_is_paused_for_longer_each_time_until_it_is_accepted() {
        let rate_limiter = RateLimiter::default();
        let key = ApiKey::new(b"a").unwrap().id();
        let rejected = Failure::without_answer(FailureKind::Unauthorized, "");
        let is_paused = |now| rate_limiter.check_pause(&(key, None), now).is_err();
        let mut now = BootTime::after_boot(Duration::from_secs(100));
        rate_limiter.pause_after(key, None, &rejected, now);
        assert!(!is_paused(now), "one alone");
        for seconds in [2, 4, 8, 15, 15] {
            rate_limiter.pause_after(key, None, &rejected, now);
            // Another one that was under way.
            rate_limiter.pause_after(key, None, &rejected, now);
            let end = now.plus(Duration::from_secs(seconds));
            assert!(
                is_paused(now.plus(Duration::from_secs(seconds - 1))),
                "{seconds}"
            );
            assert!(!is_paused(end), "{seconds}");
            now = end;
        }
        rate_limiter.answered(key, 404, now);
        rate_limiter.pause_after(key, None, &rejected, now);
        assert!(!is_paused(now));
    }
}
