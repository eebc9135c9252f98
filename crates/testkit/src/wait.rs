//! Waiting on conditions with deadlines.

use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use futures::StreamExt as _;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::watch_object;
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

/// Ample for anything that takes seconds on a slow machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(50);

/// Calls `attempt` every 50 ms until it gives a value. `Ok(None)` and `Err` both mean "not yet".
///
/// # Errors
/// When the deadline passes: names `what`, with the last error of `attempt` as its cause, so an attempt that observes something says
/// what it saw as an error: `Err(anyhow!("phase is {phase}"))`.
pub async fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut attempt: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + deadline;
    let mut last = anyhow!("no attempt ended");
    while let Ok(outcome) = tokio::time::timeout_at(end, attempt()).await {
        match outcome {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => last = anyhow!("not yet"),
            Err(error) => last = error,
        }
        if Instant::now() >= end {
            break;
        }
        tokio::time::sleep(POLL).await;
    }
    Err(last).with_context(|| format!("waited {deadline:?} in vain until {what}; last seen"))
}

/// Watches the object until `predicate` holds, and returns it as it was then: `None` stands for an object that doesn't exist.
/// Failures of the watch are retried with backoff. For namespaced kinds the `api` must be that of one namespace.
///
/// # Errors
/// When the deadline passes: with the object as last seen, or the last failure.
pub async fn wait_for<K>(
    api: &Api<K>,
    name: &str,
    deadline: Duration,
    mut predicate: impl FnMut(Option<&K>) -> bool,
) -> Result<Option<K>>
where
    K: Resource + Clone + Debug + DeserializeOwned + Serialize + Send + 'static,
{
    let end = Instant::now() + deadline;
    let mut states = pin!(watch_object(api.clone(), name).default_backoff());
    let mut last = "nothing, the watch has not begun".to_owned();
    while let Ok(Some(state)) = tokio::time::timeout_at(end, states.next()).await {
        match state {
            Ok(object) if predicate(object.as_ref()) => return Ok(object),
            Ok(Some(object)) => {
                last = serde_saphyr::to_string(&object).unwrap_or_else(|_| format!("{object:?}"))
            }
            Ok(None) => last = "it doesn't exist".to_owned(),
            Err(error) => last = format!("{:#}", anyhow!(error)),
        }
    }
    Err(anyhow!(last))
        .with_context(|| format!("waited {deadline:?} in vain for {name} to change; last seen"))
}
