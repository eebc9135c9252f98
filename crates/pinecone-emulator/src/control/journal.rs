//! [`Control`] over the record of requests.

use jiff::Timestamp;

use crate::control::handle::Control;
use crate::journal::{AcceptedCreate, Request};

/// The journal.
impl Control {
    /// The last 100 000 requests to Pinecone's paths, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.with(|service, _| service.journal.requests())
    }

    /// Takes the requests that arrived before that time out of the journal, oldest first: a run
    /// of hours reads the journal bit by bit. One that is still being answered is told as it is.
    pub fn take_requests(&self, before: Timestamp) -> Vec<Request> {
        self.with(|service, _| service.journal.take(before))
    }

    /// Takes out the accepted creates so far, of all projects, oldest first.
    pub fn take_accepted_creates(&self) -> Vec<AcceptedCreate> {
        self.with(|service, _| {
            let projects = service.projects.iter_mut();
            let mut all: Vec<AcceptedCreate> = projects
                .flat_map(|project| std::mem::take(&mut project.accepted))
                .collect();
            all.sort_by_key(|accepted| (accepted.time, accepted.seq));
            all
        })
    }

    /// Forgets the requests so far, not the accepted creates.
    pub fn clear_requests(&self) {
        self.with(|service, _| service.journal.clear());
    }

    /// Every create from a backup that took effect, of all projects, oldest first.
    pub fn accepted_creates(&self) -> Vec<AcceptedCreate> {
        self.with(|service, _| {
            let mut all: Vec<AcceptedCreate> = service
                .projects
                .iter()
                .flat_map(|project| project.accepted.clone())
                .collect();
            all.sort_by_key(|accepted| (accepted.time, accepted.seq));
            all
        })
    }
}
