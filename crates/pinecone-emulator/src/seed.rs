//! Initial resources: the format of a seed file, and arguments of [`Control`](crate::Control).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::config::{DEFAULT_BACKUP_QUOTA, DEFAULT_INDEX_QUOTA};
use crate::faults::fault::Fault;
use crate::model::backup::{Backup, BackupStatus};
use crate::model::id::new_id;
use crate::model::index::{Index, Shape};
use crate::model::job::{Job, JobOutcome};

/// A seed file.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The projects, which replace the default project.
    #[serde(default)]
    pub projects: Vec<ProjectSeed>,
    /// The faults that are injected at the start.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// A project and its resources.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectSeed {
    /// The name, unique in the file.
    pub name: String,
    /// Its API keys. A key belongs to one project.
    #[serde(default)]
    pub api_keys: Vec<String>,
    /// The maximum number of indexes. Default: 200.
    #[serde(default = "index_quota")]
    pub index_quota: usize,
    /// The maximum number of backups. Default: 500.
    #[serde(default = "backup_quota")]
    pub backup_quota: usize,
    /// Whether its plan has no backups, so that their operations return a 403. Default: false.
    #[serde(default)]
    pub plan_without_backups: bool,
    /// Its backups.
    #[serde(default)]
    pub backups: Vec<BackupSeed>,
    /// Its indexes.
    #[serde(default)]
    pub indexes: Vec<IndexSeed>,
    /// Its restore jobs.
    #[serde(default)]
    pub restore_jobs: Vec<JobSeed>,
}

fn index_quota() -> usize {
    DEFAULT_INDEX_QUOTA
}

fn backup_quota() -> usize {
    DEFAULT_BACKUP_QUOTA
}

/// An initial backup.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackupSeed {
    /// Any text, as in Pinecone's API. Default: a new UUID.
    pub id: Option<String>,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its description, if it has one.
    pub description: Option<String>,
    /// The index that was backed up, which need not exist. Default: `source`.
    pub source_index_name: String,
    /// Default: a new UUID.
    pub source_index_id: Option<String>,
    /// Default: `Ready`.
    pub status: BackupStatus,
    /// Its tags, which a restored index inherits. Pinecone's type allows values that are not strings.
    pub tags: Option<BTreeMap<String, Value>>,
    /// 1 to 20000, or `None` for sparse vectors. Default: 1536.
    pub dimension: Option<u32>,
    /// `cosine` (default), `euclidean` or `dotproduct`.
    pub metric: String,
    /// Default: `aws`.
    pub cloud: String,
    /// Default: `us-east-1`.
    pub region: String,
    /// Default: 0.
    pub record_count: u64,
    /// Default: 0.
    pub namespace_count: u64,
    /// In bytes. Default: 0.
    pub size_bytes: u64,
    /// Default: now.
    pub created_at: Option<Timestamp>,
}

impl Default for BackupSeed {
    fn default() -> Self {
        Self {
            id: None,
            name: None,
            description: None,
            source_index_name: "source".to_owned(),
            source_index_id: None,
            status: BackupStatus::Ready,
            tags: None,
            dimension: Some(1536),
            metric: "cosine".to_owned(),
            cloud: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            record_count: 0,
            namespace_count: 0,
            size_bytes: 0,
            created_at: None,
        }
    }
}

impl BackupSeed {
    /// A ready backup with this name, of that index.
    pub fn new(name: impl Into<String>, source_index_name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            source_index_name: source_index_name.into(),
            ..Self::default()
        }
    }

    /// With this ID.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// With this status.
    pub fn status(mut self, status: BackupStatus) -> Self {
        self.status = status;
        self
    }

    /// With this tag added.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let tags = self.tags.get_or_insert_default();
        tags.insert(key.into(), Value::String(value.into()));
        self
    }

    /// Returns the backup.
    pub(crate) fn build(self, now: Timestamp) -> Backup {
        Backup {
            id: self.id.unwrap_or_else(new_id),
            name: self.name,
            description: self.description,
            source_index_name: self.source_index_name,
            source_index_id: self.source_index_id.unwrap_or_else(new_id),
            status: self.status,
            ready_at: None,
            tags: self.tags,
            shape: Shape {
                dimension: self.dimension,
                metric: self.metric,
                cloud: self.cloud,
                region: self.region,
                fields: None,
            },
            record_count: self.record_count,
            namespace_count: self.namespace_count,
            size_bytes: self.size_bytes,
            created_at: self.created_at.unwrap_or(now),
        }
    }
}

/// An initial index.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexSeed {
    /// Its name, unique in the project and allowed by Pinecone. Required.
    pub name: String,
    /// Default: a new UUID. Pinecone shows it only as a job's `target_index_id`.
    pub id: Option<String>,
    /// 1 to 20000, or `None` for sparse vectors. Default: 1536.
    pub dimension: Option<u32>,
    /// `cosine` (default), `euclidean` or `dotproduct`.
    pub metric: String,
    /// Default: `aws`.
    pub cloud: String,
    /// Default: `us-east-1`.
    pub region: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Default: false.
    pub deletion_protection: bool,
    /// A state other than `Ready`, which does not change by itself.
    pub state: Option<String>,
    /// The ID of the backup that it was restored from, which need not exist. Default: it was not restored.
    pub source_backup_id: Option<String>,
}

impl Default for IndexSeed {
    fn default() -> Self {
        Self {
            name: String::new(),
            id: None,
            dimension: Some(1536),
            metric: "cosine".to_owned(),
            cloud: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            tags: BTreeMap::new(),
            deletion_protection: false,
            state: None,
            source_backup_id: None,
        }
    }
}

impl IndexSeed {
    /// A ready index with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Restored from this backup.
    pub fn restored_from(mut self, backup_id: impl Into<String>) -> Self {
        self.source_backup_id = Some(backup_id.into());
        self
    }

    /// Returns the index, without a host.
    pub(crate) fn build(self, now: Timestamp) -> Index {
        let shape = Shape {
            dimension: self.dimension,
            metric: self.metric,
            cloud: self.cloud,
            region: self.region,
            fields: None,
        };
        Index {
            id: self.id.unwrap_or_else(new_id),
            tags: self.tags,
            protected: self.deletion_protection,
            source_backup_id: self.source_backup_id,
            ready_at: Some(now),
            state_override: self.state.map(|state| (state, false)),
            ..Index::new(&self.name, shape, now)
        }
    }
}

/// An initial restore job.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSeed {
    /// Default: a new UUID.
    #[serde(default)]
    pub id: Option<String>,
    /// The ID of the backup, which need not exist.
    pub backup_id: String,
    /// The name of the restored index.
    pub index_name: String,
    /// Default: the ID of the existing index with that name, otherwise a new UUID. Describing a job whose index does not
    /// exist returns a 404, and [`Habits`](crate::Habits) decides whether it is listed.
    #[serde(default)]
    pub index_id: Option<String>,
    /// Default: `null`, which Pinecone may return too. The list orders jobs by when they were created here, not by this time.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// How it ended; `None`: it is `Pending` until [`Control::finish_job`](crate::Control::finish_job).
    #[serde(default)]
    pub outcome: Option<JobOutcome>,
}

impl JobSeed {
    /// A completed job without a time.
    pub fn new(backup_id: impl Into<String>, index_name: impl Into<String>) -> Self {
        Self {
            id: None,
            backup_id: backup_id.into(),
            index_name: index_name.into(),
            index_id: None,
            created_at: None,
            outcome: Some(JobOutcome::Completed),
        }
    }

    /// Created at this time.
    pub fn created_at(mut self, at: Timestamp) -> Self {
        self.created_at = Some(at);
        self
    }

    /// Still `Pending`.
    pub fn pending(mut self) -> Self {
        self.outcome = None;
        self
    }

    /// Returns the job. `index_id` is the ID of the existing index with its name.
    pub(crate) fn build(self, index_id: Option<String>, now: Timestamp) -> Job {
        let listed_since = self.created_at.unwrap_or(Timestamp::UNIX_EPOCH);
        Job {
            id: self.id.unwrap_or_else(new_id),
            backup_id: self.backup_id,
            index_name: self.index_name,
            index_id: self.index_id.or(index_id).unwrap_or_else(new_id),
            created_at: self.created_at,
            listed_since,
            end: self
                .outcome
                .map(|outcome| (self.created_at.unwrap_or(now), outcome)),
        }
    }
}
