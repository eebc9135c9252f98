use std::time::Duration;

use jiff::Timestamp;

use super::unclaimed::{is_proven, record_without_job};
use super::{Decision, Inputs, refused, take_job};
use crate::api::{AdoptionPolicy, Reason, StatusMessage, Submission, SubmissionOutcome};
use crate::pinecone::{Failure, FailureKind, Index};
use crate::restore::evidence::is_gap;
use crate::restore::jobs::{JobMatch, RestoreJobs};
use crate::restore::messages;
use crate::restore::observation::Search;
use crate::restore::report::{Change, Report};

/// Decides about an open submission: finds its outcome, and never sends it again while it may
/// have arrived.
pub(super) fn decide(inputs: &Inputs<'_>, claim: &Submission, seen: &Search) -> Decision {
    let open = Open {
        inputs,
        claim,
        ended: seen.ended,
    };
    let jobs = match &seen.jobs {
        Ok(jobs) => jobs,
        Err(failure) => return open.failed(failure),
    };
    let situation = inputs.situation;
    let found = situation.find_job(jobs);
    if let JobMatch::Ours(job) = &found {
        if open.may_be_a_rivals(jobs) {
            return open.not_known("another IndexRestore submitted the same backup and name, and the restore job may be its own until that one is resolved");
        }
        return Decision::report(take_job(job, false), inputs.rules.intervals.poll_min);
    }
    let index = match &seen.index {
        Ok(index) => index.as_ref(),
        Err(failure) => return open.failed(failure),
    };
    match (index, found) {
        (Some(index), JobMatch::Earlier(job))
            if !index.is_terminating()
                && !job.state.is_failure()
                && is_proven(situation, jobs, index, &job) =>
        {
            let intervals = inputs.rules.intervals;
            match situation.adoption {
                AdoptionPolicy::IfSameBackup => {
                    Decision::report(take_job(&job, true), intervals.poll_min)
                }
                AdoptionPolicy::Never => taken(inputs, messages::never_adopt(&job)),
            }
        }
        (Some(index), _) => open.index_without_job(index, jobs),
        (None, _) => open.nothing_there(seen),
    }
}

/// An open claim and an observation of its outcome.
struct Open<'a> {
    inputs: &'a Inputs<'a>,
    claim: &'a Submission,
    /// When the observation ended.
    ended: Timestamp,
}

impl Open<'_> {
    /// An index of that name exists and no job of ours is listed. If it names our backup it is
    /// ours, for the name was free before the claim. Where the POST was answered with 409,
    /// it is another's once the list had time to catch up. Else it may be ours.
    fn index_without_job(&self, index: &Index, jobs: &RestoreJobs) -> Decision {
        let (inputs, situation) = (self.inputs, self.inputs.situation);
        let is_believed = inputs.is_believed_missing(inputs.origin_patience(jobs));
        let is_of_backup = jobs.is_of_backup(situation, index);
        let is_usable = !index.is_terminating() && is_believed;
        if is_of_backup == Some(true) && is_usable && !self.may_be_a_rivals(jobs) {
            let report = record_without_job(situation, index, false);
            return Decision::report(report, inputs.rules.intervals.poll_min);
        }
        let was_taken = self.claim.outcome == SubmissionOutcome::Taken;
        if was_taken && is_usable {
            return match is_of_backup {
                None => self.undetermined(index),
                Some(_) => taken(inputs, messages::name_taken(situation, index, jobs)),
            };
        }
        self.not_known(&format!(
            "index {} exists but no restore job for it is listed",
            index.name
        ))
    }

    /// Pinecone answered 409, and nothing shows whether this request created the index, sent twice
    /// by something in between, or another client: the claim stays, so that none is created twice.
    fn undetermined(&self, index: &Index) -> Decision {
        let message = messages::conflict_undetermined(self.inputs.situation, index);
        self.report(message, self.inputs.rules.intervals.stalled())
    }

    fn nothing_there(&self, seen: &Search) -> Decision {
        let (inputs, claim) = (self.inputs, self.claim);
        let name = &claim.index_name;
        match &seen.backup {
            Some(Ok(_)) => {}
            Some(Err(failure)) if failure.kind == FailureKind::NotFound => {
                return self.not_known(&format!(
                    "backup {} is not visible with this API key: it was deleted, or the key belongs to another project",
                    claim.backup_id
                ));
            }
            Some(Err(failure)) => return self.failed(failure),
            None => return self.not_known("the backup was not read"),
        }
        // A user's request replaces what was not observed.
        let is_requested = inputs.situation.request.is_some();
        let is_believed =
            inputs.is_believed_missing(inputs.rules.patience.for_attempt(claim.attempt));
        if self.was_seen() && !is_requested {
            let why = format!(
                "an index {name} or its restore job was there after the submission and is gone"
            );
            return match is_believed {
                true => self.unconfirmed(&why),
                false => self.not_known(&why),
            };
        }
        if is_believed && (is_requested || !self.has_gap()) {
            return abandon(inputs);
        }
        self.not_known(&format!("no index {name} and no restore job yet"))
    }

    /// Whether an index was there, or a restore job was listed, that this request may have
    /// created. After a 409, too: something in between may have sent the request twice.
    fn was_seen(&self) -> bool {
        self.claim.index_seen || self.inputs.evidence.has_seen(self.claim)
    }

    /// Whether what Pinecone shows may be the result of another IndexRestore's claim.
    fn may_be_a_rivals(&self, jobs: &RestoreJobs) -> bool {
        let confirm = self.inputs.rules.patience.confirm;
        jobs.rivals.may_own_job(self.ended, confirm)
    }

    /// Whether the outcome was out of sight for too long, so that its absence proves nothing.
    fn has_gap(&self) -> bool {
        has_gap(self.inputs, self.claim, self.ended)
    }

    fn failed(&self, failure: &Failure) -> Decision {
        let intervals = self.inputs.rules.intervals;
        let asked = failure.retry_after.unwrap_or_default();
        let requeue_after = match self.is_overdue() {
            true => intervals.poll_max.max(asked),
            false => self
                .inputs
                .retry_after(failure)
                .min(intervals.poll_max.max(asked)),
        };
        self.keep_observing(&failure.to_string(), requeue_after)
    }

    fn not_known(&self, why: &str) -> Decision {
        let requeue_after = match self.is_overdue() {
            true => self.inputs.rules.intervals.poll_max,
            false => self.inputs.observation_interval(),
        };
        self.keep_observing(why, requeue_after)
    }

    /// Manual action is required.
    fn unconfirmed(&self, why: &str) -> Decision {
        let message = messages::unconfirmed(self.inputs.situation, why);
        self.report(message, self.inputs.rules.intervals.poll_max)
    }

    fn is_overdue(&self) -> bool {
        is_overdue(self.inputs, self.claim) || self.has_gap()
    }

    /// Keeps observing, and records now and then until when the outcome was in sight.
    fn keep_observing(&self, why: &str, requeue_after: Duration) -> Decision {
        let message = unresolved(self.inputs, self.claim, why, self.ended);
        self.report(message, requeue_after)
    }

    /// Reports on a claim that stays open, with what was observed of it.
    fn report(&self, message: StatusMessage, requeue_after: Duration) -> Decision {
        Decision::report(Report::new(message, self.observation()), requeue_after)
    }

    fn observation(&self) -> Change {
        let claim = self.claim;
        let recorded = claim.observed_until();
        let until = self.inputs.evidence.observed_until(claim);
        let index_seen = self.was_seen();
        let is_due = match index_seen {
            true => !claim.index_seen,
            false => {
                until > recorded && is_gap(recorded, until, self.inputs.rules.patience.max_gap / 4)
            }
        };
        match is_due {
            true => Change::Observed { until, index_seen },
            false => Change::Nothing,
        }
    }
}

fn abandon(inputs: &Inputs<'_>) -> Decision {
    let change = Change::Close {
        outcome: SubmissionOutcome::Abandoned,
        reason: None,
    };
    let message = messages::abandoned(inputs.rules.intervals);
    Decision::report(
        Report::new(message, change),
        inputs.rules.intervals.poll_min,
    )
}

fn taken(inputs: &Inputs<'_>, message: StatusMessage) -> Decision {
    let report = Report::new(message, refused(Reason::IndexAlreadyExists));
    Decision::report(report, inputs.rules.intervals.stalled())
}

/// Returns the message while the outcome is not known. Manual action is required after
/// [`Patience::give_up`](crate::restore::Patience::give_up), and at once where there was too long
/// a gap in observing.
pub(super) fn unresolved(
    inputs: &Inputs<'_>,
    claim: &Submission,
    why: &str,
    now: Timestamp,
) -> StatusMessage {
    if has_gap(inputs, claim, now) {
        let until = inputs.evidence.observed_until(claim);
        return messages::unobserved(inputs.situation, why, until, inputs.rules.patience.max_gap);
    }
    match is_overdue(inputs, claim) {
        true => messages::unconfirmed(inputs.situation, why),
        false => messages::confirming(why, inputs.rules.intervals),
    }
}

fn has_gap(inputs: &Inputs<'_>, claim: &Submission, now: Timestamp) -> bool {
    let until = inputs.evidence.observed_until(claim);
    is_gap(until, now, inputs.rules.patience.max_gap)
}

/// Whether the status requires manual action. Once it does, a read that fails changes nothing. The
/// wall clock is enough: safety does not depend on it.
fn is_overdue(inputs: &Inputs<'_>, claim: &Submission) -> bool {
    let age = inputs.now.wall.duration_since(claim.start_time.0);
    let is_old = Duration::try_from(age).is_ok_and(|age| age >= inputs.rules.patience.give_up);
    is_old || inputs.situation.shows(&[Reason::SubmissionUnconfirmed])
}
