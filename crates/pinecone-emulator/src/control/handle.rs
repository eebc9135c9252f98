//! The handle of an emulator, and its errors.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::config::Config;
use crate::project::ProjectState;
use crate::service::Service;

/// Observes and changes an emulator, bypassing Pinecone's API. Clones share one emulator.
#[derive(Clone)]
pub struct Control {
    service: Arc<Mutex<Service>>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Control")
    }
}

/// Why a change was rejected. The text never contains an API key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The project does not exist.
    #[error("project {0:?} does not exist")]
    NoProject(String),
    /// The project has no such index.
    #[error("index {0:?} does not exist")]
    NoIndex(String),
    /// The project has no such backup.
    #[error("backup {0:?} does not exist")]
    NoBackup(String),
    /// There is no pending restore job with this ID.
    #[error("there is no pending restore job {0:?}")]
    NoPendingJob(String),
    /// A resource of this kind with this name or ID exists already.
    #[error("{0} {1:?} exists already")]
    Taken(&'static str, String),
    /// Pinecone does not allow this name.
    #[error("{0:?} is not a valid index name")]
    BadName(String),
    /// The API key already belongs to a project.
    #[error("the API key already belongs to a project")]
    KeyTaken,
}

pub(crate) type ControlResult<T = ()> = Result<T, ControlError>;

/// Access to the state.
impl Control {
    /// Returns the handle of an emulator without projects.
    pub(crate) fn empty(config: &Config) -> Self {
        Self {
            service: Arc::new(Mutex::new(Service::new(config))),
        }
    }

    /// Runs `act` with the state and the time of the emulator's clock.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Service, Timestamp) -> R) -> R {
        // A poisoned lock is no reason to fail: a test that panicked has failed already.
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Timestamp::now();
        let now = now.checked_add(service.skew).unwrap_or(now);
        act(&mut service, now)
    }

    pub(crate) fn delivered(&self, seq: u64) {
        self.with(|service, _| service.journal.delivered(seq));
    }

    /// Runs `act` with a project, without the indexes that finished terminating.
    pub(crate) fn with_project<R>(
        &self,
        project: &str,
        act: impl FnOnce(&mut ProjectState, Timestamp) -> ControlResult<R>,
    ) -> ControlResult<R> {
        self.with(|service, now| match service.project(project) {
            Some(project) => {
                project.remove_terminated(now);
                act(project, now)
            }
            None => Err(ControlError::NoProject(project.to_owned())),
        })
    }

    /// Returns rows of a project; none if it does not exist.
    pub(crate) fn list<R>(
        &self,
        project: &str,
        act: impl FnOnce(&ProjectState, Timestamp) -> Vec<R>,
    ) -> Vec<R> {
        self.with_project(project, |project, now| Ok(act(project, now)))
            .unwrap_or_default()
    }
}
