//! Every version of the objects that etcd had, from the API server's own watch.

// A step that fails must fail the test at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::pin::pin;
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use index_restore_operator::api::IndexRestore;
use kube::Api;
use kube::api::{ListParams, WatchEvent, WatchParams};

use crate::scene::{Scene, status};
use crate::wait::{DEADLINE, eventually};

/// A watch of a scene's IndexRestores that records every version. It ends on drop.
pub struct History {
    versions: Arc<Mutex<Vec<IndexRestore>>>,
    watching: tokio::task::JoinHandle<()>,
}

impl Drop for History {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl History {
    /// Of the scene's namespace, from now on.
    pub async fn of(scene: &Scene) -> Self {
        let versions = Arc::default();
        let list = scene.restores.list(&ListParams::default()).await.unwrap();
        let from = list.metadata.resource_version.unwrap();
        let watching = tokio::spawn(record(scene.restores.clone(), from, Arc::clone(&versions)));
        Self { versions, watching }
    }

    /// All versions of that name up to this one, of all its UIDs.
    pub async fn up_to(&self, object: &IndexRestore) -> Vec<IndexRestore> {
        let last = &object.metadata.resource_version;
        eventually("the history is complete", DEADLINE, async || {
            let versions = self.versions.lock().unwrap();
            let mut known = versions
                .iter()
                .map(|version| &version.metadata.resource_version);
            Ok(known.any(|version| version == last).then_some(()))
        })
        .await
        .unwrap();
        let mut versions = self.versions.lock().unwrap().clone();
        versions.retain(|version| version.metadata.name == object.metadata.name);
        versions
    }
}

/// Goes on where it was when the watch ends.
async fn record(api: Api<IndexRestore>, from: String, versions: Arc<Mutex<Vec<IndexRestore>>>) {
    let mut from = from;
    loop {
        let Ok(events) = api.watch(&WatchParams::default(), &from).await else {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let mut events = pin!(events);
        while let Some(Ok(event)) = events.next().await {
            if let WatchEvent::Added(object) | WatchEvent::Modified(object) = event {
                from = object.metadata.resource_version.clone().unwrap_or_default();
                versions.lock().unwrap().push(object);
            }
        }
    }
}

/// The IDs of each object never change once they are there.
pub fn check_ids_stay(versions: &[IndexRestore]) {
    for (n, before) in versions.iter().enumerate() {
        let Some(job) = status(before).restore_job_id else {
            continue;
        };
        let later = versions[n..]
            .iter()
            .filter(|v| v.metadata.uid == before.metadata.uid);
        for after in later.map(status) {
            assert_eq!(after.restore_job_id.as_ref(), Some(&job), "{versions:#?}");
            assert_eq!(after.index_id, status(before).index_id, "{versions:#?}");
        }
    }
}
