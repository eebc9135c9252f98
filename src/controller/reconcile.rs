//! Reconciles one object: reads what has to be known, decides, and acts.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use kube::runtime::controller::Action;
use kube::{Api, Resource as _, ResourceExt as _};
use tracing::Instrument as _;

use super::admit::admit;
use super::long_waits::wait;
use super::memory::Remembered;
use super::places::{Place, Reference, reference};
use super::schedule::{failed, gone, rests, settle, uid};
use super::watch::Watched;
use super::{Context, Guarded, rivals};
use crate::api::{IndexRestore, Trimmed};
use crate::pinecone::{ApiKey, with_waits};
use crate::restore::{
    Actor, Evidence, Observation, Rivals, Situation, Sources, Stage, StatusWriter, Target, act,
    decide, observe, reread,
};
use crate::runtime::api_server::Error;
use crate::runtime::clock::{BootTime, Now};
use crate::runtime::failpoint::Site;
use crate::runtime::leader::Term;

/// Why a reconcile failed.
#[derive(Debug, thiserror::Error)]
enum ReconcileError {
    /// A call to the API server failed. Retried with backoff, up to 60 s.
    #[error(transparent)]
    Kubernetes(#[from] Error),
    /// The stored object does not match the schema. Reconciled again only when the watch delivers
    /// it again.
    #[error("the object cannot be read: {0}")]
    Malformed(String),
}

impl ReconcileError {
    fn label(&self) -> &'static str {
        match self {
            Self::Kubernetes(error) => error.label(),
            Self::Malformed(_) => "malformed",
        }
    }
}

/// Starts a reconcile of the object if none runs, if this process leads, and if its API key has a place
/// for it. Returns when to ask again; an object that has to wait holds nothing that others need.
pub(super) async fn reconcile(
    object: Arc<Guarded>,
    watched: Arc<Watched>,
) -> Result<Action, Infallible> {
    let reference = reference(&object);
    let started = start(object, &watched, reference).await;
    Ok(started.map_or_else(|later| later, |()| Action::await_change()))
}

async fn start(
    object: Arc<Guarded>,
    watched: &Arc<Watched>,
    reference: Reference,
) -> Result<(), Action> {
    if watched.running.contains(&reference) {
        return Err(Action::await_change());
    }
    let context = &watched.context;
    let cached = object.object().map_err(|invalid| {
        let error = ReconcileError::Malformed(invalid.error.clone());
        report(context, Duration::ZERO, Some(&error));
        Action::await_change()
    })?;
    let (term, remembered) =
        due(context, cached).inspect_err(|_| watched.places.leave(&reference))?;
    let place = admit(watched, &reference, cached, &term).await?;
    let work = run(
        Arc::clone(&object),
        Arc::clone(context),
        term,
        remembered,
        place,
    );
    watched.running.start(reference, work);
    Ok(())
}

/// Reconciles the object, and logs and counts the outcome.
async fn run(
    object: Arc<Guarded>,
    context: Arc<Context>,
    term: Term,
    remembered: Remembered,
    place: Place,
) {
    let Ok(cached) = object.object() else {
        return;
    };
    let started = Instant::now();
    let span = span(&object);
    let work = Box::pin(reconcile_object(cached, &context, &term, remembered));
    let work = work.instrument(span.clone());
    let (result, paced) = with_waits(work).await;
    context.metrics.waited(place.waited() + paced);
    let _entered = span.entered();
    report(
        &context,
        started.elapsed().saturating_sub(paced),
        result.as_ref().err(),
    );
    if result.is_err() {
        failed(&context, &term, cached);
    }
}

/// The term in which the object is to be reconciled now, and what is remembered of it.
///
/// # Errors
/// If it is not: what is due instead.
fn due(context: &Context, object: &IndexRestore) -> Result<(Term, Remembered), Action> {
    // Only the leader works. A process that becomes the leader reconciles all objects.
    let term = context.leadership.term(BootTime::now());
    let term = term.ok_or_else(Action::await_change)?;
    let remembered = context.memory.read(term.number(), uid(object), |own| {
        match own.and_then(|own| rests(object, own)) {
            Some(left) => Err(wait(left)),
            None => Ok(own.cloned().unwrap_or_default()),
        }
    })?;
    Ok((term, remembered))
}

fn span(object: &Guarded) -> tracing::Span {
    tracing::info_span!(
        "restore",
        namespace = object.namespace(),
        indexrestore = object.name_any(),
        generation = object.meta().generation,
        job = tracing::field::Empty,
    )
}

fn report(context: &Context, took: Duration, error: Option<&ReconcileError>) {
    let outcome = error.map_or("ok", ReconcileError::label);
    context.metrics.reconciled(outcome, took);
    if let Some(error) = error {
        tracing::warn!(%error, "reconcile failed; retrying with backoff");
    }
}

/// One reconcile, step by step. Pinecone and the API server are asked by `load` and `observe`, and
/// written to by `act`; the other steps are pure.
async fn reconcile_object(
    cached: &IndexRestore,
    context: &Context,
    term: &Term,
    mut remembered: Remembered,
) -> Result<(), ReconcileError> {
    let writer = writer(context, term, cached);
    let Some(object) = load(cached, remembered.is_stale, &writer.target.api).await? else {
        gone(context, term, cached, remembered);
        return Ok(());
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
    let actor = actor(context, writer, key.as_ref());
    let done = act(&actor, &object, decision, evidence).await?;
    settle(context, term, cached, &object, remembered, &done);
    Ok(())
}

/// Names the restore job in the span of the reconcile.
fn record_job(situation: &Situation) {
    if let Stage::Submitted(submitted) | Stage::Finished(submitted) = &situation.stage {
        tracing::Span::current().record("job", submitted.job_id.as_deref());
    }
}

/// The object from the cache or, where the cache was found behind, from the API
/// server; nothing if it is gone.
async fn load<'c>(
    cached: &'c IndexRestore,
    is_stale: bool,
    api: &Api<Trimmed>,
) -> Result<Option<Cow<'c, IndexRestore>>, Error> {
    if !is_stale {
        return Ok(Some(Cow::Borrowed(cached)));
    }
    let fresh = reread(api, Site::OBJECT_GET, cached).await?;
    Ok(fresh.map(Cow::Owned))
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

fn actor<'a>(context: &'a Context, writer: StatusWriter<'a>, key: Option<&'a ApiKey>) -> Actor<'a> {
    Actor {
        writer,
        pinecone: &context.pinecone,
        key,
        intervals: context.rules.intervals,
        shutdown: &context.shutdown,
    }
}

pub(super) fn writer<'a>(
    context: &'a Context,
    term: &'a Term,
    object: &IndexRestore,
) -> StatusWriter<'a> {
    let namespace = object.namespace().unwrap_or_default();
    StatusWriter {
        target: Target {
            api: Api::namespaced(context.client.clone(), &namespace),
            events: Arc::clone(&context.events),
            metrics: context.metrics.clone(),
        },
        term,
        records: &context.records,
    }
}
