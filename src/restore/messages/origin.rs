//! Messages about an index that already has the name.

use jiff::{SignedDuration, Timestamp};

use super::times::{at, length};
use crate::api::{Reason, StatusMessage};
use crate::pinecone::{Index, RestoreJob, SourceBackup};
use crate::restore::intervals::Intervals;
use crate::restore::jobs::RestoreJobs;
use crate::restore::situation::Situation;

/// Reports that the name is taken and that no restore job proves that the index came from this
/// backup; names the index's origin where it is known.
pub fn name_taken(situation: &Situation, index: &Index, jobs: &RestoreJobs) -> StatusMessage {
    let (name, backup_id) = (&index.name, &situation.backup_id);
    if let Some(job) = &jobs.foreign {
        let message = format!(
            "Index {name} already exists and was restored from another backup ({}, by restore job {}). Set another indexName.",
            job.backup_id, job.restore_job_id
        );
        return StatusMessage::new(Reason::IndexAlreadyExists, message);
    }
    let message = match (&index.source, &jobs.doubted) {
        (SourceBackup::Id(other), _) => format!(
            "Index {name} already exists and was restored from another backup ({other}). Set another indexName."
        ),
        (SourceBackup::None, _) => format!(
            "Index {name} already exists and was not restored from a backup. Set another indexName."
        ),
        (SourceBackup::NotShown, Some(job)) => format!(
            "Index {name} already exists, and whether it came from backup {backup_id} cannot be determined ({}). Check its origin, or set another indexName.",
            not_shown_by_id(job)
        ),
        (SourceBackup::NotShown, None) => format!(
            "Index {name} already exists, and whether it came from backup {backup_id} cannot be determined (Pinecone lists no restore job for it). Set another indexName, or --pinecone-api-version=2026-07, which shows the origin."
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
            "Index {name} exists, and whether this restore created it cannot be determined (Pinecone lists no restore job for it). If its origin is backup {backup_id}, wait until Pinecone lists the job; if not, delete this IndexRestore and apply one with another indexName."
        ),
    )
}

/// Reports that the index is left from a failed restore, which is no result, whoever started it.
pub fn left_by_failed_job(job: &RestoreJob) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexAlreadyExists,
        format!(
            "Index {} is left from an earlier restore of this backup (job {}, {}). Delete that index to let the restore continue, or set another indexName.",
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
            "Index {} was restored from this backup before (by restore job {}). Set adoptionPolicy to IfSameBackup to adopt the index, or set another indexName.",
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
            "Index {} was restored from this backup before. Set adoptionPolicy to IfSameBackup to adopt the index, or set another indexName.",
            index.name
        ),
    )
}

/// Ends each message that advises to edit a spec which may not be edited.
pub(super) const FROZEN: &str = " The spec cannot be edited after an abandoned attempt: delete this IndexRestore and apply another.";

/// Corrects advice to edit a spec that may not be edited, because an earlier attempt may still take
/// effect. A message that already says so, also in the words of an earlier version, stays.
pub fn frozen(message: StatusMessage) -> StatusMessage {
    const EDITED: [Reason; 4] = [
        Reason::InvalidRequest,
        Reason::BackupNotFound,
        Reason::BackupFailed,
        Reason::IndexAlreadyExists,
    ];
    if !EDITED.contains(&message.reason) || message.text.contains("spec cannot be edited") {
        return message;
    }
    StatusMessage::new(message.reason, message.text + FROZEN)
}

/// Difference between two computations of the same end that clocks explain.
const SAME_END: SignedDuration = SignedDuration::from_secs(5);

/// Reports that the name is taken and that it is too early to conclude by what; `until` is about when it
/// is concluded. An end that the status shows stays unless it differs by more than [`SAME_END`], so that
/// a poll does not write the status.
pub fn looking_for_origin(
    index_name: &str,
    jobs: &RestoreJobs,
    until: Timestamp,
    shown: Option<&StatusMessage>,
) -> StatusMessage {
    let why = match &jobs.doubted {
        Some(job) => not_shown_by_id(job),
        None => "no restore job for it was found yet".to_owned(),
    };
    let before = format!("Index {index_name} already exists. Until about ");
    let after = format!(
        ", the operator checks which restore job made it ({why}), and submits nothing. Without a job, the name is taken."
    );
    let shown = shown
        .and_then(|shown| shown.text.strip_prefix(&before)?.strip_suffix(&after))
        .and_then(|end| end.parse::<Timestamp>().ok())
        .filter(|end| end.duration_since(until).abs() <= SAME_END);
    let until = at(shown.unwrap_or(until));
    StatusMessage::new(Reason::Pending, format!("{before}{until}{after}"))
}

/// Reports that the restore waits until Pinecone has deleted the index that has the name.
pub fn name_being_freed(index_name: &str, intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::Pending,
        format!(
            "Pinecone is deleting index {index_name}. The restore starts once the name is free. Checking again within {}.",
            length(intervals.poll_max)
        ),
    )
}

/// Reports that an index of the same backup is adopted; its job may still run.
pub fn adopting(job: &RestoreJob) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!(
            "Index {} was restored from this backup before, by restore job {}. The operator adopts the index and follows the job to its end.",
            job.target_index_name, job.restore_job_id
        ),
    )
}

/// Reports that the index is recorded without a restore job, because it names this backup.
pub fn recording_index(index: &Index) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!(
            "Pinecone names this backup as the origin of index {}, and lists no restore job for it. The operator records the index as this restore's, without a job.",
            index.name
        ),
    )
}

fn not_shown_by_id(job: &RestoreJob) -> String {
    format!(
        "Pinecone listed restore job {} and does not show it by its ID",
        job.restore_job_id
    )
}
