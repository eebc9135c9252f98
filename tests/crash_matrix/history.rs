//! Every version of the object, as a watch saw them.

use std::sync::{Arc, Mutex};

use anyhow::Result;
use futures::StreamExt as _;
use index_restore_operator::api::IndexRestore;
use kube::api::{WatchEvent, WatchParams};
use testkit::scene::{Scene, ready, status};
use testkit::{DEADLINE, eventually};
use tokio::task::JoinHandle;

use crate::cell::NAME;

pub struct History {
    seen: Arc<Mutex<Vec<IndexRestore>>>,
    watch: JoinHandle<()>,
}

impl History {
    /// From its creation on.
    pub fn of(scene: &Scene, created: &IndexRestore) -> Self {
        let seen = Arc::new(Mutex::new(vec![created.clone()]));
        let (api, told) = (scene.restores.clone(), Arc::clone(&seen));
        let version = created.metadata.resource_version.clone().unwrap();
        let watch = tokio::spawn(async move {
            let parameters = WatchParams::default().timeout(290);
            let parameters = parameters.fields(&format!("metadata.name={NAME}"));
            let stream = api.watch(&parameters, &version).await.unwrap();
            let mut stream = stream.boxed();
            while let Some(Ok(event)) = stream.next().await {
                if let WatchEvent::Modified(object) = event {
                    told.lock().unwrap().push(object);
                }
            }
        });
        Self { seen, watch }
    }

    pub fn versions(&self) -> Vec<IndexRestore> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until it has seen that version.
    pub async fn is_up_to(&self, object: &IndexRestore) -> Result<()> {
        let version = &object.metadata.resource_version;
        eventually(
            "the watch has seen the last version",
            DEADLINE,
            async || {
                let last = self.versions().pop();
                let is_last = last.is_some_and(|last| last.metadata.resource_version == *version);
                Ok(is_last.then_some(()))
            },
        )
        .await
    }

    /// A line for each version.
    pub fn told(&self) -> String {
        let lines = self.versions().into_iter().map(|object| {
            let (_, reason, message) = ready(&object);
            let status = status(&object);
            let claim = status.submission;
            let claim = claim.map(|s| format!("{} {:?} {}", s.attempt, s.outcome, s.nonce));
            let job = status.restore_job_id;
            format!("{claim:?} job {job:?} {reason}: {message}")
        });
        format!(
            "--- the object:\n{}\n",
            lines.collect::<Vec<_>>().join("\n")
        )
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.watch.abort();
    }
}
