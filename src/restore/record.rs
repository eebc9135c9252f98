//! Records what Pinecone answered to a claim's request, however long it takes.

use std::time::Duration;

use jiff::Timestamp;

use super::act::{Acted, Actor};
use super::announce;
use super::report::{Change, Record, Report};
use super::situation::own_submission;
use crate::api::{IndexRestore, SubmissionOutcome};
use crate::runtime::api_server::{Error, within};
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
            match standing(fresh.as_ref(), claimed, &report.change) {
                Standing::Ours => {}
                Standing::Recorded => match fresh {
                    // The write landed and its answer was lost.
                    Some(fresh) if fresh.status.as_ref() == Some(&status) => {
                        return self.recorded(claimed, fresh).await;
                    }
                    // Whoever recorded it has told of it.
                    Some(fresh) => return Acted::Written(Box::new(fresh)),
                    None => return Acted::Gone,
                },
                Standing::Overtaken => return Acted::Conflict,
                Standing::Lost => {
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
        let read = within("read", self.api.get_opt(name));
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

/// How the object stands to a claim's outcome that could not be written.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// The outcome belongs there still.
    Ours,
    /// It is there: the answer to the write was lost, or the claim was recovered.
    Recorded,
    /// Another claim took its place, and this outcome created nothing.
    Overtaken,
    /// It can be recorded nowhere.
    Lost,
}

/// How `fresh`, the object as it is now, stands to the outcome of the claim that
/// `claimed` shows.
pub fn standing(fresh: Option<&IndexRestore>, claimed: &IndexRestore, change: &Change) -> Standing {
    let accepted = match change {
        Change::Record(record) => record.job_id.as_deref(),
        _ => None,
    };
    let Some(fresh) = fresh else {
        return Standing::Lost;
    };
    let recorded = fresh
        .status
        .as_ref()
        .and_then(|status| status.restore_job_id.as_deref());
    let now = own_submission(fresh);
    let is_same = now.map(|now| &now.nonce) == own_submission(claimed).map(|then| &then.nonce);
    let is_open = now.is_some_and(|now| now.outcome == SubmissionOutcome::Open);
    match (accepted, recorded.filter(|_| now.is_some())) {
        (Some(job), Some(recorded)) if job == recorded => Standing::Recorded,
        (Some(_), Some(_)) => Standing::Lost,
        (None, Some(_)) => Standing::Recorded,
        // What Pinecone accepted is true whatever happened to the claim.
        (Some(_), None) => Standing::Ours,
        (None, None) if is_same && is_open => Standing::Ours,
        (None, None) if is_same => Standing::Recorded,
        (None, None) => Standing::Overtaken,
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
            (None, Standing::Lost),
            (Some(with_job("j")), Standing::Recorded),
            (Some(with_job("other")), Standing::Lost),
            (Some(claimed("mine", "Open")), Standing::Ours),
            (Some(claimed("mine", "Abandoned")), Standing::Ours),
            (Some(claimed("theirs", "Open")), Standing::Ours),
            (Some(object(Value::Null)), Standing::Ours),
            (Some(copied), Standing::Ours),
        ] {
            let found = standing(fresh.as_ref(), &claimed("mine", "Open"), &created("j"));
            assert_eq!(found, expected, "{fresh:?}");
        }
    }

    #[test]
    fn an_outcome_that_created_nothing_is_written_onto_its_own_open_claim_only() {
        for (fresh, expected) in [
            (None, Standing::Lost),
            (Some(with_job("j")), Standing::Recorded),
            (Some(claimed("mine", "Open")), Standing::Ours),
            (Some(claimed("mine", "Refused")), Standing::Recorded),
            (Some(claimed("theirs", "Open")), Standing::Overtaken),
            (Some(claimed("theirs", "Refused")), Standing::Overtaken),
            (Some(object(Value::Null)), Standing::Overtaken),
        ] {
            let found = standing(fresh.as_ref(), &claimed("mine", "Open"), &Change::Taken);
            assert_eq!(found, expected, "{fresh:?}");
        }
    }
}
