//! When an object is reconciled next.

use std::time::Duration;

use super::Context;
use super::memory::Remembered;
use crate::api::IndexRestore;
use crate::restore::{Acted, Done};
use crate::runtime::clock::{BootTime, doubled};
use crate::runtime::leader::Term;

/// Longest wait after reconciles that failed on the API server.
const MAX_ERROR_WAIT: Duration = Duration::from_secs(60);

/// Longest wait after a conflict, until the cache shows the newer version.
const CONFLICT: Duration = Duration::from_millis(200);

/// Where only a change is a reason to reconcile, our own writes are none.
const UNTIL_CHANGED: Duration = Duration::from_secs(3_600);

/// How long the object may still be left alone: our own status writes wake us.
pub(super) fn rests(object: &IndexRestore, remembered: &Remembered) -> Option<Duration> {
    let (versions, until) = remembered.rest.as_ref()?;
    let left = until.since(BootTime::now());
    let version = object.metadata.resource_version.as_ref()?;
    (versions.contains(version) && !left.is_zero()).then_some(left)
}

/// Stores what the reconcile learnt, and until when the object rests. `cached` is what it began with,
/// `seen` what it decided about.
pub(super) fn settle(
    context: &Context,
    term: &Term,
    cached: &IndexRestore,
    seen: &IndexRestore,
    mut remembered: Remembered,
    done: &Done,
) {
    remembered.errors = 0;
    remembered.is_stale = matches!(done.acted, Acted::Conflict);
    let requeue_after = done.requeue_after.map(jittered);
    let (written, wait) = match &done.acted {
        Acted::Gone => return gone(context, term, cached, remembered),
        Acted::NotLeading => return tracing::info!("lost leadership; nothing is written"),
        Acted::Conflict => (None, context.rules.intervals.poll_min.min(CONFLICT)),
        Acted::Written(written) => (version(written), requeue_after.unwrap_or(UNTIL_CHANGED)),
        Acted::Unchanged => (None, requeue_after.unwrap_or(UNTIL_CHANGED)),
    };
    // The cache may still show those before the one that was written.
    let versions = [
        version(cached),
        version(seen),
        done.claimed.clone(),
        written,
    ];
    let rest = (versions.into_iter().flatten().collect(), wait);
    keep(context, term, cached, remembered, rest);
}

/// Rests an object that the API server does not know. If it is gone, the cache shows that by
/// then; if the server does not serve the kind yet, no event would follow.
pub(super) fn gone(
    context: &Context,
    term: &Term,
    cached: &IndexRestore,
    mut remembered: Remembered,
) {
    remembered.is_stale = true;
    let wait = jittered(context.rules.intervals.poll_max);
    let rest = (version(cached).into_iter().collect(), wait);
    keep(context, term, cached, remembered, rest);
}

/// Rests an object whose reconcile failed: exponential backoff from one second up to
/// [`MAX_ERROR_WAIT`].
pub(super) fn failed(context: &Context, term: &Term, cached: &IndexRestore) {
    let mut remembered = context.memory.of(term.number(), uid(cached));
    remembered.is_stale = true;
    remembered.errors = remembered.errors.saturating_add(1);
    let wait = doubled(
        Duration::from_millis(500),
        remembered.errors,
        MAX_ERROR_WAIT,
    );
    let rest = (version(cached).into_iter().collect(), jittered(wait));
    keep(context, term, cached, remembered, rest);
}

/// Keeps what is remembered; the object rests for that long while the cache shows one of the versions.
fn keep(
    context: &Context,
    term: &Term,
    cached: &IndexRestore,
    mut remembered: Remembered,
    (mut versions, wait): (Vec<String>, Duration),
) {
    // Mostly one and the same, which thousands of objects keep for minutes.
    versions.dedup();
    remembered.rest = Some((versions.into(), BootTime::now().plus(wait)));
    context.memory.keep(term.number(), uid(cached), remembered);
}

fn version(object: &IndexRestore) -> Option<String> {
    object.metadata.resource_version.clone()
}

pub(super) fn uid(object: &IndexRestore) -> &str {
    object.metadata.uid.as_deref().unwrap_or_default()
}

/// Up to a tenth longer, so that what began together does not stay together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(1.0 + rand::random::<f64>() / 10.0)
}
