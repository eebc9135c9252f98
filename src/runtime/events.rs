//! Publishes Kubernetes events.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource, ResourceExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::api_server::{call_within, is_idle};
use super::failpoint::Site;

/// Longest note of an event, in bytes; Kubernetes rejects longer ones.
const MAX_NOTE: usize = 1_000;

/// Most events that one recorder publishes. It stores each for six minutes to count repetitions, so
/// that many restores at the same time would fill the memory.
const MOST_KEPT: u32 = 100;

/// Most events that wait to be sent, 7 MiB of them. Further ones are only logged: an API server that
/// takes no events must not fill the memory.
const MOST_WAITING: usize = 20_000;

/// Events that are sent at the same time while the API server has nothing else to do for the operator.
const MOST_SENT: usize = 8;

/// While it has, one is sent at a time, and one more for each `BACKLOG` that wait.
const BACKLOG: usize = 2_500;

/// For one event, so that a few that hang do not hold back all others for long.
const DEADLINE: Duration = Duration::from_secs(5);

/// What an event says of its object.
pub struct Announcement {
    /// Whether somebody should look.
    pub type_: EventType,
    /// Why it was published, one word.
    pub reason: &'static str,
    /// What was done to the object, one word.
    pub action: &'static str,
    /// The text, which is cut to what Kubernetes accepts.
    pub note: String,
}

/// An event that waits. Thousands may wait, so it holds no more than it must. No version of the object:
/// the recorder counts an event as a repetition only if it names the same object in the same way.
struct WaitingEvent {
    namespace: Option<Box<str>>,
    name: Box<str>,
    uid: Option<Box<str>>,
    announcement: Announcement,
}

impl WaitingEvent {
    fn new(object: &impl Resource, mut announcement: Announcement) -> Self {
        let note = &mut announcement.note;
        while note.len() > MAX_NOTE {
            note.pop();
        }
        let meta = object.meta();
        let boxed = |text: &Option<String>| text.as_deref().map(Into::into);
        Self {
            namespace: boxed(&meta.namespace),
            name: object.name_any().into(),
            uid: boxed(&meta.uid),
            announcement,
        }
    }

    fn event(self, kind: &ObjectReference) -> (ObjectReference, Event) {
        let object = ObjectReference {
            namespace: self.namespace.map(Into::into),
            name: Some(self.name.into()),
            uid: self.uid.map(Into::into),
            ..kind.clone()
        };
        let event = Event {
            type_: self.announcement.type_,
            reason: self.announcement.reason.into(),
            note: Some(self.announcement.note),
            action: self.announcement.action.into(),
            secondary: None,
        };
        (object, event)
    }
}

/// Publishes events of one kind in the background, and slower than what restores need: a restore never
/// waits for an event, nor fails with it.
pub struct Events {
    waiting: mpsc::Sender<WaitingEvent>,
    sender: Mutex<Option<JoinHandle<()>>>,
    is_last: CancellationToken,
}

impl Events {
    /// Returns a publisher for objects of the kind `K`. Its events name `index-restore-operator` and,
    /// where `POD_NAME` is set, the pod as their source. Runs until [`finish`](Self::finish), on the
    /// current runtime.
    pub fn start<K: Resource<DynamicType = ()>>(client: Client) -> Self {
        let (waiting, events) = mpsc::channel(MOST_WAITING);
        let is_last = CancellationToken::new();
        let kind = ObjectReference {
            api_version: Some(K::api_version(&()).into()),
            kind: Some(K::kind(&()).into()),
            ..ObjectReference::default()
        };
        let recorders = Recorders::new(client, kind);
        let sender = tokio::spawn(send_all(recorders, events, is_last.clone()));
        Self {
            waiting,
            sender: Mutex::new(Some(sender)),
            is_last,
        }
    }

    /// Publishes the event soon: while restores keep the API server busy, after them.
    pub fn publish(&self, object: &impl Resource, announcement: Announcement) {
        let event = WaitingEvent::new(object, announcement);
        if let Err(error) = self.waiting.try_send(event) {
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
    mut events: mpsc::Receiver<WaitingEvent>,
    is_last: CancellationToken,
) {
    let mut sending = FuturesUnordered::new();
    loop {
        let may_send = sending.len() < sent_at_once(is_idle(), events.len());
        tokio::select! {
            Some(()) = sending.next() => {}
            Some(event) = events.recv(), if may_send => sending.push(recorders.send(event)),
            () = is_last.cancelled(), if sending.is_empty() && events.is_empty() => return,
        }
    }
}

/// How many events are sent at the same time. Each costs the API server as much as a write that a
/// restore waits for.
fn sent_at_once(is_idle: bool, waiting: usize) -> usize {
    match is_idle {
        true => MOST_SENT,
        false => MOST_SENT.min(1 + waiting / BACKLOG),
    }
}

/// The recorder, replaced when it stores enough.
struct Recorders {
    client: Client,
    reporter: Reporter,
    /// A reference to no object of the kind.
    kind: ObjectReference,
    /// The recorder, and how many more events it publishes.
    current: Mutex<(Recorder, u32)>,
}

impl Recorders {
    fn new(client: Client, kind: ObjectReference) -> Self {
        let reporter = Reporter {
            controller: "index-restore-operator".into(),
            instance: std::env::var("POD_NAME").ok(),
        };
        let first = Recorder::new(client.clone(), reporter.clone());
        Self {
            client,
            reporter,
            kind,
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

    async fn send(&self, event: WaitingEvent) {
        let recorder = self.recorder();
        let (object, event) = event.event(&self.kind);
        let publish = recorder.publish(&event, &object);
        if let Err(error) = call_within(DEADLINE, Site::EVENT_POST, publish).await {
            tracing::warn!(%error, namespace = object.namespace, indexrestore = object.name, reason = event.reason, "publishing an event failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::http::Method;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::Value;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::runtime::api_server::{client_of, turn};

    fn pod(version: &str) -> Pod {
        let metadata = serde_json::json!({
            "name": "p", "namespace": "n", "uid": "u-1", "resourceVersion": version,
        });
        serde_json::from_value(serde_json::json!({"metadata": metadata})).unwrap()
    }

    fn started() -> Announcement {
        Announcement {
            type_: EventType::Normal,
            reason: "Started",
            action: "Start",
            note: "done".into(),
        }
    }

    #[tokio::test]
    async fn replaces_a_recorder_that_stores_enough_events() {
        let created = Arc::new(AtomicUsize::default());
        let count = Arc::clone(&created);
        let server = Router::new().fallback(async move |method: Method, body: String| {
            if method == Method::POST {
                count.fetch_add(1, Ordering::Relaxed);
            }
            axum::Json(serde_json::from_str::<Value>(&body).unwrap())
        });
        let recorders = Recorders::new(client_of(server).await, ObjectReference::default());
        let publish = async |version: u32| {
            let pod = pod(&version.to_string());
            recorders.send(WaitingEvent::new(&pod, started())).await;
        };
        for version in 0..MOST_KEPT {
            publish(version).await;
        }
        assert_eq!(
            created.load(Ordering::Relaxed),
            1,
            "repetitions are counted"
        );
        // A recorder that kept the first event would count this one in it.
        publish(MOST_KEPT).await;
        assert_eq!(created.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn while_restores_call_the_api_server_one_event_is_sent_at_a_time() {
        let (arrived, answer) = (
            Arc::new(AtomicUsize::default()),
            Arc::new(Semaphore::new(0)),
        );
        let (arrives, answered) = (Arc::clone(&arrived), Arc::clone(&answer));
        let server = Router::new().fallback(async move |body: String| {
            arrives.fetch_add(1, Ordering::Relaxed);
            answered.acquire().await.unwrap().forget();
            axum::Json(serde_json::from_str::<Value>(&body).unwrap())
        });
        let events = Events::start::<Pod>(client_of(server).await);
        let call = turn().await;
        for _ in 0..MOST_SENT {
            events.publish(&pod("1"), started());
        }
        for sent in 1..MOST_SENT {
            while arrived.load(Ordering::Relaxed) < sent {
                tokio::task::yield_now().await;
            }
            // Whatever was sent beside it would arrive meanwhile.
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            assert_eq!(arrived.load(Ordering::Relaxed), sent);
            answer.add_permits(1);
        }
        drop(call);
        answer.add_permits(1);
        events.finish(Duration::from_secs(60)).await;
        assert_eq!(arrived.load(Ordering::Relaxed), MOST_SENT);
    }

    #[test]
    fn sends_more_events_at_once_where_many_wait_or_nothing_else_is_called() {
        let busy = [0, BACKLOG, MOST_WAITING].map(|waiting| sent_at_once(false, waiting));
        assert_eq!(busy, [1, 2, MOST_SENT]);
        assert_eq!(sent_at_once(true, 0), MOST_SENT);
    }
}
