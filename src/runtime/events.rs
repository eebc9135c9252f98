//! Publishes Kubernetes events.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, Recorder, Reporter};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::api_server::call_within;
use super::failpoint::Site;

/// Longest note of an event, in bytes; Kubernetes rejects longer ones.
const MAX_NOTE: usize = 1_000;

/// Most events that one recorder publishes. It stores each for six minutes to count repetitions, so
/// that many restores at the same time would fill the memory.
const MOST_KEPT: u32 = 100;

/// Most events that wait to be sent. Further ones are only logged: an API server that takes no
/// events must not fill the memory.
const MOST_WAITING: usize = 4_000;

/// Events that are sent at the same time, and one more for each `BACKLOG` that wait.
const LEAST_SENT: usize = 3;
const MOST_SENT: usize = 8;
const BACKLOG: usize = 200;

/// For one event, so that a few that hang do not hold back all others for long.
const DEADLINE: Duration = Duration::from_secs(5);

/// Publishes events in the background, and slower than what restores need: a restore never waits
/// for an event, nor fails with it.
pub struct Events {
    waiting: mpsc::Sender<(ObjectReference, Event)>,
    sender: Mutex<Option<JoinHandle<()>>>,
    is_last: CancellationToken,
}

impl Events {
    /// Returns a publisher whose events name `index-restore-operator` and, where `POD_NAME` is set,
    /// the pod as their source. Runs until [`finish`](Self::finish), on the current runtime.
    pub fn start(client: Client) -> Self {
        let (waiting, events) = mpsc::channel(MOST_WAITING);
        let is_last = CancellationToken::new();
        let sender = tokio::spawn(send_all(Recorders::new(client), events, is_last.clone()));
        Self {
            waiting,
            sender: Mutex::new(Some(sender)),
            is_last,
        }
    }

    /// Publishes the event soon, its note cut to what Kubernetes accepts.
    pub fn publish(&self, object: ObjectReference, mut event: Event) {
        if let Some(note) = &mut event.note {
            while note.len() > MAX_NOTE {
                note.pop();
            }
        }
        if let Err(error) = self.waiting.try_send((object, event)) {
            tracing::warn!(%error, "an event is not published");
        }
    }

    /// Waits until all events are sent, for `within` at most.
    pub async fn finish(&self, within: Duration) {
        self.is_last.cancel();
        let sender = self
            .sender
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(sender) = sender else { return };
        if tokio::time::timeout(within, sender).await.is_err() {
            tracing::warn!("the last events could not be published");
        }
    }
}

/// Sends what is published until the last is sent.
async fn send_all(
    recorders: Recorders,
    mut events: mpsc::Receiver<(ObjectReference, Event)>,
    is_last: CancellationToken,
) {
    let mut sending = FuturesUnordered::new();
    loop {
        let may_send = sending.len() < MOST_SENT.min(LEAST_SENT + events.len() / BACKLOG);
        tokio::select! {
            Some(()) = sending.next() => {}
            Some((object, event)) = events.recv(), if may_send => {
                sending.push(recorders.send(object, event));
            }
            () = is_last.cancelled(), if sending.is_empty() && events.is_empty() => return,
        }
    }
}

/// The recorder, replaced when it stores enough.
struct Recorders {
    client: Client,
    reporter: Reporter,
    /// The recorder, and how many more events it publishes.
    current: Mutex<(Recorder, u32)>,
}

impl Recorders {
    fn new(client: Client) -> Self {
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

    /// Returns the recorder for one more event.
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

    async fn send(&self, object: ObjectReference, event: Event) {
        let recorder = self.recorder();
        let publish = recorder.publish(&event, &object);
        if let Err(error) = call_within(DEADLINE, Site::EVENT_POST, publish).await {
            tracing::warn!(%error, namespace = object.namespace, indexrestore = object.name, reason = event.reason, "publishing an event failed");
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
        let recorders = Recorders::new(counting(&created).await);
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
        let publish = async || recorders.send(object.clone(), event()).await;
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
