use std::time::Duration;

use super::{Decision, Scene};
use crate::api::Reason;
use crate::api::conditions::Finding;
use crate::pinecone::{Failure, FailureKind, Index, IndexHealth, JobState, RestoreJob};
use crate::restore::answer::Look;
use crate::restore::findings;
use crate::restore::report::{Change, Report, restore_status};
use crate::restore::stage::Submitted;

/// Failed polls in a row before the status says so: one bad answer changes
/// nothing that is known about the restore.
const TOLERATED: u32 = 3;

/// The restore job is known: follow it.
pub(super) fn decide(
    scene: &Scene<'_>,
    submitted: &Submitted,
    job: &Look<RestoreJob>,
    index: Option<&Look<Index>>,
) -> Decision {
    let index = match index {
        Some(Err(failure)) => return failed(scene, failure),
        Some(Ok(index)) => Some(index.as_ref()),
        None => None,
    };
    match job {
        Err(failure) => failed(scene, failure),
        Ok(None) => job_not_shown(scene, submitted, index.flatten()),
        Ok(Some(job)) => match job.state {
            JobState::Failed => ended(scene, findings::job_failed(job), job),
            JobState::Cancelled => ended(scene, findings::job_cancelled(job), job),
            JobState::Completed => completed(scene, submitted, job, index.flatten()),
            JobState::Pending => pending(scene, submitted, job, index.flatten()),
        },
    }
}

fn pending(
    scene: &Scene<'_>,
    submitted: &Submitted,
    job: &RestoreJob,
    index: Option<&Index>,
) -> Decision {
    let change = Change::Job(restore_status(job));
    match index {
        Some(index) if is_failing(index) => stalled(scene, findings::index_failed(index), change),
        // Not looked at this time: what was seen before still stands.
        None if scene.situation.shows(&[Reason::IndexFailed]) => {
            Decision::keep(scene.rules.pace.poll_max)
        }
        _ => Decision::report(
            Report::new(findings::restoring(job), change),
            poll(scene, submitted),
        ),
    }
}

fn completed(
    scene: &Scene<'_>,
    submitted: &Submitted,
    job: &RestoreJob,
    index: Option<&Index>,
) -> Decision {
    let restore = restore_status(job);
    let again = scene.rules.pace.poll_min.max(scene.look_again());
    let Some(index) = index else {
        let name = &scene.situation.index_name;
        if scene.is_believed_missing(scene.rules.patience.catch_up) {
            return stalled(scene, findings::index_deleted(name), Change::Job(restore));
        }
        let finding = findings::index_not_ready(name, "not shown by Pinecone");
        return Decision::report(Report::new(finding, Change::Job(restore)), again);
    };
    match index.health {
        IndexHealth::Failing | IndexHealth::Terminating => {
            stalled(scene, findings::index_failed(index), Change::Job(restore))
        }
        IndexHealth::NotReady => {
            let finding = findings::index_not_ready(&index.name, &index.word);
            Decision::report(Report::new(finding, Change::Job(restore)), again)
        }
        IndexHealth::Ready => {
            let finish = Change::Finish {
                restore,
                // Without a host there is nothing to connect to; it is shown empty.
                host: index.host.clone().unwrap_or_default(),
            };
            Decision::report(
                Report::new(findings::finished(&index.name, submitted.adopted), finish),
                scene.rules.pace.slow(scene.now.boot),
            )
        }
    }
}

/// Pinecone answers 404 for a job after an outage of its own too, and once the
/// job's index was deleted. The index tells which.
fn job_not_shown(scene: &Scene<'_>, submitted: &Submitted, index: Option<&Index>) -> Decision {
    let patience = scene.rules.patience;
    match index {
        Some(index) if is_failing(index) => {
            stalled(scene, findings::index_failed(index), Change::Nothing)
        }
        Some(index) if scene.is_believed_missing(patience.give_up) => {
            let finding = findings::job_lost(&submitted.job_id, index);
            stalled(scene, finding, Change::Nothing)
        }
        None if scene.is_believed_missing(patience.catch_up) => {
            let finding = findings::index_deleted(&scene.situation.index_name);
            stalled(scene, finding, Change::Nothing)
        }
        // What was concluded before a restart stays until there is something new.
        _ if scene
            .situation
            .shows(&[Reason::IndexDeleted, Reason::RestoreJobNotFound]) =>
        {
            Decision::keep(scene.look_again())
        }
        _ => Decision::report(
            Report::new(findings::job_not_shown(&submitted.job_id), Change::Nothing),
            scene.look_again(),
        ),
    }
}

/// The restored index, looked at long after. Nothing is ever restored again.
pub(super) fn decide_finished(
    scene: &Scene<'_>,
    submitted: &Submitted,
    index: &Look<Index>,
) -> Decision {
    let again = scene.rules.pace.slow(scene.now.boot);
    let name = &scene.situation.index_name;
    let finding = match index {
        // Not knowing changes nothing that is known.
        Err(failure) => {
            let asked = failure.retry_after.unwrap_or_default();
            return Decision::keep(again.max(asked));
        }
        Ok(None) => findings::index_deleted(name),
        Ok(Some(index)) if is_another(index, submitted) => findings::index_replaced(name),
        Ok(Some(index)) => match index.health {
            IndexHealth::Ready => findings::finished(name, submitted.adopted),
            IndexHealth::Failing | IndexHealth::Terminating => findings::index_failed(index),
            IndexHealth::NotReady => findings::index_not_ready(name, &index.word),
        },
    };
    let soon = finding.reason == Reason::IndexNotReady;
    let again = if soon {
        scene.rules.pace.poll_max
    } else {
        again
    };
    Decision::report(Report::new(finding, Change::Nothing), again)
}

/// Whether the index is of no use, or going.
fn is_failing(index: &Index) -> bool {
    matches!(
        index.health,
        IndexHealth::Failing | IndexHealth::Terminating
    )
}

/// An index keeps its host for life: with another host it is another index.
fn is_another(index: &Index, submitted: &Submitted) -> bool {
    match (&index.host, &submitted.host) {
        (Some(now), Some(recorded)) if !recorded.is_empty() => now != recorded,
        _ => false,
    }
}

fn ended(scene: &Scene<'_>, finding: Finding, job: &RestoreJob) -> Decision {
    stalled(scene, finding, Change::Job(restore_status(job)))
}

fn failed(scene: &Scene<'_>, failure: &Failure) -> Decision {
    let at_once = matches!(
        failure.kind,
        FailureKind::Unauthorized
            | FailureKind::PermissionDenied
            | FailureKind::Forbidden
            | FailureKind::PaymentRequired
    );
    let again = scene.retry_after(failure);
    if at_once || scene.evidence.failures() >= TOLERATED {
        let report = Report::new(findings::of_read(failure), Change::Nothing);
        return Decision::report(report, again);
    }
    Decision::keep(again)
}

fn stalled(scene: &Scene<'_>, finding: Finding, change: Change) -> Decision {
    Decision::report(Report::new(finding, change), scene.rules.pace.stalled())
}

fn poll(scene: &Scene<'_>, submitted: &Submitted) -> Duration {
    let age = scene.now.wall.duration_since(submitted.since);
    scene
        .rules
        .pace
        .poll(Duration::try_from(age).unwrap_or_default())
}
