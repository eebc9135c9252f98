//! What is done in the background, whatever happens to the objects.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt as _;

use super::{Context, Scope, long_waits};
use crate::api::Reason;
use crate::runtime::clock::BootTime;

/// How often restores are counted, and long waits ended.
const COUNT: Duration = Duration::from_secs(5);

/// Memory is tidied at every twelfth count.
const TIDY_EVERY: u64 = 12;

/// Counts the restores by reason, ends long waits and evicts expired API keys every five seconds, and
/// forgets deleted objects every minute, until the shutdown.
pub async fn run_maintenance(context: Arc<Context>, scopes: Vec<Scope>) {
    let silence = context.rules.intervals.stalled();
    let mut before = BootTime::now();
    let mut ticks = tokio::time::interval(COUNT);
    for round in 0_u64.. {
        let tick = context.shutdown.run_until_cancelled(ticks.tick());
        if tick.await.is_none() {
            return;
        }
        count(&context, &scopes);
        let during = before..BootTime::now();
        before = during.end;
        for scope in &scopes {
            long_waits::end(&context.memory, scope, silence, &during);
        }
        context.api_keys.evict_expired();
        if round % TIDY_EVERY == 0 {
            let objects = scopes.iter().flat_map(|scope| scope.store.state());
            let uids = objects.filter_map(|object| object.uid()).collect();
            context.memory.retain(&uids);
        }
    }
}

fn count(context: &Context, scopes: &[Scope]) {
    let mut counts = HashMap::from(Reason::ALL.map(|reason| (reason.as_str(), 0)));
    let mut unconfirmed = 0;
    for object in scopes.iter().flat_map(|scope| scope.store.state()) {
        let Ok(object) = object.object() else {
            continue;
        };
        let status = object.status.as_ref();
        // A reason that only another version of the operator knows counts as Pending.
        let shown = status.and_then(|status| Reason::shown(&status.conditions));
        let reason = shown.unwrap_or(Reason::Pending);
        unconfirmed += i64::from(status.is_some_and(|status| status.unconfirmed_since.is_some()));
        *counts.entry(reason.as_str()).or_default() += 1;
    }
    context.metrics.count_restores(counts, unconfirmed);
}
