//! Restores Pinecone indexes from backups, declaratively and exactly once.
//!
//! ```text
//!  watch ─▶ load ─▶ situation ─▶ observe ─▶ learn ─▶ decide ─▶ act ─▶ /status
//!          store    pure         reads      pure     pure      │
//!                                Pinecone                      └▶ claim ─▶ POST ─▶ record
//!                                                                 (PUT)    once    (PUT)
//! ```
//!
//! The modules, each of which uses only those below it:
//!
//! - [`controller`] watches the objects, and reconciles each when it is due.
//! - [`restore`] is the protocol: pure functions decide whether anything is sent, and a
//!   request is sent only under a claim that won a compare-and-swap on the object. See
//!   `docs/design/`.
//! - [`caches`] has what many restores share: API keys, and one list of indexes per key.
//! - [`pinecone`] is the client of Pinecone's control plane.
//! - [`runtime`] has what any operator needs: leader election, events, metrics, clocks.
//! - [`api`] is the `IndexRestore` resource and its conditions.
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod api;
pub mod caches;
pub mod controller;
pub mod pinecone;
pub mod restore;
pub mod runtime;
mod sites;

/// Git revision of the build, from `INDEX_RESTORE_REVISION` at compile time; else `unknown`.
pub const REVISION: &str = match option_env!("INDEX_RESTORE_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
