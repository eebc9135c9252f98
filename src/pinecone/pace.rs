//! How fast one API key may make requests, as far as Pinecone's answers show. Pure.
//!
//! Pinecone publishes no limit for its control plane. So a key has none until Pinecone answers 429;
//! then it has nine tenths of what Pinecone answered in the second before, and slowly more again.

use std::collections::VecDeque;
use std::time::Duration;

use crate::runtime::clock::BootTime;

/// Rate that a 429 leaves, of what it was.
const CUT: f64 = 0.9;
/// Growth of the rate per second, as a share of it.
const GROWTH: f64 = 0.006;
/// Lowest rate, in requests per second.
const LOWEST: f64 = 0.5;
/// A 429 within this time after a cut is one of the same burst.
const BURST: Duration = Duration::from_secs(1);
/// Time over which answers are counted.
const WINDOW: Duration = Duration::from_secs(1);

/// The pace of one API key.
#[derive(Debug)]
pub struct Pace {
    ceiling: Option<f64>,
    /// Requests per second; none before the first 429.
    rate: Option<f64>,
    /// When the next request may be made.
    next: BootTime,
    /// When the rate changed last.
    changed: BootTime,
    cut: Option<BootTime>,
    /// When answers other than 429 came, within the last second.
    answered: VecDeque<BootTime>,
}

impl Pace {
    /// Returns a pace without a limit but `ceiling`, in requests per second.
    pub fn new(ceiling: Option<f64>, now: BootTime) -> Self {
        Self {
            ceiling,
            rate: ceiling,
            next: now,
            changed: now,
            cut: None,
            answered: VecDeque::new(),
        }
    }

    /// Returns when the next request may be made, and takes that time for it.
    pub fn reserve(&mut self, now: BootTime) -> BootTime {
        let at = self.next.max(now);
        if let Some(rate) = self.rate {
            self.next = at.plus(Duration::from_secs_f64(1.0 / rate));
        }
        at
    }

    /// Learns that Pinecone answered, and not with 429.
    pub fn answered(&mut self, now: BootTime) {
        self.forget(now);
        self.answered.push_back(now);
        let Some(rate) = self.rate else { return };
        // A key that makes fewer requests than it may learns nothing about the limit.
        let is_used = self.next > now;
        let passed = now.since(self.changed).as_secs_f64();
        self.changed = now;
        if is_used && self.cut.is_none_or(|cut| now.since(cut) > BURST) {
            let grown = rate * (1.0 + GROWTH * passed.min(1.0));
            self.rate = Some(self.ceiling.map_or(grown, |ceiling| grown.min(ceiling)));
        }
    }

    /// Learns that Pinecone answered 429.
    pub fn limited(&mut self, now: BootTime) {
        if self.cut.is_some_and(|cut| now.since(cut) <= BURST) {
            return;
        }
        self.forget(now);
        let seen = self.answered.len() as f64 / WINDOW.as_secs_f64();
        let rate = self
            .rate
            .map_or(seen, |rate| rate.min(seen.max(rate / 2.0)));
        self.rate = Some((rate * CUT).max(LOWEST));
        self.cut = Some(now);
        self.changed = now;
        self.next = self
            .next
            .max(now.plus(Duration::from_secs_f64(1.0 / rate.max(LOWEST))));
    }

    /// Whether no request was made for `idle`.
    pub fn is_idle(&self, now: BootTime, idle: Duration) -> bool {
        now.since(self.next.max(self.changed)) > idle
    }

    fn forget(&mut self, now: BootTime) {
        while self
            .answered
            .front()
            .is_some_and(|at| now.since(*at) > WINDOW)
        {
            self.answered.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A minute of requests, eight at a time, each of 20 ms, against a server that allows `limit` a
    /// second: requests answered per second, and the share of 429s.
    fn minute(limit: f64) -> (f64, f64) {
        let start = BootTime::after_boot(Duration::from_secs(100));
        let step = Duration::from_millis(1);
        let mut pace = Pace::new(None, start);
        let (mut now, mut tokens) = (start, limit);
        let mut running: Vec<(BootTime, bool)> = Vec::new();
        let mut reserved = None;
        let (mut answered, mut limited) = (0.0, 0.0);
        while now.since(start) < Duration::from_secs(60) {
            now = now.plus(step);
            tokens = (tokens + limit * step.as_secs_f64()).min(limit);
            running.retain(|(end, is_limited)| {
                let is_over = *end <= now;
                match (is_over, is_limited) {
                    (true, true) => pace.limited(now),
                    (true, false) => pace.answered(now),
                    (false, _) => {}
                }
                !is_over
            });
            while running.len() < 8 {
                let at = *reserved.get_or_insert_with(|| pace.reserve(now));
                if at > now {
                    break;
                }
                reserved = None;
                let is_limited = tokens < 1.0;
                match is_limited {
                    true => limited += 1.0,
                    false => {
                        tokens -= 1.0;
                        answered += 1.0;
                    }
                }
                running.push((now.plus(Duration::from_millis(20)), is_limited));
            }
        }
        (answered / 60.0, limited / (answered + limited))
    }

    #[test]
    fn nine_tenths_of_the_limit_are_used_with_few_429s() {
        for limit in [5.0, 10.0, 40.0, 100.0, 250.0] {
            let (rate, refused) = minute(limit);
            assert!(rate >= 0.9 * limit, "{limit}: {rate} a second");
            assert!(refused <= 0.05, "{limit}: {refused} of the answers");
        }
    }

    #[test]
    fn a_key_without_429s_has_no_limit() {
        let now = BootTime::after_boot(Duration::from_secs(100));
        let mut pace = Pace::new(None, now);
        for _ in 0..1_000 {
            assert_eq!(pace.reserve(now), now);
            pace.answered(now);
        }
    }

    #[test]
    fn a_ceiling_spreads_requests() {
        let now = BootTime::after_boot(Duration::from_secs(100));
        let mut pace = Pace::new(Some(10.0), now);
        let waits: Vec<_> = (0..3).map(|_| pace.reserve(now).since(now)).collect();
        assert_eq!(waits, [0, 100, 200].map(Duration::from_millis));
    }
}
