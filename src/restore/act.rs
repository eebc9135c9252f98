//! Does what was decided: writes statuses, and submits under a claim.

use std::time::Duration;

use jiff::Timestamp;
use kube::Api;
use kube::api::PostParams;
use tokio_util::sync::CancellationToken;

use super::announce;
use super::claim::{Claim, ClaimOutcome, SendResult, UsedClaim};
use super::decide::{Decision, Step, after_post, after_unsent};
use super::evidence::Evidence;
use super::intervals::Intervals;
use super::report::{Change, ClaimRequest, Report};
use super::situation::Situation;
use crate::api::{IndexRestore, IndexRestoreStatus, Reason, StatusMessage};
use crate::pinecone::{ApiKey, Client, Posted};
use crate::runtime::api_server::{Error, with_deadline};
use crate::runtime::clock::BootTime;
use crate::runtime::events::Events;
use crate::runtime::failpoint::{Site, around};
use crate::runtime::leader::Term;
use crate::runtime::metrics::Metrics;

/// What is needed to carry out a decision.
pub struct Actor<'a> {
    /// IndexRestores in the object's namespace; only statuses are written.
    pub api: Api<IndexRestore>,
    /// Client that sends the create request.
    pub pinecone: &'a Client,
    /// API key of the restore. Without it nothing is submitted.
    pub key: Option<&'a ApiKey>,
    /// Publisher of the events that announce what changed.
    pub events: &'a Events,
    /// Metrics of submissions, conflicts and orphaned restores.
    pub metrics: &'a Metrics,
    /// Intervals that determine the wait after a submission.
    pub intervals: Intervals,
    /// Once cancelled, nothing new is claimed.
    pub shutdown: &'a CancellationToken,
    /// Term in which the decision was made. Once it is over, nothing is written or sent, except the
    /// outcome of a request that was already sent.
    pub term: &'a Term,
}

/// The outcome for the object.
pub enum Acted {
    /// Nothing was written: the status says the same already, nothing was to be done, or the
    /// submission has to wait.
    Unchanged,
    /// The status was written; the object as the API server answered it.
    Written(Box<IndexRestore>),
    /// Another writer changed the object since it was read: this outcome was not written.
    Conflict,
    /// The object is gone, or records another restore job.
    Gone,
    /// The lease was lost: nothing was written, because another process may lead.
    NotLeading,
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
        Step::Report(report) => actor.report(object, &report).await?,
        Step::Submit { date } => return Box::pin(actor.submit(object, date, evidence)).await,
    };
    Ok(Done {
        acted,
        requeue_after,
        claimed: None,
    })
}

impl Actor<'_> {
    async fn report(&self, object: &IndexRestore, report: &Report) -> Result<Acted, Error> {
        let status = report.status(object, Timestamp::now());
        if object
            .status
            .as_ref()
            .is_some_and(|shown| shown.says_the_same(&status))
        {
            return Ok(Acted::Unchanged);
        }
        if !self.leads() {
            return Ok(Acted::NotLeading);
        }
        if let Change::Record(record) = &report.change {
            tracing::info!(
                job = record.job_id,
                index = record.index_id,
                adopted = record.adopted,
                "restore job found"
            );
        }
        match around(Site::ReportPut, self.write(object, status)).await {
            Ok(written) => {
                announce::transition(self.events, object, &written).await;
                Ok(Acted::Written(Box::new(written)))
            }
            Err(error) if error.is_conflict() => {
                self.metrics.conflicted();
                Ok(Acted::Conflict)
            }
            Err(error) if error.is_not_found() => Ok(Acted::Gone),
            Err(error) => Err(error),
        }
    }

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
            let requeue_after = self.intervals.retry(1, failure.retry_after);
            return Ok(done(Acted::Unchanged, requeue_after));
        }
        let request = ClaimRequest {
            nonce: uuid::Uuid::new_v4().to_string(),
            now: date.unwrap_or_else(Timestamp::now),
        };
        if !self.leads() {
            return Ok(done(Acted::NotLeading, self.intervals.poll_min));
        }
        let claim = match Claim::acquire(&self.api, object, &request).await? {
            ClaimOutcome::Won(claim) => claim,
            ClaimOutcome::Lost => {
                self.metrics.conflicted();
                return Ok(done(Acted::Conflict, self.intervals.poll_min));
            }
            ClaimOutcome::Pruned(pruned) => {
                let acted = self.report(&pruned, &crd_outdated()).await?;
                return Ok(done(acted, self.intervals.stalled()));
            }
        };
        tracing::info!(
            backup = object.spec.backup_id,
            index_name = object.spec.index_name,
            nonce = request.nonce,
            "claimed; the restore is submitted"
        );
        let used = claim.send(self.pinecone, key, self.term).await;
        let (report, requeue_after) = self.interpret(&used, evidence);
        let acted = self.record(&used.object, &report).await;
        Ok(Done {
            acted,
            requeue_after: Some(requeue_after),
            claimed: used.object.metadata.resource_version,
        })
    }

    /// Returns what to write after the request was sent or not. Logs it first, so that the IDs
    /// survive even if they cannot be written.
    fn interpret(&self, used: &UsedClaim, evidence: &mut Evidence) -> (Report, Duration) {
        let SendResult::Posted(posted) = &used.result else {
            tracing::warn!("too late after the claim, or the lease was lost; nothing was sent");
            self.metrics.submitted("unsent");
            return after_unsent(&Situation::of(&used.object), self.intervals);
        };
        match posted {
            Posted::Accepted(created) => tracing::info!(
                job = created.restore_job_id,
                index = created.index_id,
                request_id = created.request_id,
                "Pinecone accepted the restore"
            ),
            Posted::NoEffect(failure) | Posted::Taken(failure) | Posted::Unknown(failure) => {
                tracing::warn!(outcome = posted.label(), %failure, "Pinecone did not say that it accepted the restore");
            }
        }
        self.metrics.submitted(posted.label());
        evidence.learn_posted(matches!(posted, Posted::NoEffect(_)));
        let situation = Situation::of(&used.object);
        after_post(posted, &situation, evidence.refusals(), self.intervals)
    }

    fn leads(&self) -> bool {
        self.term.lasts(BootTime::now())
    }

    pub(super) async fn write(
        &self,
        object: &IndexRestore,
        status: IndexRestoreStatus,
    ) -> Result<IndexRestore, Error> {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let mut next = object.clone();
        next.status = Some(status);
        let params = PostParams::default();
        with_deadline(
            "write status",
            self.api.replace_status(name, &params, &next),
        )
        .await
    }
}

fn crd_outdated() -> Report {
    Report::new(
        StatusMessage::new(
            Reason::CrdOutdated,
            "the installed CustomResourceDefinition drops status.submission, without which nothing is submitted; apply the CRD of this operator's version",
        ),
        Change::Nothing,
    )
}
