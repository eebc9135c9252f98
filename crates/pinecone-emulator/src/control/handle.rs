//! The handle to look into an emulator and to change it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::config::Config;
use crate::project::ProjectState;
use crate::service::Service;

/// Looks into an emulator and changes it, past Pinecone's API. Clones share one emulator.
#[derive(Clone)]
pub struct Control {
    service: Arc<Mutex<Service>>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Control")
    }
}

/// Why a change was not made. Its text never contains an API key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no such project.
    #[error("there is no project {0:?}")]
    NoProject(String),
    /// There is no such index in the project.
    #[error("there is no index {0:?}")]
    NoIndex(String),
    /// There is no such backup in the project.
    #[error("there is no backup {0:?}")]
    NoBackup(String),
    /// There is no such restore job that is pending.
    #[error("there is no pending restore job {0:?}")]
    NoPendingJob(String),
    /// There is one already.
    #[error("there is already a {0} {1:?}")]
    Taken(&'static str, String),
    /// The name breaks Pinecone's rule for names.
    #[error("{0:?} is no name for an index")]
    BadName(String),
    /// The API key belongs to a project already.
    #[error("the API key belongs to a project already")]
    KeyTaken,
}

pub(crate) type ControlResult<T = ()> = Result<T, ControlError>;

/// The way to the service.
impl Control {
    /// Without any project.
    pub(crate) fn empty(config: &Config) -> Self {
        Self {
            service: Arc::new(Mutex::new(Service::new(config))),
        }
    }

    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Service, Timestamp) -> R) -> R {
        // A panic elsewhere can't leave the plain state half-changed in a way that matters to a test.
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Timestamp::now();
        let now = now.checked_add(service.skew).unwrap_or(now);
        act(&mut service, now)
    }

    pub(crate) fn delivered(&self, seq: u64) {
        self.with(|service, _| service.journal.delivered(seq));
    }

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

    pub(crate) fn list<R>(
        &self,
        project: &str,
        act: impl FnOnce(&ProjectState, Timestamp) -> Vec<R>,
    ) -> Vec<R> {
        self.with_project(project, |project, now| Ok(act(project, now)))
            .unwrap_or_default()
    }
}
