//! What watches and lists of one resource show.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

/// What the proxy does with a watch event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Delivered once, as it comes.
    Pass,
    /// Never delivered.
    Drop,
    /// Delivered once another treatment says so.
    Hold,
    /// Delivered a second time at once.
    Twice,
}

/// A watch event.
#[derive(Clone, Debug)]
pub struct Event {
    /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    pub kind: String,
    /// The object as the API server sent it, or the Status of an `ERROR`.
    pub object: Value,
}

impl Event {
    /// Returns the object's name; an empty string where it has none.
    pub fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let mut event: Value = serde_json::from_slice(line).ok()?;
        Some(Self {
            kind: event["type"].as_str()?.to_owned(),
            object: event["object"].take(),
        })
    }
}

type Treat = Box<dyn Fn(&Event) -> Treatment + Send + Sync>;

/// How the streams end that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Cut,
    Gone,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    /// Streams that began before have ended.
    pub(super) ended: Option<(u64, Ending)>,
    /// What was held is delivered last event first.
    pub(super) reversed: bool,
}

pub(super) struct View {
    treat: Mutex<Treat>,
    list: Mutex<Option<Value>>,
    changes: watch::Sender<Change>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            treat: Mutex::new(Box::new(|_| Treatment::Pass)),
            list: Mutex::default(),
            changes: watch::Sender::default(),
        }
    }
}

impl View {
    pub(super) fn treatment(&self, event: &Event) -> Treatment {
        (lock(&self.treat))(event)
    }

    pub(super) fn treat(&self, treat: Treat, reversed: bool) {
        *lock(&self.treat) = treat;
        self.changes
            .send_modify(|change| change.reversed = reversed);
    }

    pub(super) fn end(&self, ending: Ending) {
        self.changes.send_modify(|change| {
            let ends = change.ended.map_or(0, |(ends, _)| ends);
            change.ended = Some((ends + 1, ending));
        });
    }

    pub(super) fn changes(&self) -> watch::Receiver<Change> {
        self.changes.subscribe()
    }

    pub(super) fn show(&self, list: Option<Value>) {
        *lock(&self.list) = list;
    }

    pub(super) fn list(&self) -> Option<Value> {
        lock(&self.list).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
