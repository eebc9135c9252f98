//! A request with everything that its handler needs.

use jiff::Timestamp;

use crate::api::call::Call;
use crate::config::Durations;
use crate::faults::plan::Plan;
use crate::wire::version::ApiVersion;

/// A request at the time it takes effect.
pub(crate) struct Context<'a> {
    pub now: Timestamp,
    /// The number of the request in the journal.
    pub seq: u64,
    pub durations: &'a Durations,
    pub call: &'a Call,
    pub plan: &'a Plan,
    pub version: &'static dyn ApiVersion,
}
