//! Recorded requests and accepted creates.

use jiff::Timestamp;

use crate::control::handle::Control;
use crate::journal::{AcceptedCreate, Request};

/// Recorded requests and accepted creates.
impl Control {
    /// Returns the last 100,000 requests to Pinecone's paths, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.with(|service, _| service.journal.requests())
    }

    /// Removes the requests that arrived before that time from the journal, and returns them, oldest first. A request that
    /// is still being answered is returned as it is now.
    pub fn take_requests(&self, before: Timestamp) -> Vec<Request> {
        self.with(|service, _| service.journal.take(before))
    }

    /// Removes the accepted creates of all projects, and returns them, oldest first.
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

    /// Removes the recorded requests, but not the accepted creates.
    pub fn clear_requests(&self) {
        self.with(|service, _| service.journal.clear());
    }

    /// Returns the accepted creates of all projects, oldest first.
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
