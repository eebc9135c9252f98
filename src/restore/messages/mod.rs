//! What the status says: each message says what is true and what to do next.

mod origin;
mod restored;

use std::time::Duration;

use jiff::Timestamp;

use super::situation::{Situation, Submitted};
use crate::api::conditions::whole_seconds;
use crate::api::{REQUESTED_AT, Reason, StatusMessage};
use crate::caches::KeyProblem;
use crate::pinecone::{Failure, FailureKind, Index, RestoreJob};

pub use origin::*;
pub use restored::*;

/// A read that failed before anything was submitted, or while a job is followed.
pub fn of_read(failure: &Failure) -> StatusMessage {
    match failure.kind {
        FailureKind::PermissionDenied | FailureKind::Forbidden => StatusMessage::new(
            Reason::PermissionDenied,
            format!(
                "Pinecone does not let this API key read backups, restore jobs or indexes ({failure}); use an API key with permission to read them, in a project whose plan includes backups; the operator retries"
            ),
        ),
        FailureKind::Unauthorized => invalid_key(failure),
        FailureKind::PaymentRequired => payment_required(failure),
        FailureKind::RateLimited => rate_limited(failure),
        FailureKind::UnsupportedVersion => unsupported_version(failure),
        _ => StatusMessage::new(
            Reason::ApiUnavailable,
            format!("Pinecone's API did not give a usable answer ({failure}); it is retried"),
        ),
    }
}

/// A refusal of the create request.
pub fn of_refusal(failure: &Failure, situation: &Situation) -> StatusMessage {
    match failure.kind {
        FailureKind::Unauthorized => invalid_key(failure),
        FailureKind::PaymentRequired => payment_required(failure),
        FailureKind::RateLimited => rate_limited(failure),
        FailureKind::PermissionDenied => StatusMessage::new(
            Reason::PermissionDenied,
            format!(
                "Pinecone does not let this API key create an index ({failure}); use an API key with permission to create indexes, in a project whose plan includes backups; the operator retries"
            ),
        ),
        FailureKind::Forbidden => StatusMessage::new(
            Reason::QuotaExceeded,
            format!(
                "Pinecone refuses another index ({failure}); delete an index or raise the project's quota; it is retried"
            ),
        ),
        FailureKind::NotFound => backup_not_found(&situation.backup_id, failure),
        FailureKind::PreconditionFailed => StatusMessage::new(
            Reason::BackupNotReady,
            format!("Pinecone says that the backup is not ready yet ({failure}); it is retried"),
        ),
        FailureKind::UnsupportedVersion => unsupported_version(failure),
        FailureKind::Invalid => StatusMessage::new(
            Reason::InvalidRequest,
            format!(
                "Pinecone refuses this spec ({failure}); nothing was created; correct the spec and apply it again"
            ),
        ),
        FailureKind::NotConnected | FailureKind::Unavailable | FailureKind::AlreadyExists => {
            StatusMessage::new(
                Reason::ApiUnavailable,
                format!(
                    "Pinecone could not be reached ({failure}); nothing was created; it is retried"
                ),
            )
        }
    }
}

fn invalid_key(failure: &Failure) -> StatusMessage {
    StatusMessage::new(
        Reason::InvalidApiKey,
        format!(
            "Pinecone refuses the API key ({failure}); put a valid key of the backup's project into the Secret that apiKeySecretRef names; it is retried"
        ),
    )
}

/// The spec is not at fault: the version is a flag of the operator.
fn unsupported_version(failure: &Failure) -> StatusMessage {
    StatusMessage::new(
        Reason::ApiUnavailable,
        format!(
            "Pinecone does not accept the operator's API version ({failure}); set --pinecone-api-version to a version that Pinecone supports"
        ),
    )
}

fn payment_required(failure: &Failure) -> StatusMessage {
    StatusMessage::new(
        Reason::PaymentRequired,
        format!(
            "Pinecone asks for payment ({failure}); settle the organization's invoices; it is retried"
        ),
    )
}

fn rate_limited(failure: &Failure) -> StatusMessage {
    StatusMessage::new(
        Reason::RateLimited,
        format!("Pinecone asks for fewer requests ({failure}); it is retried"),
    )
}

/// Reports that no API key can be used; `problem` says what to do about it.
pub fn no_key(problem: &KeyProblem) -> StatusMessage {
    StatusMessage::new(
        Reason::SecretNotFound,
        format!("{problem}; it is looked at again"),
    )
}

/// Reports that nothing was sent yet: the first message of a restore.
pub fn pending() -> StatusMessage {
    StatusMessage::new(Reason::Pending, "nothing was sent to Pinecone yet")
}

/// Reports that the installed CRD is older than this operator.
pub fn crd_outdated() -> StatusMessage {
    StatusMessage::new(
        Reason::CrdOutdated,
        "the installed CustomResourceDefinition drops status.submission, without which nothing is submitted; apply the CRD of this operator's version",
    )
}

/// Reports that Pinecone answered 404 for the backup, to a read or to the create request.
pub fn backup_not_found(backup_id: &str, failure: &Failure) -> StatusMessage {
    StatusMessage::new(
        Reason::BackupNotFound,
        format!(
            "no backup {backup_id} in the project of this API key ({failure}); correct backupId or use a key of the backup's project; nothing was created"
        ),
    )
}

/// Reports that the backup is not complete; `status` is Pinecone's word for its state.
pub fn backup_not_ready(backup_id: &str, status: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::BackupNotReady,
        format!("backup {backup_id} is {status}; the restore starts once it is Ready"),
    )
}

/// Reports that the backup cannot be restored; `status` is Pinecone's word for its state.
pub fn backup_failed(backup_id: &str, status: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::BackupFailed,
        format!(
            "backup {backup_id} is {status} and cannot be restored; set backupId to another backup; nothing was created"
        ),
    )
}

/// Reports that the outcome of the create request is not known; `why` is what was observed.
pub fn confirming(why: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::ConfirmingSubmission,
        format!(
            "the restore was submitted and its outcome is not known ({why}); looking for its restore job; it is not submitted again while it may exist"
        ),
    )
}

/// Asks a person to check in Pinecone: the outcome is unknown for longer than
/// [`Patience::give_up`], or a trace of the restore disappeared.
///
/// [`Patience::give_up`]: super::intervals::Patience::give_up
pub fn unconfirmed(situation: &Situation, why: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::SubmissionUnconfirmed,
        format!(
            "the restore was submitted and its outcome is still not known ({why}); check in Pinecone whether a restore job of backup {} to index {} exists; if it does, the status follows once Pinecone lists it; if not, and no index has the name, annotate this IndexRestore with {REQUESTED_AT} and a new value to submit again; otherwise delete it and apply it again",
            situation.backup_id, situation.index_name
        ),
    )
}

/// The outcome was out of sight for too long: its absence proves nothing.
pub fn unobserved(
    situation: &Situation,
    why: &str,
    until: Timestamp,
    longest: Duration,
) -> StatusMessage {
    let gap = match longest.is_zero() {
        true => "the operator is set never to submit again by itself".to_owned(),
        false => format!(
            "Pinecone was out of sight for more than {} s after {}, and an index that was created and deleted meanwhile leaves no trace",
            longest.as_secs(),
            at(until)
        ),
    };
    StatusMessage::new(
        Reason::SubmissionUnconfirmed,
        format!(
            "the restore was submitted and its outcome is not known ({why}); {gap}; check in Pinecone whether index {} was restored from backup {}; if not, annotate this IndexRestore with {REQUESTED_AT} and a new value to submit again",
            situation.index_name, situation.backup_id
        ),
    )
}

/// Reports the IDs with which Pinecone accepted the create request.
pub fn submitted(job_id: &str, index_id: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!("Pinecone accepted the restore as job {job_id} to index {index_id}"),
    )
}

/// Reports that the restore job was found although the answer that named it was lost.
pub fn recovered(job: &RestoreJob) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!(
            "the submission was confirmed: restore job {} to index {} is this restore's",
            job.restore_job_id, job.target_index_id
        ),
    )
}

/// Reports the job's state in Pinecone's own word.
pub fn restoring(job: &RestoreJob) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!("restore job {} is {}", job.restore_job_id, job.word),
    )
}

/// Reports that Pinecone does not show the job, which proves nothing yet.
pub fn job_not_shown(submitted: &Submitted) -> StatusMessage {
    StatusMessage::new(
        Reason::Restoring,
        format!(
            "Pinecone does not show {} right now; it is looked for again",
            job_of(submitted)
        ),
    )
}

/// Reports that the job is missing for [`Patience::give_up`] while an index of the name exists.
///
/// [`Patience::give_up`]: super::intervals::Patience::give_up
pub fn job_lost(submitted: &Submitted, index: &Index) -> StatusMessage {
    StatusMessage::new(
        Reason::RestoreJobNotFound,
        format!(
            "Pinecone has not shown {} for an hour, so that whether it completed cannot be determined; index {} is {}; check its data before you use it",
            job_of(submitted),
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
            "restore job {} failed; Pinecone gives no cause; delete index {} and this IndexRestore, then apply it again, or ask Pinecone's support about the job",
            job.restore_job_id, job.target_index_name
        ),
    )
}

/// Reports that the job was cancelled. The restore is not submitted again.
pub fn job_cancelled(job: &RestoreJob) -> StatusMessage {
    StatusMessage::new(
        Reason::RestoreCancelled,
        format!(
            "restore job {} was cancelled; delete index {} and this IndexRestore, then apply it again",
            job.restore_job_id, job.target_index_name
        ),
    )
}

fn at(time: Timestamp) -> String {
    whole_seconds(time).to_string()
}

fn job_of(submitted: &Submitted) -> String {
    match &submitted.job_id {
        Some(id) => format!("restore job {id}"),
        None => "its restore job".to_owned(),
    }
}
