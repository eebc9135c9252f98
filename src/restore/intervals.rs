//! The intervals of requests to Pinecone, and how long an absence proves nothing.

use std::time::Duration;

use crate::runtime::clock::{BootTime, doubled};

/// How long the operator waits between two requests for the same thing.
#[derive(Clone, Copy, Debug)]
pub struct Intervals {
    /// Shortest time between two polls of a restore.
    pub poll_min: Duration,
    /// Longest time between two polls of a restore that runs.
    pub poll_max: Duration,
}

/// Longest time until a Secret that was created or rotated is picked up.
const SECRET: Duration = Duration::from_secs(20);

impl Intervals {
    /// Returns the time until the next poll of a restore of that age: an eighth of it, so that the end
    /// is observed within about an eighth of its length, and the number of polls grows with the
    /// logarithm of the age.
    pub fn poll(self, age: Duration) -> Duration {
        (age / 8).clamp(self.poll_min, self.poll_max)
    }

    /// Returns the time until the next try after that number of failures in a row: `poll_min`, doubled
    /// by each further one up to [`Intervals::stalled`]; never less than Pinecone asked for.
    pub fn retry(self, failures: u32, asked: Option<Duration>) -> Duration {
        let waits = doubled(self.poll_min, failures.saturating_sub(1), self.stalled());
        waits.max(asked.unwrap_or_default())
    }

    /// Returns the time until the next try while Pinecone limits the API key: as long as it asked for,
    /// however often. Backoff on top would leave what it allows unused.
    pub fn paused(self, asked: Duration) -> Duration {
        asked.max(self.poll_min / 2)
    }

    /// Returns the time until the Secret is read again.
    pub fn secret(self, failures: u32) -> Duration {
        self.retry(failures, None).min(SECRET)
    }

    /// Returns the longest time until a failed request is retried, unless Pinecone asks for a longer pause.
    pub fn longest_retry(self) -> Duration {
        self.retry(u32::MAX, None)
    }

    /// Returns the longest time until the Secret is read again.
    pub fn longest_secret(self) -> Duration {
        self.secret(u32::MAX)
    }

    /// Returns the longest time until an open submission is observed again, unless Pinecone asks for a
    /// longer pause.
    pub fn longest_observation(self) -> Duration {
        self.poll_max.max(self.longest_secret())
    }

    /// Returns the time until the next observation of a Stalled restore: five times `poll_max`.
    pub fn stalled(self) -> Duration {
        self.poll_max.saturating_mul(5)
    }

    /// Returns the period in which every restored index is checked once: ten times `poll_max`.
    pub fn slow_period(self) -> Duration {
        self.poll_max.saturating_mul(10)
    }

    /// Returns the time until the next check of a restored index: the beginning of the next period, so
    /// that all of them share one list of indexes.
    pub fn slow(self, now: BootTime) -> Duration {
        now.until_next_period(self.slow_period())
    }
}

/// How long an absence proves nothing. Pinecone's list of restore jobs lags and drops rows, so a
/// missing row counts only after these times.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Time before an open claim without any trace is abandoned, in the first attempt; each further
    /// attempt doubles it. Must exceed a request's life in Pinecone.
    pub confirm: Duration,
    /// Time for the list of restore jobs to show the job of an index that exists. Observations that
    /// began sooner do not count.
    pub catch_up: Duration,
    /// Time before manual action is required.
    pub give_up: Duration,
    /// How long a 404 of a restore job counts as an outage of Pinecone's store of jobs.
    pub job_outage: Duration,
    /// Longest time between two observations of an open claim after which the operator still
    /// submits again automatically. Zero: it never does.
    pub max_gap: Duration,
}

/// Complete observations that must all have missed a thing, once the list had time to catch
/// up, before it is believed missing.
pub const OBSERVATIONS: u32 = 3;

impl Default for Patience {
    fn default() -> Self {
        Self {
            confirm: Duration::from_secs(180),
            catch_up: Duration::from_secs(60),
            give_up: Duration::from_secs(3_600),
            job_outage: Duration::from_secs(300),
            max_gap: Duration::from_secs(600),
        }
    }
}

impl Patience {
    /// Returns how long attempt number `attempt` must have left no trace: doubled by each earlier one,
    /// up to sixteenfold.
    pub fn for_attempt(self, attempt: i32) -> Duration {
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(4);
        self.confirm.saturating_mul(1 << doublings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVALS: Intervals = Intervals {
        poll_min: Duration::from_secs(2),
        poll_max: Duration::from_secs(60),
    };

    /// Polls of a restore of that length, and how late its end is seen.
    fn follow(length: Duration) -> (u32, Duration) {
        let (mut age, mut polls) = (Duration::ZERO, 0);
        while age < length {
            age += INTERVALS.poll(age);
            polls += 1;
            assert!(polls < 1_000, "polling does not end");
        }
        (polls, age - length)
    }

    #[test]
    fn polls_a_ten_minute_restore_about_forty_times() {
        let (polls, _) = follow(Duration::from_secs(600));
        assert!(polls <= 42, "{polls} polls");
    }

    #[test]
    fn observes_the_end_within_about_an_eighth_of_the_length() {
        for minutes in [1, 3, 10, 45, 300] {
            let length = Duration::from_secs(minutes * 60);
            let (_, late) = follow(length);
            assert!(
                late <= length / 8 + INTERVALS.poll_min,
                "{minutes} min: {late:?}"
            );
        }
    }

    #[test]
    fn confirm_patience_doubles_with_each_attempt_and_exceeds_the_lists_lag() {
        let patience = Patience::default();
        assert!(patience.for_attempt(1) > patience.catch_up);
        assert_eq!(patience.for_attempt(0), patience.confirm);
        assert_eq!(patience.for_attempt(3), patience.confirm * 4);
        assert_eq!(patience.for_attempt(99), patience.confirm * 16);
        assert!(patience.for_attempt(5) < patience.give_up);
    }

    #[test]
    fn retries_grow_and_obey_retry_after() {
        assert_eq!(INTERVALS.retry(1, None), Duration::from_secs(2));
        assert_eq!(INTERVALS.retry(3, None), Duration::from_secs(8));
        assert_eq!(INTERVALS.retry(1_000, None), INTERVALS.stalled());
        let asked = Some(Duration::from_secs(900));
        assert_eq!(INTERVALS.retry(1, asked), Duration::from_secs(900));
        assert_eq!(INTERVALS.paused(Duration::ZERO), Duration::from_secs(1));
        let long = Duration::from_secs(900);
        assert_eq!(INTERVALS.paused(long), long);
        assert_eq!(INTERVALS.secret(1), Duration::from_secs(2));
        assert_eq!(INTERVALS.secret(1_000), SECRET);
    }

    #[test]
    fn checks_restored_indexes_together_at_the_beginning_of_each_period() {
        let period = Duration::from_secs(600);
        assert_eq!(INTERVALS.slow_period(), period);
        for (second, left) in [(0, 600), (1, 599), (599, 1), (600, 600)] {
            let now = BootTime::after_boot(Duration::from_secs(second));
            assert_eq!(INTERVALS.slow(now), Duration::from_secs(left), "{second} s");
        }
    }
}
