//! Kubernetes events, on transitions only.

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource as _};

use crate::api::conditions::Finding;
use crate::api::reason::Progress;
use crate::api::{IndexRestore, Reason};
use crate::failpoint::{Site, around};
use crate::kubernetes::within;

/// Longest note of an event, in bytes; Kubernetes refuses longer ones.
const MAX_NOTE: usize = 1_000;

/// Publishes events. A failed event never fails a restore: it is logged.
#[derive(Clone)]
pub struct Events {
    recorder: Recorder,
}

impl Events {
    pub fn new(client: Client) -> Self {
        let reporter = Reporter {
            controller: "index-restore-operator".into(),
            instance: std::env::var("POD_NAME").ok(),
        };
        Self {
            recorder: Recorder::new(client, reporter),
        }
    }

    /// Tells of the change from `before` to `after`, in the log and by an event, if
    /// its reason changed.
    pub async fn transition(&self, before: &IndexRestore, after: &IndexRestore) {
        let Some(now) = ready(after) else { return };
        if ready(before).is_some_and(|then| then.reason == now.reason)
            || now.reason == Reason::Pending
        {
            return;
        }
        tracing::info!(reason = now.reason.as_str(), "{}", now.message);
        self.publish(after, &now, kind(now.reason)).await;
    }

    /// Tells of a restore that runs in Pinecone and that no object records.
    pub async fn orphaned(&self, object: &IndexRestore, job_id: &str, index_id: &str) {
        let finding = Finding::new(
            Reason::Restoring,
            format!(
                "the IndexRestore was gone when Pinecone accepted its restore: job {job_id} to index {index_id} of name {} goes on",
                object.spec.index_name
            ),
        );
        self.publish(object, &finding, EventType::Warning).await;
    }

    async fn publish(&self, object: &IndexRestore, finding: &Finding, type_: EventType) {
        let mut note = finding.message.clone();
        while note.len() > MAX_NOTE {
            note.pop();
        }
        let event = Event {
            type_,
            reason: finding.reason.as_str().into(),
            note: Some(note),
            action: "Restore".into(),
            secondary: None,
        };
        let reference = object.object_ref(&());
        let publish = within("event", self.recorder.publish(&event, &reference));
        if let Err(error) = around(Site::EventPost, publish).await {
            tracing::warn!(%error, reason = event.reason, "event not published");
        }
    }
}

fn ready(object: &IndexRestore) -> Option<Finding> {
    Finding::shown(&object.status.as_ref()?.conditions)
}

fn kind(reason: Reason) -> EventType {
    match (reason.verdict().progress, reason) {
        (Progress::Settled, _) | (_, Reason::Restoring | Reason::IndexNotReady) => {
            EventType::Normal
        }
        (Progress::Reconciling | Progress::Stalled, _) => EventType::Warning,
    }
}
