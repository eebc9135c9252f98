//! Decides what a candidate does with the lease that it observed. Pure: no clock, no I/O.

use std::time::Duration;

use jiff::Timestamp;

use super::{Identity, Timing};
use crate::runtime::clock::BootTime;

/// The record in a Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRecord {
    /// Identity of the holder; empty once the lease was released.
    pub holder: String,
    pub duration: Duration,
    pub acquired: Option<Timestamp>,
    pub renewed: Option<Timestamp>,
    pub transitions: i32,
}

/// A record, and since when it has been observed unchanged.
#[derive(Clone, Debug)]
pub struct Seen {
    pub record: LeaseRecord,
    pub since: BootTime,
    /// Whether the process has observed no other record, and never the absence of one.
    pub first: bool,
}

impl Seen {
    /// Returns the first observation of a process.
    pub fn first(record: LeaseRecord, now: BootTime) -> Self {
        Self {
            record,
            since: now,
            first: true,
        }
    }

    /// Returns the next observation. `now` must be read after the answer came, because the record was
    /// written earlier.
    pub fn next(before: Option<Self>, record: LeaseRecord, now: BootTime) -> Self {
        let unchanged = before.filter(|before| before.record == record);
        let first = unchanged.as_ref().is_some_and(|before| before.first);
        let since = unchanged.map_or(now, |before| before.since);
        Self {
            record,
            since,
            first,
        }
    }
}

/// What a candidate does with the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseAction {
    /// This candidate holds it: renew it.
    Renew,
    /// There is none, it was released, or it expired: acquire it.
    Acquire,
    /// An earlier container of this candidate's pod holds it: acquire it without waiting.
    Inherit,
    /// Another candidate holds it, for that long unless it renews it.
    Wait(Duration),
}

/// Returns what to do. The times in the record are by the holder's clock and are never compared with
/// this process's: only how long the record was observed unchanged counts.
///
/// The containers of a pod run one after the other, so the holder has ended if it is another process
/// of the same pod. Should it be alive all the same, it must not take the lease back in the same way:
/// hence only the first record that a process observes is inherited.
pub fn evaluate(seen: Option<&Seen>, me: &Identity, now: BootTime) -> LeaseAction {
    let Some(seen) = seen.filter(|seen| !seen.record.holder.is_empty()) else {
        return LeaseAction::Acquire;
    };
    if seen.record.holder == me.as_str() {
        return LeaseAction::Renew;
    }
    if seen.first && me.has_same_pod(&seen.record.holder) {
        return LeaseAction::Inherit;
    }
    let left = seen.since.plus(seen.record.duration).since(now);
    match left.is_zero() {
        true => LeaseAction::Acquire,
        false => LeaseAction::Wait(left),
    }
}

/// Returns the record with which `me` acquires or renews the lease.
pub fn held(before: Option<&LeaseRecord>, me: &str, timing: Timing, now: Timestamp) -> LeaseRecord {
    let own = before.filter(|record| record.holder == me);
    LeaseRecord {
        holder: me.to_owned(),
        duration: timing.lease_duration,
        acquired: own.map_or(Some(now), |record| record.acquired),
        renewed: Some(now),
        transitions: match (before, own) {
            (None, _) => 0,
            (Some(_), Some(own)) => own.transitions,
            (Some(before), None) => before.transitions.saturating_add(1),
        },
    }
}

/// Returns the record with which its holder releases the lease.
pub fn released(before: &LeaseRecord, now: Timestamp) -> LeaseRecord {
    LeaseRecord {
        holder: String::new(),
        duration: Duration::from_secs(1),
        acquired: Some(now),
        renewed: Some(now),
        transitions: before.transitions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::leader::simulation::{TIMING, at};

    const ME: &str = "me";
    fn wall(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn record(holder: &str) -> LeaseRecord {
        LeaseRecord {
            holder: holder.into(),
            duration: Duration::from_secs(15),
            acquired: Some(wall(100)),
            renewed: Some(wall(200)),
            transitions: 4,
        }
    }

    #[test]
    fn a_lease_is_acquired_only_if_it_is_free_or_was_long_unchanged() {
        let left = |seconds| LeaseAction::Wait(Duration::from_secs(seconds));
        let me = Identity::on_host(ME);
        for (holder, now, action) in [
            (None, 100, LeaseAction::Acquire),
            (Some(""), 100, LeaseAction::Acquire),
            (Some(ME), 100, LeaseAction::Renew),
            // Also an expired one that nobody acquired.
            (Some(ME), 900, LeaseAction::Renew),
            (Some("other"), 100, left(15)),
            (Some("other"), 114, left(1)),
            (Some("other"), 115, LeaseAction::Acquire),
            (Some("other"), 900, LeaseAction::Acquire),
        ] {
            let holder = holder.map(|holder| if holder == ME { me.as_str() } else { holder });
            let seen = holder.map(|holder| Seen::first(record(holder), at(100)));
            let found = evaluate(seen.as_ref(), &me, at(now));
            assert_eq!(found, action, "{holder:?} at {now}");
        }
    }

    #[test]
    fn any_change_of_the_record_restarts_the_wait() {
        let changes: [fn(&mut LeaseRecord); 5] = [
            |record| record.renewed = Some(wall(202)),
            |record| record.acquired = None,
            |record| record.transitions = 5,
            |record| record.duration = Duration::from_secs(16),
            |record| record.holder = "third".into(),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let first = Seen::next(None, record("other"), at(100));
            let same = Seen::next(Some(first), record("other"), at(110));
            assert_eq!(same.since, at(100));
            let mut changed = record("other");
            change(&mut changed);
            let seen = Seen::next(Some(same), changed, at(114));
            assert_eq!(seen.since, at(114), "change {n}");
            let action = evaluate(Some(&seen), &Identity::on_host(ME), at(116));
            assert!(matches!(action, LeaseAction::Wait(_)), "change {n}");
        }
    }

    #[test]
    fn the_duration_that_counts_is_the_one_its_holder_wrote() {
        let mut long = record("other");
        long.duration = Duration::from_secs(60);
        let seen = Seen::next(None, long, at(100));
        let left = LeaseAction::Wait(Duration::from_secs(44));
        assert_eq!(evaluate(Some(&seen), &Identity::on_host(ME), at(116)), left);
    }

    #[test]
    fn a_renewal_keeps_the_times_that_a_takeover_changes() {
        let now = wall(300);
        let renewed = held(Some(&record(ME)), ME, TIMING, now);
        assert_eq!(
            (renewed.acquired, renewed.renewed, renewed.transitions),
            (Some(wall(100)), Some(now), 4)
        );
        for before in ["other", ""] {
            let taken = held(Some(&record(before)), ME, TIMING, now);
            assert_eq!(
                (taken.acquired, taken.renewed, taken.transitions),
                (Some(now), Some(now), 5)
            );
        }
        assert_eq!(held(None, ME, TIMING, now).transitions, 0);
    }

    #[test]
    fn a_released_lease_names_nobody_and_counts_no_transition() {
        let released = released(&record(ME), wall(300));
        assert_eq!((released.holder.as_str(), released.transitions), ("", 4));
        assert_eq!(released.duration, Duration::from_secs(1));
        let seen = Seen::next(None, released, at(100));
        assert_eq!(
            evaluate(Some(&seen), &Identity::on_host("other"), at(100)),
            LeaseAction::Acquire
        );
    }
}
