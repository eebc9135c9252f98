//! The API versions: each has a module that knows how its requests and answers look. Everything else is the same in all.

mod schema;
mod v2025_10;
mod v2026_07;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::backup::Backup;
use crate::call::Call;
use crate::index::{Index, Shape};
use crate::reply::Refusal;
use crate::restore::Job;
use crate::rules::{TagValues, Tags};

pub(crate) use schema::Field;

/// The requests and answers of an API version.
pub(crate) trait Wire: Sync {
    /// The rule for the values of tags.
    fn tag_values(&self) -> TagValues;
    /// Reads the body of `POST /indexes`.
    fn create_index(&self, body: &[u8]) -> Result<NewIndex, Refusal>;
    /// Reads the body of `PATCH /indexes/{name}`.
    fn configure_index(&self, body: &[u8]) -> Result<IndexChange, Refusal>;
    /// Whether a list of an index's backups includes those of deleted indexes of its name.
    fn includes_deleted(&self, call: &Call) -> Result<bool, Refusal>;
    /// The version's `IndexModel`.
    fn index(&self, index: &Index, now: Timestamp) -> Value;
    /// The version's `BackupModel`; `deleted_at` is the time at which the source index was deleted.
    fn backup(&self, backup: &Backup, deleted_at: Option<Timestamp>, now: Timestamp) -> Value;
    /// The version's `RestoreJobModel`.
    fn job(&self, job: &Job, created_at: Option<Timestamp>, now: Timestamp) -> Value;
}

/// The version a request asks for; without the header the oldest, as Pinecone documents.
pub(crate) fn of(call: &Call) -> Result<&'static dyn Wire, Refusal> {
    match call.api_version.as_deref() {
        // 2026-04 has the shapes of 2025-10.
        None | Some("2025-10" | "2026-04") => Ok(&v2025_10::V2025_10),
        Some("2026-07") => Ok(&v2026_07::V2026_07),
        Some(other) => Err(Refusal::invalid(format!(
            "API version {other} is not supported. Supported versions: 2025-10, 2026-04, 2026-07."
        ))),
    }
}

/// What a request to create an index asks for; the name and the tags are still to be checked.
#[derive(Debug, PartialEq)]
pub(crate) struct NewIndex {
    pub name: String,
    pub shape: Shape,
    pub tags: Tags,
    pub protected: bool,
}

/// What a request to configure an index asks for; the tags are still to be checked.
#[derive(Debug, PartialEq)]
pub(crate) struct IndexChange {
    pub tags: Tags,
    pub deletion_protection: Option<Protection>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protection {
    Enabled,
    Disabled,
}

impl Protection {
    pub(crate) fn of(protected: bool) -> Self {
        if protected {
            Self::Enabled
        } else {
            Self::Disabled
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// What is said of an index in every version.
fn index_base(index: &Index, now: Timestamp) -> Value {
    let (state, ready) = index.state(now);
    json!({
        "name": index.name,
        "host": index.host,
        "deletion_protection": Protection::of(index.protected).word(),
        "tags": Some(&index.tags).filter(|tags| !tags.is_empty()),
        "status": {"ready": ready, "state": state},
    })
}

/// What is said of a backup in every version.
fn backup_base(backup: &Backup, now: Timestamp) -> Value {
    let mut model = json!({
        "backup_id": backup.id,
        "source_index_name": backup.source_index_name,
        "source_index_id": backup.source_index_id,
        "status": backup.status(now),
        "cloud": backup.shape.cloud,
        "region": backup.shape.region,
        "record_count": backup.record_count,
        "namespace_count": backup.namespace_count,
        "size_bytes": backup.size_bytes,
        "tags": backup.tags.as_ref().filter(|tags| !tags.is_empty()),
        "created_at": crate::tenant::stamp(backup.created_at),
    });
    for (key, value) in [("name", &backup.name), ("description", &backup.description)] {
        if let Some(value) = value {
            model[key] = json!(value);
        }
    }
    model
}

/// What is said of a restore job in every version.
fn job_base(job: &Job, created_at: Option<Timestamp>, now: Timestamp) -> Value {
    let end = job.ended(now);
    json!({
        "restore_job_id": job.id,
        "backup_id": job.backup_id,
        "target_index_name": job.index_name,
        "target_index_id": job.index_id,
        "status": end.map_or("Pending", |(_, outcome)| outcome.name()),
        "created_at": created_at.map(crate::tenant::stamp),
    })
}

/// The metrics an index may have.
fn check_metric(metric: &str) -> Result<(), Refusal> {
    if ["cosine", "euclidean", "dotproduct"].contains(&metric) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("Invalid metric: {metric}.")))
}

fn check_dimension(dimension: Option<u32>) -> Result<u32, Refusal> {
    dimension
        .filter(|dimension| (1..=20_000).contains(dimension))
        .ok_or_else(|| Refusal::invalid("Dimension must be between 1 and 20000."))
}
