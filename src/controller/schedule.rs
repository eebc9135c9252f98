//! When an object is reconciled next.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt as _;
use kube::runtime::controller::Action;

use super::memory::Remembered;
use super::watch::Watched;
use super::{Context, Guarded, ReconcileError};
use crate::api::IndexRestore;
use crate::restore::{Acted, Done};
use crate::runtime::clock::{BootTime, doubled};
use crate::runtime::leader::Term;

/// Longest wait after reconciles that failed on the API server.
const MAX_ERROR_WAIT: Duration = Duration::from_secs(60);

/// How long the object may still be left alone: our own status writes wake us.
pub(super) fn rests(object: &IndexRestore, remembered: &Remembered) -> Option<Duration> {
    let (versions, until) = remembered.rest.as_ref()?;
    let left = until.since(BootTime::now());
    let version = object.metadata.resource_version.as_ref()?;
    (versions.contains(version) && !left.is_zero()).then_some(left)
}

/// Stores what the reconcile learnt and returns when the next one is due.
pub(super) fn settle(
    context: &Context,
    term: &Term,
    seen: &IndexRestore,
    mut remembered: Remembered,
    done: &Done,
) -> Action {
    let acted = &done.acted;
    remembered.errors = 0;
    remembered.is_stale = matches!(acted, Acted::Conflict);
    let written = match acted {
        Acted::Gone => {
            let uid = seen.uid().unwrap_or_default();
            return gone(context, term, &uid, remembered);
        }
        Acted::NotLeading => {
            tracing::info!("lost leadership; nothing is written");
            return Action::await_change();
        }
        Acted::Written(written) => written.metadata.resource_version.clone(),
        Acted::Conflict | Acted::Unchanged => None,
    };
    let requeue_after = match acted {
        Acted::Conflict => Some(
            context
                .rules
                .intervals
                .poll_min
                .min(Duration::from_millis(200)),
        ),
        _ => done.requeue_after.map(jittered),
    };
    // Where only a change wakes it, our own writes must not.
    let until = BootTime::now().plus(requeue_after.unwrap_or(Duration::from_secs(3_600)));
    let versions = [&seen.metadata.resource_version, &done.claimed, &written];
    remembered.rest = match acted {
        Acted::Conflict => None,
        _ => Some((versions.into_iter().flatten().cloned().collect(), until)),
    };
    let uid = seen.uid().unwrap_or_default();
    context.memory.keep(term.number(), &uid, remembered);
    requeue_after.map_or_else(Action::await_change, Action::requeue)
}

/// Requeues an object that the API server does not know. If it is gone, the cache shows that by
/// then; if the server does not serve the kind yet, no event would follow.
pub(super) fn gone(
    context: &Context,
    term: &Term,
    uid: &str,
    mut remembered: Remembered,
) -> Action {
    remembered.is_stale = true;
    remembered.rest = None;
    context.memory.keep(term.number(), uid, remembered);
    Action::requeue(jittered(context.rules.intervals.poll_max))
}

/// Up to a tenth longer, so that what began together does not stay together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(1.0 + rand::random::<f64>() / 10.0)
}

/// Returns when an object is reconciled again after an error: exponential backoff from one
/// second up to [`MAX_ERROR_WAIT`].
pub(super) fn error_policy(
    object: Arc<Guarded>,
    error: &ReconcileError,
    watched: Arc<Watched>,
) -> Action {
    if matches!(error, ReconcileError::Malformed(_)) {
        return Action::await_change();
    }
    let errors = watched
        .context
        .memory
        .failed(&object.uid().unwrap_or_default());
    let wait = doubled(Duration::from_millis(500), errors, MAX_ERROR_WAIT);
    Action::requeue(jittered(wait))
}
