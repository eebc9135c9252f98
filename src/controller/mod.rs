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
use crate::restore::metrics::Metrics;
use crate::runtime::events::Events;
use crate::runtime::leader::Leadership;

pub use maintenance::run_maintenance;
pub use memory::Memory;
pub use reconcile::ReconcileError;
pub use watch::Watches;

/// An object that may not be readable: one of them must not stop the watch.
pub type Guarded = DeserializeGuard<IndexRestore>;

/// What all reconciles share.
pub struct Context {
    /// Client of the API server, for IndexRestores.
    pub client: Client,
    /// The namespaces that are watched; all where there is none.
    pub namespaces: Vec<String>,
    /// Client of Pinecone's control plane, for all API keys.
    pub pinecone: pinecone::Client,
    /// API keys, shared by the IndexRestores that use the same Secret.
    pub api_keys: ApiKeyCache,
    /// Lists of indexes and restore jobs, one for each API key and period.
    pub index_lists: IndexListCache,
    /// Intervals and patience, from the flags.
    pub rules: Rules,
    /// Publisher of the events on IndexRestores.
    pub events: Events,
    /// Metrics of the restores and of their reconciles.
    pub metrics: Metrics,
    /// Cancelled by SIGTERM or SIGINT: nothing new is claimed, and running reconciles end.
    pub shutdown: CancellationToken,
    /// Whether this process leads. Only a leader reconciles.
    pub leadership: Arc<Leadership>,
    /// Reconciles that may run at the same time, over all namespaces.
    pub slots: tokio::sync::Semaphore,
    /// What is remembered of each object between reconciles, for one term.
    pub memory: Memory,
}
