//! An in-memory emulator of Pinecone's control plane for backups, restore jobs and indexes.
//!
//! It answers requests to Pinecone's API 2025-10, 2026-04 and 2026-07 with the status codes, bodies and error texts of the real service,
//! records all requests in a journal, and injects faults on request.
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
//!
//! # Layout
//!
//! A file imports only files in layers below its own, or in its own layer without a cycle; a test checks that there is none.
//!
//! | layer | |
//! |---|---|
//! | `server` | HTTP: connections, the admin paths, whole and broken responses |
//! | `control` | the handle that observes and changes an emulator |
//! | `service` | the whole state, behind one mutex, and how a request changes it; the time is an argument |
//! | `operations` | one handler for each operation of Pinecone's API |
//! | `wire` | the JSON of requests and answers in each API version |
//! | `project`, `journal` | the state of a project; the record of requests |
//! | `config`, `habits`, `seed` | what an emulator is started with |
//! | `faults` | what can be injected, and what it does to a request |
//! | `model` | backups, indexes, restore jobs, and Pinecone's limits |
//! | `api` | requests, routes, replies and errors |
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
pub use model::request_limit::RequestLimit;
pub use seed::{BackupSeed, IndexSeed, JobSeed, ProjectSeed, Seed};
pub use server::emulator::Emulator;
