//! Watches IndexRestores and reconciles each.

mod admit;
mod guarded;
mod long_waits;
mod maintenance;
mod memory;
mod places;
mod reconcile;
mod rivals;
mod running;
mod schedule;
mod watch;

use std::sync::Arc;

use kube::Client;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::caches::{ApiKeyCache, IndexListCache};
use crate::pinecone;
use crate::restore::Rules;
use crate::restore::metrics::Metrics;
use crate::runtime::events::Events;
use crate::runtime::leader::Leadership;
use crate::runtime::readiness::Readiness;

pub use guarded::Guarded;
pub use maintenance::run_maintenance;
pub use memory::Memory;
pub use watch::{Scope, Watches, apis};

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
    pub events: Arc<Events>,
    /// Metrics of the restores and of their reconciles.
    pub metrics: Metrics,
    /// Cancelled by SIGTERM or SIGINT: nothing new is claimed, and running reconciles end.
    pub shutdown: CancellationToken,
    /// Whether this process leads. Only a leader reconciles.
    pub leadership: Arc<Leadership>,
    /// Most reconciles of the IndexRestores of one API key at the same time.
    pub concurrency: u16,
    /// Which of the namespaces are synced.
    pub readiness: Arc<Readiness>,
    /// Outcomes that are still to be recorded, whoever leads.
    pub records: TaskTracker,
    /// What is remembered of each object between reconciles, for one term.
    pub memory: Memory,
}
