//! What the object says of its restore: its status, parsed.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::submission::{is_rejected, may_have_arrived, may_still_arrive, own_submission};
use crate::api::{
    AdoptionPolicy, DeletionProtection, IndexRestore, IndexRestoreStatus, REQUESTED_AT, Reason,
    StatusMessage, Submission, SubmissionOutcome,
};
use crate::pinecone::JobState;

/// How far a restore got: its status, parsed. A claim that was made for another
/// object (a copied or restored status) counts for nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Nothing is submitted. `last` is this object's previous attempt, if it made one.
    Unclaimed {
        /// Closed as `Refused`, `Unsent` or `Abandoned`; `None` before the first attempt.
        last: Option<Submission>,
    },
    /// Pinecone refused this very spec as invalid: only an edit helps.
    Rejected,
    /// A submission is open: Pinecone may have accepted it, or may yet.
    Claimed(Submission),
    /// The restore runs, or is not known to have ended.
    Submitted(Submitted),
    /// The restore job ended without a restored index.
    Failed,
    /// The restore was complete and its index ready.
    Finished(Submitted),
}

/// What is recorded as this restore.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    /// ID of the restore job. Absent where the index names its backup and no restore job is known,
    /// and where a user removed the ID from the status.
    pub job_id: Option<String>,
    /// Whether the index existed before this restore and was recorded as its result.
    pub adopted: bool,
    /// The host that was recorded when the index was ready.
    pub host: Option<String>,
    /// When the restore job was created or, where that is not known, when the
    /// submission was made.
    pub since: Timestamp,
    /// When Pinecone last confirmed what the status says of the index.
    pub last_confirmed: Option<Timestamp>,
    /// Since when checks of the index fail, as the status says.
    pub unconfirmed_since: Option<Timestamp>,
}

/// What the spec wants of the index besides its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Tags of the spec; omitted means not managed.
    pub tags: Option<BTreeMap<String, String>>,
    /// Whether `deletionProtection` is `Enabled`.
    pub is_protected: bool,
}

/// All that decisions need to know of the object.
#[derive(Clone, Debug, PartialEq)]
pub struct Situation {
    /// How far the restore got; determines which question is asked.
    pub stage: Stage,
    /// UID of the object; decides between two rivals that are equal otherwise.
    pub uid: String,
    /// The submission's values where there is one that is open or accepted, the
    /// spec's otherwise.
    pub backup_id: String,
    /// Name of the index; the submission's or the spec's, as `backup_id` is.
    pub index_name: String,
    /// Since when a restore job for both is this restore's own, by Pinecone's clock.
    /// Without it none is: nothing was sent, or what was sent had no effect.
    pub since: Option<Timestamp>,
    /// Whether an earlier attempt of unknown outcome may still take effect, so that the
    /// spec may not be edited.
    pub is_frozen: bool,
    /// Whether Pinecone refused this very spec as invalid.
    pub is_rejected: bool,
    /// Whether an existing index of the same backup may be recorded.
    pub adoption: AdoptionPolicy,
    /// Tags and deletion protection that an adopted index is compared with.
    pub wanted: Wanted,
    /// Whether the object has a deletion timestamp: nothing is submitted any more.
    pub deleting: bool,
    /// What the status says now.
    pub shown: Option<StatusMessage>,
    /// Whether it says so of the spec as it is now.
    pub observed: bool,
    /// The request of the annotation that was not acted on yet.
    pub request: Option<String>,
    /// The restore job in a status that was made for another object: no proof, but
    /// worth asking for.
    pub hinted_job: Option<String>,
}

impl Situation {
    /// Parses an object. Depends on nothing else.
    pub fn of(object: &IndexRestore) -> Self {
        let stage = stage(object);
        let own = own_submission(object);
        let claim = match &stage {
            Stage::Unclaimed { .. } | Stage::Rejected => None,
            _ => own,
        };
        let spec = &object.spec;
        let status = object.status.as_ref();
        Self {
            uid: object.metadata.uid.clone().unwrap_or_default(),
            backup_id: claim.map_or(&spec.backup_id, |c| &c.backup_id).clone(),
            index_name: claim.map_or(&spec.index_name, |c| &c.index_name).clone(),
            since: since(&stage),
            is_frozen: own.is_some_and(may_still_arrive),
            is_rejected: own.is_some_and(|own| is_rejected(object, own)),
            adoption: spec.adoption_policy,
            wanted: Wanted {
                tags: spec.tags.clone(),
                is_protected: spec.deletion_protection == DeletionProtection::Enabled,
            },
            deleting: object.metadata.deletion_timestamp.is_some(),
            shown: status.and_then(|status| StatusMessage::shown(&status.conditions)),
            observed: is_observed(object),
            request: request(object),
            hinted_job: status
                .filter(|_| own.is_none())
                .and_then(|status| status.restore_job_id.clone()),
            stage,
        }
    }

    /// Whether the status says one of these now.
    pub fn shows(&self, reasons: &[Reason]) -> bool {
        let shown = self.shown.as_ref();
        shown.is_some_and(|shown| reasons.contains(&shown.reason))
    }
}

/// The value of the annotation `restore.pinecone.io/requestedAt`.
pub fn requested_at(object: &IndexRestore) -> Option<&String> {
    object.metadata.annotations.as_ref()?.get(REQUESTED_AT)
}

fn request(object: &IndexRestore) -> Option<String> {
    let handled = object
        .status
        .as_ref()
        .and_then(|status| status.last_handled_request.as_ref());
    let requested = requested_at(object).filter(|token| Some(*token) != handled);
    requested.cloned()
}

fn stage(object: &IndexRestore) -> Stage {
    let Some(submission) = own_submission(object) else {
        return Stage::Unclaimed { last: None };
    };
    match submission.outcome {
        SubmissionOutcome::Open | SubmissionOutcome::Taken => Stage::Claimed(submission.clone()),
        SubmissionOutcome::Accepted => followed(object, submission, false),
        SubmissionOutcome::Adopted => followed(object, submission, true),
        SubmissionOutcome::Refused
            if is_rejected(object, submission) && !may_still_arrive(submission) =>
        {
            Stage::Rejected
        }
        SubmissionOutcome::Refused | SubmissionOutcome::Unsent | SubmissionOutcome::Abandoned => {
            Stage::Unclaimed {
                last: Some(submission.clone()),
            }
        }
    }
}

fn since(stage: &Stage) -> Option<Timestamp> {
    let submission = match stage {
        Stage::Claimed(claim) => claim,
        Stage::Unclaimed { last: Some(last) } if may_have_arrived(last) => last,
        _ => return None,
    };
    Some(submission.start_time.0)
}

fn followed(object: &IndexRestore, submission: &Submission, adopted: bool) -> Stage {
    let status = object.status.clone().unwrap_or_default();
    let state = status
        .restore
        .as_ref()
        .and_then(|restore| restore.state.as_deref())
        .map(JobState::parse);
    let submitted = submitted(status, submission, adopted);
    match state {
        Some(state) if state.is_failure() => Stage::Failed,
        Some(JobState::Completed) if submitted.host.is_some() => Stage::Finished(submitted),
        _ if submitted.job_id.is_none() && submitted.host.is_some() => Stage::Finished(submitted),
        _ => Stage::Submitted(submitted),
    }
}

fn submitted(status: IndexRestoreStatus, submission: &Submission, adopted: bool) -> Submitted {
    let created = status.restore.and_then(|restore| restore.start_time);
    Submitted {
        job_id: status.restore_job_id,
        adopted,
        host: status.index_host,
        since: created.map_or(submission.start_time.0, |time| time.0),
        last_confirmed: status.last_confirmed_time.map(|time| time.0),
        unconfirmed_since: status.unconfirmed_since.map(|time| time.0),
    }
}

fn is_observed(object: &IndexRestore) -> bool {
    let status = object.status.as_ref();
    status.and_then(|status| status.observed_generation) == object.metadata.generation
}
