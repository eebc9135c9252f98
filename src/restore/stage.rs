use jiff::Timestamp;

use crate::api::conditions::Finding;
use crate::api::{AdoptionPolicy, IndexRestore, Reason, Submission, SubmissionOutcome};
use crate::pinecone::JobState;

/// How far a restore got: its status, parsed. A claim that was made for another
/// object (a copied or restored status) counts for nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Nothing is submitted. `last` is what came of this object's previous
    /// attempt, all of which are closed.
    Unclaimed { last: Option<Submission> },
    /// Pinecone refused this very spec as invalid: only an edit helps.
    Rejected,
    /// A submission is open: Pinecone may have accepted it, or may yet.
    Claimed(Submission),
    /// The restore job is known and not known to have ended.
    Submitted(Submitted),
    /// The restore job ended without a restored index.
    Failed,
    /// The restore was complete and its index ready.
    Finished(Submitted),
}

/// A restore job that is recorded as this restore's.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    pub job_id: String,
    pub adopted: bool,
    /// The host that was recorded when the index was ready.
    pub host: Option<String>,
    /// When the restore job was created or, where that is not known, when the
    /// submission was made.
    pub since: Timestamp,
}

/// All that decisions need to know of the object.
#[derive(Clone, Debug, PartialEq)]
pub struct Situation {
    pub stage: Stage,
    /// The submission's values where there is one that is open or accepted, the
    /// spec's otherwise.
    pub backup_id: String,
    pub index_name: String,
    /// Since when a restore job for both is this restore's own, by Pinecone's clock.
    /// Without it none is: nothing was sent, or what was sent had no effect.
    pub since: Option<Timestamp>,
    pub adoption: AdoptionPolicy,
    pub deleting: bool,
    /// What the status says now.
    pub shown: Option<Finding>,
    /// Whether it says so of the spec as it is now.
    pub observed: bool,
}

impl Situation {
    /// Parses an object; looks at nothing else.
    pub fn of(object: &IndexRestore) -> Self {
        let stage = stage(object);
        let claim = match &stage {
            Stage::Unclaimed { .. } | Stage::Rejected => None,
            _ => own_submission(object),
        };
        let spec = &object.spec;
        Self {
            backup_id: claim.map_or(&spec.backup_id, |c| &c.backup_id).clone(),
            index_name: claim.map_or(&spec.index_name, |c| &c.index_name).clone(),
            since: since(&stage),
            adoption: spec.adoption_policy,
            deleting: object.metadata.deletion_timestamp.is_some(),
            shown: object
                .status
                .as_ref()
                .and_then(|status| Finding::shown(&status.conditions)),
            observed: is_observed(object),
            stage,
        }
    }

    /// Whether the status says one of these now.
    pub fn shows(&self, reasons: &[Reason]) -> bool {
        let shown = self.shown.as_ref();
        shown.is_some_and(|shown| reasons.contains(&shown.reason))
    }
}

/// The submission in the status, if it was made for this object.
pub fn own_submission(object: &IndexRestore) -> Option<&Submission> {
    let submission = object.status.as_ref()?.submission.as_ref()?;
    let own = object.metadata.uid.as_deref() == Some(submission.uid.as_str());
    own.then_some(submission)
}

fn stage(object: &IndexRestore) -> Stage {
    let Some(submission) = own_submission(object) else {
        return Stage::Unclaimed { last: None };
    };
    match submission.outcome {
        SubmissionOutcome::Open | SubmissionOutcome::Taken => Stage::Claimed(submission.clone()),
        SubmissionOutcome::Accepted => followed(object, submission, false),
        SubmissionOutcome::Adopted => followed(object, submission, true),
        SubmissionOutcome::Refused if is_rejected(object, submission) => Stage::Rejected,
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

/// Whether a closed submission may turn out to have had an effect: it left no
/// trace, or the name was taken by something whose origin stayed unknown.
fn may_have_arrived(last: &Submission) -> bool {
    last.is_abandoned() || last.reason == Some(Reason::IndexAlreadyExists)
}

fn is_rejected(object: &IndexRestore, submission: &Submission) -> bool {
    submission.reason == Some(Reason::InvalidRequest)
        && object.metadata.generation == Some(submission.generation)
}

fn followed(object: &IndexRestore, submission: &Submission, adopted: bool) -> Stage {
    let status = object.status.clone().unwrap_or_default();
    let restore = status.restore.unwrap_or_default();
    let Some(job_id) = status.restore_job_id else {
        // Somebody took the ID out of the status: it is looked for again.
        return Stage::Claimed(submission.clone());
    };
    let submitted = Submitted {
        job_id,
        adopted,
        host: status.index_host.clone(),
        since: restore
            .start_time
            .map_or(submission.start_time.0, |time| time.0),
    };
    match restore.state.as_deref().map(JobState::parse) {
        Some(JobState::Failed | JobState::Cancelled) => Stage::Failed,
        Some(JobState::Completed) if status.index_host.is_some() => Stage::Finished(submitted),
        _ => Stage::Submitted(submitted),
    }
}

fn is_observed(object: &IndexRestore) -> bool {
    let status = object.status.as_ref();
    status.and_then(|status| status.observed_generation) == object.metadata.generation
}
