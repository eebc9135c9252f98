//! What the status says: each sentence tells what is true and what to do next.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::answer::History;
use super::stage::{Situation, Submitted, Wanted};
use crate::api::conditions::{Finding, whole_seconds};
use crate::api::{REQUESTED_AT, Reason};
use crate::pinecone::{Failure, FailureKind, Index, RestoreJob, SourceBackup};
use crate::secret::KeyProblem;

/// A read that failed before anything was submitted, or while a job is followed.
pub fn of_read(failure: &Failure) -> Finding {
    match failure.kind {
        FailureKind::PermissionDenied | FailureKind::Forbidden => Finding::new(
            Reason::PermissionDenied,
            format!(
                "Pinecone does not let this API key read backups, restore jobs or indexes ({failure}); use an API key with permission to read them, in a project whose plan includes backups; the operator retries"
            ),
        ),
        FailureKind::Unauthorized => invalid_key(failure),
        FailureKind::PaymentRequired => payment_required(failure),
        FailureKind::RateLimited => rate_limited(failure),
        FailureKind::UnsupportedVersion => unsupported_version(failure),
        _ => Finding::new(
            Reason::ApiUnavailable,
            format!("Pinecone's API did not give a usable answer ({failure}); it is retried"),
        ),
    }
}

/// A refusal of the create request.
pub fn of_refusal(failure: &Failure, situation: &Situation) -> Finding {
    match failure.kind {
        FailureKind::Unauthorized => invalid_key(failure),
        FailureKind::PaymentRequired => payment_required(failure),
        FailureKind::RateLimited => rate_limited(failure),
        FailureKind::PermissionDenied => Finding::new(
            Reason::PermissionDenied,
            format!(
                "Pinecone does not let this API key create an index ({failure}); use an API key with permission to create indexes, in a project whose plan includes backups; the operator retries"
            ),
        ),
        FailureKind::Forbidden => Finding::new(
            Reason::QuotaExceeded,
            format!(
                "Pinecone refuses another index ({failure}); delete an index or raise the project's quota; it is retried"
            ),
        ),
        FailureKind::NotFound => backup_not_found(&situation.backup_id, failure),
        FailureKind::PreconditionFailed => Finding::new(
            Reason::BackupNotReady,
            format!("Pinecone says that the backup is not ready yet ({failure}); it is retried"),
        ),
        FailureKind::UnsupportedVersion => unsupported_version(failure),
        FailureKind::Invalid => Finding::new(
            Reason::InvalidRequest,
            format!(
                "Pinecone refuses this spec ({failure}); nothing was created; correct the spec and apply it again"
            ),
        ),
        FailureKind::NotConnected | FailureKind::Unavailable | FailureKind::AlreadyExists => {
            Finding::new(
                Reason::ApiUnavailable,
                format!(
                    "Pinecone could not be reached ({failure}); nothing was created; it is retried"
                ),
            )
        }
    }
}

fn invalid_key(failure: &Failure) -> Finding {
    Finding::new(
        Reason::InvalidApiKey,
        format!(
            "Pinecone refuses the API key ({failure}); put a valid key of the backup's project into the Secret that apiKeySecretRef names; it is retried"
        ),
    )
}

/// The spec is not at fault: the version is a flag of the operator.
fn unsupported_version(failure: &Failure) -> Finding {
    Finding::new(
        Reason::ApiUnavailable,
        format!(
            "Pinecone does not accept the operator's API version ({failure}); set --pinecone-api-version to a version that Pinecone supports"
        ),
    )
}

fn payment_required(failure: &Failure) -> Finding {
    Finding::new(
        Reason::PaymentRequired,
        format!(
            "Pinecone asks for payment ({failure}); settle the organization's invoices; it is retried"
        ),
    )
}

fn rate_limited(failure: &Failure) -> Finding {
    Finding::new(
        Reason::RateLimited,
        format!("Pinecone asks for fewer requests ({failure}); it is retried"),
    )
}

pub fn no_key(problem: &KeyProblem) -> Finding {
    Finding::new(
        Reason::SecretNotFound,
        format!("{problem}; it is looked at again"),
    )
}

pub fn pending() -> Finding {
    Finding::new(Reason::Pending, "nothing was sent to Pinecone yet")
}

pub fn backup_not_found(backup_id: &str, failure: &Failure) -> Finding {
    Finding::new(
        Reason::BackupNotFound,
        format!(
            "no backup {backup_id} in the project of this API key ({failure}); correct backupId or use a key of the backup's project; nothing was created"
        ),
    )
}

pub fn backup_not_ready(backup_id: &str, status: &str) -> Finding {
    Finding::new(
        Reason::BackupNotReady,
        format!("backup {backup_id} is {status}; the restore starts once it is Ready"),
    )
}

pub fn backup_failed(backup_id: &str, status: &str) -> Finding {
    Finding::new(
        Reason::BackupFailed,
        format!(
            "backup {backup_id} is {status} and cannot be restored; set backupId to another backup; nothing was created"
        ),
    )
}

/// The name is taken, and no restore job proves that the index came from this backup.
pub fn name_taken(situation: &Situation, index: &Index, history: &History) -> Finding {
    let (name, backup_id) = (&index.name, &situation.backup_id);
    let message = match (&index.source, &history.doubted) {
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
    Finding::new(Reason::IndexAlreadyExists, message)
}

/// A failed restore is no result, whoever started it.
pub fn left_by_failed_job(job: &RestoreJob) -> Finding {
    Finding::new(
        Reason::IndexAlreadyExists,
        format!(
            "index {} is left from an earlier restore of this backup, job {}, which is {}; delete that index, and the restore goes on by itself; or set another indexName",
            job.target_index_name, job.restore_job_id, job.word
        ),
    )
}

pub fn never_adopt(job: &RestoreJob) -> Finding {
    Finding::new(
        Reason::IndexAlreadyExists,
        format!(
            "index {} was restored from this backup by restore job {}, which is not this IndexRestore's; set adoptionPolicy to IfSameBackup to accept it, or set another indexName",
            job.target_index_name, job.restore_job_id
        ),
    )
}

pub fn never_adopt_index(index: &Index) -> Finding {
    Finding::new(
        Reason::IndexAlreadyExists,
        format!(
            "index {} was restored from this backup before; set adoptionPolicy to IfSameBackup to accept it, or set another indexName",
            index.name
        ),
    )
}

/// Advice to edit a spec that may not be edited, because an earlier attempt may still
/// take effect, is replaced.
pub fn frozen(finding: Finding) -> Finding {
    const EDITED: [Reason; 4] = [
        Reason::InvalidRequest,
        Reason::BackupNotFound,
        Reason::BackupFailed,
        Reason::IndexAlreadyExists,
    ];
    const NOTE: &str = " (an earlier request may still take effect, so this spec cannot be edited: to change it, delete this IndexRestore and apply another)";
    if !EDITED.contains(&finding.reason) || finding.message.ends_with(NOTE) {
        return finding;
    }
    Finding::new(finding.reason, finding.message + NOTE)
}

pub fn looking_for_origin(index_name: &str, history: &History) -> Finding {
    let what = match &history.doubted {
        Some(job) => format!(
            "restore job {} was listed for it, and Pinecone does not show that job by its ID right now",
            job.restore_job_id
        ),
        None => "looking for the restore job that made it".to_owned(),
    };
    Finding::new(
        Reason::Pending,
        format!("an index {index_name} exists; {what}; nothing was sent to Pinecone"),
    )
}

pub fn name_being_freed(index_name: &str) -> Finding {
    Finding::new(
        Reason::Pending,
        format!(
            "Pinecone is deleting an index {index_name}; the restore starts once the name is free"
        ),
    )
}

pub fn confirming(why: &str) -> Finding {
    Finding::new(
        Reason::ConfirmingSubmission,
        format!(
            "the restore was submitted and its outcome is not known ({why}); looking for its restore job; it is not submitted again while it may exist"
        ),
    )
}

pub fn unconfirmed(situation: &Situation, why: &str) -> Finding {
    Finding::new(
        Reason::SubmissionUnconfirmed,
        format!(
            "the restore was submitted and its outcome is still not known ({why}); check in Pinecone whether a restore job of backup {} to index {} exists; if it does, this heals once Pinecone lists it; if not, delete this IndexRestore and apply it again",
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
) -> Finding {
    let gap = match longest.is_zero() {
        true => "the operator is set never to submit again by itself".to_owned(),
        false => format!(
            "Pinecone was out of sight for more than {} s after {}, and an index that was created and deleted meanwhile leaves no trace",
            longest.as_secs(),
            at(until)
        ),
    };
    Finding::new(
        Reason::SubmissionUnconfirmed,
        format!(
            "the restore was submitted and its outcome is not known ({why}); {gap}; check in Pinecone whether index {} was restored from backup {}; if not, annotate this IndexRestore with {REQUESTED_AT} and a new value to submit again",
            situation.index_name, situation.backup_id
        ),
    )
}

pub fn submitted(job_id: &str, index_id: &str) -> Finding {
    Finding::new(
        Reason::Restoring,
        format!("Pinecone accepted the restore as job {job_id} to index {index_id}"),
    )
}

pub fn recovered(job: &RestoreJob) -> Finding {
    Finding::new(
        Reason::Restoring,
        format!(
            "the submission was confirmed: restore job {} to index {} is this restore's",
            job.restore_job_id, job.target_index_id
        ),
    )
}

pub fn adopting(job: &RestoreJob) -> Finding {
    Finding::new(
        Reason::Restoring,
        format!(
            "index {} was restored from this backup before, by restore job {}; it is taken as the result",
            job.target_index_name, job.restore_job_id
        ),
    )
}

pub fn adopting_index(index: &Index) -> Finding {
    Finding::new(
        Reason::Restoring,
        format!(
            "Pinecone names this backup as the origin of index {}, and lists no restore job for it; the index is recorded as the result, without a job",
            index.name
        ),
    )
}

pub fn restoring(job: &RestoreJob) -> Finding {
    Finding::new(
        Reason::Restoring,
        format!("restore job {} is {}", job.restore_job_id, job.word),
    )
}

pub fn job_not_shown(job_id: &str) -> Finding {
    Finding::new(
        Reason::Restoring,
        format!("Pinecone does not show restore job {job_id} right now; it is looked for again"),
    )
}

pub fn job_lost(job_id: &str, index: &Index) -> Finding {
    Finding::new(
        Reason::RestoreJobNotFound,
        format!(
            "Pinecone has not shown restore job {job_id} for an hour, so that nobody knows whether it completed; index {} is {}; check its data before you use it",
            index.name, index.word
        ),
    )
}

pub fn job_failed(job: &RestoreJob) -> Finding {
    Finding::new(
        Reason::RestoreFailed,
        format!(
            "restore job {} failed; Pinecone gives no cause; delete index {} and this IndexRestore, then apply it again, or ask Pinecone's support about the job",
            job.restore_job_id, job.target_index_name
        ),
    )
}

pub fn job_cancelled(job: &RestoreJob) -> Finding {
    Finding::new(
        Reason::RestoreCancelled,
        format!(
            "restore job {} was cancelled; delete index {} and this IndexRestore, then apply it again",
            job.restore_job_id, job.target_index_name
        ),
    )
}

pub fn index_failed(index: &Index) -> Finding {
    Finding::new(
        Reason::IndexFailed,
        format!(
            "Pinecone reports index {} as {}; look at it in Pinecone's console; it was left alone",
            index.name, index.word
        ),
    )
}

pub fn index_not_ready(index_name: &str, state: &str) -> Finding {
    Finding::new(
        Reason::IndexNotReady,
        format!("the restore is complete and index {index_name} is {state}, not ready yet"),
    )
}

pub fn index_deleted(index_name: &str) -> Finding {
    Finding::new(
        Reason::IndexDeleted,
        format!(
            "the restore was submitted and there is no index {index_name} now: it was deleted, or the API key belongs to another project; it is not restored again; for that, delete this IndexRestore and apply it again"
        ),
    )
}

pub fn index_replaced(index_name: &str) -> Finding {
    Finding::new(
        Reason::IndexDeleted,
        format!(
            "the restored index {index_name} was deleted and another index has its name now; that one was left alone; for another restore, create another IndexRestore"
        ),
    )
}

/// The index is there, and its restore job is not: it may have been deleted and recreated.
pub fn origin_doubtful(index: &Index, submitted: &Submitted) -> Finding {
    Finding::new(
        Reason::RestoreJobNotFound,
        format!(
            "index {} exists and is {}, but its origin cannot be confirmed: Pinecone no longer shows {}; the index may have been deleted and recreated; check its data",
            index.name,
            index.word,
            job_of(submitted)
        ),
    )
}

/// The key shows an index of that name, and nothing of the restore.
pub fn not_visible(index: &Index, submitted: &Submitted, backup_id: &str) -> Finding {
    Finding::new(
        Reason::RestoreJobNotFound,
        format!(
            "the restore cannot be seen with this API key: it shows an index {}, but neither {} nor backup {backup_id}; check that the Secret holds a key of the backup's project",
            index.name,
            job_of(submitted)
        ),
    )
}

fn job_of(submitted: &Submitted) -> String {
    match &submitted.job_id {
        Some(id) => format!("restore job {id}"),
        None => "a restore job of it".to_owned(),
    }
}

/// What was known of a restored index, as of when, and why it is not known now.
pub fn unconfirmed_index(
    situation: &Situation,
    last: Option<Timestamp>,
    since: Timestamp,
    why: &str,
) -> Finding {
    const MARK: &str = " (as of ";
    let last = last.map_or_else(|| "its restore".to_owned(), at);
    let shown = situation.shown.as_ref();
    let reason = shown.map_or(Reason::Restored, |shown| shown.reason);
    let was = match reason {
        Reason::Restored | Reason::Adopted => {
            format!("index {} was restored and ready", situation.index_name)
        }
        _ => {
            let message = shown.map_or("", |shown| &shown.message);
            let said = message.split(MARK).next().unwrap_or_default();
            said.to_owned()
        }
    };
    Finding::new(
        reason,
        format!(
            "{was}{MARK}{last}; its checks fail since {}: {why}; it is checked again every few minutes)",
            at(since)
        ),
    )
}

fn at(time: Timestamp) -> String {
    whole_seconds(time).to_string()
}

pub fn restored(index_name: &str) -> Finding {
    Finding::new(
        Reason::Restored,
        format!("index {index_name} is restored and ready"),
    )
}

/// An adopted index, with each difference from what the spec wants.
pub fn adopted(index: &Index, submitted: &Submitted, wanted: &Wanted) -> Finding {
    let job = match submitted.job_id {
        Some(_) => "",
        None => ", by a restore job that Pinecone does not list",
    };
    let differences = differences(index, wanted);
    let differences = match differences.is_empty() {
        true => String::new(),
        false => format!("; it differs from the spec: {}", differences.join(", ")),
    };
    Finding::new(
        Reason::Adopted,
        format!(
            "index {} was restored from this backup before{job} and is ready; nothing was created now{differences}",
            index.name
        ),
    )
}

/// An adopted index that anybody may delete, against the spec.
pub fn not_protected(index: &Index, wanted: &Wanted) -> Finding {
    Finding::new(
        Reason::DeletionProtectionMismatch,
        format!(
            "index {} was restored from this backup before and is ready, but it differs from the spec: {}; enable its deletion protection in Pinecone, or set deletionProtection to Disabled in another IndexRestore",
            index.name,
            differences(index, wanted).join(", ")
        ),
    )
}

/// Most differing tags that are named.
const MAX_TAGS: usize = 5;

fn differences(index: &Index, wanted: &Wanted) -> Vec<String> {
    let mut found = Vec::new();
    if wanted.is_protected != index.is_protected {
        let is = |is_protected| if is_protected { "Enabled" } else { "Disabled" };
        found.push(format!(
            "deletionProtection is {} instead of {}",
            is(index.is_protected),
            is(wanted.is_protected)
        ));
    }
    let Some(tags) = &wanted.tags else {
        return found;
    };
    let keys: BTreeSet<_> = tags.keys().chain(index.tags.keys()).collect();
    let differing = keys
        .into_iter()
        .filter(|key| tags.get(*key) != index.tags.get(*key));
    let word =
        |value: Option<&String>| value.map_or("absent".to_owned(), |value| format!("{value:?}"));
    found.extend(differing.take(MAX_TAGS).map(|key| {
        format!(
            "tag {key} is {} instead of {}",
            word(index.tags.get(key)),
            word(tags.get(key))
        )
    }));
    found
}
