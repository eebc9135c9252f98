//! What is said of an index that has the name already.

use crate::api::{Reason, StatusMessage};
use crate::pinecone::{Index, RestoreJob, SourceBackup};
use crate::restore::jobs::RestoreJobs;
use crate::restore::situation::Situation;

/// Reports that the name is taken and that no restore job proves that the index came from this
/// backup; names the index's origin where it is known.
pub fn name_taken(situation: &Situation, index: &Index, jobs: &RestoreJobs) -> StatusMessage {
    let (name, backup_id) = (&index.name, &situation.backup_id);
    if let Some(job) = &jobs.foreign {
        let message = format!(
            "index {name} exists and was restored from another backup ({}), by restore job {}; it was left alone; set another indexName",
            job.backup_id, job.restore_job_id
        );
        return StatusMessage::new(Reason::IndexAlreadyExists, message);
    }
    let message = match (&index.source, &jobs.doubted) {
        (SourceBackup::Id(other), _) => format!(
            "index {name} exists and was restored from another backup ({other}); it was left alone; set another indexName"
        ),
        (SourceBackup::None, _) => format!(
            "index {name} exists and was not restored from a backup; it was left alone; set another indexName"
        ),
        (SourceBackup::NotShown, Some(job)) => format!(
            "index {name} exists, and whether it came from backup {backup_id} cannot be determined: restore job {} was listed and Pinecone does not show it by its ID; the index was left alone; check where it came from, or set another indexName",
            job.restore_job_id
        ),
        (SourceBackup::NotShown, None) => format!(
            "index {name} exists, and whether it came from backup {backup_id} cannot be determined: Pinecone lists no restore job for it; the index was left alone; check where it came from, set another indexName, or use --pinecone-api-version=2026-07, which shows the origin"
        ),
    };
    StatusMessage::new(Reason::IndexAlreadyExists, message)
}

/// Reports that it cannot be determined whether a request of this restore created the index.
pub fn conflict_undetermined(situation: &Situation, index: &Index) -> StatusMessage {
    let (name, backup_id) = (&index.name, &situation.backup_id);
    StatusMessage::new(
        Reason::SubmissionUnconfirmed,
        format!(
            "index {name} exists, and whether this restore created it cannot be determined: Pinecone lists no restore job for it; check in Pinecone whether it was restored from backup {backup_id}; if it was, the status follows once Pinecone lists the job; if not, delete this IndexRestore and apply one with another indexName"
        ),
    )
}

/// Reports that the index is left from a failed restore, which is no result, whoever started it.
pub fn left_by_failed_job(job: &RestoreJob) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexAlreadyExists,
        format!(
            "index {} is left from an earlier restore of this backup, job {}, which is {}; delete that index, and the restore continues automatically; or set another indexName",
            job.target_index_name, job.restore_job_id, job.word
        ),
    )
}

/// Reports that a restore job of this backup made the index, which `adoptionPolicy: Never` does not
/// accept.
pub fn never_adopt(job: &RestoreJob) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexAlreadyExists,
        format!(
            "index {} was restored from this backup by restore job {}, which is not this IndexRestore's; set adoptionPolicy to IfSameBackup to accept it, or set another indexName",
            job.target_index_name, job.restore_job_id
        ),
    )
}

/// Reports that the index names this backup, which `adoptionPolicy: Never` does not accept. No
/// restore job is shown for it.
pub fn never_adopt_index(index: &Index) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexAlreadyExists,
        format!(
            "index {} was restored from this backup before; set adoptionPolicy to IfSameBackup to accept it, or set another indexName",
            index.name
        ),
    )
}

/// Advice to edit a spec that may not be edited, because an earlier attempt may still
/// take effect, is replaced.
pub fn frozen(message: StatusMessage) -> StatusMessage {
    const EDITED: [Reason; 4] = [
        Reason::InvalidRequest,
        Reason::BackupNotFound,
        Reason::BackupFailed,
        Reason::IndexAlreadyExists,
    ];
    const NOTE: &str = " (an earlier request may still take effect, so this spec cannot be edited: to change it, delete this IndexRestore and apply another)";
    if !EDITED.contains(&message.reason) || message.text.ends_with(NOTE) {
        return message;
    }
    StatusMessage::new(message.reason, message.text + NOTE)
}

/// Reports that the name is taken and that it is too early to conclude by what.
pub fn looking_for_origin(index_name: &str, jobs: &RestoreJobs) -> StatusMessage {
    let what = match &jobs.doubted {
        Some(job) => format!(
            "restore job {} was listed for it, and Pinecone does not show that job by its ID right now",
            job.restore_job_id
        ),
        None => "looking for the restore job that made it".to_owned(),
    };
    StatusMessage::new(
        Reason::Pending,
        format!("an index {index_name} exists; {what}; nothing was sent to Pinecone"),
    )
}

/// Reports that the restore waits until Pinecone has deleted the index that has the name.
pub fn name_being_freed(index_name: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::Pending,
        format!(
            "Pinecone is deleting an index {index_name}; the restore starts once the name is free"
        ),
    )
}

/// Reports that an index of the same backup is adopted; its job may still run.
pub fn adopting(job: &RestoreJob) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!(
            "index {} was restored from this backup before, by restore job {}; it is taken as the result",
            job.target_index_name, job.restore_job_id
        ),
    )
}

/// Reports that the index is recorded without a restore job, because it names this backup.
pub fn recording_index(index: &Index) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!(
            "Pinecone names this backup as the origin of index {}, and lists no restore job for it; the index is recorded as this restore's, without a job",
            index.name
        ),
    )
}
