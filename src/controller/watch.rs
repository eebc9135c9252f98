//! Watches IndexRestores, and reconciles each when it changes or is due.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc::unbounded;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, Stream, StreamExt as _, TryStreamExt as _, stream};
use kube::core::NamespaceResourceScope;
use kube::runtime::controller::{self, Action, Error as RunError};
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::{self, watcher};
use kube::runtime::{Controller, WatchStreamExt as _};
use kube::{Api, Client, Resource};
use tokio::sync::Notify;

use super::places::{Places, Reference};
use super::running::Running;
use super::{Context, Guarded, reconcile};

/// What the reconciles of one watch share.
pub(super) struct Watched {
    pub context: Arc<Context>,
    /// Reconciles that may run at the same time, for each API key.
    pub places: Arc<Places>,
    pub running: Arc<Running>,
}

/// One watch, as the maintenance sees it.
#[derive(Clone)]
pub struct Scope {
    /// Cache of the watched objects.
    pub(super) store: Store<Guarded>,
    pub(super) places: Arc<Places>,
}

/// The watches over all or some namespaces.
pub struct Watches {
    /// One for the cluster, or one for each namespace.
    pub scopes: Vec<Scope>,
    /// The controllers and their reconciles. Only what is woken is polled.
    running: FuturesUnordered<BoxFuture<'static, ()>>,
}

impl Watches {
    /// Prepares one watch over the cluster, or one for each namespace.
    pub fn new(context: &Arc<Context>) -> Self {
        let (scopes, running): (_, Vec<_>) = apis(&context.client, &context.namespaces)
            .into_iter()
            .enumerate()
            .map(|(number, api)| watch(number, api, Arc::clone(context)))
            .unzip();
        let running = running.into_iter().flatten().collect();
        Self { scopes, running }
    }

    /// Runs until the shutdown, and until the reconciles that run then are done.
    pub async fn run(self) {
        self.running.collect::<()>().await;
    }
}

/// Objects of the cluster, or of each namespace that is watched.
pub fn apis<K>(client: &Client, namespaces: &[String]) -> Vec<Api<K>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    match namespaces {
        [] => vec![Api::all(client.clone())],
        some => some
            .iter()
            .map(|namespace| Api::namespaced(client.clone(), namespace))
            .collect(),
    }
}

fn watch(
    number: usize,
    api: Api<Guarded>,
    context: Arc<Context>,
) -> (Scope, [BoxFuture<'static, ()>; 2]) {
    let shutdown = context.shutdown.clone();
    let metrics = context.metrics.clone();
    let (store, writer) = reflector::store();
    let readiness = Arc::clone(&context.readiness);
    let cached = store.clone();
    let seen = relisted(api, context.rules.intervals.stalled())
        .default_backoff()
        .map_ok(move |event| shared(&cached, event))
        .inspect(move |event| match event {
            Ok(watcher::Event::InitDone) => readiness.synced(number),
            Ok(_) => {}
            Err(error) => {
                metrics.watch_failed();
                tracing::warn!(%error, "watching IndexRestores failed; retrying with backoff");
                if is_forbidden(error) {
                    readiness.forbidden(number, &error.to_string());
                }
            }
        })
        // The controller would also hold back objects whose turn it is, and a new term.
        .filter(|event| std::future::ready(event.is_ok()));
    let seen = reflector::reflector(writer, seen).applied_objects();
    let (turn, turns) = unbounded();
    let places = Places::new(context.concurrency, turn.clone());
    let (running, reconciles) = Running::new(turn);
    let controller = Controller::for_stream(seen, store.clone())
        .with_config(controller::Config::default().concurrency(STARTS))
        .reconcile_all_on(context.leadership.terms())
        .reconcile_on(turns)
        .graceful_shutdown_on(async move { shutdown.cancelled().await });
    let scope = Scope {
        store,
        places: Arc::clone(&places),
    };
    let watched = Arc::new(Watched {
        context,
        places: Arc::clone(&places),
        running,
    });
    let controller = controller
        .run(reconcile::reconcile, never_fails, watched)
        .for_each(move |result| {
            match result {
                Ok(_) => {}
                Err(RunError::ObjectNotFound(object)) => {
                    let namespace = object.namespace.as_deref().unwrap_or_default();
                    places.leave(&Reference::new(&object.name).within(namespace));
                    tracing::debug!(%object, "deleted before its next reconcile");
                }
                Err(error) => tracing::error!(%error, "the controller failed"),
            }
            std::future::ready(())
        });
    (scope, [controller.boxed(), reconciles])
}

/// A list holds what the cache already has: an object of the same version is the cached one, so that a
/// list never takes the memory of a second cache.
fn shared(cached: &Store<Guarded>, event: watcher::Event<Guarded>) -> watcher::Event<Guarded> {
    let watcher::Event::InitApply(listed) = event else {
        return event;
    };
    let same = cached.get(&Reference::from_obj(&listed));
    let same = same.filter(|cached| cached.is_version_of(&listed));
    watcher::Event::InitApply(same.map_or(listed, Arc::unwrap_or_clone))
}

/// Errors are part of a reconcile, which runs beside the controller.
fn never_fails(_: Arc<Guarded>, error: &Infallible, _: Arc<Watched>) -> Action {
    match *error {}
}

/// Whether the operator lacks the permission to list or watch.
fn is_forbidden(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status)) => status.code == 403,
        watcher::Error::WatchError(status) => status.code == 403,
        _ => false,
    }
}

/// Objects that kube hands over at a time. It makes a future of 3 KB for each before it polls the first;
/// after a start, that would be one for each object of the cluster.
const STARTS: u16 = 512;

/// Objects in one page of a list. Each may have 256 KiB of annotations, and a page is read whole.
const PAGE: u32 = 50;

/// A watch that starts again with a list, `every` after the last list was complete. A watch
/// continues where it was, and so never recovers an event that it missed.
fn relisted(
    api: Api<Guarded>,
    every: Duration,
) -> impl Stream<Item = watcher::Result<watcher::Event<Guarded>>> + Send {
    let begin = move || {
        let listed = Arc::new(Notify::new());
        let is_listed = Arc::clone(&listed);
        watcher(api.clone(), watcher::Config::default().page_size(PAGE))
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
