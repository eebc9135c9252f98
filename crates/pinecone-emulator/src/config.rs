//! The configuration of an emulator.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::habits::Habits;

/// The project of [`Config::default`].
pub const DEFAULT_PROJECT: &str = "default";
/// The API key of [`Config::default`]. It is not a secret.
pub const DEFAULT_API_KEY: &str = "emulator-key";

/// The configuration of an emulator.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on; port 0 selects a free port.
    pub listen: SocketAddr,
    /// The initial projects.
    pub projects: Vec<Project>,
    /// How long a restore stays `Pending`; `None`: until [`Control::finish_job`](crate::Control::finish_job).
    pub restore: Option<Duration>,
    /// How long a new backup stays `Initializing`.
    pub backup: Duration,
    /// How long a new, empty index stays `Initializing`.
    pub index_creation: Duration,
    /// How long a deleted index stays `Terminating`, and keeps its name.
    pub termination: Duration,
    /// The behaviour of the service; default: as Pinecone documents it.
    pub habits: Habits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            projects: vec![Project::new(DEFAULT_PROJECT, DEFAULT_API_KEY)],
            restore: Some(Duration::from_millis(500)),
            backup: Duration::from_millis(200),
            index_creation: Duration::from_millis(200),
            termination: Duration::from_millis(200),
            habits: Habits::default(),
        }
    }
}

/// A Pinecone project. An API key sees only the resources of its own project.
#[derive(Clone)]
pub struct Project {
    /// The name, unique in the emulator. Pinecone's API does not show it.
    pub name: String,
    /// The valid API keys. A key belongs to one project.
    pub api_keys: Vec<String>,
    /// The maximum number of indexes; creating another returns a 403.
    pub index_quota: usize,
    /// The maximum number of backups; creating another returns a 403.
    pub backup_quota: usize,
    /// Whether the organization's plan has no backups: operations on backups and restore jobs return a 403.
    pub plan_without_backups: bool,
}

impl Project {
    /// A project with one key and the quotas Pinecone documents for its Standard plan: 200 indexes, 500 backups.
    pub fn new(name: impl Into<String>, api_key: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            api_keys: vec![api_key.into()],
            index_quota: DEFAULT_INDEX_QUOTA,
            backup_quota: DEFAULT_BACKUP_QUOTA,
            plan_without_backups: false,
        }
    }
}

pub(crate) const DEFAULT_INDEX_QUOTA: usize = 200;
pub(crate) const DEFAULT_BACKUP_QUOTA: usize = 500;

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Project")
            .field("name", &self.name)
            .field(
                "api_keys",
                &format_args!("[{} redacted]", self.api_keys.len()),
            )
            .field("index_quota", &self.index_quota)
            .field("backup_quota", &self.backup_quota)
            .field("plan_without_backups", &self.plan_without_backups)
            .finish()
    }
}

/// How long operations take, as in [`Config`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Durations {
    pub restore: Option<Duration>,
    pub backup: Duration,
    pub index_creation: Duration,
    pub termination: Duration,
}
