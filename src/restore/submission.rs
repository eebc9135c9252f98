//! The submission in a status: whose it is, and whether it may still take effect.

use crate::api::{IndexRestore, Reason, Submission, SubmissionOutcome};

/// The submission in the status, if it was made for this object.
pub fn own_submission(object: &IndexRestore) -> Option<&Submission> {
    let submission = object.status.as_ref()?.submission.as_ref()?;
    let own = object.metadata.uid.as_deref() == Some(submission.uid.as_str());
    own.then_some(submission)
}

impl Submission {
    /// Whether it left no trace for the confirm patience: another attempt may follow.
    pub fn is_abandoned(&self) -> bool {
        self.outcome == SubmissionOutcome::Abandoned
    }
}

/// Whether a closed submission may turn out to have had an effect: it or one before it
/// left no trace, or the name was taken by something whose origin stayed unknown.
pub fn may_have_arrived(last: &Submission) -> bool {
    may_still_arrive(last) || last.reason == Some(Reason::IndexAlreadyExists)
}

/// Whether an attempt was abandoned: each one before this raised the number.
pub fn may_still_arrive(submission: &Submission) -> bool {
    submission.outcome == SubmissionOutcome::Abandoned || submission.attempt > 1
}

/// Whether Pinecone refused this very spec as invalid.
pub fn is_rejected(object: &IndexRestore, submission: &Submission) -> bool {
    submission.outcome == SubmissionOutcome::Refused
        && submission.reason == Some(Reason::InvalidRequest)
        && object.metadata.generation == Some(submission.generation)
}
