use std::time::Duration;

use super::finished::finished;
use super::{Decision, Scene, take_job};
use crate::api::{Reason, RestoreStatus, StatusMessage};
use crate::pinecone::{
    Failure, FailureKind, Index, IndexHealth, JobState, Lookup, RestoreJob, SourceBackup,
};
use crate::restore::messages;
use crate::restore::report::{Change, Report, restore_status};
use crate::restore::situation::Submitted;

/// Failed polls in a row before the status says so: one bad answer changes
/// nothing that is known about the restore.
const TOLERATED: u32 = 3;

/// The restore job is known: follow it.
pub(super) fn decide(
    scene: &Scene<'_>,
    submitted: &Submitted,
    job: &Lookup<RestoreJob>,
    index: Option<&Lookup<Index>>,
) -> Decision {
    let index = match index {
        Some(Err(failure)) => return failed(scene, failure),
        Some(Ok(index)) => Some(index.as_ref()),
        None => None,
    };
    match job {
        Err(failure) => failed(scene, failure),
        Ok(found) if submitted.job_id.is_none() => {
            let index = index.flatten();
            without_job(scene, submitted, found.as_ref(), index)
        }
        Ok(None) => job_not_shown(scene, submitted, index.flatten()),
        Ok(Some(job)) => match job.state {
            JobState::Failed => ended(scene, messages::job_failed(job), job),
            JobState::Cancelled => ended(scene, messages::job_cancelled(job), job),
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
        Some(index) if is_failing(index) => stalled(scene, messages::index_failed(index), change),
        // Not looked at this time: what was seen before still stands.
        None if scene.situation.shows(&[Reason::IndexFailed]) => {
            Decision::keep(scene.rules.intervals.poll_max)
        }
        _ => Decision::report(
            Report::new(messages::restoring(job), change),
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
    let change = Change::Job(restore.clone());
    match index {
        Some(index) => with_index(scene, submitted, index, change, Some(restore)),
        None => index_not_shown(scene, change),
    }
}

/// No restore job is known: one that is listed is recorded. An index that names its backup
/// is followed by itself.
fn without_job(
    scene: &Scene<'_>,
    submitted: &Submitted,
    job: Option<&RestoreJob>,
    index: Option<&Index>,
) -> Decision {
    match (job, index) {
        (Some(job), Some(_)) if is_usable(scene, job) => {
            let report = take_job(job, submitted.adopted);
            Decision::report(report, scene.rules.intervals.poll_min)
        }
        (_, Some(index)) if index.source.is(&scene.situation.backup_id) == Some(true) => {
            with_index(scene, submitted, index, Change::Nothing, None)
        }
        (_, Some(index)) if index.source != SourceBackup::NotShown => index_replaced(scene, index),
        _ => job_not_shown(scene, submitted, index),
    }
}

/// A job of this backup and name that may be this restore's result.
fn is_usable(scene: &Scene<'_>, job: &RestoreJob) -> bool {
    let situation = scene.situation;
    job.backup_id == situation.backup_id
        && job.target_index_name == situation.index_name
        && !job.state.is_failure()
}

/// The index names another origin.
fn index_replaced(scene: &Scene<'_>, index: &Index) -> Decision {
    if scene.is_believed_missing(scene.rules.patience.catch_up) {
        let message = messages::index_replaced(&index.name);
        return stalled(scene, message, Change::Nothing);
    }
    Decision::keep(scene.observation_interval())
}

fn index_not_shown(scene: &Scene<'_>, change: Change) -> Decision {
    let name = &scene.situation.index_name;
    if scene.is_believed_missing(scene.rules.patience.catch_up) {
        return stalled(scene, messages::index_deleted(name), change);
    }
    let message = messages::index_not_ready(name, "not shown by Pinecone");
    let requeue_after = scene
        .rules
        .intervals
        .poll_min
        .max(scene.observation_interval());
    Decision::report(Report::new(message, change), requeue_after)
}

/// The restore is complete, as far as is known: it is finished when its index is ready.
fn with_index(
    scene: &Scene<'_>,
    submitted: &Submitted,
    index: &Index,
    change: Change,
    restore: Option<RestoreStatus>,
) -> Decision {
    let requeue_after = scene
        .rules
        .intervals
        .poll_min
        .max(scene.observation_interval());
    match index.health {
        IndexHealth::Failing | IndexHealth::Terminating => {
            stalled(scene, messages::index_failed(index), change)
        }
        IndexHealth::NotReady => {
            let message = messages::index_not_ready(&index.name, &index.word);
            Decision::report(Report::new(message, change), requeue_after)
        }
        IndexHealth::Ready => {
            let finish = Change::Finish {
                restore,
                // Without a host there is nothing to connect to; it is shown empty.
                host: index.host.clone().unwrap_or_default(),
                at: scene.now.wall,
            };
            Decision::report(
                Report::new(finished(scene, submitted, index), finish),
                scene.rules.intervals.slow(scene.now.boot),
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
            stalled(scene, messages::index_failed(index), Change::Nothing)
        }
        Some(index) if scene.is_believed_missing(patience.give_up) => {
            let message = messages::job_lost(submitted, index);
            stalled(scene, message, Change::Nothing)
        }
        None if scene.is_believed_missing(patience.catch_up) => {
            let message = messages::index_deleted(&scene.situation.index_name);
            stalled(scene, message, Change::Nothing)
        }
        // What was concluded before a restart stays until there is something new.
        _ if scene
            .situation
            .shows(&[Reason::IndexDeleted, Reason::RestoreJobNotFound]) =>
        {
            Decision::keep(scene.observation_interval())
        }
        _ => Decision::report(
            Report::new(messages::job_not_shown(submitted), Change::Nothing),
            scene.observation_interval(),
        ),
    }
}

/// Whether the index is of no use, or going.
fn is_failing(index: &Index) -> bool {
    matches!(
        index.health,
        IndexHealth::Failing | IndexHealth::Terminating
    )
}

fn ended(scene: &Scene<'_>, message: StatusMessage, job: &RestoreJob) -> Decision {
    stalled(scene, message, Change::Job(restore_status(job)))
}

fn failed(scene: &Scene<'_>, failure: &Failure) -> Decision {
    let at_once = matches!(
        failure.kind,
        FailureKind::Unauthorized
            | FailureKind::PermissionDenied
            | FailureKind::Forbidden
            | FailureKind::PaymentRequired
    );
    let requeue_after = scene.retry_after(failure);
    if at_once || scene.evidence.failures() >= TOLERATED {
        let report = Report::new(messages::of_read(failure), Change::Nothing);
        return Decision::report(report, requeue_after);
    }
    Decision::keep(requeue_after)
}

fn stalled(scene: &Scene<'_>, message: StatusMessage, change: Change) -> Decision {
    Decision::report(
        Report::new(message, change),
        scene.rules.intervals.stalled(),
    )
}

fn poll(scene: &Scene<'_>, submitted: &Submitted) -> Duration {
    let age = scene.now.wall.duration_since(submitted.since);
    scene
        .rules
        .intervals
        .poll(Duration::try_from(age).unwrap_or_default())
}
