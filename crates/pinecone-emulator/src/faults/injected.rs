//! Faults that were injected.

use crate::api::call::Call;
use crate::faults::fault::Fault;

/// A fault and how often it was met.
#[derive(Debug, Clone)]
pub(crate) struct InjectedFault {
    pub id: u64,
    pub fault: Fault,
    /// Matching requests so far, spared ones included.
    pub seen: u32,
}

impl InjectedFault {
    /// Whether `call` meets this fault now; counts it.
    pub(crate) fn applies_to(&mut self, call: &Call, project: Option<&str>) -> bool {
        if !self.fault.matches(call, project) {
            return false;
        }
        let rank = self.seen;
        self.seen = self.seen.saturating_add(1);
        let last = self
            .fault
            .times
            .map(|times| self.fault.after.saturating_add(times));
        rank >= self.fault.after && last.is_none_or(|last| rank < last)
    }

    /// How many requests it has affected.
    pub(crate) fn hits(&self) -> u32 {
        let beyond = self.seen.saturating_sub(self.fault.after);
        self.fault.times.map_or(beyond, |times| beyond.min(times))
    }
}
