//! Faults, settings and the clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::control::handle::Control;
use crate::faults::fault::Fault;
use crate::habits::Habits;

/// Faults, settings and the clock.
impl Control {
    /// Injects a fault, and returns its ID.
    pub fn inject(&self, fault: Fault) -> u64 {
        self.with(|service, _| service.inject(fault))
    }

    /// Removes a fault. Returns whether it existed.
    pub fn clear_fault(&self, id: u64) -> bool {
        self.with(|service, _| {
            let before = service.faults.len();
            service.faults.retain(|injected| injected.id != id);
            service.faults.len() < before
        })
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.with(|service, _| service.faults.clear());
    }

    /// Returns the number of requests that a fault affected; 0 if it does not exist.
    pub fn fault_hits(&self, id: u64) -> u32 {
        self.faults()
            .into_iter()
            .find_map(|(other, _, hits)| (other == id).then_some(hits))
            .unwrap_or(0)
    }

    /// Returns the faults: ID, fault, and the number of requests that it affected.
    pub fn faults(&self) -> Vec<(u64, Fault, u32)> {
        self.with(|service, _| {
            let faults = service.faults.iter();
            faults
                .map(|injected| (injected.id, injected.fault.clone(), injected.hits()))
                .collect()
        })
    }

    /// Changes the behaviour of the service, from the next request on.
    pub fn set_habits(&self, habits: Habits) {
        self.with(|service, _| service.set_habits(habits));
    }

    /// Sets the duration of new restores; `None`: until [`finish_job`](Self::finish_job).
    pub fn set_restore_duration(&self, duration: impl Into<Option<Duration>>) {
        let duration = duration.into();
        self.with(|service, _| service.durations.restore = duration);
    }

    /// Sets how long a deleted index stays `Terminating`, for new deletions.
    pub fn set_termination(&self, duration: Duration) {
        self.with(|service, _| service.durations.termination = duration);
    }

    /// Advances the emulator's clock: everything that was due in that time has happened.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.with(|service, _| service.skew = service.skew.saturating_add(by));
    }

    /// Sets the offset of the emulator's clock (`Date` headers and all timestamps) from the machine's.
    pub fn set_clock_skew(&self, skew: SignedDuration) {
        self.with(|service, _| service.skew = skew);
    }

    /// Returns the time of the emulator's clock.
    pub fn now(&self) -> Timestamp {
        self.with(|_, now| now)
    }
}
