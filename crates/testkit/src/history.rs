//! Every version of the objects that etcd had, from the API server's own watch.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use index_restore_operator::api::IndexRestore;
use jiff::Timestamp;
use kube::Api;
use kube::api::{ListParams, WatchEvent, WatchParams};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::judge::Version;
use crate::scene::{ready, status};
use crate::wait::DEADLINE;

/// A watch of IndexRestores that records every version. It ends on drop.
#[derive(Debug)]
pub struct History {
    api: Api<IndexRestore>,
    recorded: watch::Receiver<Recorded>,
    watching: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Recorded {
    versions: Vec<Version>,
    /// When each deletion was observed, by the UID.
    deleted: HashMap<String, Timestamp>,
    has_gap: bool,
}

impl Drop for History {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl History {
    /// Records from now on; `clock` is that of Pinecone's journal.
    ///
    /// # Errors
    /// When the API server cannot be reached.
    pub async fn of(
        api: &Api<IndexRestore>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self> {
        let from = match api.list(&ListParams::default()).await {
            Ok(list) => list.metadata.resource_version.unwrap_or_default(),
            // Without the CRD there is no object yet.
            Err(kube::Error::Api(status)) if status.code == 404 => String::new(),
            Err(error) => return Err(error.into()),
        };
        let (send, recorded) = watch::channel(Recorded::default());
        Ok(Self {
            watching: tokio::spawn(record(api.clone(), from, send, clock)),
            recorded,
            api: api.clone(),
        })
    }

    /// Returns all versions so far, of all objects, oldest first.
    pub fn all(&self) -> Vec<Version> {
        self.recorded.borrow().versions.clone()
    }

    /// Returns when deletions were observed so far, by the UIDs of the objects.
    pub fn deleted(&self) -> HashMap<String, Timestamp> {
        self.recorded.borrow().deleted.clone()
    }

    /// Whether versions may be missing, because the API server was restarted.
    pub fn has_gap(&self) -> bool {
        self.recorded.borrow().has_gap
    }

    /// Returns the names of all objects so far, by their UIDs.
    pub fn names(&self) -> HashMap<String, String> {
        let versions = &self.recorded.borrow().versions;
        let metadata = versions.iter().map(|version| &version.object.metadata);
        let names = metadata.filter_map(|object| Some((object.uid.clone()?, object.name.clone()?)));
        names.collect()
    }

    /// Returns the versions of that name so far, of all its UIDs.
    pub fn versions(&self, name: &str) -> Vec<IndexRestore> {
        versions(&self.recorded.borrow(), name).cloned().collect()
    }

    /// Returns all versions of that name up to this one, of all its UIDs.
    ///
    /// # Errors
    /// When this version is not observed in time.
    pub async fn up_to(&self, object: &IndexRestore) -> Result<Vec<IndexRestore>> {
        self.observed(object).await?;
        let name = object.metadata.name.as_deref().unwrap_or_default();
        Ok(self.versions(name))
    }

    /// Waits until `holds` is true of the versions of that name, oldest first.
    ///
    /// # Errors
    /// When the deadline passes.
    pub async fn until(
        &self,
        name: &str,
        deadline: Duration,
        mut holds: impl FnMut(&[&IndexRestore]) -> bool,
    ) -> Result<()> {
        let mut recorded = self.recorded.clone();
        let found = recorded.wait_for(|recorded| {
            let versions: Vec<_> = versions(recorded, name).collect();
            holds(&versions)
        });
        let found = tokio::time::timeout(deadline, found).await;
        found.map(drop).context("not in time")
    }

    /// Waits until the objects are observed as they are now.
    ///
    /// # Errors
    /// When they are not in time, or a version is missing.
    pub async fn complete(&self) -> Result<()> {
        for object in self.api.list(&ListParams::default()).await? {
            let name = &object.metadata.name;
            let observed = self.observed(&object).await;
            observed.with_context(|| format!("{name:?}"))?;
        }
        Ok(())
    }

    async fn observed(&self, object: &IndexRestore) -> Result<()> {
        let last = &object.metadata.resource_version;
        let mut recorded = self.recorded.clone();
        let is_last = |version: &Version| version.object.metadata.resource_version == *last;
        let found = recorded.wait_for(|recorded| recorded.versions.iter().rev().any(is_last));
        match tokio::time::timeout(DEADLINE, found).await {
            Ok(found) => found.map(drop).context("the watch ended"),
            Err(_) => bail!("the watch has not shown the version {last:?}"),
        }
    }

    /// Returns a line for each version of that name.
    pub fn describe(&self, name: &str) -> String {
        let lines = self.versions(name).into_iter().map(|object| {
            let (_, reason, message) = ready(&object);
            let status = status(&object);
            let claim = status.submission;
            let claim = claim.map(|s| format!("{} {:?} {}", s.attempt, s.outcome, s.nonce));
            let job = status.restore_job_id;
            format!("{claim:?} job {job:?} {reason}: {message}")
        });
        let lines: Vec<_> = lines.collect();
        format!("--- the versions of {name}:\n{}\n", lines.join("\n"))
    }
}

fn versions<'a>(recorded: &'a Recorded, name: &str) -> impl Iterator<Item = &'a IndexRestore> {
    let objects = recorded.versions.iter().map(|version| &version.object);
    objects.filter(move |object| object.metadata.name.as_deref() == Some(name))
}

/// Continues where it was when the watch ends. A restarted API server does not know earlier versions:
/// then there is a gap between what was observed and what there is now.
async fn record(
    api: Api<IndexRestore>,
    mut from: String,
    recorded: watch::Sender<Recorded>,
    clock: impl Fn() -> Timestamp,
) {
    let add = |object: IndexRestore| {
        let seen = clock();
        recorded.send_modify(|recorded| recorded.add(object, seen));
    };
    let begin_again = || {
        recorded.send_modify(|recorded| recorded.has_gap = true);
        String::new()
    };
    let parameters = WatchParams::default().timeout(290);
    loop {
        match api.watch(&parameters, &from).await {
            Ok(events) => {
                let mut events = pin!(events);
                while let Some(Ok(event)) = events.next().await {
                    match event {
                        WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                            from = object.metadata.resource_version.clone().unwrap_or_default();
                            add(object);
                        }
                        WatchEvent::Bookmark(mark) => from = mark.metadata.resource_version,
                        WatchEvent::Deleted(object) => {
                            let uid = object.metadata.uid.unwrap_or_default();
                            let seen = clock();
                            recorded.send_modify(|all| all.deleted.extend([(uid, seen)]));
                        }
                        WatchEvent::Error(error) if error.code == 410 => from = begin_again(),
                        WatchEvent::Error(_) => break,
                    }
                }
            }
            Err(kube::Error::Api(status)) if status.code == 410 => from = begin_again(),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

impl Recorded {
    /// Adds the version, unless it is known: a watch without a beginning shows what there is.
    fn add(&mut self, object: IndexRestore, seen: Timestamp) {
        let of = |object: &IndexRestore| {
            let metadata = &object.metadata;
            (metadata.uid.clone(), metadata.resource_version.clone())
        };
        let added = of(&object);
        let mut known = self.versions.iter().rev();
        if !known.any(|version| of(&version.object) == added) {
            self.versions.push(Version { seen, object });
        }
    }
}
