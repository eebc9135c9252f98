//! One process in leader election: what it observed, and until when it leads.

use jiff::Timestamp;

use super::evaluate::{LeaseAction, LeaseRecord, Seen, evaluate, held, released};
use super::{Identity, Timing};
use crate::runtime::clock::BootTime;

#[derive(Debug)]
pub struct Candidate {
    me: Identity,
    timing: Timing,
    /// Whether it has read the lease at all.
    observed: bool,
    seen: Option<Seen>,
    leads_until: Option<BootTime>,
}

impl Candidate {
    pub fn new(me: Identity, timing: Timing) -> Self {
        Self {
            me,
            timing,
            observed: false,
            seen: None,
            leads_until: None,
        }
    }

    /// Observes the record of the lease; `now` is after the answer came.
    pub fn saw(&mut self, record: Option<LeaseRecord>, now: BootTime) {
        let observed = std::mem::replace(&mut self.observed, true);
        self.seen = record.map(|record| match observed {
            true => Seen::next(self.seen.take(), record, now),
            false => Seen::first(record, now),
        });
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
        held(before, self.me.as_str(), self.timing, now)
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
        self.holder() == Some(self.me.as_str())
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
    use super::*;
    use crate::runtime::leader::simulation::{TIMING, at};

    fn in_pod(uid: &str) -> Candidate {
        Candidate::new(Identity::in_pod("pod", uid), TIMING)
    }

    fn record_of(candidate: &Candidate) -> LeaseRecord {
        candidate.held_record(Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn ends_leadership_at_once_if_the_lease_is_changed_by_hand() {
        let now = at(100);
        let other = record_of(&Candidate::new(Identity::on_host("other"), TIMING));
        for taken in [None, Some(other)] {
            let mut candidate = Candidate::new(Identity::on_host("me"), TIMING);
            let own = record_of(&candidate);
            candidate.wrote(own, now, now);
            assert!(candidate.leads(now));
            candidate.saw(taken.clone(), now);
            assert!(!candidate.leads(now), "{taken:?}");
        }
    }

    #[test]
    fn inherits_the_lease_that_it_first_observes_while_nobody_renews_it() {
        let before = record_of(&in_pod("uid"));
        let mut candidate = in_pod("uid");
        for seconds in [100, 101] {
            candidate.saw(Some(before.clone()), at(seconds));
            assert_eq!(candidate.action(at(seconds)), LeaseAction::Inherit);
        }
        let taken = record_of(&candidate);
        assert_eq!(taken.transitions, before.transitions + 1);

        let mut renewed = before;
        renewed.renewed = Some(Timestamp::MAX);
        candidate.saw(Some(renewed), at(102));
        let wait = LeaseAction::Wait(TIMING.lease_duration);
        assert_eq!(candidate.action(at(102)), wait, "its holder is alive");
    }

    #[test]
    fn never_inherits_after_its_first_observation() {
        let twin = record_of(&in_pod("uid"));
        let other = record_of(&in_pod("other"));
        let wait = LeaseAction::Wait(TIMING.lease_duration);
        let own = in_pod("uid");
        let held = record_of(&own);
        for (mut candidate, first) in [
            (in_pod("uid"), None),
            (in_pod("uid"), Some(other)),
            (own, Some(held)),
        ] {
            candidate.saw(first.clone(), at(100));
            candidate.saw(Some(twin.clone()), at(101));
            assert_eq!(candidate.action(at(101)), wait, "first {first:?}");
        }
    }
}
