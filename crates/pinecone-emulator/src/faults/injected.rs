//! A fault that was injected, and its counter.

use crate::api::call::Call;
use crate::faults::fault::Fault;

/// A fault, and the number of requests that matched it.
#[derive(Debug, Clone)]
pub(crate) struct InjectedFault {
    pub id: u64,
    pub fault: Fault,
    /// The number of matching requests so far, including those it skipped.
    pub matched: u32,
}

impl InjectedFault {
    /// Returns whether the fault affects `call`, and counts it.
    pub(crate) fn applies_to(&mut self, call: &Call, project: Option<&str>) -> bool {
        if !self.fault.matches(call, project) {
            return false;
        }
        let rank = self.matched;
        self.matched = self.matched.saturating_add(1);
        let last = self
            .fault
            .times
            .map(|times| self.fault.after.saturating_add(times));
        rank >= self.fault.after && last.is_none_or(|last| rank < last)
    }

    /// Returns the number of requests that it affected.
    pub(crate) fn hits(&self) -> u32 {
        let beyond = self.matched.saturating_sub(self.fault.after);
        self.fault.times.map_or(beyond, |times| beyond.min(times))
    }
}
