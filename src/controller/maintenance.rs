//! What is done every few seconds, whatever happens to the objects.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt as _;
use kube::runtime::reflector::Store;

use super::{Context, Guarded};
use crate::api::Reason;
use crate::restore::Situation;

/// Counts the restores by reason, forgets deleted objects and evicts expired API keys, every
/// five seconds until the shutdown.
pub async fn run_maintenance(context: Arc<Context>, stores: Vec<Store<Guarded>>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    while context
        .shutdown
        .run_until_cancelled(ticks.tick())
        .await
        .is_some()
    {
        let objects: Vec<_> = stores.iter().flat_map(Store::state).collect();
        let mut counts = HashMap::new();
        let mut unconfirmed = 0;
        for object in objects.iter().filter_map(|object| object.0.as_ref().ok()) {
            let shown = Situation::of(object).shown;
            let status = object.status.as_ref();
            unconfirmed +=
                i64::from(status.is_some_and(|status| status.unconfirmed_since.is_some()));
            *counts
                .entry(shown.map_or("Pending", |shown| shown.reason.as_str()))
                .or_insert(0) += 1;
        }
        let by_reason = Reason::ALL.map(|reason| {
            let reason = reason.as_str();
            (reason, counts.get(reason).copied().unwrap_or(0))
        });
        context.metrics.count_restores(by_reason, unconfirmed);
        let uids = objects.iter().filter_map(|object| object.uid()).collect();
        context.memory.retain(&uids);
        context.api_keys.evict_expired();
    }
}
