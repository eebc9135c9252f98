//! Messages about the restore job.

use std::time::Duration;

use super::times::length;
use crate::api::{Reason, StatusMessage};
use crate::pinecone::{Index, RestoreJob};
use crate::restore::intervals::Intervals;
use crate::restore::situation::Submitted;

/// Reports that the job has not ended, with its state in Pinecone's own word.
pub fn restoring(job: &RestoreJob, intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!(
            "Restore job {} is running ({}). Checking again within {}.",
            job.restore_job_id,
            job.word,
            length(intervals.poll_max)
        ),
    )
}

/// Reports that Pinecone does not show the job, which proves nothing yet.
pub fn job_not_shown(submitted: &Submitted, intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!(
            "Pinecone does not show {} at the moment. Checking again within {}.",
            job_of(submitted),
            length(intervals.poll_max)
        ),
    )
}

/// Reports that the job is missing for [`Patience::give_up`] while an index of the name exists.
///
/// [`Patience::give_up`]: crate::restore::intervals::Patience::give_up
pub fn job_lost(submitted: &Submitted, index: &Index, give_up: Duration) -> StatusMessage {
    StatusMessage::new(
        Reason::RestoreJobNotFound,
        format!(
            "Pinecone has not shown {} for {}, so whether the restore completed cannot be determined (index {} is {}). Check the index's data before you use it.",
            job_of(submitted),
            length(give_up),
            index.name,
            index.word
        ),
    )
}

/// Reports that the job failed. The restore is not submitted again.
pub fn job_failed(job: &RestoreJob) -> StatusMessage {
    StatusMessage::new(
        Reason::RestoreFailed,
        format!(
            "Restore job {} failed, and Pinecone gives no cause. Delete this IndexRestore and then index {}, and apply it again, or ask Pinecone's support about the job.",
            job.restore_job_id, job.target_index_name
        ),
    )
}

/// Reports that the job was cancelled. The restore is not submitted again.
pub fn job_cancelled(job: &RestoreJob) -> StatusMessage {
    StatusMessage::new(
        Reason::RestoreCancelled,
        format!(
            "Restore job {} was cancelled. Delete this IndexRestore and then index {}, and apply it again.",
            job.restore_job_id, job.target_index_name
        ),
    )
}

/// Returns the job's name for the middle of a sentence.
pub(super) fn job_of(submitted: &Submitted) -> String {
    match &submitted.job_id {
        Some(id) => format!("restore job {id}"),
        None => "its restore job".to_owned(),
    }
}
