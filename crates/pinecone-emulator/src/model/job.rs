//! A restore job.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The final status of a restore job, as Pinecone writes it; until then it is `Pending`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobOutcome {
    /// The index has the data of the backup.
    Completed,
    /// The restore failed.
    Failed,
    /// Somebody cancelled the restore.
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
    /// The `created_at` that the API shows.
    pub created_at: Option<Timestamp>,
    /// When it was added to the list.
    pub listed_since: Timestamp,
    /// When and how it ends; `None`: [`Control::finish_job`](crate::Control::finish_job) ends it.
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
