//! Reconciles one object: reads what has to be known, decides, and acts.

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use kube::runtime::controller::Action;
use kube::{Api, Resource as _, ResourceExt as _};
use tracing::Instrument as _;

use super::memory::{Held, Remembered};
use super::schedule::{gone, rests, settle};
use super::{Context, Guarded, rivals};
use crate::api::IndexRestore;
use crate::caches::KeyProblem;
use crate::pinecone::{ApiKey, RestoreJob};
use crate::restore::{
    Actor, Answer, ObservationRequest, Question, Rivals, Situation, Stage, act, ask, decide,
    observe,
};
use crate::runtime::api_server::{Error, with_deadline};
use crate::runtime::clock::{BootTime, Now};
use crate::runtime::failpoint::{Site, around};
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
        span.in_scope(|| tracing::warn!(%error, "the pass failed; it is repeated"));
    }
    result
}

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
    let api = Api::namespaced(
        context.client.clone(),
        &cached.namespace().unwrap_or_default(),
    );
    let Some(object) = load(cached, remembered.is_stale, &api).await? else {
        return Ok(gone(context, term, &uid, remembered));
    };
    let situation = Situation::of(&object);
    if let Stage::Submitted(submitted) | Stage::Finished(submitted) = &situation.stage {
        tracing::Span::current().record("job", submitted.job_id.as_deref());
    }
    // Decided as of the time before the reads, learnt as of the time after them: a
    // process that was frozen in between saw nothing meanwhile.
    let now = Now::read();
    let observed =
        observe_situation(context, term, &object, &situation, &mut remembered, now).await;
    let (answer, key) = observed?;
    let evidence = &mut remembered.evidence;
    let decision = decide(&situation, evidence, &answer, &context.rules, now);
    let actor = Actor {
        api,
        pinecone: &context.pinecone,
        key: key.as_ref(),
        events: &context.events,
        metrics: &context.metrics,
        intervals: context.rules.intervals,
        shutdown: &context.shutdown,
        term,
    };
    let done = act(&actor, &object, decision, evidence).await?;
    Ok(settle(context, term, &object, remembered, &done))
}

/// Reads what has to be known and learns from it, or returns the answer that is held.
async fn observe_situation(
    context: &Context,
    term: &Term,
    object: &IndexRestore,
    situation: &Situation,
    remembered: &mut Remembered,
    now: Now,
) -> Result<(Answer, Option<ApiKey>), Error> {
    let question = ask(situation, &remembered.evidence);
    let held = remembered.held.as_ref();
    if let Some(answer) = held.and_then(|held| held.answer(object, question, now.boot)) {
        return Ok((answer, None));
    }
    let known_job = remembered.evidence.known_job(situation);
    let (answer, key) = answer(context, object, situation, question, known_job).await?;
    let after = BootTime::now();
    let held = Held::of(object, question, &answer, after);
    if let Some(held) = &held {
        let uid = object.uid().unwrap_or_default();
        context.memory.hold(term.number(), &uid, held.clone());
    }
    remembered.hold(held);
    let evidence = &mut remembered.evidence;
    evidence.learn(situation, &answer, now.boot..after, context.rules.patience);
    Ok((answer, key))
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
    let name = cached.name_any();
    let read = with_deadline("read", api.get_opt(&name));
    let fresh = around(Site::ObjectGet, read).await?;
    Ok(fresh.filter(|fresh| fresh.metadata.uid == cached.metadata.uid))
}

/// Reads what the question needs. A key that Pinecone refuses is read again from
/// its Secret at once, and tried once more if it changed.
async fn answer(
    context: &Context,
    object: &IndexRestore,
    situation: &Situation,
    question: Question,
    known_job: Option<&RestoreJob>,
) -> Result<(Answer, Option<ApiKey>), Error> {
    if question == Question::Nothing {
        return Ok((Answer::Nothing, None));
    }
    let key = match key(context, object).await? {
        Ok(key) => key,
        Err(problem) => return Ok((Answer::NoKey(problem), None)),
    };
    let find =
        || -> BoxFuture<'_, Result<Rivals, Error>> { Box::pin(rivals::find(context, situation)) };
    let request = ObservationRequest {
        question,
        situation,
        known_job,
        rivals: &find,
    };
    let observe_with = |key: ApiKey| async move {
        observe(request, &context.pinecone, &context.index_lists, &key).await
    };
    let answer = observe_with(key.clone()).await?;
    if !answer.is_unauthorized() {
        return Ok((answer, Some(key)));
    }
    let namespace = object.namespace().unwrap_or_default();
    context
        .api_keys
        .invalidate(&namespace, &object.spec.api_key_secret_ref);
    match self::key(context, object).await? {
        Ok(fresh) if fresh.id() != key.id() => {
            Ok((observe_with(fresh.clone()).await?, Some(fresh)))
        }
        _ => Ok((answer, Some(key))),
    }
}

async fn key(
    context: &Context,
    object: &IndexRestore,
) -> Result<Result<ApiKey, KeyProblem>, Error> {
    let namespace = object.namespace().unwrap_or_default();
    context
        .api_keys
        .get(&namespace, &object.spec.api_key_secret_ref)
        .await
}
