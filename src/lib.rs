//! Restores Pinecone indexes from backups, declaratively and exactly once.
//!
//! ```text
//!  watch ─▶ load ─▶ stage ─▶ ask ─▶ observe ─▶ decide ─▶ act ─▶ /status
//!          store    pure     pure   reads       pure      │
//!                                   Pinecone              └▶ claim ─▶ POST ─▶ record
//!                                                            (PUT)    once    (PUT)
//! ```
//!
//! [`controller`] makes these passes; [`restore`] is what each pass does;
//! [`api`] is the resource; [`pinecone`] the other side. Whether anything is sent
//! is decided by pure functions, and what is sent is entitled to by a claim that
//! won a compare-and-swap on the object: see [`restore`] and `docs/design/`. Of
//! several replicas one works: see [`leader`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod api;
pub mod clock;
pub mod controller;
pub mod events;
pub mod failpoint;
pub mod kubernetes;
pub mod leader;
pub mod metrics;
pub mod pinecone;
pub mod restore;
pub mod secret;
pub mod serve;
pub mod telemetry;

/// The source revision that was built, where the build was told it.
pub const REVISION: &str = match option_env!("INDEX_RESTORE_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
