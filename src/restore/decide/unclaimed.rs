use super::{Decision, Inputs, Step, take_job};
use crate::api::{AdoptionPolicy, Reason, StatusMessage};
use crate::pinecone::{Backup, BackupState, Failure, FailureKind, Index, RestoreJob};
use crate::restore::jobs::{JobMatch, RestoreJobs};
use crate::restore::messages;
use crate::restore::observation::Preflight;
use crate::restore::report::{Change, Record, Report};
use crate::restore::situation::Situation;

/// Nothing is submitted: submit, wait, or adopt what exists.
pub(super) fn decide(inputs: &Inputs<'_>, seen: &Preflight) -> Decision {
    let index = match &seen.index {
        Ok(index) => index.as_ref(),
        Err(failure) => return failed(inputs, failure),
    };
    let jobs = match &seen.jobs {
        Some(Err(failure)) => return failed(inputs, failure),
        Some(Ok(jobs)) => jobs,
        None => &RestoreJobs::default(),
    };
    if let Some(decision) = adopt(inputs, index, jobs) {
        return decision;
    }
    match index {
        Some(index) => taken(inputs, index, jobs),
        None => submit(inputs, seen.backup.as_ref(), seen),
    }
}

/// Records a job that answers this restore, where one is listed.
fn adopt(inputs: &Inputs<'_>, index: Option<&Index>, jobs: &RestoreJobs) -> Option<Decision> {
    let situation = inputs.situation;
    let poll = inputs.rules.intervals.poll_min;
    match (situation.find_job(jobs), index) {
        (JobMatch::Ours(_), _) if jobs.rivals.has_precedence => {
            Some(Decision::keep(inputs.observation_interval()))
        }
        (JobMatch::Ours(job), _) => Some(Decision::report(take_job(&job, false), poll)),
        (JobMatch::Earlier(_), Some(index)) if index.is_terminating() => None,
        (JobMatch::Earlier(job), Some(index)) if is_proven(situation, jobs, index, &job) => {
            Some(match situation.adoption {
                _ if job.state.is_failure() => stalled(inputs, messages::left_by_failed_job(&job)),
                AdoptionPolicy::IfSameBackup => Decision::report(take_job(&job, true), poll),
                AdoptionPolicy::Never => stalled(inputs, messages::never_adopt(&job)),
            })
        }
        _ => None,
    }
}

/// Whether the index came from this job: Pinecone shows the job by its ID, which it does
/// only while the job's own index exists, or the index itself names the job's backup.
pub(super) fn is_proven(
    situation: &Situation,
    jobs: &RestoreJobs,
    index: &Index,
    job: &RestoreJob,
) -> bool {
    let is_shown = jobs
        .confirmed
        .as_ref()
        .is_some_and(|shown| shown.restore_job_id == job.restore_job_id);
    is_shown || index.source.is(&situation.backup_id) == Some(true)
}

fn taken(inputs: &Inputs<'_>, index: &Index, jobs: &RestoreJobs) -> Decision {
    let situation = inputs.situation;
    if index.is_terminating() {
        let message = messages::name_being_freed(&index.name, inputs.rules.intervals);
        return Decision::report(
            Report::new(message, Change::Nothing),
            inputs.observation_interval(),
        );
    }
    let patience = inputs.origin_patience(jobs);
    if inputs.is_believed_missing(patience) {
        return without_job(inputs, index, jobs);
    }
    // What was concluded before a restart stays until there is something new.
    if situation.shows(&[Reason::IndexAlreadyExists]) {
        return Decision::keep(inputs.observation_interval());
    }
    let until = inputs.believed_missing_at(patience);
    let shown = situation.shown.as_ref();
    let message = messages::looking_for_origin(&index.name, jobs, until, shown);
    Decision::report(
        Report::new(message, Change::Nothing),
        inputs.observation_interval(),
    )
}

/// The list had time to show a job of the index, and shows none.
fn without_job(inputs: &Inputs<'_>, index: &Index, jobs: &RestoreJobs) -> Decision {
    let situation = inputs.situation;
    // An earlier attempt found the name free: what has it now may be its own.
    let may_be_own = situation.since.is_some();
    match jobs.is_of_backup(situation, index) {
        Some(true) if may_be_own || situation.adoption == AdoptionPolicy::IfSameBackup => {
            let report = record_without_job(situation, index, !may_be_own);
            Decision::report(report, inputs.rules.intervals.poll_min)
        }
        Some(true) => stalled(inputs, messages::never_adopt_index(index)),
        None if situation.is_frozen => {
            stalled(inputs, messages::conflict_undetermined(situation, index))
        }
        Some(false) | None => stalled(inputs, messages::name_taken(situation, index, jobs)),
    }
}

/// Records an index that names this restore's backup and that no restore job is shown of.
pub(super) fn record_without_job(situation: &Situation, index: &Index, adopted: bool) -> Report {
    let message = messages::recording_index(index);
    Report::new(
        message,
        Change::Record(Record::of_index(situation, adopted).into()),
    )
}

fn submit(
    inputs: &Inputs<'_>,
    backup: Option<&Result<Backup, Failure>>,
    seen: &Preflight,
) -> Decision {
    let backup_id = &inputs.situation.backup_id;
    match backup {
        // It was not asked for; nothing is submitted without it.
        None => Decision::keep(inputs.rules.intervals.poll_min),
        Some(Err(failure)) if failure.kind == FailureKind::NotFound => stalled(
            inputs,
            messages::backup_not_found(backup_id, failure, inputs.rules.intervals),
        ),
        Some(Err(failure)) => failed(inputs, failure),
        Some(Ok(backup)) => match backup.state {
            BackupState::NotReady => {
                let intervals = inputs.rules.intervals;
                let requeue_after = intervals.retry(4, None).min(intervals.poll_max);
                let message = messages::backup_not_ready(backup_id, &backup.word, requeue_after);
                Decision::report(Report::new(message, Change::Nothing), requeue_after)
            }
            BackupState::Failed => {
                stalled(inputs, messages::backup_failed(backup_id, &backup.word))
            }
            // The same invalid spec is not sent again; what was sent before may still arrive.
            BackupState::Ready if inputs.situation.is_rejected => {
                Decision::keep(inputs.rules.intervals.stalled())
            }
            BackupState::Ready => Decision {
                step: Step::Submit { date: seen.date },
                requeue_after: Some(inputs.rules.intervals.poll_min),
            },
        },
    }
}

fn failed(inputs: &Inputs<'_>, failure: &Failure) -> Decision {
    let report = Report::new(
        messages::of_read(failure, inputs.rules.intervals),
        Change::Nothing,
    );
    Decision::report(report, inputs.retry_after(failure))
}

fn stalled(inputs: &Inputs<'_>, message: StatusMessage) -> Decision {
    Decision::report(
        Report::new(message, Change::Nothing),
        inputs.rules.intervals.stalled(),
    )
}
