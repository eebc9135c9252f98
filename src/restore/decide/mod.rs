//! What to do, from what is known. Pure and total.

mod claimed;
mod finished;
mod followed;
mod posted;
#[cfg(test)]
mod tests;
mod unclaimed;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::evidence::Evidence;
use super::intervals::{Intervals, Patience};
use super::jobs::RestoreJobs;
use super::messages;
use super::observation::{Observation, Question};
use super::report::{Change, Record, Report};
use super::situation::{Situation, Stage};
use crate::api::{Reason, SubmissionOutcome};
use crate::caches::KeyProblem;
use crate::pinecone::{JobState, RestoreJob};
use crate::runtime::clock::Now;
pub use posted::{after_post, after_unsent};

/// The intervals and the patience that decisions follow.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How often Pinecone is asked.
    pub intervals: Intervals,
    /// How long an absence is not believed.
    pub patience: Patience,
}

/// What to do now, and when to reconcile again.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What to do now.
    pub step: Step,
    /// `None`: only a change of the object is a reason to reconcile again.
    pub requeue_after: Option<Duration>,
}

/// One effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Claim the restore, submit it, and record the outcome. Reached from an unclaimed stage only.
    Submit {
        /// Pinecone's clock where it is known.
        date: Option<Timestamp>,
    },
    /// Write the status.
    Report(Report),
    /// Leave everything as it is.
    Keep,
}

impl Decision {
    fn report(report: Report, requeue_after: Duration) -> Self {
        Self {
            step: Step::Report(report),
            requeue_after: Some(requeue_after),
        }
    }

    fn keep(requeue_after: Duration) -> Self {
        Self {
            step: Step::Keep,
            requeue_after: Some(requeue_after),
        }
    }

    const REST: Self = Self {
        step: Step::Keep,
        requeue_after: None,
    };
}

/// Decides what to do. `evidence` has learnt from `observation` already.
pub fn decide(
    situation: &Situation,
    evidence: &Evidence,
    observation: &Observation<'_>,
    rules: &Rules,
    now: Now,
) -> Decision {
    let inputs = Inputs {
        situation,
        evidence,
        rules,
        now,
    };
    let decision = match observation {
        Observation::NotNeeded => Decision::REST,
        Observation::NoKey(question, problem) => inputs.without_key(*question, problem),
        Observation::MaySubmit(seen) => unclaimed::decide(&inputs, seen),
        Observation::FindOurs(claim, seen) => claimed::decide(&inputs, claim, seen),
        Observation::Follow(submitted, seen) => followed::decide(&inputs, submitted, seen),
        Observation::StillThere(submitted, seen) => finished::decide(&inputs, submitted, seen),
    };
    inputs.frozen(inputs.restated(decision))
}

/// Records a job that was found. It may have ended before it was found; one that failed is the
/// result of its own restore only.
fn take_job(job: &RestoreJob, adopted: bool) -> Report {
    let message = match (job.state, adopted) {
        (JobState::Failed, _) => messages::job_failed(job),
        (JobState::Cancelled, _) => messages::job_cancelled(job),
        (JobState::Pending | JobState::Completed, false) => messages::recovered(job),
        (JobState::Pending | JobState::Completed, true) => messages::adopting(job),
    };
    Report::new(message, Change::Record(Record::of(job, adopted).into()))
}

fn refused(reason: Reason) -> Change {
    Change::Close {
        outcome: SubmissionOutcome::Refused,
        reason: Some(reason),
    }
}

/// What every decision depends on.
struct Inputs<'a> {
    situation: &'a Situation,
    evidence: &'a Evidence,
    rules: &'a Rules,
    now: Now,
}

impl Inputs<'_> {
    /// Where nothing changes but the spec has a new generation, or a user made a request, the status
    /// must show the new generation and the request.
    fn restated(&self, decision: Decision) -> Decision {
        let situation = self.situation;
        let is_open = matches!(situation.stage, Stage::Claimed(_));
        let is_new = !situation.observed || (situation.request.is_some() && !is_open);
        match (&decision.step, &situation.shown) {
            (Step::Keep, Some(shown)) if is_new => Decision {
                step: Step::Report(Report::new(shown.clone(), Change::Nothing)),
                ..decision
            },
            _ => decision,
        }
    }

    /// Advice to edit a spec that may not be edited is replaced.
    fn frozen(&self, mut decision: Decision) -> Decision {
        if let Step::Report(report) = &mut decision.step
            && self.situation.is_frozen
        {
            report.message = messages::frozen(report.message.clone());
        }
        decision
    }

    fn without_key(&self, question: Question<'_>, problem: &KeyProblem) -> Decision {
        let requeue_after = self.rules.intervals.secret(self.evidence.failures());
        match question {
            Question::FindOurs(claim) => {
                let message = claimed::unresolved(self, claim, &problem.to_string(), self.now.wall);
                Decision::report(Report::new(message, Change::Nothing), requeue_after)
            }
            // The key may go once the restore is done: what was known stays, as of when it was.
            Question::StillThere { submitted, .. } => {
                finished::unconfirmed(self, submitted, &problem.to_string())
            }
            Question::MaySubmit { .. } | Question::Follow { .. } => Decision::report(
                Report::new(
                    messages::no_key(problem, self.rules.intervals),
                    Change::Nothing,
                ),
                requeue_after,
            ),
        }
    }

    /// Whether the same thing has been missing for `patience` and often enough.
    fn is_believed_missing(&self, patience: Duration) -> bool {
        self.evidence.observations() >= super::intervals::OBSERVATIONS
            && self.evidence.age(self.now.boot) >= patience
    }

    /// About when [`Self::is_believed_missing`] becomes true: the observations that count begin once the
    /// list had time to catch up.
    fn believed_missing_at(&self, patience: Duration) -> Timestamp {
        let catch_up = self.rules.patience.catch_up;
        let observed = (0..super::intervals::OBSERVATIONS).fold(catch_up, |age, _| {
            age.saturating_add(self.observation_interval_at(age))
        });
        let signed = |age| SignedDuration::try_from(age).unwrap_or_default();
        let age = signed(self.evidence.age(self.now.boot));
        let left = signed(observed.max(patience)) - age;
        self.now.wall.checked_add(left).unwrap_or(self.now.wall)
    }

    /// How long the origin of an index must stay unknown before that is believed: longer where a job
    /// that was listed is not shown by its ID, for the job store may be failing.
    fn origin_patience(&self, jobs: &RestoreJobs) -> Duration {
        let patience = self.rules.patience;
        match jobs.doubted {
            Some(_) => patience.catch_up.max(patience.job_outage),
            None => patience.catch_up,
        }
    }

    /// Returns the time until the next observation of something that is missing.
    fn observation_interval(&self) -> Duration {
        self.observation_interval_at(self.evidence.age(self.now.boot))
    }

    /// As [`Self::observation_interval`], once it has been missing for `age`.
    fn observation_interval_at(&self, age: Duration) -> Duration {
        let intervals = self.rules.intervals;
        let longest = Duration::from_secs(15).max(intervals.poll_min);
        intervals.poll(age).min(longest)
    }

    fn retry_after(&self, failure: &crate::pinecone::Failure) -> Duration {
        use crate::pinecone::FailureKind;
        let intervals = self.rules.intervals;
        match (failure.kind, failure.retry_after) {
            (FailureKind::Unauthorized, _) => intervals.secret(self.evidence.failures()),
            (FailureKind::RateLimited, Some(asked)) => intervals.paused(asked),
            _ => intervals.retry(self.evidence.failures(), failure.retry_after),
        }
    }
}
