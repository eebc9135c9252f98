//! Watches IndexRestores and reconciles each.

mod maintenance;
mod memory;
mod reconcile;
mod rivals;
mod schedule;
mod watch;

use std::sync::Arc;

use kube::Client;
use kube::core::error_boundary::DeserializeGuard;
use tokio_util::sync::CancellationToken;

use crate::api::IndexRestore;
use crate::caches::{ApiKeyCache, IndexListCache};
use crate::pinecone;
use crate::restore::Rules;
use crate::runtime::events::Events;
use crate::runtime::leader::Leadership;
use crate::runtime::metrics::Metrics;

pub use maintenance::run_maintenance;
pub use memory::Memory;
pub use reconcile::ReconcileError;
pub use watch::Watches;

/// An object that may not be readable: one of them must not stop the watch.
pub type Guarded = DeserializeGuard<IndexRestore>;

/// What all reconciles share.
pub struct Context {
    pub client: Client,
    /// The namespaces that are watched; all where there is none.
    pub namespaces: Vec<String>,
    pub pinecone: pinecone::Client,
    pub api_keys: ApiKeyCache,
    pub index_lists: IndexListCache,
    pub rules: Rules,
    pub events: Events,
    pub metrics: Arc<Metrics>,
    pub shutdown: CancellationToken,
    pub leadership: Arc<Leadership>,
    /// Reconciles that may run at the same time, over all namespaces.
    pub slots: tokio::sync::Semaphore,
    pub memory: Memory,
}
