//! Reconciles one object: reads what has to be known, decides, and acts.

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use kube::runtime::controller::Action;
use kube::{Api, Resource as _, ResourceExt as _};
use tracing::Instrument as _;

use super::schedule::{gone, rests, settle};
use super::{Context, Guarded, rivals};
use crate::api::IndexRestore;
use crate::pinecone::ApiKey;
use crate::restore::{
    Actor, Evidence, Observation, Rivals, Situation, Sources, Stage, StatusWriter, act, decide,
    observe,
};
use crate::runtime::api_server::{Error, call};
use crate::runtime::clock::{BootTime, Now};
use crate::runtime::failpoint::Site;
use crate::runtime::leader::Term;

/// Why a reconcile failed.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// A call to the API server failed. Retried with backoff, up to 60 s.
    #[error(transparent)]
    Kubernetes(#[from] Error),
    /// The stored object does not match the schema. Reconciled again only when the watch delivers
    /// it again.
    #[error("the object cannot be read: {0}")]
    Malformed(String),
    /// The semaphore of reconciles is closed: nothing was reconciled.
    #[error("the operator is shutting down")]
    ShuttingDown,
}

impl ReconcileError {
    fn label(&self) -> &'static str {
        match self {
            Self::Kubernetes(error) => error.label(),
            Self::Malformed(_) => "malformed",
            Self::ShuttingDown => "shutting_down",
        }
    }
}

/// Reconciles one object if this process leads, and logs and counts the outcome.
pub(super) async fn reconcile(
    object: Arc<Guarded>,
    context: Arc<Context>,
) -> Result<Action, ReconcileError> {
    let _slot = context
        .slots
        .acquire()
        .await
        .map_err(|_| ReconcileError::ShuttingDown)?;
    // Only the leader works. A process that becomes the leader reconciles all objects.
    let Some(term) = context.leadership.term(BootTime::now()) else {
        return Ok(Action::await_change());
    };
    let started = Instant::now();
    let span = tracing::info_span!(
        "restore",
        namespace = object.namespace(),
        indexrestore = object.name_any(),
        generation = object.meta().generation,
        job = tracing::field::Empty,
    );
    let result = Box::pin(reconcile_object(&object, &context, &term))
        .instrument(span.clone())
        .await;
    let outcome = result.as_ref().map_or_else(ReconcileError::label, |_| "ok");
    context.metrics.reconciled(outcome, started.elapsed());
    if let Err(error) = &result {
        span.in_scope(|| tracing::warn!(%error, "reconcile failed; retrying with backoff"));
    }
    result
}

/// One reconcile, step by step. Pinecone and the API server are asked by `load` and `observe`, and
/// written to by `act`; the other steps are pure.
async fn reconcile_object(
    guarded: &Guarded,
    context: &Context,
    term: &Term,
) -> Result<Action, ReconcileError> {
    let cached = match &guarded.0 {
        Ok(object) => object,
        Err(invalid) => return Err(ReconcileError::Malformed(invalid.error.clone())),
    };
    let uid = cached.uid().unwrap_or_default();
    let mut remembered = context.memory.of(term.number(), &uid);
    if let Some(left) = rests(cached, &remembered) {
        return Ok(Action::requeue(left));
    }
    let api = api(context, cached);
    let Some(object) = load(cached, remembered.is_stale, &api).await? else {
        return Ok(gone(context, term, &uid, remembered));
    };
    let situation = Situation::of(&object);
    record_job(&situation);
    // Decided as of the time before the reads, learnt as of the time after them: a
    // process that was frozen in between saw nothing meanwhile.
    let now = Now::read();
    let evidence = &mut remembered.evidence;
    let (observation, key) = read(context, &object, &situation, evidence).await?;
    let patience = context.rules.patience;
    evidence.learn(
        &situation,
        &observation,
        now.boot..BootTime::now(),
        patience,
    );
    let decision = decide(&situation, evidence, &observation, &context.rules, now);
    let actor = actor(context, term, api, key.as_ref());
    let done = act(&actor, &object, decision, evidence).await?;
    Ok(settle(context, term, &object, remembered, &done))
}

fn api(context: &Context, object: &IndexRestore) -> Api<IndexRestore> {
    let namespace = object.namespace().unwrap_or_default();
    Api::namespaced(context.client.clone(), &namespace)
}

/// Names the restore job in the span of the reconcile.
fn record_job(situation: &Situation) {
    if let Stage::Submitted(submitted) | Stage::Finished(submitted) = &situation.stage {
        tracing::Span::current().record("job", submitted.job_id.as_deref());
    }
}

/// The object from the cache or, where the cache was found behind, from the API
/// server; nothing if it is gone.
async fn load(
    cached: &IndexRestore,
    is_stale: bool,
    api: &Api<IndexRestore>,
) -> Result<Option<IndexRestore>, Error> {
    if !is_stale {
        return Ok(Some(cached.clone()));
    }
    let fresh = call(Site::OBJECT_GET, api.get_opt(&cached.name_any())).await?;
    Ok(fresh.filter(|fresh| fresh.metadata.uid == cached.metadata.uid))
}

async fn read<'s>(
    context: &Context,
    object: &IndexRestore,
    situation: &'s Situation,
    evidence: &Evidence,
) -> Result<(Observation<'s>, Option<ApiKey>), Error> {
    let rivals =
        || -> BoxFuture<'_, Result<Rivals, Error>> { Box::pin(rivals::find(context, situation)) };
    let sources = Sources {
        pinecone: &context.pinecone,
        api_keys: &context.api_keys,
        index_lists: &context.index_lists,
        rivals: &rivals,
    };
    observe(&sources, object, situation, evidence).await
}

fn actor<'a>(
    context: &'a Context,
    term: &'a Term,
    api: Api<IndexRestore>,
    key: Option<&'a ApiKey>,
) -> Actor<'a> {
    Actor {
        writer: StatusWriter {
            api,
            events: &context.events,
            metrics: &context.metrics,
            term,
        },
        pinecone: &context.pinecone,
        key,
        intervals: context.rules.intervals,
        shutdown: &context.shutdown,
    }
}
