//! Pinecone's control plane for backups, restore jobs and indexes, in memory.
//!
//! It answers the paths of Pinecone's API 2025-10, 2026-04 and 2026-07 with the status codes, bodies and error texts of the real service, keeps a
//! journal of what it was asked, and misbehaves on request. One `Service` behind a mutex is the whole state; its
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

mod api;
mod config;
mod control;
mod faults;
mod habits;
mod journal;
mod model;
mod operations;
mod project;
mod seed;
mod server;
mod service;
mod wire;

pub use api::route::Route;
pub use config::{Config, DEFAULT_API_KEY, DEFAULT_PROJECT, Project};
pub use control::handle::{Control, ControlError};
pub use control::snapshot::{BackupSnapshot, IndexSnapshot, JobSnapshot};
pub use faults::fault::{Fault, FaultKind};
pub use faults::status::{AnswerBody, RetryAfter, StatusAnswer};
pub use habits::{Habits, RowOrder};
pub use journal::{AcceptedCreate, Request};
pub use model::backup::BackupStatus;
pub use model::job::JobOutcome;
pub use seed::{BackupSeed, IndexSeed, JobSeed, ProjectSeed, Seed};
pub use server::emulator::Emulator;
