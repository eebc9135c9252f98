//! The state of a project.

use jiff::Timestamp;

use crate::api::error::ErrorResponse;
use crate::config::Project;
use crate::habits::Habits;
use crate::journal::AcceptedCreate;
use crate::model::backup::Backup;
use crate::model::id::project_id;
use crate::model::index::{ENVIRONMENT, Index};
use crate::model::job::{Job, JobOutcome};
use crate::model::request_limit::Allowance;
use crate::model::time::later;

/// An index that no longer exists.
#[derive(Debug)]
pub(crate) struct DeletedIndex {
    pub id: String,
    pub name: String,
    pub deleted_at: Timestamp,
}

/// A project and its resources, in the order of creation.
#[derive(Debug)]
pub(crate) struct ProjectState {
    pub name: String,
    pub index_quota: usize,
    pub backup_quota: usize,
    pub plan_without_backups: bool,
    pub habits: Habits,
    /// The requests that the project may still make; `None`: there is no limit.
    pub allowance: Option<Allowance>,
    pub indexes: Vec<Index>,
    /// The indexes that no longer exist; their backups do.
    pub deleted_indexes: Vec<DeletedIndex>,
    pub backups: Vec<Backup>,
    pub jobs: Vec<Job>,
    pub accepted: Vec<AcceptedCreate>,
}

impl ProjectState {
    pub(crate) fn new(project: &Project, habits: Habits) -> Self {
        Self {
            name: project.name.clone(),
            index_quota: project.index_quota,
            backup_quota: project.backup_quota,
            plan_without_backups: project.plan_without_backups,
            habits,
            allowance: None,
            indexes: Vec::new(),
            deleted_indexes: Vec::new(),
            backups: Vec::new(),
            jobs: Vec::new(),
            accepted: Vec::new(),
        }
    }

    /// Removes the indexes that finished terminating.
    pub(crate) fn remove_terminated(&mut self, now: Timestamp) {
        let over = |index: &mut Index| index.terminated_at.is_some_and(|at| at <= now);
        let gone = self.indexes.extract_if(.., over);
        self.deleted_indexes.extend(gone.map(|index| DeletedIndex {
            id: index.id,
            name: index.name,
            deleted_at: index.terminated_at.unwrap_or(now),
        }));
    }

    pub(crate) fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }

    pub(crate) fn index_mut(&mut self, name: &str) -> Option<&mut Index> {
        self.indexes.iter_mut().find(|index| index.name == name)
    }

    pub(crate) fn backup(&self, id: &str) -> Option<&Backup> {
        self.backups.iter().find(|backup| backup.id == id)
    }

    /// Whether the index that the job restored still exists.
    pub(crate) fn has_index_of(&self, job: &Job) -> bool {
        self.indexes.iter().any(|index| index.id == job.index_id)
    }

    /// Returns when the source index of a backup was deleted; if it never was in the emulator, when the backup was created.
    pub(crate) fn source_deleted_at(&self, backup: &Backup) -> Option<Timestamp> {
        let id = &backup.source_index_id;
        if self.indexes.iter().any(|index| index.id == *id) {
            return None;
        }
        let deleted = self
            .deleted_indexes
            .iter()
            .find(|deleted| deleted.id == *id);
        Some(deleted.map_or(backup.created_at, |deleted| deleted.deleted_at))
    }

    /// Adds an index, and sets its host in Pinecone's format; nothing listens there.
    pub(crate) fn add_index(&mut self, mut index: Index) -> &Index {
        let id = if self.habits.unique_hosts {
            let hex = index.id.chars().filter(char::is_ascii_hexdigit);
            hex.take(7).collect()
        } else {
            project_id(&self.name)
        };
        index.host = format!("{}-{id}.svc.{ENVIRONMENT}.pinecone.io", index.name);
        let place = self.indexes.len();
        self.indexes.push(index);
        &self.indexes[place]
    }

    /// Checks that an index of this name can be created. A terminating index keeps its name.
    pub(crate) fn check_new_index(&self, name: &str) -> Result<(), ErrorResponse> {
        if self.index(name).is_some() {
            return Err(ErrorResponse::already_exists());
        }
        if self.indexes.len() >= self.index_quota {
            return Err(ErrorResponse::forbidden(
                "Increase your quota or upgrade to create more indexes.",
            ));
        }
        Ok(())
    }

    /// Ends a pending job now. Returns whether there was one.
    pub(crate) fn finish_job(&mut self, id: &str, outcome: JobOutcome, now: Timestamp) -> bool {
        let Some(job) = self
            .jobs
            .iter_mut()
            .find(|job| job.id == id && job.is_pending(now))
        else {
            return false;
        };
        job.end = Some((now, outcome));
        let index_id = job.index_id.clone();
        if let Some(index) = self.indexes.iter_mut().find(|index| index.id == index_id) {
            let ready = index.state(now).1;
            index.ready_at = match outcome {
                _ if ready => index.ready_at,
                JobOutcome::Completed => Some(later(now, index.ready_lag)),
                JobOutcome::Failed | JobOutcome::Cancelled => None,
            };
        }
        true
    }
}
