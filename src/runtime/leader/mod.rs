//! Leader election by a Lease, as client-go does it.
//!
//! One replica reconciles and the others stand by, so that they do not send Pinecone the same
//! requests. Correctness does not depend on it: two processes that both believe they lead are
//! kept apart by compare-and-swap writes to the object itself.

mod candidate;
mod elector;
mod evaluate;
mod identity;
mod leadership;
mod lease;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod simulation;

use std::time::Duration;

pub use elector::{Elector, LeaseConfig};
pub use identity::Identity;
pub use leadership::{Leadership, Term};

/// The intervals of an election; each is longer than the next.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long a candidate must have seen the same record before it takes over.
    pub lease_duration: Duration,
    /// How long after its last renewal a leader leads.
    pub renew_deadline: Duration,
    /// Time between two renewals.
    pub retry_period: Duration,
}
