use super::{Decision, Scene, Step, take_job};
use crate::api::conditions::Finding;
use crate::api::{AdoptionPolicy, Reason};
use crate::pinecone::{Backup, BackupState, Failure, FailureKind, Index};
use crate::restore::answer::{History, Preflight};
use crate::restore::findings;
use crate::restore::history::Trace;
use crate::restore::report::{Change, Report};

/// Nothing is submitted: submit, wait, or take what exists.
pub(super) fn decide(scene: &Scene<'_>, seen: &Preflight) -> Decision {
    let index = match &seen.index {
        Ok(index) => index.as_ref(),
        Err(failure) => return failed(scene, failure),
    };
    if let Some(Err(failure)) = &seen.history {
        return failed(scene, failure);
    }
    let history = seen
        .history
        .as_ref()
        .and_then(|history| history.as_ref().ok());
    if let Some(decision) = history.and_then(|history| take(scene, index, history)) {
        return decision;
    }
    match index {
        Some(index) => taken(scene, index),
        None => submit(scene, seen.backup.as_ref(), seen),
    }
}

/// Takes a job that answers this restore, where the history has one.
fn take(scene: &Scene<'_>, index: Option<&Index>, history: &History) -> Option<Decision> {
    let situation = scene.situation;
    let found = situation.trace(&history.jobs);
    let poll = scene.rules.pace.poll_min;
    match (found, index) {
        (Trace::Ours(job), _) => Some(Decision::report(take_job(&job, false), poll)),
        (Trace::Earlier(_), Some(index)) if index.is_terminating() => None,
        (Trace::Earlier(job), Some(_)) if is_confirmed(history, &job.restore_job_id) => {
            Some(match situation.adoption {
                AdoptionPolicy::IfSameBackup => Decision::report(take_job(&job, true), poll),
                AdoptionPolicy::Never => stalled(scene, findings::never_adopt(&job)),
            })
        }
        _ => None,
    }
}

/// Whether Pinecone shows the job by its ID as well, which it does only while
/// the job's own index exists: the name may have passed to another index since.
pub(super) fn is_confirmed(history: &History, job_id: &str) -> bool {
    history
        .confirmed
        .as_ref()
        .is_some_and(|job| job.restore_job_id == job_id)
}

fn taken(scene: &Scene<'_>, index: &Index) -> Decision {
    if index.is_terminating() {
        let finding = findings::name_being_freed(&index.name);
        return Decision::report(Report::new(finding, Change::Nothing), scene.look_again());
    }
    if scene.is_believed_missing(scene.rules.patience.catch_up) {
        return stalled(scene, findings::name_taken(&index.name));
    }
    // What was concluded before a restart stays until there is something new.
    if scene.situation.shows(&[Reason::IndexAlreadyExists]) {
        return Decision::keep(scene.look_again());
    }
    let finding = findings::looking_for_origin(&index.name);
    Decision::report(Report::new(finding, Change::Nothing), scene.look_again())
}

fn submit(
    scene: &Scene<'_>,
    backup: Option<&Result<Backup, Failure>>,
    seen: &Preflight,
) -> Decision {
    let backup_id = &scene.situation.backup_id;
    match backup {
        // It was not asked for; nothing is submitted without it.
        None => Decision::keep(scene.rules.pace.poll_min),
        Some(Err(failure)) if failure.kind == FailureKind::NotFound => {
            stalled(scene, findings::backup_not_found(backup_id, failure))
        }
        Some(Err(failure)) => failed(scene, failure),
        Some(Ok(backup)) => match backup.state {
            BackupState::NotReady => {
                let finding = findings::backup_not_ready(backup_id, &backup.word);
                let again = scene
                    .rules
                    .pace
                    .retry(4, None)
                    .min(scene.rules.pace.poll_max);
                Decision::report(Report::new(finding, Change::Nothing), again)
            }
            BackupState::Failed => stalled(scene, findings::backup_failed(backup_id, &backup.word)),
            BackupState::Ready => Decision {
                step: Step::Submit { date: seen.date },
                again: Some(scene.rules.pace.poll_min),
            },
        },
    }
}

fn failed(scene: &Scene<'_>, failure: &Failure) -> Decision {
    let report = Report::new(findings::of_read(failure), Change::Nothing);
    Decision::report(report, scene.retry_after(failure))
}

fn stalled(scene: &Scene<'_>, finding: Finding) -> Decision {
    Decision::report(
        Report::new(finding, Change::Nothing),
        scene.rules.pace.stalled(),
    )
}
