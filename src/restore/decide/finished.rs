use super::{Decision, Inputs};
use crate::api::{Reason, StatusMessage};
use crate::pinecone::{Failure, FailureKind, Index, IndexHealth};
use crate::restore::messages;
use crate::restore::observation::Check;
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
pub(super) fn decide(inputs: &Inputs<'_>, submitted: &Submitted, check: &Check) -> Decision {
    let index = match &check.index {
        Err(failure) => return failed(inputs, submitted, failure),
        Ok(None) => {
            let message = messages::index_deleted(&inputs.situation.index_name);
            return confirmed(inputs, submitted, message);
        }
        Ok(Some(index)) => index,
    };
    match identity(inputs, submitted, index, check) {
        Ok(Identity::Same) => confirmed(inputs, submitted, of_health(inputs, submitted, index)),
        Ok(Identity::Another) => {
            confirmed(inputs, submitted, messages::index_replaced(&index.name))
        }
        Ok(Identity::Doubtful) => doubted(inputs, messages::origin_doubtful(index, submitted)),
        Ok(Identity::Unseen) => {
            let backup_id = &inputs.situation.backup_id;
            doubted(
                inputs,
                messages::not_visible(index, submitted, backup_id, inputs.rules.intervals),
            )
        }
        Err(failure) => failed(inputs, submitted, failure),
    }
}

/// The restore job by its ID, or the backup that the index names, is its identity. The host
/// is not: it is made of the name and the project.
fn identity<'a>(
    inputs: &Inputs<'_>,
    submitted: &Submitted,
    index: &Index,
    check: &'a Check,
) -> Result<Identity, &'a Failure> {
    let is_of_backup = index.source.is(&inputs.situation.backup_id);
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

fn of_health(inputs: &Inputs<'_>, submitted: &Submitted, index: &Index) -> StatusMessage {
    match index.health {
        IndexHealth::Ready => finished(inputs, submitted, index),
        IndexHealth::Failing | IndexHealth::Terminating => {
            messages::index_failed(index, inputs.rules.intervals.slow_period())
        }
        IndexHealth::NotReady => {
            messages::index_not_ready(&index.name, &index.word, inputs.rules.intervals)
        }
    }
}

/// An index that is ready. What an adopted one lacks of the spec is named.
pub(super) fn finished(inputs: &Inputs<'_>, submitted: &Submitted, index: &Index) -> StatusMessage {
    let wanted = &inputs.situation.wanted;
    match submitted.adopted {
        false => messages::restored(&index.name, submitted),
        true if wanted.is_protected && !index.is_protected => {
            messages::not_protected(index, wanted)
        }
        true => messages::adopted(index, submitted, wanted),
    }
}

/// The check was answered.
fn confirmed(inputs: &Inputs<'_>, submitted: &Submitted, message: StatusMessage) -> Decision {
    let intervals = inputs.rules.intervals;
    let requeue_after = match message.reason {
        Reason::IndexNotReady => intervals.poll_max,
        _ => intervals.slow(inputs.now.boot),
    };
    let change = match is_due(inputs, submitted) {
        true => Change::Confirmed(inputs.now.wall),
        false => Change::Nothing,
    };
    Decision::report(Report::new(message, change), requeue_after)
}

/// Whether the time of the last confirmation is to be written: once a day, and when
/// checks succeed again.
fn is_due(inputs: &Inputs<'_>, submitted: &Submitted) -> bool {
    const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
    let is_old = |last| inputs.now.wall.duration_since(last) >= DAY;
    submitted.unconfirmed_since.is_some() || submitted.last_confirmed.is_none_or(is_old)
}

/// The job is not shown. That is an outage of the store of jobs, until it lasts.
fn doubted(inputs: &Inputs<'_>, message: StatusMessage) -> Decision {
    let intervals = inputs.rules.intervals;
    if inputs.is_believed_missing(inputs.rules.patience.job_outage)
        || inputs.situation.shows(&[Reason::RestoreJobNotFound])
    {
        let report = Report::new(message, Change::Nothing);
        return Decision::report(report, intervals.stalled());
    }
    Decision::keep(inputs.observation_interval())
}

fn failed(inputs: &Inputs<'_>, submitted: &Submitted, failure: &Failure) -> Decision {
    let is_certain = matches!(
        failure.kind,
        FailureKind::Unauthorized
            | FailureKind::PermissionDenied
            | FailureKind::Forbidden
            | FailureKind::PaymentRequired
    );
    let asked = failure.retry_after.unwrap_or_default();
    if is_certain || inputs.evidence.failures() >= TOLERATED {
        let why = failure.to_string();
        let mut decision = unconfirmed(inputs, submitted, &why);
        decision.requeue_after = decision
            .requeue_after
            .map(|requeue_after| requeue_after.max(asked));
        return decision;
    }
    Decision::keep(inputs.rules.intervals.stalled().max(asked))
}

/// Checks fail: what the status says stays true as of when it was last confirmed, and it
/// says so.
pub(super) fn unconfirmed(inputs: &Inputs<'_>, submitted: &Submitted, why: &str) -> Decision {
    let ago = |boot| {
        let ago = jiff::SignedDuration::try_from(inputs.now.boot.since(boot)).unwrap_or_default();
        inputs.now.wall.checked_sub(ago).unwrap_or(inputs.now.wall)
    };
    let seen = inputs.evidence.confirmed().map(ago);
    let (last, since) = match submitted.unconfirmed_since {
        Some(since) => (submitted.last_confirmed, since),
        None => (
            seen.max(submitted.last_confirmed),
            inputs.evidence.failing_since().map_or(inputs.now.wall, ago),
        ),
    };
    let message =
        messages::unconfirmed_index(inputs.situation, last, since, why, inputs.rules.intervals);
    let change = Change::Unconfirmed { last, since };
    Decision::report(
        Report::new(message, change),
        inputs.rules.intervals.slow(inputs.now.boot),
    )
}
