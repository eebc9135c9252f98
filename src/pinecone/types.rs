//! What travels on the wire. Answers are read leniently: only what a restore
//! needs, and enumerations as open strings, as Pinecone declares them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::untrusted::{identifier, optional_identifier};

/// Body of `POST /backups/{id}/create-index`. Options that were not given are
/// not sent: a `tags` that is present replaces the backup's tags.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CreateIndex {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    pub deletion_protection: &'static str,
}

/// The IDs in the answer 202.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Created {
    #[serde(deserialize_with = "identifier")]
    pub restore_job_id: String,
    #[serde(deserialize_with = "identifier")]
    pub index_id: String,
    /// Of the answer's header.
    #[serde(skip)]
    pub request_id: Option<String>,
}

/// `GET /backups/{id}`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Backup {
    #[serde(deserialize_with = "identifier")]
    pub backup_id: String,
    /// `Initializing`, `Ready`, `InitializationFailed` or `Failed`.
    pub status: String,
}

/// One row of `GET /restore-jobs`, or `GET /restore-jobs/{id}`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RestoreJob {
    #[serde(deserialize_with = "identifier")]
    pub restore_job_id: String,
    #[serde(deserialize_with = "identifier")]
    pub backup_id: String,
    #[serde(deserialize_with = "identifier")]
    pub target_index_name: String,
    #[serde(deserialize_with = "identifier")]
    pub target_index_id: String,
    /// `Pending`, `Completed`, `Failed` or `Cancelled`.
    pub status: String,
    /// Null where Pinecone has not assigned it yet.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
    /// 100 once the job is completed, absent before.
    #[serde(default)]
    pub percent_complete: Option<f64>,
}

/// The restore jobs for one index name, as far as they were listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    pub jobs: Vec<RestoreJob>,
    /// Whether the list came to its end, and did not go round or on for ever.
    pub is_complete: bool,
}

/// `GET /indexes/{name}`, or one row of `GET /indexes`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Index {
    #[serde(deserialize_with = "identifier")]
    pub name: String,
    #[serde(default, deserialize_with = "optional_identifier")]
    pub host: Option<String>,
    pub status: IndexStatus,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IndexStatus {
    pub ready: bool,
    pub state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct IndexList {
    pub indexes: Vec<Index>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RestoreJobPage {
    pub data: Vec<RestoreJob>,
    #[serde(default)]
    pub pagination: Option<Pagination>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pagination {
    #[serde(default, deserialize_with = "optional_identifier")]
    pub next: Option<String>,
}

/// Pinecone's own form of an error.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorResponse {
    pub error: ErrorBody,
}

#[derive(Debug, Deserialize)]
pub(super) struct ErrorBody {
    pub code: String,
    pub message: String,
}
