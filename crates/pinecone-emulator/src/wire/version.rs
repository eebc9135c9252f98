//! What differs between API versions.

use jiff::Timestamp;
use serde_json::Value;

use crate::api::call::Call;
use crate::api::error::ErrorResponse;
use crate::model::backup::Backup;
use crate::model::index::{DeletionProtection, Index, Shape};
use crate::model::job::Job;
use crate::model::limits::{TagValues, Tags};

/// The requests and answers of an API version.
pub(crate) trait ApiVersion: Sync {
    /// Returns the characters that tag values may have.
    fn tag_values(&self) -> TagValues;
    /// Parses the body of `POST /indexes`.
    fn create_index(&self, body: &[u8]) -> Result<NewIndex, ErrorResponse>;
    /// Parses the body of `PATCH /indexes/{name}`.
    fn configure_index(&self, body: &[u8]) -> Result<IndexChange, ErrorResponse>;
    /// Whether a list of an index's backups includes those of deleted indexes of its name.
    fn includes_deleted(&self, call: &Call) -> Result<bool, ErrorResponse>;
    /// Returns the version's `IndexModel`.
    fn index(&self, index: &Index, now: Timestamp) -> Value;
    /// Returns the version's `BackupModel`. `deleted_at` is when the source index was deleted.
    fn backup(&self, backup: &Backup, deleted_at: Option<Timestamp>, now: Timestamp) -> Value;
    /// Returns the version's `RestoreJobModel`.
    fn job(&self, job: &Job, created_at: Option<Timestamp>, now: Timestamp) -> Value;
}

/// A parsed request to create an index. Its tags are not checked yet.
#[derive(Debug, PartialEq)]
pub(crate) struct NewIndex {
    pub name: String,
    pub shape: Shape,
    pub tags: Tags,
    pub protected: bool,
}

/// A parsed request to configure an index. Its tags are not checked yet.
#[derive(Debug, PartialEq)]
pub(crate) struct IndexChange {
    pub tags: Tags,
    pub deletion_protection: Option<DeletionProtection>,
}
