//! Records the outcome of a create request, however long the write takes: what Pinecone accepted
//! is true whoever leads, and whatever happens to the reconcile.

use std::time::Duration;

use jiff::Timestamp;

use super::announce;
use super::report::{Change, Report};
use super::submission::{RecordTarget, record_target};
use super::write::{Acted, StatusWriter, Target, put, reread, with_status};
use crate::api::IndexRestore;
use crate::runtime::failpoint::Site;

/// Attempts that the reconcile itself makes, within about a second.
const IN_PLACE: u32 = 4;

/// Longest time between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl StatusWriter<'_> {
    /// Writes the outcome of a claim's request, and retries until the write succeeds, the object
    /// is gone, or another record takes precedence. What is not written soon is retried outside
    /// the reconcile, and by any process that leads meanwhile.
    pub(super) async fn record(&self, claimed: IndexRestore, report: Report) -> Acted {
        let mut record = Recording {
            target: self.target.clone(),
            claimed,
            fresh: None,
            report,
            wait: Duration::from_millis(100),
        };
        for _ in 0..IN_PLACE {
            if let Some(acted) = record.attempt().await {
                return acted;
            }
        }
        self.records
            .spawn(async move { while record.attempt().await.is_none() {} });
        Acted::Unchanged
    }
}

/// An outcome that is not in the status yet.
struct Recording {
    target: Target,
    /// The object with the claim, as it was written.
    claimed: IndexRestore,
    /// The object as it was read since, if it was.
    fresh: Option<IndexRestore>,
    report: Report,
    wait: Duration,
}

impl Recording {
    /// Writes it, or waits and finds out whether and where it still has to be written. `None`:
    /// another attempt is due.
    async fn attempt(&mut self) -> Option<Acted> {
        let object = self.fresh.as_ref().unwrap_or(&self.claimed);
        let status = self.report.status(object, Timestamp::now());
        let next = with_status(object, status.clone());
        let error = match put(&self.target.api, Site::RECORD_PUT, next).await {
            Ok(written) => return Some(self.recorded(written)),
            Err(error) => error,
        };
        tracing::warn!(%error, name = self.claimed.metadata.name, "the outcome is not recorded; retrying in {:?}", self.wait);
        tokio::time::sleep(self.wait).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        let fresh = match reread(&self.target.api, Site::RECORD_GET, &self.claimed).await {
            Ok(fresh) => fresh,
            Err(error) => {
                tracing::warn!(%error, "the object cannot be read; retrying the record");
                return None;
            }
        };
        match (
            record_target(fresh.as_ref(), &self.claimed, self.job_id()),
            fresh,
        ) {
            (RecordTarget::Ours, Some(fresh)) => self.fresh = Some(fresh),
            (RecordTarget::Ours, None) => {}
            // The write landed and its answer was lost.
            (RecordTarget::Recorded, Some(fresh)) if fresh.status.as_ref() == Some(&status) => {
                return Some(self.recorded(fresh));
            }
            // Whoever recorded it has announced it.
            (RecordTarget::Recorded, Some(fresh)) => return Some(Acted::Written(Box::new(fresh))),
            (RecordTarget::Recorded, None) => return Some(Acted::Gone),
            (RecordTarget::Overtaken, _) => return Some(Acted::Conflict),
            (RecordTarget::Lost, _) => {
                self.orphaned();
                return Some(Acted::Gone);
            }
        }
        None
    }

    fn recorded(&self, written: IndexRestore) -> Acted {
        announce::transition(&self.target.events, &self.claimed, &written);
        Acted::Written(Box::new(written))
    }

    /// The ID of the restore job that the report records.
    fn job_id(&self) -> Option<&str> {
        match &self.report.change {
            Change::Record(record) => record.job_id.as_deref(),
            _ => None,
        }
    }

    /// Names the restore that runs and that no object records: in the log, in an
    /// event and in a metric.
    fn orphaned(&self) {
        let Change::Record(record) = &self.report.change else {
            return;
        };
        let object = &self.claimed;
        self.target.metrics.orphaned();
        let job_id = record.job_id.as_deref().unwrap_or_default();
        let index_id = record.index_id.as_deref().unwrap_or_default();
        tracing::error!(
            job = job_id,
            index = index_id,
            index_name = object.spec.index_name,
            "Pinecone accepted a restore and no IndexRestore can record it; it continues in Pinecone"
        );
        announce::orphaned(&self.target.events, object, job_id, index_id);
    }
}
