//! Writes statuses: a report once, by compare-and-swap; the outcome of a request until it lands.

use std::time::Duration;

use jiff::Timestamp;
use kube::Api;
use kube::api::PostParams;

use super::announce;
use super::metrics::Metrics;
use super::report::{Change, Report};
use super::submission::{RecordTarget, record_target};
use crate::api::{IndexRestore, IndexRestoreStatus};
use crate::runtime::api_server::{Error, call};
use crate::runtime::clock::BootTime;
use crate::runtime::events::Events;
use crate::runtime::failpoint::Site;
use crate::runtime::leader::Term;

/// Longest time between two attempts to record an outcome.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What happened to the object.
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

/// Writes the statuses of one object.
pub struct StatusWriter<'a> {
    /// IndexRestores in the object's namespace; only statuses are written.
    pub api: Api<IndexRestore>,
    /// Publisher of the events that announce what changed.
    pub events: &'a Events,
    /// Metrics of conflicts and orphaned restores.
    pub metrics: &'a Metrics,
    /// Term in which the decision was made. Once it is over, nothing is written, except the
    /// outcome of a request that was already sent.
    pub term: &'a Term,
}

impl StatusWriter<'_> {
    /// Whether this process still leads.
    pub(super) fn leads(&self) -> bool {
        self.term.lasts(BootTime::now())
    }

    /// Writes the report over the version that was read, unless the status says the same.
    pub(super) async fn report(
        &self,
        object: &IndexRestore,
        report: &Report,
    ) -> Result<Acted, Error> {
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
        match self.put(Site::REPORT_PUT, object, status).await {
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

    /// Writes the outcome of a claim's request, and retries until the write succeeds, the object
    /// is gone, or another record takes precedence.
    pub(super) async fn record(&self, claimed: &IndexRestore, report: &Report) -> Acted {
        let mut object = claimed.clone();
        let mut wait = Duration::from_millis(100);
        loop {
            let status = report.status(&object, Timestamp::now());
            let error = match self.put(Site::RECORD_PUT, &object, status.clone()).await {
                Ok(written) => return self.recorded(claimed, written).await,
                Err(error) => error,
            };
            tracing::warn!(%error, "the outcome is not recorded; retrying in {wait:?}");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            let fresh = match self.reread(claimed).await {
                Ok(fresh) => fresh,
                Err(error) => {
                    tracing::warn!(%error, "the object cannot be read; retrying the record");
                    continue;
                }
            };
            match record_target(fresh.as_ref(), claimed, accepted(report)) {
                RecordTarget::Ours => {}
                RecordTarget::Recorded => match fresh {
                    // The write landed and its answer was lost.
                    Some(fresh) if fresh.status.as_ref() == Some(&status) => {
                        return self.recorded(claimed, fresh).await;
                    }
                    // Whoever recorded it has announced it.
                    Some(fresh) => return Acted::Written(Box::new(fresh)),
                    None => return Acted::Gone,
                },
                RecordTarget::Overtaken => return Acted::Conflict,
                RecordTarget::Lost => {
                    self.orphaned(claimed, report).await;
                    return Acted::Gone;
                }
            }
            if let Some(fresh) = fresh {
                object = fresh;
            }
        }
    }

    async fn recorded(&self, claimed: &IndexRestore, written: IndexRestore) -> Acted {
        announce::transition(self.events, claimed, &written).await;
        Acted::Written(Box::new(written))
    }

    /// Reads the same object, not one of the same name.
    async fn reread(&self, object: &IndexRestore) -> Result<Option<IndexRestore>, Error> {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let fresh = call(Site::RECORD_GET, self.api.get_opt(name)).await?;
        Ok(fresh.filter(|fresh| fresh.metadata.uid == object.metadata.uid))
    }

    /// Names the restore that runs and that no object records: in the log, in an
    /// event and in a metric.
    async fn orphaned(&self, object: &IndexRestore, report: &Report) {
        let Change::Record(record) = &report.change else {
            return;
        };
        self.metrics.orphaned();
        let job_id = record.job_id.as_deref().unwrap_or_default();
        let index_id = record.index_id.as_deref().unwrap_or_default();
        tracing::error!(
            job = job_id,
            index = index_id,
            index_name = object.spec.index_name,
            "Pinecone accepted a restore and no IndexRestore can record it; it continues in Pinecone"
        );
        announce::orphaned(self.events, object, job_id, index_id).await;
    }

    async fn put(
        &self,
        site: Site,
        object: &IndexRestore,
        status: IndexRestoreStatus,
    ) -> Result<IndexRestore, Error> {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let mut next = object.clone();
        next.status = Some(status);
        let params = PostParams::default();
        call(site, self.api.replace_status(name, &params, &next)).await
    }
}

/// The ID of the restore job that the report records.
fn accepted(report: &Report) -> Option<&str> {
    match &report.change {
        Change::Record(record) => record.job_id.as_deref(),
        _ => None,
    }
}
