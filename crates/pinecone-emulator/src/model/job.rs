//! A restore job.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a restore job ends, as Pinecone writes it; until then it is `Pending`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobOutcome {
    /// The data is in the index.
    Completed,
    /// It never will be.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl JobOutcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

/// A restore job.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub id: String,
    pub backup_id: String,
    pub index_name: String,
    pub index_id: String,
    /// What is answered as `created_at`.
    pub created_at: Option<Timestamp>,
    /// When it came into the list.
    pub listed_since: Timestamp,
    /// When and how it ends; `None`: when it is told to.
    pub end: Option<(Timestamp, JobOutcome)>,
}

impl Job {
    pub(crate) fn ended(&self, now: Timestamp) -> Option<(Timestamp, JobOutcome)> {
        self.end.filter(|(at, _)| *at <= now)
    }

    pub(crate) fn is_pending(&self, now: Timestamp) -> bool {
        self.ended(now).is_none()
    }
}
