//! Leader election by a Lease, as client-go does it.
//!
//! One replica reconciles and the others stand by, so that they do not send Pinecone the same
//! requests. Correctness does not depend on it: two processes that both believe they lead are
//! kept apart by compare-and-swap writes to the object itself.

mod candidate;
mod elector;
mod evaluate;
mod leadership;
mod lease;
#[cfg(test)]
mod properties;

use std::time::Duration;

pub use elector::{Elector, LeaseConfig};
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

/// Returns a name that no other process has had: the pod's or the machine's, with a random suffix.
pub fn identity() -> String {
    let host = std::env::var("POD_NAME").ok();
    let host = host.filter(|name| !name.is_empty()).unwrap_or_else(|| {
        let system = rustix::system::uname();
        system.nodename().to_string_lossy().into_owned()
    });
    format!("{host}_{}", uuid::Uuid::new_v4())
}
