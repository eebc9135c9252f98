//! What a version of an IndexRestore reports.

use index_restore_operator::api::conditions::find;
use index_restore_operator::api::{
    IndexRestore, IndexRestoreStatus, Submission, SubmissionOutcome,
};

/// Returns the reason of the Ready condition; empty where there is none.
pub fn reason(object: &IndexRestore) -> &str {
    condition(object, "Ready").map_or("", |(_, reason)| reason)
}

/// Whether nothing more happens without a user or a slow check.
pub fn is_settled(object: &IndexRestore) -> bool {
    let observed = object.status.as_ref().and_then(|s| s.observed_generation);
    observed == object.metadata.generation
        && (holds(object, "Ready") || holds(object, "Stalled"))
        && !holds(object, "Reconciling")
}

/// Whether it is settled and restored, by its own create request or an earlier one.
pub fn is_ready(object: &IndexRestore) -> bool {
    is_settled(object) && holds(object, "Ready")
}

/// Whether the condition is True.
pub(super) fn holds(object: &IndexRestore, type_: &str) -> bool {
    condition(object, type_).is_some_and(|(status, _)| status == "True")
}

fn condition<'a>(object: &'a IndexRestore, type_: &str) -> Option<(&'a str, &'a str)> {
    let found = find(&object.status.as_ref()?.conditions, type_)?;
    Some((&found.status, &found.reason))
}

/// The submission, unless it was copied here from another object, where it counts for nothing.
pub(super) fn submission(object: &IndexRestore) -> Option<&Submission> {
    let submission = object.status.as_ref()?.submission.as_ref()?;
    (Some(submission.uid.as_str()) == object.metadata.uid.as_deref()).then_some(submission)
}

/// Whether the status was copied here from another object.
pub(super) fn is_copied(object: &IndexRestore) -> bool {
    let status = object.status.as_ref();
    let any = status.and_then(|status| status.submission.as_ref());
    any.is_some() && submission(object).is_none()
}

pub(super) fn outcome(object: &IndexRestore) -> Option<SubmissionOutcome> {
    submission(object).map(|submission| submission.outcome)
}

/// The recorded job, if it belongs to a submission of this object.
pub(super) fn job(object: &IndexRestore) -> Option<&str> {
    submission(object)?;
    object.status.as_ref()?.restore_job_id.as_deref()
}

/// Whether an index is recorded that only the backup it names proves.
pub(super) fn is_jobless(object: &IndexRestore) -> bool {
    outcome(object) == Some(SubmissionOutcome::Adopted) && job(object).is_none()
}

/// Whether it reports that a failed restore left the index.
pub(super) fn is_left_by_failed_job(object: &IndexRestore) -> bool {
    let conditions = object.status.as_ref().map(|status| &status.conditions);
    let ready = conditions.and_then(|conditions| find(conditions, "Ready"));
    ready.is_some_and(|ready| ready.message.contains("is left from an earlier restore"))
}

/// Whether the status is that of an object that no operator has observed.
pub(super) fn is_unobserved(object: &IndexRestore) -> bool {
    let status = object.status.as_ref();
    status.is_none_or(IndexRestoreStatus::is_unobserved)
}
