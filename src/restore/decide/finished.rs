use super::{Decision, Scene};
use crate::api::{Reason, StatusMessage};
use crate::pinecone::{Failure, FailureKind, Index, IndexHealth};
use crate::restore::answer::Check;
use crate::restore::messages;
use crate::restore::report::{Change, Report};
use crate::restore::situation::Submitted;

/// Failed checks in a row before the status says so.
const TOLERATED: u32 = 3;

/// What is known of the index that has the restored one's name.
enum Identity {
    Same,
    /// It is certainly not the restored one.
    Another,
    /// The key shows the backup and not the restore job.
    Doubtful,
    /// The key shows neither.
    Unseen,
}

/// The restored index, checked long after. Nothing is ever restored again.
pub(super) fn decide(scene: &Scene<'_>, submitted: &Submitted, check: &Check) -> Decision {
    let index = match &check.index {
        Err(failure) => return failed(scene, submitted, failure),
        Ok(None) => {
            let message = messages::index_deleted(&scene.situation.index_name);
            return confirmed(scene, submitted, message);
        }
        Ok(Some(index)) => index,
    };
    match identity(scene, submitted, index, check) {
        Ok(Identity::Same) => confirmed(scene, submitted, of_health(scene, submitted, index)),
        Ok(Identity::Another) => confirmed(scene, submitted, messages::index_replaced(&index.name)),
        Ok(Identity::Doubtful) => doubted(scene, messages::origin_doubtful(index, submitted)),
        Ok(Identity::Unseen) => {
            let backup_id = &scene.situation.backup_id;
            doubted(scene, messages::not_visible(index, submitted, backup_id))
        }
        Err(failure) => failed(scene, submitted, failure),
    }
}

/// The restore job by its ID, or the backup that the index names, is its identity. The host
/// is not: it is made of the name and the project.
fn identity<'a>(
    scene: &Scene<'_>,
    submitted: &Submitted,
    index: &Index,
    check: &'a Check,
) -> Result<Identity, &'a Failure> {
    let is_of_backup = index.source.is(&scene.situation.backup_id);
    match &check.job {
        _ if is_of_backup == Some(true) => return Ok(Identity::Same),
        Some(Ok(Some(_))) => return Ok(Identity::Same),
        Some(Err(failure)) => return Err(failure),
        Some(Ok(None)) | None => {}
    }
    let shows_backup = match &check.backup {
        Some(Err(failure)) => return Err(failure),
        Some(Ok(backup)) => backup.is_some(),
        None => false,
    };
    let is_same_project = shows_backup || is_at(index, submitted);
    Ok(match is_of_backup {
        Some(_) if is_same_project => Identity::Another,
        _ if shows_backup => Identity::Doubtful,
        _ => Identity::Unseen,
    })
}

/// Whether the index has the host that was recorded, which names the project.
fn is_at(index: &Index, submitted: &Submitted) -> bool {
    let recorded = submitted.host.as_deref().filter(|host| !host.is_empty());
    recorded.is_some() && index.host.as_deref() == recorded
}

fn of_health(scene: &Scene<'_>, submitted: &Submitted, index: &Index) -> StatusMessage {
    match index.health {
        IndexHealth::Ready => finished(scene, submitted, index),
        IndexHealth::Failing | IndexHealth::Terminating => messages::index_failed(index),
        IndexHealth::NotReady => messages::index_not_ready(&index.name, &index.word),
    }
}

/// An index that is ready. What an adopted one lacks of the spec is named.
pub(super) fn finished(scene: &Scene<'_>, submitted: &Submitted, index: &Index) -> StatusMessage {
    let wanted = &scene.situation.wanted;
    match submitted.adopted {
        false => messages::restored(&index.name, submitted),
        true if wanted.is_protected && !index.is_protected => {
            messages::not_protected(index, wanted)
        }
        true => messages::adopted(index, submitted, wanted),
    }
}

/// The check was answered.
fn confirmed(scene: &Scene<'_>, submitted: &Submitted, message: StatusMessage) -> Decision {
    let intervals = scene.rules.intervals;
    let requeue_after = match message.reason {
        Reason::IndexNotReady => intervals.poll_max,
        _ => intervals.slow(scene.now.boot),
    };
    let change = match is_due(scene, submitted) {
        true => Change::Confirmed(scene.now.wall),
        false => Change::Nothing,
    };
    Decision::report(Report::new(message, change), requeue_after)
}

/// Whether the time of the last confirmation is to be written: once a day, and when
/// checks succeed again.
fn is_due(scene: &Scene<'_>, submitted: &Submitted) -> bool {
    const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
    let is_old = |last| scene.now.wall.duration_since(last) >= DAY;
    submitted.unconfirmed_since.is_some() || submitted.last_confirmed.is_none_or(is_old)
}

/// The job is not shown. That is an outage of the store of jobs, until it lasts.
fn doubted(scene: &Scene<'_>, message: StatusMessage) -> Decision {
    let intervals = scene.rules.intervals;
    if scene.is_believed_missing(scene.rules.patience.job_outage)
        || scene.situation.shows(&[Reason::RestoreJobNotFound])
    {
        let report = Report::new(message, Change::Nothing);
        return Decision::report(report, intervals.stalled());
    }
    Decision::keep(scene.observation_interval())
}

fn failed(scene: &Scene<'_>, submitted: &Submitted, failure: &Failure) -> Decision {
    let is_certain = matches!(
        failure.kind,
        FailureKind::Unauthorized
            | FailureKind::PermissionDenied
            | FailureKind::Forbidden
            | FailureKind::PaymentRequired
    );
    let asked = failure.retry_after.unwrap_or_default();
    if is_certain || scene.evidence.failures() >= TOLERATED {
        let why = failure.to_string();
        let mut decision = unconfirmed(scene, submitted, &why);
        decision.requeue_after = decision
            .requeue_after
            .map(|requeue_after| requeue_after.max(asked));
        return decision;
    }
    Decision::keep(scene.rules.intervals.stalled().max(asked))
}

/// Checks fail: what the status says stays true as of when it was last confirmed, and it
/// says so.
pub(super) fn unconfirmed(scene: &Scene<'_>, submitted: &Submitted, why: &str) -> Decision {
    let ago = |boot| {
        let ago = jiff::SignedDuration::try_from(scene.now.boot.since(boot)).unwrap_or_default();
        scene.now.wall.checked_sub(ago).unwrap_or(scene.now.wall)
    };
    let seen = scene.evidence.confirmed().map(ago);
    let (last, since) = match submitted.unconfirmed_since {
        Some(since) => (submitted.last_confirmed, since),
        None => (
            seen.max(submitted.last_confirmed),
            scene.evidence.failing_since().map_or(scene.now.wall, ago),
        ),
    };
    let message = messages::unconfirmed_index(scene.situation, last, since, why);
    let change = Change::Unconfirmed { last, since };
    Decision::report(
        Report::new(message, change),
        scene.rules.intervals.slow(scene.now.boot),
    )
}
