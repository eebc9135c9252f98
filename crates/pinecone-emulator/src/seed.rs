//! Things that exist before anyone asks for them: the seed file's format, and the arguments of [`Control`](crate::Control).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::{DEFAULT_BACKUP_QUOTA, DEFAULT_INDEX_QUOTA};
use crate::fault::Fault;
use crate::restore::JobOutcome;

/// A seed file.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The projects; they replace the default one.
    #[serde(default)]
    pub projects: Vec<ProjectSeed>,
    /// Faults that are injected from the start.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// A project and what it holds.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectSeed {
    /// Unique in the file.
    pub name: String,
    /// Its keys; a key belongs to one project.
    #[serde(default)]
    pub api_keys: Vec<String>,
    /// How many indexes it may hold. Default 200.
    #[serde(default = "index_quota")]
    pub index_quota: usize,
    /// How many backups it may hold. Default 500.
    #[serde(default = "backup_quota")]
    pub backup_quota: usize,
    /// Whether its plan has no backups, so that their operations are answered 403. Default off.
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

/// The states of a backup, as Pinecone writes them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum BackupStatus {
    /// Due to be made by a schedule; a restore from it is answered 412.
    Scheduled,
    /// Still being made; a restore from it is answered 412.
    Initializing,
    /// Can be restored.
    #[default]
    Ready,
    /// Will never be ready.
    InitializationFailed,
    /// A word that Pinecone's documents don't have; a restore from it is answered 412.
    #[serde(untagged)]
    Other(String),
}

/// A backup that exists.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackupSeed {
    /// Default: a new UUID. Anything goes, as in Pinecone's API.
    pub id: Option<String>,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// A text about it, if it has one.
    pub description: Option<String>,
    /// The index it was made from, which need not exist any more.
    pub source_index_name: String,
    /// Default: a new UUID.
    pub source_index_id: Option<String>,
    /// Default `Ready`.
    pub status: BackupStatus,
    /// Tags, which a restored index inherits. Real ones may hold values that aren't strings.
    pub tags: Option<BTreeMap<String, Value>>,
    /// 1 to 20000; absent for sparse vectors. Default 1536.
    pub dimension: Option<u32>,
    /// `cosine` (default), `euclidean` or `dotproduct`.
    pub metric: String,
    /// Default `aws`.
    pub cloud: String,
    /// Default `us-east-1`.
    pub region: String,
    /// Default 0.
    pub record_count: u64,
    /// Default 0.
    pub namespace_count: u64,
    /// In bytes. Default 0.
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
    /// A ready backup of this name, made from that index.
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

    /// With this tag too.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let tags = self.tags.get_or_insert_default();
        tags.insert(key.into(), Value::String(value.into()));
        self
    }
}

/// An index that exists, made by someone else.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexSeed {
    /// Its name, unique in the project and by Pinecone's rule; there is no default.
    pub name: String,
    /// Default: a new UUID. Pinecone shows it only as a job's `target_index_id`.
    pub id: Option<String>,
    /// 1 to 20000; absent for sparse vectors. Default 1536.
    pub dimension: Option<u32>,
    /// `cosine` (default), `euclidean` or `dotproduct`.
    pub metric: String,
    /// Default `aws`.
    pub cloud: String,
    /// Default `us-east-1`.
    pub region: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Default off.
    pub deletion_protection: bool,
    /// A state other than `Ready`, kept until it is changed.
    pub state: Option<String>,
    /// The backup it was restored from, which need not exist any more. Default: it was not restored.
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
    /// A ready index of this name.
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
}

/// A restore job of earlier days.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSeed {
    /// Default: a new UUID.
    #[serde(default)]
    pub id: Option<String>,
    /// The backup it restored, which need not exist any more.
    pub backup_id: String,
    /// The index it restored into.
    pub index_name: String,
    /// Default: the ID of the index of that name that exists now, else a new UUID. A job whose index doesn't exist
    /// answers 404 when described, and [`Habits`](crate::Habits) decides whether it is listed.
    #[serde(default)]
    pub index_id: Option<String>,
    /// Default `null`, which Pinecone may answer too. It sorts where it was added.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// How it ended; absent: it is `Pending` until it is finished.
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
}
