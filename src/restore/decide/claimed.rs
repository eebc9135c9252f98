use std::time::Duration;

use super::unclaimed::is_confirmed;
use super::{Decision, Scene, refused, take_job};
use crate::api::conditions::Finding;
use crate::api::{AdoptionPolicy, Reason, Submission, SubmissionOutcome};
use crate::pinecone::{Failure, FailureKind, Index};
use crate::restore::answer::Search;
use crate::restore::findings;
use crate::restore::history::Trace;
use crate::restore::report::{Change, Report};

/// A submission is open: look for what came of it, and never send it again
/// while it may have arrived.
pub(super) fn decide(scene: &Scene<'_>, claim: &Submission, seen: &Search) -> Decision {
    let history = match &seen.history {
        Ok(history) => history,
        Err(failure) => return not_known(scene, claim, &failure.to_string(), Some(failure)),
    };
    let situation = scene.situation;
    let found = situation.trace(&history.jobs);
    let earlier = match found {
        Trace::Ours(job) => {
            return Decision::report(take_job(&job, false), scene.rules.pace.poll_min);
        }
        Trace::Earlier(job) if is_confirmed(history, &job.restore_job_id) => Some(job),
        Trace::Earlier(_) | Trace::None => None,
    };
    let index = match &seen.index {
        Ok(index) => index.as_ref(),
        Err(failure) => return not_known(scene, claim, &failure.to_string(), Some(failure)),
    };
    match (index, earlier) {
        (Some(index), Some(job)) if !index.is_terminating() => match situation.adoption {
            AdoptionPolicy::IfSameBackup => {
                Decision::report(take_job(&job, true), scene.rules.pace.poll_min)
            }
            AdoptionPolicy::Never => Decision::report(
                Report::new(
                    findings::never_adopt(&job),
                    refused(Reason::IndexAlreadyExists),
                ),
                scene.rules.pace.stalled(),
            ),
        },
        (Some(index), _) => index_without_job(scene, claim, index),
        (None, _) => nothing_there(scene, claim, seen),
    }
}

/// An index of that name exists and no job of ours is listed. Where the POST
/// was answered with 409, it is another's once the list had time to catch up;
/// else it may be ours.
fn index_without_job(scene: &Scene<'_>, claim: &Submission, index: &Index) -> Decision {
    let is_taken = claim.outcome == SubmissionOutcome::Taken && !index.is_terminating();
    if is_taken && scene.is_believed_missing(scene.rules.patience.catch_up) {
        let finding = findings::name_taken(&index.name);
        let report = Report::new(finding, refused(Reason::IndexAlreadyExists));
        return Decision::report(report, scene.rules.pace.stalled());
    }
    let why = format!(
        "index {} exists but no restore job for it is listed",
        index.name
    );
    not_known(scene, claim, &why, None)
}

fn nothing_there(scene: &Scene<'_>, claim: &Submission, seen: &Search) -> Decision {
    let name = &claim.index_name;
    match &seen.backup {
        Some(Ok(_)) => {}
        Some(Err(failure)) if failure.kind == FailureKind::NotFound => {
            let why = format!(
                "backup {} is not visible with this API key: it was deleted, or the key belongs to another project",
                claim.backup_id
            );
            return not_known(scene, claim, &why, None);
        }
        Some(Err(failure)) => {
            return not_known(scene, claim, &failure.to_string(), Some(failure));
        }
        None => return not_known(scene, claim, "the backup was not looked at", None),
    }
    if !matches!(
        claim.outcome,
        SubmissionOutcome::Open | SubmissionOutcome::Taken
    ) {
        let why = "it was accepted once, and the job's ID was taken out of the status";
        return not_known(scene, claim, why, None);
    }
    let was_seen = scene.evidence.index_seen() && claim.outcome != SubmissionOutcome::Taken;
    if was_seen {
        let why = format!("an index {name} was there after the submission and is gone");
        return not_known(scene, claim, &why, None);
    }
    if scene.is_believed_missing(scene.rules.patience.for_attempt(claim.attempt)) {
        let change = Change::Close {
            outcome: SubmissionOutcome::Abandoned,
            reason: None,
        };
        let finding = findings::confirming("no trace of it for long enough; it is tried again");
        return Decision::report(Report::new(finding, change), scene.rules.pace.poll_min);
    }
    not_known(
        scene,
        claim,
        &format!("no index {name} and no restore job yet"),
        None,
    )
}

/// Goes on looking.
fn not_known(
    scene: &Scene<'_>,
    claim: &Submission,
    why: &str,
    failure: Option<&Failure>,
) -> Decision {
    let pace = scene.rules.pace;
    let asked = failure
        .and_then(|failure| failure.retry_after)
        .unwrap_or_default();
    let again = match failure {
        _ if is_overdue(scene, claim) => pace.poll_max.max(asked),
        Some(failure) => scene.retry_after(failure).min(pace.poll_max.max(asked)),
        None => scene.look_again(),
    };
    Decision::report(
        Report::new(unresolved(scene, claim, why), Change::Nothing),
        again,
    )
}

/// What is said while the outcome is not known; after an hour a person is asked to
/// look as well.
pub(super) fn unresolved(scene: &Scene<'_>, claim: &Submission, why: &str) -> Finding {
    match is_overdue(scene, claim) {
        true => findings::unconfirmed(scene.situation, why),
        false => findings::confirming(why),
    }
}

/// The wall clock will do: safety does not rest on it.
fn is_overdue(scene: &Scene<'_>, claim: &Submission) -> bool {
    let age = scene.now.wall.duration_since(claim.start_time.0);
    Duration::try_from(age).is_ok_and(|age| age >= scene.rules.patience.give_up)
}
