//! Records what Pinecone answered to a claim's request, however long it takes.

use std::time::Duration;

use jiff::Timestamp;

use super::act::{Acted, Actor};
use super::announce;
use super::report::{Change, Record, Report};
use super::submission::own_submission;
use crate::api::{IndexRestore, SubmissionOutcome};
use crate::runtime::api_server::{Error, with_deadline};
use crate::runtime::failpoint::{Site, around};

/// Longest time between two tries.
const EVERY: Duration = Duration::from_secs(5);

impl Actor<'_> {
    /// Writes what came of the claim, again and again until it lands, the object is
    /// gone, or somebody else's record stands in its place.
    pub(super) async fn record(&self, claimed: &IndexRestore, report: &Report) -> Acted {
        let mut object = claimed.clone();
        let mut wait = Duration::from_millis(100);
        loop {
            let status = report.status(&object, Timestamp::now());
            let write = self.write(&object, status.clone());
            let error = match around(Site::RecordPut, write).await {
                Ok(written) => return self.recorded(claimed, written).await,
                Err(error) => error,
            };
            tracing::warn!(%error, "the outcome is not recorded yet");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(EVERY);
            let fresh = match self.reread(claimed).await {
                Ok(fresh) => fresh,
                Err(error) => {
                    tracing::warn!(%error, "the object cannot be read again yet");
                    continue;
                }
            };
            match record_target(fresh.as_ref(), claimed, &report.change) {
                RecordTarget::Ours => {}
                RecordTarget::Recorded => match fresh {
                    // The write landed and its answer was lost.
                    Some(fresh) if fresh.status.as_ref() == Some(&status) => {
                        return self.recorded(claimed, fresh).await;
                    }
                    // Whoever recorded it has told of it.
                    Some(fresh) => return Acted::Written(Box::new(fresh)),
                    None => return Acted::Gone,
                },
                RecordTarget::Overtaken => return Acted::Conflict,
                RecordTarget::Lost => {
                    self.orphaned(claimed, &report.change).await;
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

    /// The same object, not one of the same name.
    async fn reread(&self, object: &IndexRestore) -> Result<Option<IndexRestore>, Error> {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let read = with_deadline("read", self.api.get_opt(name));
        let fresh = around(Site::RecordGet, read).await?;
        Ok(fresh.filter(|fresh| fresh.metadata.uid == object.metadata.uid))
    }

    /// Names the restore that runs and that no object records: in the log, in an
    /// event and in a metric.
    async fn orphaned(&self, object: &IndexRestore, change: &Change) {
        let Change::Record(Record {
            job_id, index_id, ..
        }) = change
        else {
            return;
        };
        self.metrics.orphaned();
        tracing::error!(
            job = job_id,
            index = index_id,
            index_name = object.spec.index_name,
            "Pinecone accepted a restore and no IndexRestore can record it any more; it goes on"
        );
        let job_id = job_id.as_deref().unwrap_or_default();
        let index_id = index_id.as_deref().unwrap_or_default();
        announce::orphaned(self.events, object, job_id, index_id).await;
    }
}

/// Where a claim's outcome that could not be written belongs now.
#[derive(Debug, PartialEq, Eq)]
pub enum RecordTarget {
    /// In the object: the claim is still open, or the accepted job is not recorded yet.
    Ours,
    /// Nowhere: it is in the object already. The answer to the write was lost, or the claim was
    /// recovered.
    Recorded,
    /// Nowhere: another claim took its place, and this outcome created nothing.
    Overtaken,
    /// Nowhere: the object is gone, or it records another job.
    Lost,
}

/// Returns whether the outcome of the claim that `claimed` shows belongs in `fresh`, the
/// object as it is now.
pub fn record_target(
    fresh: Option<&IndexRestore>,
    claimed: &IndexRestore,
    change: &Change,
) -> RecordTarget {
    let accepted = match change {
        Change::Record(record) => record.job_id.as_deref(),
        _ => None,
    };
    let Some(fresh) = fresh else {
        return RecordTarget::Lost;
    };
    let recorded = fresh
        .status
        .as_ref()
        .and_then(|status| status.restore_job_id.as_deref());
    let now = own_submission(fresh);
    let is_same = now.map(|now| &now.nonce) == own_submission(claimed).map(|then| &then.nonce);
    let is_open = now.is_some_and(|now| now.outcome == SubmissionOutcome::Open);
    match (accepted, recorded.filter(|_| now.is_some())) {
        (Some(job), Some(recorded)) if job == recorded => RecordTarget::Recorded,
        (Some(_), Some(_)) => RecordTarget::Lost,
        (None, Some(_)) => RecordTarget::Recorded,
        // What Pinecone accepted is true whatever happened to the claim.
        (Some(_), None) => RecordTarget::Ours,
        (None, None) if is_same && is_open => RecordTarget::Ours,
        (None, None) if is_same => RecordTarget::Recorded,
        (None, None) => RecordTarget::Overtaken,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::RestoreStatus;

    fn object(status: Value) -> IndexRestore {
        serde_json::from_value(json!({
            "apiVersion": "restore.pinecone.io/v1alpha1",
            "kind": "IndexRestore",
            "metadata": {"name": "r", "namespace": "n", "uid": "u-1"},
            "spec": {"backupId": "b", "indexName": "index", "apiKeySecretRef": {"name": "pinecone"}},
            "status": status,
        }))
        .unwrap()
    }

    fn claim(nonce: &str, outcome: &str) -> Value {
        json!({
            "uid": "u-1", "attempt": 1, "nonce": nonce, "startTime": "2026-11-22T10:00:00Z",
            "generation": 1, "backupId": "b", "indexName": "index", "outcome": outcome,
        })
    }

    fn claimed(nonce: &str, outcome: &str) -> IndexRestore {
        object(json!({ "submission": claim(nonce, outcome) }))
    }

    fn with_job(id: &str) -> IndexRestore {
        object(json!({ "submission": claim("mine", "Accepted"), "restoreJobId": id }))
    }

    fn created(job_id: &str) -> Change {
        Change::Record(Record {
            job_id: Some(job_id.into()),
            index_id: Some("i".into()),
            backup_id: "b".into(),
            index_name: "index".into(),
            adopted: false,
            restore: Some(RestoreStatus::default()),
        })
    }

    #[test]
    fn a_job_that_pinecone_accepted_is_recorded_wherever_no_other_job_is() {
        let mut copied = with_job("other");
        copied.metadata.uid = Some("u-2".into());
        for (fresh, expected) in [
            (None, RecordTarget::Lost),
            (Some(with_job("j")), RecordTarget::Recorded),
            (Some(with_job("other")), RecordTarget::Lost),
            (Some(claimed("mine", "Open")), RecordTarget::Ours),
            (Some(claimed("mine", "Abandoned")), RecordTarget::Ours),
            (Some(claimed("theirs", "Open")), RecordTarget::Ours),
            (Some(object(Value::Null)), RecordTarget::Ours),
            (Some(copied), RecordTarget::Ours),
        ] {
            let found = record_target(fresh.as_ref(), &claimed("mine", "Open"), &created("j"));
            assert_eq!(found, expected, "{fresh:?}");
        }
    }

    #[test]
    fn an_outcome_that_created_nothing_is_written_onto_its_own_open_claim_only() {
        for (fresh, expected) in [
            (None, RecordTarget::Lost),
            (Some(with_job("j")), RecordTarget::Recorded),
            (Some(claimed("mine", "Open")), RecordTarget::Ours),
            (Some(claimed("mine", "Refused")), RecordTarget::Recorded),
            (Some(claimed("theirs", "Open")), RecordTarget::Overtaken),
            (Some(claimed("theirs", "Refused")), RecordTarget::Overtaken),
            (Some(object(Value::Null)), RecordTarget::Overtaken),
        ] {
            let found = record_target(fresh.as_ref(), &claimed("mine", "Open"), &Change::Taken);
            assert_eq!(found, expected, "{fresh:?}");
        }
    }
}
