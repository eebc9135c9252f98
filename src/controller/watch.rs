//! Watches IndexRestores, and reconciles each when it changes or is due.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use kube::runtime::controller::{Config, Error as RunError};
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::{self, watcher};
use kube::runtime::{Controller, WatchStreamExt as _};
use kube::{Api, Client};
use tokio::sync::Notify;

use super::{Context, Guarded, reconcile, schedule};

/// The watches over all or some namespaces.
pub struct Watches {
    /// Cache of the watched objects: one store for the cluster, or one for each namespace.
    pub stores: Vec<Store<Guarded>>,
    running: Vec<BoxFuture<'static, ()>>,
}

impl Watches {
    /// Prepares one watch over the cluster, or one for each namespace.
    pub fn new(context: &Arc<Context>, concurrency: u16) -> Self {
        let (stores, running) = apis(&context.client, &context.namespaces)
            .into_iter()
            .map(|api| watch(api, Arc::clone(context), concurrency))
            .unzip();
        Self { stores, running }
    }

    /// Runs until the shutdown, and until the reconciles that run then are done.
    pub async fn run(self) {
        join_all(self.running).await;
    }
}

/// The cluster, or each namespace that is watched.
pub(super) fn apis(client: &Client, namespaces: &[String]) -> Vec<Api<Guarded>> {
    match namespaces {
        [] => vec![Api::all(client.clone())],
        some => some
            .iter()
            .map(|namespace| Api::namespaced(client.clone(), namespace))
            .collect(),
    }
}

fn watch(
    api: Api<Guarded>,
    context: Arc<Context>,
    concurrency: u16,
) -> (Store<Guarded>, BoxFuture<'static, ()>) {
    let shutdown = context.shutdown.clone();
    let metrics = context.metrics.clone();
    let (store, writer) = reflector::store();
    let seen = relisted(api, context.rules.intervals.stalled());
    let seen = reflector::reflector(writer, seen).applied_objects();
    let controller = Controller::for_stream(seen, store.clone())
        .with_config(Config::default().concurrency(concurrency))
        .reconcile_all_on(context.leadership.terms())
        .graceful_shutdown_on(async move { shutdown.cancelled().await });
    let running = controller
        .run(reconcile::reconcile, schedule::error_policy, context)
        .for_each(move |result| {
            match result {
                // A reconcile logs and counts its own errors.
                Ok(_) | Err(RunError::ReconcilerFailed(..)) => {}
                Err(RunError::ObjectNotFound(object)) => {
                    tracing::debug!(%object, "deleted before its next reconcile");
                }
                Err(error) => {
                    metrics.watch_failed();
                    tracing::warn!(%error, "watching IndexRestores failed; retrying with backoff");
                }
            }
            std::future::ready(())
        });
    (store, Box::pin(running))
}

/// A watch that starts again with a list, `every` after the last list was complete. A watch
/// continues where it was, and so never recovers an event that it missed.
fn relisted(
    api: Api<Guarded>,
    every: Duration,
) -> impl Stream<Item = watcher::Result<watcher::Event<Guarded>>> + Send {
    let begin = move || {
        let listed = Arc::new(Notify::new());
        let is_listed = Arc::clone(&listed);
        watcher(api.clone(), watcher::Config::default())
            .inspect_ok(move |event| {
                if matches!(event, watcher::Event::InitDone) {
                    listed.notify_one();
                }
            })
            .take_until(async move {
                is_listed.notified().await;
                tokio::time::sleep(every).await;
            })
    };
    stream::repeat_with(begin).flatten()
}
