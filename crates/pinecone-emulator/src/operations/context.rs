//! A request and what its handler needs to know.

use jiff::Timestamp;

use crate::api::call::Call;
use crate::config::Times;
use crate::faults::plan::Plan;
use crate::wire::version::Wire;

/// A request at the time it takes effect.
pub(crate) struct Moment<'a> {
    pub now: Timestamp,
    pub seq: u64,
    pub times: &'a Times,
    pub call: &'a Call,
    pub plan: &'a Plan,
    pub wire: &'static dyn Wire,
}
