//! [`Control`] over the record of requests.

use jiff::Timestamp;

use crate::control::handle::Control;
use crate::journal::{AcceptedCreate, Request};

/// The journal.
impl Control {
    /// The last 100 000 requests to Pinecone's paths, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.with(|world, _| world.journal.requests())
    }

    /// Takes the requests that arrived before that time out of the journal, oldest first: a run
    /// of hours reads the journal bit by bit. One that is still being answered is told as it is.
    pub fn take_requests(&self, before: Timestamp) -> Vec<Request> {
        self.with(|world, _| world.journal.take(before))
    }

    /// Takes out the accepted creates so far, of all projects, oldest first.
    pub fn take_accepted_creates(&self) -> Vec<AcceptedCreate> {
        self.with(|world, _| {
            let tenants = world.tenants.iter_mut();
            let mut all: Vec<AcceptedCreate> = tenants
                .flat_map(|tenant| std::mem::take(&mut tenant.accepted))
                .collect();
            all.sort_by_key(|accepted| (accepted.time, accepted.seq));
            all
        })
    }

    /// Forgets the requests so far, not the accepted creates.
    pub fn clear_requests(&self) {
        self.with(|world, _| world.journal.clear());
    }

    /// Every create from a backup that took effect, of all projects, oldest first.
    pub fn accepted_creates(&self) -> Vec<AcceptedCreate> {
        self.with(|world, _| {
            let mut all: Vec<AcceptedCreate> = world
                .tenants
                .iter()
                .flat_map(|tenant| tenant.accepted.clone())
                .collect();
            all.sort_by_key(|accepted| (accepted.time, accepted.seq));
            all
        })
    }
}
