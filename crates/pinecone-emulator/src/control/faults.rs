//! [`Control`] over faults, settings and the clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::control::handle::Control;
use crate::faults::fault::Fault;
use crate::habits::Habits;

/// Faults, time and the journal.
impl Control {
    /// Injects a fault and returns its number.
    pub fn inject(&self, fault: Fault) -> u64 {
        self.with(|service, _| service.inject(fault))
    }

    /// Removes one fault; whether it was there.
    pub fn clear_fault(&self, id: u64) -> bool {
        self.with(|service, _| {
            let before = service.faults.len();
            service.faults.retain(|armed| armed.id != id);
            service.faults.len() < before
        })
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.with(|service, _| service.faults.clear());
    }

    /// How many requests a fault affected; 0 if it is not there.
    pub fn fault_hits(&self, id: u64) -> u32 {
        self.faults()
            .into_iter()
            .find_map(|(other, _, hits)| (other == id).then_some(hits))
            .unwrap_or(0)
    }

    /// The faults: number, fault, and how many requests it affected.
    pub fn faults(&self) -> Vec<(u64, Fault, u32)> {
        self.with(|service, _| {
            let faults = service.faults.iter();
            faults
                .map(|armed| (armed.id, armed.fault.clone(), armed.hits()))
                .collect()
        })
    }

    /// Changes how the service behaves, from the next request on.
    pub fn set_habits(&self, habits: Habits) {
        self.with(|service, _| service.set_habits(habits));
    }

    /// How long restores take that begin from now on; `None`: until [`finish_job`](Self::finish_job).
    pub fn set_restore_duration(&self, duration: impl Into<Option<Duration>>) {
        let duration = duration.into();
        self.with(|service, _| service.durations.restore = duration);
    }

    /// How long a deleted index stays `Terminating`, for deletions from now on.
    pub fn set_termination(&self, duration: Duration) {
        self.with(|service, _| service.durations.termination = duration);
    }

    /// Lets the emulator's clock jump ahead: what was due within that time is done.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.with(|service, _| service.skew = service.skew.saturating_add(by));
    }

    /// Sets how far the emulator's clock is from the machine's, as its `Date` headers and timestamps show.
    pub fn set_clock_skew(&self, skew: SignedDuration) {
        self.with(|service, _| service.skew = skew);
    }

    /// The time on the emulator's clock.
    pub fn now(&self) -> Timestamp {
        self.with(|_, now| now)
    }
}
