//! Pinecone's control plane for backups, restore jobs and indexes, in memory.
//!
//! It answers the paths of Pinecone's API 2025-10, 2026-04 and 2026-07 with the status codes, bodies and error texts of the real service, keeps a
//! journal of what it was asked, and misbehaves on request. One `World` behind a mutex is the whole state; its
//! functions take the time as an argument and know nothing of HTTP.
//!
//! ```no_run
//! # async fn demo() -> std::io::Result<()> {
//! use pinecone_emulator::{BackupSeed, Config, Emulator, Fault, FaultKind, Route};
//!
//! let emulator = Emulator::start(Config::default()).await?;
//! let control = emulator.control();
//! let backup = control.add_backup("default", BackupSeed::new("nightly", "books")).ok();
//! control.inject(Fault::new(Route::CreateIndexFromBackup, FaultKind::LoseAnswer).times(1));
//! println!("{} has {backup:?}", emulator.url());
//! # Ok(())
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod admin;
mod backup;
mod call;
mod config;
mod control;
mod delivery;
mod fault;
mod gateway;
mod habits;
mod holdings;
mod index;
mod journal;
mod page;
mod plan;
mod reply;
mod restore;
mod route;
mod rules;
mod seed;
mod server;
mod snapshot;
mod tenant;
mod wire;
mod world;

pub use config::{Config, DEFAULT_API_KEY, DEFAULT_PROJECT, Project};
pub use control::{Control, ControlError};
pub use fault::{AnswerBody, Fault, FaultKind, RetryAfter, StatusAnswer};
pub use habits::{Habits, RowOrder};
pub use journal::{AcceptedCreate, Request};
pub use restore::JobOutcome;
pub use route::Route;
pub use seed::{BackupSeed, BackupStatus, IndexSeed, JobSeed, ProjectSeed, Seed};
pub use server::Emulator;
pub use snapshot::{BackupSnapshot, IndexSnapshot, JobSnapshot};
