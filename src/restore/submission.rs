//! The submission in a status, from its claim to its record: whose it is, whether it may still
//! take effect, how it is written, and whether an object shows it. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::situation::requested_at;
use crate::api::conditions::whole_seconds;
use crate::api::{
    IndexRestore, IndexRestoreStatus, Reason, StatusMessage, Submission, SubmissionOutcome,
};

/// The submission in the status, if it was made for this object.
pub fn own_submission(object: &IndexRestore) -> Option<&Submission> {
    let submission = object.status.as_ref()?.submission.as_ref()?;
    let own = object.metadata.uid.as_deref() == Some(submission.uid.as_str());
    own.then_some(submission)
}

/// The status without what was recorded for another object, and without the default conditions of a
/// new one.
pub fn own_status(object: &IndexRestore) -> IndexRestoreStatus {
    let status = object.status.clone().unwrap_or_default();
    if own_submission(object).is_some() {
        return status;
    }
    let conditions = match status.is_unobserved() {
        true => Vec::new(),
        false => status.conditions,
    };
    IndexRestoreStatus {
        conditions,
        ..IndexRestoreStatus::default()
    }
}

impl Submission {
    /// Whether it left no trace for the confirm patience: another attempt may follow.
    pub fn is_abandoned(&self) -> bool {
        self.outcome == SubmissionOutcome::Abandoned
    }

    /// Whether Pinecone may have accepted it: its outcome is not known yet.
    pub fn is_open(&self) -> bool {
        matches!(
            self.outcome,
            SubmissionOutcome::Open | SubmissionOutcome::Taken
        )
    }
}

/// Whether a closed submission may turn out to have had an effect: it or one before it
/// left no trace, or the name was taken by something whose origin stayed unknown.
pub fn may_have_arrived(last: &Submission) -> bool {
    may_still_arrive(last) || is_for(last, Reason::IndexAlreadyExists)
}

/// Whether an attempt was abandoned: each one before this raised the number.
pub fn may_still_arrive(submission: &Submission) -> bool {
    submission.outcome == SubmissionOutcome::Abandoned || submission.attempt > 1
}

/// Whether Pinecone refused this very spec as invalid.
pub fn is_rejected(object: &IndexRestore, submission: &Submission) -> bool {
    submission.outcome == SubmissionOutcome::Refused
        && is_for(submission, Reason::InvalidRequest)
        && object.metadata.generation == Some(submission.generation)
}

fn is_for(submission: &Submission, reason: Reason) -> bool {
    submission.reason.as_deref() == Some(reason.as_str())
}

/// The claim to write before anything is sent.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// Random mark by which the writer recognises its own claim.
    pub nonce: String,
    /// Pinecone's clock where it is known.
    pub now: Timestamp,
}

impl ClaimRequest {
    /// The status of `object` with the claim in it. After an attempt of its own the
    /// conditions stay as they are, so that a retried refusal does not flap; else
    /// they say `first`, whatever was copied here.
    pub fn status(&self, object: &IndexRestore, first: &StatusMessage) -> IndexRestoreStatus {
        let before = own_status(object);
        let last = before.submission.as_ref();
        let unresolved = last.filter(|last| may_still_arrive(last));
        let is_abandoned = last.is_some_and(Submission::is_abandoned);
        let first_attempt = first_attempt(object, &self.nonce, SubmissionOutcome::Open, self.now);
        let submission = Submission {
            attempt: last.map_or(1, |last| last.attempt) + i32::from(is_abandoned),
            // An abandoned request may still arrive: its job would be ours as well.
            start_time: unresolved.map_or_else(
                || first_attempt.start_time.clone(),
                |last| last.start_time.clone(),
            ),
            last_observed_time: Some(Time(whole_seconds(self.now))),
            ..first_attempt
        };
        let conditions = match last {
            Some(_) => before.conditions,
            None => {
                let generation = submission.generation;
                first.conditions(false, generation, &before.conditions, self.now)
            }
        };
        IndexRestoreStatus {
            observed_generation: object.metadata.generation,
            submission: Some(submission),
            restore_job_id: None,
            index_id: None,
            index_host: None,
            restore: None,
            last_confirmed_time: None,
            unconfirmed_since: None,
            // A request from before the claim approves nothing that comes after it.
            last_handled_request: requested_at(object)
                .cloned()
                .or(before.last_handled_request),
            conditions,
        }
    }
}

/// Returns the submission of a first attempt, made now for the spec as it is.
pub fn first_attempt(
    object: &IndexRestore,
    nonce: &str,
    outcome: SubmissionOutcome,
    now: Timestamp,
) -> Submission {
    Submission {
        uid: object.metadata.uid.clone().unwrap_or_default(),
        attempt: 1,
        nonce: nonce.to_owned(),
        start_time: Time(whole_seconds(now)),
        last_observed_time: None,
        index_seen: false,
        generation: object.metadata.generation.unwrap_or_default(),
        backup_id: object.spec.backup_id.clone(),
        index_name: object.spec.index_name.clone(),
        outcome,
        reason: None,
    }
}

/// Whether the object shows the requested claim, whole and open.
pub fn holds(object: &IndexRestore, request: &ClaimRequest) -> bool {
    own_submission(object).is_some_and(|submission| {
        submission.nonce == request.nonce
            && submission.outcome == SubmissionOutcome::Open
            && submission.last_observed_time.is_some()
            && submission.backup_id == object.spec.backup_id
            && submission.index_name == object.spec.index_name
            && Some(submission.generation) == object.metadata.generation
    })
}

/// Where a claim's outcome that could not be written belongs now.
#[derive(Debug, PartialEq, Eq)]
pub enum RecordTarget {
    /// In the object: the claim is still open, or the accepted job is not recorded yet.
    Ours,
    /// Nowhere: it is in the object already. The answer to the write was lost, or the claim was
    /// recovered.
    Recorded,
    /// Nowhere: another claim took its place, and this outcome created nothing.
    Overtaken,
    /// Nowhere: the object is gone, or it records another job.
    Lost,
}

/// Returns whether the outcome of the claim that `claimed` shows belongs in `fresh`, the
/// object as it is now. `accepted` is the ID of the restore job, if Pinecone accepted the request.
pub fn record_target(
    fresh: Option<&IndexRestore>,
    claimed: &IndexRestore,
    accepted: Option<&str>,
) -> RecordTarget {
    let Some(fresh) = fresh else {
        return RecordTarget::Lost;
    };
    let recorded = fresh
        .status
        .as_ref()
        .and_then(|status| status.restore_job_id.as_deref());
    let now = own_submission(fresh);
    let is_same = now.map(|now| &now.nonce) == own_submission(claimed).map(|then| &then.nonce);
    let is_open = now.is_some_and(|now| now.outcome == SubmissionOutcome::Open);
    match (accepted, recorded.filter(|_| now.is_some())) {
        (Some(job), Some(recorded)) if job == recorded => RecordTarget::Recorded,
        (Some(_), Some(_)) => RecordTarget::Lost,
        (None, Some(_)) => RecordTarget::Recorded,
        // What Pinecone accepted is true whatever happened to the claim.
        (Some(_), None) => RecordTarget::Ours,
        (None, None) if is_same && is_open => RecordTarget::Ours,
        (None, None) if is_same => RecordTarget::Recorded,
        (None, None) => RecordTarget::Overtaken,
    }
}

#[cfg(test)]
mod tests;
