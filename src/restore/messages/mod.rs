//! The messages of statuses and events. Each says what is true, why (with Pinecone's own words in
//! parentheses), and what happens or what to do next. A time in a message is a bound that does not
//! change from one retry to the next.

mod failed_requests;
mod job;
mod origin;
mod restored;
mod submission;
#[cfg(test)]
mod tests;
mod times;

use std::time::Duration;

use super::intervals::Intervals;
use crate::api::{Reason, StatusMessage};
use crate::caches::KeyProblem;
use crate::pinecone::Failure;
use times::at_least_every;

pub use failed_requests::*;
pub use job::*;
pub use origin::*;
pub use restored::*;
pub use submission::*;

/// Reports that nothing was submitted yet: the first message of a restore.
pub fn pending() -> StatusMessage {
    StatusMessage::new(
        Reason::Pending,
        "The restore is not submitted yet. The operator submits it once the index name is free and the backup is ready.",
    )
}

/// Reports that requests with the API key in this Secret have to wait for others.
pub fn waiting(secret: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::Pending,
        format!(
            "The restore is not submitted yet: it waits for other restores that use the API key in Secret {secret:?}. The operator submits it as soon as they allow."
        ),
    )
}

/// Reports that the installed CRD drops the claim, without which nothing may be sent.
pub fn crd_outdated(intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::CrdOutdated,
        format!(
            "The installed CustomResourceDefinition drops status.submission, without which nothing is submitted. Apply the CRD of this operator's version; the operator checks again {}.",
            at_least_every(intervals.stalled())
        ),
    )
}

/// Reports that no API key can be used, and what to do about it.
pub fn no_key(problem: &KeyProblem, intervals: Intervals) -> StatusMessage {
    let reason = match problem {
        KeyProblem::NoSecret(_) => Reason::SecretNotFound,
        KeyProblem::Forbidden(_) => Reason::SecretForbidden,
        KeyProblem::NoKey { .. } | KeyProblem::Invalid { .. } => Reason::InvalidSecret,
    };
    StatusMessage::new(
        reason,
        format!(
            "{}. {}; the operator checks again {}.",
            capitalized(&problem.to_string()),
            problem.remedy(),
            at_least_every(intervals.longest_secret())
        ),
    )
}

/// Reports that Pinecone answered 404 for the backup, to a read or to the create request.
pub fn backup_not_found(backup_id: &str, failure: &Failure, intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::BackupNotFound,
        format!(
            "The API key's project has no backup {backup_id} ({failure}). Correct backupId or use a key of the backup's project; the operator checks again {}.",
            at_least_every(intervals.stalled())
        ),
    )
}

/// Reports that the backup is not complete; `status` is Pinecone's word for its state, `every` the
/// time between two checks.
pub fn backup_not_ready(backup_id: &str, status: &str, every: Duration) -> StatusMessage {
    StatusMessage::new(
        Reason::BackupNotReady,
        format!(
            "Backup {backup_id} is not ready ({status}). The restore starts once it is Ready; the operator checks again {}.",
            at_least_every(every)
        ),
    )
}

/// Reports that the backup cannot be restored; `status` is Pinecone's word for its state.
pub fn backup_failed(backup_id: &str, status: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::BackupFailed,
        format!(
            "Backup {backup_id} cannot be restored ({status}). Set backupId to another backup; nothing was created."
        ),
    )
}

fn capitalized(clause: &str) -> String {
    let mut characters = clause.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
