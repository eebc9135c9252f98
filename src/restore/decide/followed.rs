use std::time::Duration;

use super::finished::finished;
use super::{Decision, Inputs, take_job};
use crate::api::{Reason, RestoreStatus, StatusMessage};
use crate::pinecone::{
    Failure, FailureKind, Index, IndexHealth, JobState, RestoreJob, SourceBackup,
};
use crate::restore::messages;
use crate::restore::observation::Poll;
use crate::restore::report::{Change, Report, restore_status};
use crate::restore::situation::Submitted;

/// Failed polls in a row before the status says so: one bad answer changes
/// nothing that is known about the restore.
const TOLERATED: u32 = 3;

/// The restore job is known: follow it.
pub(super) fn decide(inputs: &Inputs<'_>, submitted: &Submitted, seen: &Poll) -> Decision {
    let index = match &seen.index {
        Some(Err(failure)) => return failed(inputs, failure),
        Some(Ok(index)) => Some(index.as_ref()),
        None => None,
    };
    match &seen.job {
        Err(failure) => failed(inputs, failure),
        Ok(found) if submitted.job_id.is_none() => {
            let index = index.flatten();
            without_job(inputs, submitted, found.as_ref(), index)
        }
        Ok(None) => job_not_shown(inputs, submitted, index.flatten()),
        Ok(Some(job)) => match job.state {
            JobState::Failed => ended(inputs, messages::job_failed(job), job),
            JobState::Cancelled => ended(inputs, messages::job_cancelled(job), job),
            JobState::Completed => completed(inputs, submitted, job, index.flatten()),
            JobState::Pending => pending(inputs, submitted, job, index.flatten()),
        },
    }
}

fn pending(
    inputs: &Inputs<'_>,
    submitted: &Submitted,
    job: &RestoreJob,
    index: Option<&Index>,
) -> Decision {
    let change = Change::Job(restore_status(job));
    match index {
        Some(index) if is_failing(index) => stalled(
            inputs,
            messages::index_failed(index, inputs.rules.intervals.stalled()),
            change,
        ),
        // The index was not read this time: what was observed before is still true.
        None if inputs.situation.shows(&[Reason::IndexFailed]) => {
            Decision::keep(inputs.rules.intervals.poll_max)
        }
        _ => Decision::report(
            Report::new(messages::restoring(job, inputs.rules.intervals), change),
            poll(inputs, submitted),
        ),
    }
}

fn completed(
    inputs: &Inputs<'_>,
    submitted: &Submitted,
    job: &RestoreJob,
    index: Option<&Index>,
) -> Decision {
    let restore = restore_status(job);
    let change = Change::Job(restore.clone());
    match index {
        Some(index) => with_index(inputs, submitted, index, change, Some(restore)),
        None => index_not_shown(inputs, change),
    }
}

/// No restore job is known: one that is listed is recorded. An index that names its backup
/// is followed by itself.
fn without_job(
    inputs: &Inputs<'_>,
    submitted: &Submitted,
    job: Option<&RestoreJob>,
    index: Option<&Index>,
) -> Decision {
    match (job, index) {
        (Some(job), Some(_)) if is_usable(inputs, job) => {
            let report = take_job(job, submitted.adopted);
            Decision::report(report, inputs.rules.intervals.poll_min)
        }
        (_, Some(index)) if index.source.is(&inputs.situation.backup_id) == Some(true) => {
            with_index(inputs, submitted, index, Change::Nothing, None)
        }
        (_, Some(index)) if index.source != SourceBackup::NotShown => index_replaced(inputs, index),
        _ => job_not_shown(inputs, submitted, index),
    }
}

/// A job of this backup and name that may be this restore's result.
fn is_usable(inputs: &Inputs<'_>, job: &RestoreJob) -> bool {
    let situation = inputs.situation;
    job.backup_id == situation.backup_id
        && job.target_index_name == situation.index_name
        && !job.state.is_failure()
}

/// The index names another origin.
fn index_replaced(inputs: &Inputs<'_>, index: &Index) -> Decision {
    if inputs.is_believed_missing(inputs.rules.patience.catch_up) {
        let message = messages::index_replaced(&index.name);
        return stalled(inputs, message, Change::Nothing);
    }
    Decision::keep(inputs.observation_interval())
}

fn index_not_shown(inputs: &Inputs<'_>, change: Change) -> Decision {
    let name = &inputs.situation.index_name;
    if inputs.is_believed_missing(inputs.rules.patience.catch_up) {
        return stalled(inputs, messages::index_deleted(name), change);
    }
    let message = messages::index_not_ready(name, "not shown by Pinecone", inputs.rules.intervals);
    let requeue_after = inputs
        .rules
        .intervals
        .poll_min
        .max(inputs.observation_interval());
    Decision::report(Report::new(message, change), requeue_after)
}

/// The restore is complete, as far as is known: it is finished when its index is ready.
fn with_index(
    inputs: &Inputs<'_>,
    submitted: &Submitted,
    index: &Index,
    change: Change,
    restore: Option<RestoreStatus>,
) -> Decision {
    let requeue_after = inputs
        .rules
        .intervals
        .poll_min
        .max(inputs.observation_interval());
    match index.health {
        IndexHealth::Failing | IndexHealth::Terminating => stalled(
            inputs,
            messages::index_failed(index, inputs.rules.intervals.stalled()),
            change,
        ),
        IndexHealth::NotReady => {
            let message =
                messages::index_not_ready(&index.name, &index.word, inputs.rules.intervals);
            Decision::report(Report::new(message, change), requeue_after)
        }
        IndexHealth::Ready => {
            let finish = Change::Finish {
                restore,
                // Without a host there is nothing to connect to; it is shown empty.
                host: index.host.clone().unwrap_or_default(),
                at: inputs.now.wall,
            };
            Decision::report(
                Report::new(finished(inputs, submitted, index), finish),
                inputs.rules.intervals.slow(inputs.now.boot),
            )
        }
    }
}

/// Pinecone answers 404 for a job during an outage of its job store too, and once the job's index
/// was deleted. The index shows which.
fn job_not_shown(inputs: &Inputs<'_>, submitted: &Submitted, index: Option<&Index>) -> Decision {
    let patience = inputs.rules.patience;
    match index {
        Some(index) if is_failing(index) => stalled(
            inputs,
            messages::index_failed(index, inputs.rules.intervals.stalled()),
            Change::Nothing,
        ),
        Some(index) if inputs.is_believed_missing(patience.give_up) => {
            let message = messages::job_lost(submitted, index, patience.give_up);
            stalled(inputs, message, Change::Nothing)
        }
        None if inputs.is_believed_missing(patience.catch_up) => {
            let message = messages::index_deleted(&inputs.situation.index_name);
            stalled(inputs, message, Change::Nothing)
        }
        // What was concluded before a restart stays until there is something new.
        _ if inputs
            .situation
            .shows(&[Reason::IndexDeleted, Reason::RestoreJobNotFound]) =>
        {
            Decision::keep(inputs.observation_interval())
        }
        _ => Decision::report(
            Report::new(
                messages::job_not_shown(submitted, inputs.rules.intervals),
                Change::Nothing,
            ),
            inputs.observation_interval(),
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

fn ended(inputs: &Inputs<'_>, message: StatusMessage, job: &RestoreJob) -> Decision {
    stalled(inputs, message, Change::Job(restore_status(job)))
}

fn failed(inputs: &Inputs<'_>, failure: &Failure) -> Decision {
    let at_once = matches!(
        failure.kind,
        FailureKind::Unauthorized
            | FailureKind::PermissionDenied
            | FailureKind::Forbidden
            | FailureKind::PaymentRequired
    );
    let requeue_after = inputs.retry_after(failure);
    if at_once || inputs.evidence.failures() >= TOLERATED {
        let report = Report::new(
            messages::of_read(failure, inputs.rules.intervals),
            Change::Nothing,
        );
        return Decision::report(report, requeue_after);
    }
    Decision::keep(requeue_after)
}

fn stalled(inputs: &Inputs<'_>, message: StatusMessage, change: Change) -> Decision {
    Decision::report(
        Report::new(message, change),
        inputs.rules.intervals.stalled(),
    )
}

fn poll(inputs: &Inputs<'_>, submitted: &Submitted) -> Duration {
    let age = inputs.now.wall.duration_since(submitted.since);
    inputs
        .rules
        .intervals
        .poll(Duration::try_from(age).unwrap_or_default())
}
