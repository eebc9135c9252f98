//! Does what was decided: reports, or submits under a claim.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::claim::{Claim, ClaimOutcome, SendResult, UsedClaim};
use super::decide::{Decision, Step, after_post, after_unsent};
use super::evidence::Evidence;
use super::intervals::Intervals;
use super::messages;
use super::report::{Change, Report};
use super::situation::Situation;
use super::submission::ClaimRequest;
use super::write::{Acted, StatusWriter};
use crate::api::IndexRestore;
use crate::pinecone::{ApiKey, Client, Posted};
use crate::runtime::api_server::{Error, turn};

/// What is needed to carry out a decision.
pub struct Actor<'a> {
    /// Writes what is reported and recorded.
    pub writer: StatusWriter<'a>,
    /// Client that sends the create request.
    pub pinecone: &'a Client,
    /// API key of the restore. Without it nothing is submitted.
    pub key: Option<&'a ApiKey>,
    /// Intervals that determine the wait after a submission.
    pub intervals: Intervals,
    /// Once cancelled, nothing new is claimed.
    pub shutdown: &'a CancellationToken,
}

/// What was done, and when to reconcile again.
pub struct Done {
    /// What happened to the object.
    pub acted: Acted,
    /// Wait until the next reconcile. `None`: only a change of the object is a reason for one.
    pub requeue_after: Option<Duration>,
    /// Resource version of the object with the claim, where one was made: the cache may still
    /// show it.
    pub claimed: Option<String>,
}

/// Carries out the decision. `evidence` learns the outcome of a create request.
///
/// # Errors
/// If the API server fails, or refuses a write. What Pinecone accepted is not lost: recording is
/// retried until it succeeds.
pub async fn act(
    actor: &Actor<'_>,
    object: &IndexRestore,
    decision: Decision,
    evidence: &mut Evidence,
) -> Result<Done, Error> {
    let requeue_after = decision.requeue_after;
    let acted = match decision.step {
        Step::Keep => Acted::Unchanged,
        Step::Report(report) => actor.writer.report(object, &report).await?,
        Step::Submit { date } => return Box::pin(actor.submit(object, date, evidence)).await,
    };
    Ok(Done {
        acted,
        requeue_after,
        claimed: None,
    })
}

impl Actor<'_> {
    async fn submit(
        &self,
        object: &IndexRestore,
        date: Option<Timestamp>,
        evidence: &mut Evidence,
    ) -> Result<Done, Error> {
        let done = |acted, requeue_after| Done {
            acted,
            requeue_after: Some(requeue_after),
            claimed: None,
        };
        let Some(key) = self.key.filter(|_| !self.shutdown.is_cancelled()) else {
            return Ok(done(Acted::Unchanged, self.intervals.poll_min));
        };
        // Whatever has to be waited for is waited for before the claim.
        if let Err(failure) = self.pinecone.until_ready(key.id()).await {
            let asked = failure.retry_after.unwrap_or_default();
            let requeue_after = self.intervals.paused(asked);
            return Ok(done(Acted::Unchanged, requeue_after));
        }
        let turn = turn().await;
        let request = ClaimRequest {
            nonce: uuid::Uuid::new_v4().to_string(),
            now: date.unwrap_or_else(Timestamp::now),
        };
        if !self.writer.leads() {
            return Ok(done(Acted::NotLeading, self.intervals.poll_min));
        }
        let api = &self.writer.target.api;
        let claim = match Claim::acquire(turn, api, object, &request).await? {
            ClaimOutcome::Won(claim) => claim,
            ClaimOutcome::Lost => {
                self.writer.target.metrics.conflicted();
                return Ok(done(Acted::Conflict, self.intervals.poll_min));
            }
            ClaimOutcome::Pruned(pruned) => {
                let outdated = Report::new(messages::crd_outdated(self.intervals), Change::Nothing);
                let acted = self.writer.report(&pruned, &outdated).await?;
                return Ok(done(acted, self.intervals.stalled()));
            }
        };
        tracing::info!(
            backup = object.spec.backup_id,
            index_name = object.spec.index_name,
            nonce = request.nonce,
            "claimed; submitting the restore"
        );
        let used = claim.send(self.pinecone, key, self.writer.term).await;
        let (report, requeue_after) = self.interpret(&used, evidence);
        let claimed = used.object.metadata.resource_version.clone();
        let acted = self.writer.record(used.object, report).await;
        Ok(Done {
            acted,
            requeue_after: Some(requeue_after),
            claimed,
        })
    }

    /// Returns what to write after the request was sent or not. Logs it first, so that the IDs
    /// survive even if they cannot be written.
    fn interpret(&self, used: &UsedClaim, evidence: &mut Evidence) -> (Report, Duration) {
        let SendResult::Posted(posted) = &used.result else {
            tracing::warn!("the claim is too old or the lease was lost; nothing was sent");
            self.writer.target.metrics.submitted("unsent");
            evidence.learn_unsent();
            let situation = Situation::of(&used.object);
            return after_unsent(&situation, evidence.unsent(), self.intervals);
        };
        match posted {
            Posted::Accepted(created) => tracing::info!(
                job = created.restore_job_id,
                index = created.index_id,
                request_id = created.request_id,
                "Pinecone accepted the restore"
            ),
            Posted::NoEffect(failure) | Posted::Taken(failure) | Posted::Unknown(failure) => {
                tracing::warn!(outcome = posted.label(), %failure, "Pinecone did not accept the restore, or its answer was lost");
            }
        }
        self.writer.target.metrics.submitted(posted.label());
        evidence.learn_posted(matches!(posted, Posted::NoEffect(_)));
        let situation = Situation::of(&used.object);
        after_post(posted, &situation, evidence.refusals(), self.intervals)
    }
}
