//! One process in leader election: what it observed, and until when it leads.

use jiff::Timestamp;

use super::Timing;
use super::evaluate::{LeaseAction, LeaseRecord, Seen, evaluate, held, released};
use crate::runtime::clock::BootTime;

#[derive(Debug)]
pub struct Candidate {
    me: String,
    timing: Timing,
    seen: Option<Seen>,
    leads_until: Option<BootTime>,
}

impl Candidate {
    pub fn new(me: String, timing: Timing) -> Self {
        Self {
            me,
            timing,
            seen: None,
            leads_until: None,
        }
    }

    /// Observes the record of the lease; `now` is after the answer came.
    pub fn saw(&mut self, record: Option<LeaseRecord>, now: BootTime) {
        self.seen = record.map(|record| Seen::next(self.seen.take(), record, now));
        if !self.holds() {
            self.leads_until = None;
        }
    }

    pub fn action(&self, now: BootTime) -> LeaseAction {
        evaluate(self.seen.as_ref(), &self.me, now)
    }

    /// Returns the record that acquires or renews the lease.
    pub fn held_record(&self, now: Timestamp) -> LeaseRecord {
        let before = self.seen.as_ref().map(|seen| &seen.record);
        held(before, &self.me, self.timing, now)
    }

    /// Returns the record that releases the lease; none if another process holds it.
    pub fn released_record(&self, now: Timestamp) -> Option<LeaseRecord> {
        let seen = self.seen.as_ref().filter(|_| self.holds())?;
        Some(released(&seen.record, now))
    }

    /// Observes a write of its own that succeeded. The deadline counts from when the write began: it
    /// may have taken effect any time since, and others count from when they observe it.
    pub fn wrote(&mut self, record: LeaseRecord, began: BootTime, now: BootTime) {
        self.saw(Some(record), now);
        if self.holds() {
            self.leads_until = Some(began.plus(self.timing.renew_deadline));
        }
    }

    /// Returns whether the lease, as last observed, names this process.
    pub fn holds(&self) -> bool {
        self.holder() == Some(&self.me)
    }

    pub fn holder(&self) -> Option<&str> {
        let seen = self.seen.as_ref()?;
        Some(&seen.record.holder)
    }

    /// Returns when leadership ends, unless the lease is renewed.
    pub fn leads_until(&self) -> Option<BootTime> {
        self.leads_until
    }

    pub fn leads(&self, now: BootTime) -> bool {
        self.leads_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ends_leadership_at_once_if_the_lease_is_changed_by_hand() {
        let timing = Timing {
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        };
        let now = BootTime::after_boot(Duration::from_secs(100));
        let other = Candidate::new("other".into(), timing).held_record(Timestamp::UNIX_EPOCH);
        for taken in [None, Some(other)] {
            let mut candidate = Candidate::new("me".into(), timing);
            let own = candidate.held_record(Timestamp::UNIX_EPOCH);
            candidate.wrote(own, now, now);
            assert!(candidate.leads(now));
            candidate.saw(taken.clone(), now);
            assert!(!candidate.leads(now), "{taken:?}");
        }
    }
}
