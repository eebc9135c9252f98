//! Publishes Kubernetes events.

use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, Recorder, Reporter};

use super::api_server::call;
use super::failpoint::Site;

/// Longest note of an event, in bytes; Kubernetes rejects longer ones.
const MAX_NOTE: usize = 1_000;

/// Most events that one recorder publishes. It stores each for six minutes to count repetitions, so
/// that many restores at the same time would fill the memory.
const MOST_KEPT: u32 = 500;

/// Publishes events. A failed event never fails a restore: it is logged.
pub struct Events {
    client: Client,
    reporter: Reporter,
    /// The recorder, and how many more events it publishes.
    current: Mutex<(Recorder, u32)>,
}

impl Events {
    /// Returns a publisher whose events name `index-restore-operator` and, where `POD_NAME` is set,
    /// the pod as their source.
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

    /// Returns the recorder for one more event: a new one if this one stores enough.
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

    /// Publishes the event, its note cut to what Kubernetes accepts.
    pub async fn publish(&self, object: &ObjectReference, mut event: Event) {
        if let Some(note) = &mut event.note {
            while note.len() > MAX_NOTE {
                note.pop();
            }
        }
        let recorder = self.recorder();
        // On the heap: it would make every future that reports a change in it larger.
        let publish = Box::pin(recorder.publish(&event, object));
        if let Err(error) = call(Site::EVENT_POST, publish).await {
            tracing::warn!(%error, reason = event.reason, "publishing an event failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::Router;
    use axum::http::Method;
    use kube::runtime::events::EventType;
    use serde_json::Value;

    use super::*;
    use crate::runtime::api_server::client_of;

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
    async fn replaces_a_recorder_that_stores_enough_events() {
        let created = Arc::default();
        let events = Events::new(counting(&created).await);
        let object = ObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Pod".into()),
            name: Some("p".into()),
            namespace: Some("n".into()),
            uid: Some("u-1".into()),
            ..ObjectReference::default()
        };
        let event = || Event {
            type_: EventType::Normal,
            reason: "Started".into(),
            note: Some("done".into()),
            action: "Start".into(),
            secondary: None,
        };
        let publish = async || events.publish(&object, event()).await;
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
