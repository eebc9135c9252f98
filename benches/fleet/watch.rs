//! Waiting until every restore is ready, or shows a reason.

use std::collections::HashSet;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use index_restore_operator::api::conditions::find;
use index_restore_operator::api::{IndexRestore, Reason};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, ResourceExt as _};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::subject::Subject;

/// What every restore is waited for.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    Ready,
    /// Of the Ready condition.
    Reason(Reason),
}

/// A watch of IndexRestores, in this process: the same for the floor and for the operator.
pub struct Watch {
    until: Until,
    watch: JoinHandle<Result<Instant>>,
}

impl Watch {
    /// Begins to count the objects that have reached it.
    pub fn of(restores: Api<IndexRestore>, objects: u32, until: Until) -> Self {
        Self {
            until,
            watch: tokio::spawn(count(restores, objects as usize, until)),
        }
    }

    /// Returns when the last one reached it.
    ///
    /// # Errors
    /// If that takes longer, or the subject ends: the end of its log.
    pub async fn all(&mut self, subject: &mut Subject, patience: Duration) -> Result<Instant> {
        let counted = tokio::select! {
            counted = self.counted(patience) => counted,
            error = subject.ended() => Err(error),
        };
        counted.with_context(|| subject.log_tail())
    }

    async fn counted(&mut self, patience: Duration) -> Result<Instant> {
        let until = self.until;
        let counted = timeout(patience, &mut self.watch).await;
        counted.with_context(|| format!("not all restores are {until:?} after {patience:?}"))??
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

async fn count(restores: Api<IndexRestore>, objects: usize, until: Until) -> Result<Instant> {
    let events = watcher(restores, watcher::Config::default());
    let mut events = pin!(events.default_backoff().applied_objects());
    let mut counted = HashSet::new();
    while let Some(event) = events.next().await {
        // The watch continues after an error.
        if let Ok(object) = event
            && until.is_reached(&object)
        {
            counted.insert(object.uid());
            if counted.len() == objects {
                return Ok(Instant::now());
            }
        }
    }
    bail!("the watch ended")
}

impl Until {
    fn is_reached(self, object: &IndexRestore) -> bool {
        let status = object.status.as_ref();
        let ready = status.and_then(|status| find(&status.conditions, "Ready"));
        ready.is_some_and(|condition| match self {
            Self::Ready => condition.status == "True",
            Self::Reason(reason) => condition.reason == reason.as_str(),
        })
    }
}
