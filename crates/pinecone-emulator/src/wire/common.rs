//! The fields that all API versions show.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::backup::Backup;
use crate::model::index::{DeletionProtection, Index};
use crate::model::job::Job;

use crate::model::time::rfc3339;

/// Returns the fields of an index that all versions show.
pub(super) fn index_base(index: &Index, now: Timestamp) -> Value {
    let (state, ready) = index.state(now);
    json!({
        "name": index.name,
        "host": index.host,
        "deletion_protection": DeletionProtection::of(index.protected).as_str(),
        "tags": Some(&index.tags).filter(|tags| !tags.is_empty()),
        "status": {"ready": ready, "state": state},
    })
}

/// Returns the fields of a backup that all versions show.
pub(super) fn backup_base(backup: &Backup, now: Timestamp) -> Value {
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
        "created_at": rfc3339(backup.created_at),
    });
    for (key, value) in [("name", &backup.name), ("description", &backup.description)] {
        if let Some(value) = value {
            model[key] = json!(value);
        }
    }
    model
}

/// Returns the fields of a restore job that all versions show.
pub(super) fn job_base(job: &Job, created_at: Option<Timestamp>, now: Timestamp) -> Value {
    let end = job.ended(now);
    json!({
        "restore_job_id": job.id,
        "backup_id": job.backup_id,
        "target_index_name": job.index_name,
        "target_index_id": job.index_id,
        "status": end.map_or("Pending", |(_, outcome)| outcome.as_str()),
        "created_at": created_at.map(rfc3339),
    })
}
