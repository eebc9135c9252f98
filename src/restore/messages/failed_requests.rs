//! Messages about requests that Pinecone refused or did not answer.

use super::backup_not_found;
use super::times::{at_least_every, at_least_every_unless_paused};
use crate::api::{Reason, StatusMessage};
use crate::pinecone::{Failure, FailureKind};
use crate::restore::intervals::Intervals;
use crate::restore::situation::Situation;

/// Reports a read that failed before anything was submitted, or while a job is followed.
pub fn of_read(failure: &Failure, intervals: Intervals) -> StatusMessage {
    let every = at_least_every(intervals.longest_retry());
    match failure.kind {
        FailureKind::PermissionDenied | FailureKind::Forbidden => StatusMessage::new(
            Reason::PermissionDenied,
            format!(
                "Pinecone does not let this API key read backups, restore jobs or indexes ({failure}). Use an API key with permission to read them, in a project whose plan includes backups; the operator retries {every}."
            ),
        ),
        FailureKind::Unauthorized => invalid_key(failure, intervals),
        FailureKind::PaymentRequired => payment_required(failure, intervals),
        FailureKind::RateLimited => rate_limited(failure, intervals),
        FailureKind::UnsupportedVersion => unsupported_version(failure),
        _ => StatusMessage::new(
            Reason::ApiUnavailable,
            format!(
                "Pinecone's API gave no usable answer ({failure}). The operator retries {}.",
                at_least_every_unless_paused(intervals.longest_retry())
            ),
        ),
    }
}

/// Reports a refusal of the create request.
pub fn of_refusal(failure: &Failure, situation: &Situation, intervals: Intervals) -> StatusMessage {
    let every = at_least_every(intervals.longest_retry());
    match failure.kind {
        FailureKind::Unauthorized => invalid_key(failure, intervals),
        FailureKind::PaymentRequired => payment_required(failure, intervals),
        FailureKind::RateLimited => rate_limited(failure, intervals),
        FailureKind::PermissionDenied => StatusMessage::new(
            Reason::PermissionDenied,
            format!(
                "Pinecone does not let this API key create an index ({failure}). Use an API key with permission to create indexes, in a project whose plan includes backups; the operator retries {every}."
            ),
        ),
        FailureKind::Forbidden => StatusMessage::new(
            Reason::QuotaExceeded,
            format!(
                "Pinecone refused to create another index ({failure}). Delete an index or raise the project's quota; the operator retries {every}."
            ),
        ),
        FailureKind::NotFound => backup_not_found(&situation.backup_id, failure, intervals),
        FailureKind::PreconditionFailed => StatusMessage::new(
            Reason::BackupNotReady,
            format!(
                "Pinecone reports that the backup is not ready ({failure}). The operator retries {every}."
            ),
        ),
        FailureKind::UnsupportedVersion => unsupported_version(failure),
        FailureKind::Invalid => StatusMessage::new(
            Reason::InvalidRequest,
            format!(
                "Pinecone rejected this spec and created nothing ({failure}). Correct the spec and apply it again."
            ),
        ),
        FailureKind::NotConnected | FailureKind::Unavailable | FailureKind::AlreadyExists => {
            StatusMessage::new(
                Reason::ApiUnavailable,
                format!(
                    "Pinecone could not be reached, and nothing was created ({failure}). The operator retries {every}."
                ),
            )
        }
    }
}

fn invalid_key(failure: &Failure, intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::InvalidApiKey,
        format!(
            "Pinecone rejected the API key ({failure}). Update the Secret that apiKeySecretRef names with a valid key of the backup's project; the operator retries {}.",
            at_least_every(intervals.longest_secret())
        ),
    )
}

/// The spec is not at fault: the version is a flag of the operator.
fn unsupported_version(failure: &Failure) -> StatusMessage {
    StatusMessage::new(
        Reason::ApiUnavailable,
        format!(
            "Pinecone does not accept the operator's API version ({failure}). Set --pinecone-api-version to a version that Pinecone supports."
        ),
    )
}

fn payment_required(failure: &Failure, intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::PaymentRequired,
        format!(
            "Pinecone requires payment ({failure}). Settle the organization's invoices; the operator retries {}.",
            at_least_every(intervals.longest_retry())
        ),
    )
}

fn rate_limited(failure: &Failure, intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::RateLimited,
        format!(
            "Pinecone rate limited the API key ({failure}). The operator retries {}.",
            at_least_every_unless_paused(intervals.longest_retry())
        ),
    )
}
