//! Waiting until every restore is ready.

use std::collections::HashSet;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use index_restore_operator::api::IndexRestore;
use index_restore_operator::api::conditions::find;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, ResourceExt as _};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A watch of all IndexRestores, in this process: the same for the floor and for the operator.
pub struct Ready {
    watch: JoinHandle<Result<Instant>>,
}

impl Ready {
    /// Begins to count the objects whose Ready condition is True.
    pub fn of(client: Client, objects: u32) -> Self {
        Self {
            watch: tokio::spawn(count(client, objects as usize)),
        }
    }

    /// Returns when the last one became ready.
    pub async fn all(&mut self, patience: Duration) -> Result<Instant> {
        let counted = timeout(patience, &mut self.watch).await;
        counted.with_context(|| format!("not all restores are ready after {patience:?}"))??
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

async fn count(client: Client, objects: usize) -> Result<Instant> {
    let restores: Api<IndexRestore> = Api::all(client);
    let events = watcher(restores, watcher::Config::default());
    let mut events = pin!(events.default_backoff().applied_objects());
    let mut ready = HashSet::new();
    while let Some(event) = events.next().await {
        // The watch continues after an error.
        if let Ok(object) = event
            && is_ready(&object)
        {
            ready.insert(object.uid());
            if ready.len() == objects {
                return Ok(Instant::now());
            }
        }
    }
    bail!("the watch ended")
}

fn is_ready(object: &IndexRestore) -> bool {
    let status = object.status.as_ref();
    let ready = status.and_then(|status| find(&status.conditions, "Ready"));
    ready.is_some_and(|condition| condition.status == "True")
}
