//! An index.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::id::new_id;
use crate::model::limits::Tags;
use crate::model::schema::Field;
use crate::model::time::later;

/// The part of a host that names the environment.
pub(crate) const ENVIRONMENT: &str = "aped-4627-b74a";

/// An index. Its state is computed from its times.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    pub id: String,
    pub name: String,
    /// Set when the index is added to a project.
    pub host: String,
    pub shape: Shape,
    pub tags: Tags,
    pub protected: bool,
    pub created_at: Timestamp,
    pub source_backup_id: Option<String>,
    /// When it becomes ready; `None`: not known yet.
    pub ready_at: Option<Timestamp>,
    /// The time between the completion of its job and its readiness.
    pub ready_lag: Duration,
    /// When it becomes `InitializationFailed`.
    pub fails_at: Option<Timestamp>,
    /// A state and readiness that a test set.
    pub state_override: Option<(String, bool)>,
    /// When a deleted index disappears; until then it is `Terminating`.
    pub terminated_at: Option<Timestamp>,
}

/// The vectors of an index, and where they are stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    pub dimension: Option<u32>,
    pub metric: String,
    pub cloud: String,
    pub region: String,
    /// The fields of a schema with custom names (API 2026-07 and later); `None`: a classic vector index.
    pub fields: Option<BTreeMap<String, Field>>,
}

impl Index {
    pub(crate) fn new(name: &str, shape: Shape, now: Timestamp) -> Self {
        Self {
            id: new_id(),
            name: name.to_owned(),
            host: String::new(),
            shape,
            tags: Tags::new(),
            protected: false,
            created_at: now,
            source_backup_id: None,
            ready_at: None,
            ready_lag: Duration::ZERO,
            fails_at: None,
            state_override: None,
            terminated_at: None,
        }
    }

    /// Returns Pinecone's name of its state, and whether it is ready.
    pub(crate) fn state(&self, now: Timestamp) -> (&str, bool) {
        if self.terminated_at.is_some() {
            return ("Terminating", false);
        }
        if let Some((state, ready)) = &self.state_override {
            return (state, *ready);
        }
        if self.fails_at.is_some_and(|at| at <= now) {
            return ("InitializationFailed", false);
        }
        if self.ready_at.is_some_and(|at| at <= now) {
            return ("Ready", true);
        }
        ("Initializing", false)
    }

    pub(crate) fn terminate(&mut self, now: Timestamp, termination: Duration) {
        self.terminated_at.get_or_insert(later(now, termination));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeletionProtection {
    Enabled,
    Disabled,
}

impl DeletionProtection {
    pub(crate) fn of(protected: bool) -> Self {
        if protected {
            Self::Enabled
        } else {
            Self::Disabled
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}
