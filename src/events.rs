//! Kubernetes events, on transitions only.

use std::sync::{Mutex, PoisonError};

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource as _};

use crate::api::conditions::Finding;
use crate::api::reason::Progress;
use crate::api::{IndexRestore, Reason};
use crate::failpoint::{Site, around};
use crate::kubernetes::within;

/// Longest note of an event, in bytes; Kubernetes refuses longer ones.
const MAX_NOTE: usize = 1_000;

/// Events that one recorder publishes. It keeps each for six minutes, to count repetitions in it,
/// and a wave of restores would fill the memory with them.
const MOST_KEPT: u32 = 500;

/// Publishes events. A failed event never fails a restore: it is logged.
pub struct Events {
    client: Client,
    reporter: Reporter,
    /// The recorder, and how many more events it gets.
    current: Mutex<(Recorder, u32)>,
}

impl Events {
    pub fn new(client: Client) -> Self {
        let reporter = Reporter {
            controller: "index-restore-operator".into(),
            instance: std::env::var("POD_NAME").ok(),
        };
        let first = Recorder::new(client.clone(), reporter.clone());
        Self {
            client,
            reporter,
            current: Mutex::new((first, MOST_KEPT)),
        }
    }

    /// The recorder for one more event: another, where this one keeps enough.
    fn recorder(&self) -> Recorder {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let (recorder, left) = &mut *current;
        if *left == 0 {
            *recorder = Recorder::new(self.client.clone(), self.reporter.clone());
            *left = MOST_KEPT;
        }
        *left -= 1;
        recorder.clone()
    }

    /// Tells of the change from `before` to `after`, in the log and by an event, if
    /// its reason changed.
    pub async fn transition(&self, before: &IndexRestore, after: &IndexRestore) {
        let Some(now) = ready(after) else { return };
        if is_unconfirmed(after) && !is_unconfirmed(before) {
            tracing::warn!("{}", now.message);
            self.publish_as(after, CHECK_FAILED, &now, EventType::Warning)
                .await;
        }
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
        let reason = finding.reason.as_str();
        self.publish_as(object, reason, finding, type_).await;
    }

    async fn publish_as(
        &self,
        object: &IndexRestore,
        reason: &str,
        finding: &Finding,
        type_: EventType,
    ) {
        let mut note = finding.message.clone();
        while note.len() > MAX_NOTE {
            note.pop();
        }
        let event = Event {
            type_,
            reason: reason.into(),
            note: Some(note),
            action: "Restore".into(),
            secondary: None,
        };
        let reference = object.object_ref(&());
        let recorder = self.recorder();
        let publish = within("event", recorder.publish(&event, &reference));
        if let Err(error) = around(Site::EventPost, publish).await {
            tracing::warn!(%error, reason = event.reason, "event not published");
        }
    }
}

/// The reason of the event that checks of a restored index began to fail.
const CHECK_FAILED: &str = "CheckFailed";

fn is_unconfirmed(object: &IndexRestore) -> bool {
    let status = object.status.as_ref();
    status.is_some_and(|status| status.unconfirmed_since.is_some())
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::Router;
    use axum::http::Method;
    use serde_json::{Value, json};

    use super::*;
    use crate::kubernetes::client_of;

    /// An API server that stores no event and counts the new ones; gives a client to it.
    async fn counting(created: &Arc<AtomicU32>) -> Client {
        let created = Arc::clone(created);
        let server = Router::new().fallback(async move |method: Method, body: String| {
            if method == Method::POST {
                created.fetch_add(1, Ordering::Relaxed);
            }
            axum::Json(serde_json::from_str::<Value>(&body).unwrap())
        });
        client_of(server).await
    }

    #[tokio::test]
    async fn a_recorder_that_keeps_enough_events_gives_way_to_another() {
        let created = Arc::default();
        let events = Events::new(counting(&created).await);
        let object: IndexRestore = serde_json::from_value(json!({
            "apiVersion": "restore.pinecone.io/v1alpha1",
            "kind": "IndexRestore",
            "metadata": {"name": "r", "namespace": "n", "uid": "u-1"},
            "spec": {"backupId": "b", "indexName": "i", "apiKeySecretRef": {"name": "s"}},
        }))
        .unwrap();
        let finding = Finding::new(Reason::Restored, "done");
        let publish = async || events.publish(&object, &finding, EventType::Normal).await;
        for _ in 0..MOST_KEPT {
            publish().await;
        }
        assert_eq!(
            created.load(Ordering::Relaxed),
            1,
            "repetitions are counted"
        );
        // A recorder that kept the first event would count this one in it.
        publish().await;
        assert_eq!(created.load(Ordering::Relaxed), 2);
    }
}
