//! Resources as tests and the admin paths see them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::backup::{Backup, BackupStatus};
use crate::model::index::Index;
use crate::model::job::Job;

/// An index as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IndexSnapshot {
    /// Its ID, which Pinecone shows only as a job's `target_index_id`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state, such as `Initializing` or `Ready`.
    pub state: String,
    /// Whether it is ready.
    pub ready: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it is protected against deletion.
    pub deletion_protection: bool,
    /// Its host.
    pub host: String,
    /// The backup it was restored from, if any.
    pub source_backup_id: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl IndexSnapshot {
    pub(crate) fn of(index: &Index, now: Timestamp) -> Self {
        let (state, ready) = index.state(now);
        Self {
            id: index.id.clone(),
            name: index.name.clone(),
            state: state.to_owned(),
            ready,
            tags: index.tags.clone(),
            deletion_protection: index.protected,
            host: index.host.clone(),
            source_backup_id: index.source_backup_id.clone(),
            created_at: index.created_at,
        }
    }
}

/// A backup as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackupSnapshot {
    /// Its ID.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The index that was backed up.
    pub source_index_name: String,
    /// Its status.
    pub status: BackupStatus,
    /// Its tags.
    pub tags: Option<BTreeMap<String, Value>>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl BackupSnapshot {
    pub(crate) fn of(backup: &Backup, now: Timestamp) -> Self {
        Self {
            id: backup.id.clone(),
            name: backup.name.clone(),
            source_index_name: backup.source_index_name.clone(),
            status: backup.status(now),
            tags: backup.tags.clone(),
            created_at: backup.created_at,
        }
    }
}

/// A restore job as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSnapshot {
    /// Its ID.
    pub id: String,
    /// The ID of the backup.
    pub backup_id: String,
    /// The name of the restored index.
    pub index_name: String,
    /// The ID of the restored index.
    pub index_id: String,
    /// `Pending`, `Completed`, `Failed` or `Cancelled`.
    pub status: String,
    /// The `created_at` that the API shows.
    pub created_at: Option<Timestamp>,
    /// When it ended, with whatever status.
    pub ended_at: Option<Timestamp>,
}

impl JobSnapshot {
    pub(crate) fn of(job: &Job, now: Timestamp) -> Self {
        let end = job.ended(now);
        Self {
            id: job.id.clone(),
            backup_id: job.backup_id.clone(),
            index_name: job.index_name.clone(),
            index_id: job.index_id.clone(),
            status: end
                .map_or("Pending", |(_, outcome)| outcome.as_str())
                .to_owned(),
            created_at: job.created_at,
            ended_at: end.map(|(at, _)| at),
        }
    }
}
