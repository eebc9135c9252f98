//! A backup.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::index::Shape;
use crate::model::limits::Tags;

/// The status of a backup, as Pinecone writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum BackupStatus {
    /// A schedule will create it; a restore from it returns a 412.
    Scheduled,
    /// Being created; a restore from it returns a 412.
    Initializing,
    /// Can be restored.
    #[default]
    Ready,
    /// Its creation failed; a restore from it returns a 412.
    InitializationFailed,
    /// A word that Pinecone does not document; a restore from it returns a 412.
    #[serde(untagged)]
    Other(String),
}

/// A backup.
#[derive(Debug, Clone)]
pub(crate) struct Backup {
    pub id: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub source_index_name: String,
    pub source_index_id: String,
    pub status: BackupStatus,
    /// When an `Initializing` backup becomes ready; `None`: its status does not change by itself.
    pub ready_at: Option<Timestamp>,
    pub tags: Option<BTreeMap<String, Value>>,
    pub shape: Shape,
    pub record_count: u64,
    pub namespace_count: u64,
    pub size_bytes: u64,
    pub created_at: Timestamp,
}

impl Backup {
    pub(crate) fn status(&self, now: Timestamp) -> BackupStatus {
        match (&self.status, self.ready_at) {
            (BackupStatus::Initializing, Some(at)) if at <= now => BackupStatus::Ready,
            (status, _) => status.clone(),
        }
    }

    /// Returns the tags that a restored index inherits: only strings, as an index has no other values.
    pub(crate) fn inheritable_tags(&self) -> Tags {
        let pairs = self.tags.iter().flatten();
        pairs
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    }
}
