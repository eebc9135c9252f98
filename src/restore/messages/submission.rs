//! Messages about the outcome of the create request.

use std::time::Duration;

use jiff::Timestamp;

use super::times::{at, at_least_every_unless_paused, length};
use crate::api::{REQUESTED_AT, Reason, StatusMessage};
use crate::pinecone::RestoreJob;
use crate::restore::intervals::Intervals;
use crate::restore::situation::Situation;

/// Reports that the outcome of the create request is not known; `why` is what was observed.
pub fn confirming(why: &str, intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::ConfirmingSubmission,
        format!(
            "The outcome of the submission is not known yet ({why}). The operator submits nothing meanwhile, and checks again {}.",
            at_least_every_unless_paused(intervals.longest_observation())
        ),
    )
}

/// Reports that the submission left no trace for the confirm patience: another attempt follows.
pub fn abandoned(intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::ConfirmingSubmission,
        format!(
            "The submission left no trace in Pinecone and is abandoned. The operator submits again in a new attempt, in {}.",
            length(intervals.poll_min)
        ),
    )
}

/// Requires manual action: the outcome is unknown for longer than [`Patience::give_up`], or a trace of
/// the restore disappeared.
///
/// [`Patience::give_up`]: crate::restore::intervals::Patience::give_up
pub fn unconfirmed(situation: &Situation, why: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::SubmissionUnconfirmed,
        format!(
            "The outcome of the submission is still not known ({why}). Check in Pinecone for a restore job of backup {} and for index {}. If neither exists, set the annotation {REQUESTED_AT} to a new value to submit again.",
            situation.backup_id, situation.index_name
        ),
    )
}

/// Requires manual action: the outcome was not observed for too long, so that an absence proves
/// nothing. `until` is the end of the observation, `longest` the longest gap allowed.
pub fn unobserved(
    situation: &Situation,
    why: &str,
    until: Timestamp,
    longest: Duration,
) -> StatusMessage {
    let gap = match longest.is_zero() {
        true => {
            "With --max-observation-gap=0 the operator never submits again automatically".into()
        }
        false => format!(
            "Pinecone was not observed for more than {} after {}",
            length(longest),
            at(until)
        ),
    };
    StatusMessage::new(
        Reason::SubmissionUnconfirmed,
        format!(
            "The outcome of the submission is not known ({why}). {gap}. If Pinecone did not restore this backup to index {}, set the annotation {REQUESTED_AT} to a new value to submit again.",
            situation.index_name
        ),
    )
}

/// Reports the IDs with which Pinecone accepted the create request.
pub fn submitted(job_id: &str, index_id: &str, intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!(
            "Pinecone accepted the restore as job {job_id} to index {index_id}. Checking again within {}.",
            length(intervals.poll_max)
        ),
    )
}

/// Reports that the restore job was found although the answer that named it was lost.
pub fn recovered(job: &RestoreJob) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!(
            "Pinecone accepted the submission: restore job {} to index {} belongs to this restore. The operator follows the job to its end.",
            job.restore_job_id, job.target_index_id
        ),
    )
}
