//! Writes what is reported into the status, by compare-and-swap.

use std::sync::Arc;

use jiff::Timestamp;
use kube::Api;
use kube::api::PostParams;
use tokio_util::task::TaskTracker;

use super::announce;
use super::metrics::Metrics;
use super::report::{Change, Report};
use crate::api::{IndexRestore, IndexRestoreStatus, Trimmed};
use crate::runtime::api_server::{Error, Turn, call_in, turn};
use crate::runtime::clock::BootTime;
use crate::runtime::events::Events;
use crate::runtime::failpoint::Site;
use crate::runtime::leader::Term;

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

/// Writes the statuses of one object while a term lasts.
pub struct StatusWriter<'a> {
    /// Where and how statuses are written.
    pub target: Target,
    /// Term in which the decision was made. Once it is over, nothing is written, except the
    /// outcome of a request that was already sent.
    pub term: &'a Term,
    /// The records that outlive their reconcile.
    pub records: &'a TaskTracker,
}

/// What a write of a status needs, whoever makes it.
#[derive(Clone)]
pub struct Target {
    /// IndexRestores in the object's namespace; only statuses are written.
    pub api: Api<Trimmed>,
    /// Publisher of the events that announce what changed.
    pub events: Arc<Events>,
    /// Metrics of conflicts and orphaned restores.
    pub metrics: Metrics,
}

/// Writes the status of `next` over its resource version. Returns the object as it was stored.
pub(super) async fn put(
    api: &Api<Trimmed>,
    site: Site,
    next: IndexRestore,
) -> Result<IndexRestore, Error> {
    put_in(&turn().await, api, site, next).await
}

/// The same in a turn that the caller has.
pub(super) async fn put_in(
    turn: &Turn,
    api: &Api<Trimmed>,
    site: Site,
    next: IndexRestore,
) -> Result<IndexRestore, Error> {
    let next = Trimmed(next);
    let name = next.0.metadata.name.as_deref().unwrap_or_default();
    let params = PostParams::default();
    let stored = call_in(turn, site, api.replace_status(name, &params, &next)).await?;
    Ok(stored.0)
}

/// Reads the object as it is stored now; nothing if it is gone, or another has its name.
///
/// # Errors
/// If the API server fails or refuses.
pub async fn reread(
    api: &Api<Trimmed>,
    site: Site,
    object: &IndexRestore,
) -> Result<Option<IndexRestore>, Error> {
    reread_in(&turn().await, api, site, object).await
}

/// The same in a turn that the caller has.
pub(super) async fn reread_in(
    turn: &Turn,
    api: &Api<Trimmed>,
    site: Site,
    object: &IndexRestore,
) -> Result<Option<IndexRestore>, Error> {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let stored = call_in(turn, site, api.get_opt(name)).await?;
    let stored = stored.map(|stored| stored.0);
    Ok(stored.filter(|stored| stored.metadata.uid == object.metadata.uid))
}

/// Returns the object with another status.
pub(super) fn with_status(object: &IndexRestore, status: IndexRestoreStatus) -> IndexRestore {
    IndexRestore {
        metadata: object.metadata.clone(),
        spec: object.spec.clone(),
        status: Some(status),
    }
}

impl StatusWriter<'_> {
    /// Whether this process still leads.
    pub(super) fn leads(&self) -> bool {
        self.term.lasts(BootTime::now())
    }

    /// Writes the report over the version that was read, unless the status says the same.
    ///
    /// # Errors
    /// If the API server fails, or refuses the write.
    pub async fn report(&self, object: &IndexRestore, report: &Report) -> Result<Acted, Error> {
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
        let next = with_status(object, status);
        match put(&self.target.api, Site::REPORT_PUT, next).await {
            Ok(written) => {
                announce::transition(&self.target.events, object, &written);
                Ok(Acted::Written(Box::new(written)))
            }
            Err(error) if error.is_conflict() => {
                self.target.metrics.conflicted();
                Ok(Acted::Conflict)
            }
            Err(error) if error.is_not_found() => Ok(Acted::Gone),
            Err(error) => Err(error),
        }
    }
}
