//! What the status of each restore said, version by version.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Result, anyhow};
use futures::StreamExt as _;
use index_restore_operator::api::IndexRestore;
use kube::ResourceExt as _;
use kube::runtime::{WatchStreamExt as _, watcher};
use testkit::scene::{Scene, ready};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Ample for some hundred restores at once on a slow machine.
pub const DEADLINE: Duration = Duration::from_secs(180);

/// One restore, as it was told.
#[derive(Clone, Default)]
pub struct Told {
    pub object: Option<IndexRestore>,
    /// Reason and message of Ready, in order, each once for as long as it stayed.
    pub said: Vec<(String, String)>,
}

/// Follows all restores of a namespace until it is dropped.
pub struct Record {
    told: watch::Receiver<HashMap<String, Told>>,
    following: JoinHandle<()>,
}

impl Record {
    pub fn of(scene: &Scene) -> Self {
        let (send, told) = watch::channel(HashMap::<String, Told>::new());
        let versions = watcher(scene.restores.clone(), watcher::Config::default())
            .default_backoff()
            .applied_objects();
        let following = tokio::spawn(async move {
            let mut versions = pin!(versions);
            while let Some(version) = versions.next().await {
                let Ok(object) = version else { continue };
                let name = object.name_any();
                send.send_modify(|told| told.entry(name).or_default().add(object));
            }
        });
        Self { told, following }
    }

    pub fn told(&self, name: &str) -> Told {
        self.told.borrow().get(name).cloned().unwrap_or_default()
    }

    /// Waits until what is told of `name` is as wanted.
    pub async fn until(
        &self,
        name: &str,
        wanted: &str,
        mut holds: impl FnMut(&Told) -> bool,
    ) -> Result<Told> {
        let mut told = self.told.clone();
        let seen = told.wait_for(|all| all.get(name).is_some_and(&mut holds));
        let in_time = tokio::time::timeout(DEADLINE, seen).await;
        if in_time.is_ok_and(|seen| seen.is_ok()) {
            return Ok(self.told(name));
        }
        Err(anyhow!("never {wanted}: {:?}", self.told(name).said))
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl Told {
    fn add(&mut self, object: IndexRestore) {
        let (_, reason, message) = ready(&object);
        let said = (reason, message);
        if self.said.last() != Some(&said) {
            self.said.push(said);
        }
        self.object = Some(object);
    }

    pub fn reason(&self) -> &str {
        self.said.last().map_or("", |(reason, _)| reason)
    }

    pub fn message(&self) -> &str {
        self.said.last().map_or("", |(_, message)| message)
    }

    pub fn ever_said(&self, words: &str) -> bool {
        let mut said = self.said.iter();
        said.any(|(_, message)| message.contains(words))
    }
}
