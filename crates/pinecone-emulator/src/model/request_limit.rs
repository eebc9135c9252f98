//! A limit of the requests per second of a project.

use jiff::Timestamp;

/// How many requests a project may make. Pinecone publishes no such number; an answer beyond it is 429.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RequestLimit {
    /// Requests per second, and as many in one burst.
    pub per_second: f64,
    /// Seconds of the `Retry-After` of a 429; `None`: it has none.
    pub retry_after: Option<u32>,
}

/// The requests that a project may still make.
#[derive(Debug)]
pub(crate) struct Allowance {
    pub limit: RequestLimit,
    left: f64,
    refilled: Timestamp,
}

impl Allowance {
    pub(crate) fn new(limit: RequestLimit, now: Timestamp) -> Self {
        Self {
            limit,
            left: limit.per_second,
            refilled: now,
        }
    }

    /// Whether one more request is allowed.
    pub(crate) fn take(&mut self, now: Timestamp) -> bool {
        let passed = now.duration_since(self.refilled).as_secs_f64().max(0.0);
        let most = self.limit.per_second.max(1.0);
        self.left = (self.left + passed * self.limit.per_second).min(most);
        self.refilled = now;
        let is_allowed = self.left >= 1.0;
        if is_allowed {
            self.left -= 1.0;
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn allows_a_burst_and_then_the_rate() {
        let limit = RequestLimit {
            per_second: 2.0,
            retry_after: None,
        };
        let start = Timestamp::UNIX_EPOCH;
        let mut allowance = Allowance::new(limit, start);
        let taken: Vec<_> = (0..3).map(|_| allowance.take(start)).collect();
        assert_eq!(taken, [true, true, false]);
        assert!(allowance.take(start + SignedDuration::from_millis(500)));
        assert!(!allowance.take(start + SignedDuration::from_millis(501)));
    }
}
