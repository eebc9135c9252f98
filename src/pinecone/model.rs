//! What the operator knows of Pinecone, whatever the version of its API.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The options of a create from a backup.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateIndex {
    /// Name of the index to create, unique in the Pinecone project.
    pub name: String,
    /// Replaces the backup's tags; without it the index inherits them.
    pub tags: Option<BTreeMap<String, String>>,
    /// Whether Pinecone refuses to delete the index (`deletion_protection`).
    pub is_protected: bool,
}

/// The IDs that Pinecone answers to an accepted create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// ID of the restore job; [`classify`](super::classify) accepts no empty one.
    pub restore_job_id: String,
    /// ID of the index that the job creates; not empty either.
    pub index_id: String,
    /// From the answer's header.
    pub request_id: Option<String>,
}

/// A backup.
#[derive(Clone, Debug, PartialEq)]
pub struct Backup {
    /// ID as Pinecone answers it.
    pub backup_id: String,
    /// The state, parsed from `word`.
    pub state: BackupState,
    /// Pinecone's own word for the state, for messages.
    pub word: String,
}

/// Whether a backup can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupState {
    /// Complete: a restore from it can be submitted.
    Ready,
    /// Being made, or in a state that this operator does not know: it waits.
    NotReady,
    /// Can never be restored.
    Failed,
}

impl BackupState {
    /// Pinecone's spelling is not a promise, so case does not count.
    pub fn parse(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "ready" => Self::Ready,
            "initializationfailed" | "failed" => Self::Failed,
            _ => Self::NotReady,
        }
    }
}

/// A restore job.
#[derive(Clone, Debug, PartialEq)]
pub struct RestoreJob {
    /// ID of the job.
    pub restore_job_id: String,
    /// ID of the backup that the job restores from.
    pub backup_id: String,
    /// Name of the index that the job creates; a later job may have the same.
    pub target_index_name: String,
    /// ID of the index that the job creates.
    pub target_index_id: String,
    /// The state, parsed from `word`.
    pub state: JobState,
    /// Pinecone's own word for the state, for messages and the status.
    pub word: String,
    /// Absent where Pinecone has not assigned it yet.
    pub created_at: Option<Timestamp>,
    /// When the job ended, by Pinecone's clock; absent where Pinecone does not give it.
    pub completed_at: Option<Timestamp>,
    /// 100 once the job is completed, absent before.
    pub percent_complete: Option<f64>,
}

/// The state of a restore job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Not ended; also a state that this operator does not know.
    Pending,
    /// Ended: the data is in the index, which may not be ready yet.
    Completed,
    /// Ended without a restored index. Pinecone gives no cause.
    Failed,
    /// Cancelled in Pinecone: ended without a restored index.
    Cancelled,
}

impl JobState {
    /// Pinecone's spelling is not a promise, so case does not count.
    pub fn parse(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "cancelled" | "canceled" => Self::Cancelled,
            _ => Self::Pending,
        }
    }

    /// Whether the job ended without a restored index.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

/// The restore jobs for one index name, as far as Pinecone listed them: jobs may be
/// missing, even from a list that came to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The jobs, each once, in the order of Pinecone's list.
    pub jobs: Vec<RestoreJob>,
    /// Whether the list was read to its end: within 500 pages, and without a repeated page token.
    pub is_complete: bool,
}

/// An index.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// Name, unique in the Pinecone project.
    pub name: String,
    /// Host that serves the index; absent until Pinecone assigned it. It is derived from the index
    /// name and the project, so that a recreated index of the same name has the same host.
    pub host: Option<String>,
    /// What `word` and Pinecone's `ready` mean for a restore.
    pub health: IndexHealth,
    /// Pinecone's own word for the state, for messages.
    pub word: String,
    /// The backup that the index was restored from, as far as Pinecone shows it.
    pub source: SourceBackup,
    /// Tags of the index, by key; empty where Pinecone shows none. No map: one tag in a map takes half
    /// a kilobyte, and the lists of indexes are kept.
    pub tags: Vec<(String, String)>,
    /// Whether Pinecone refuses to delete it.
    pub is_protected: bool,
}

impl Index {
    /// Whether Pinecone is deleting the index: its name becomes free soon.
    pub fn is_terminating(&self) -> bool {
        self.health == IndexHealth::Terminating
    }
}

/// What an index's state means for a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexHealth {
    /// Serves requests, by Pinecone's `ready`.
    Ready,
    /// Not ready yet, or in a state that this operator does not know.
    NotReady,
    /// Being deleted.
    Terminating,
    /// Failed or disabled.
    Failing,
}

impl IndexHealth {
    /// Pinecone's spelling is not a promise, so case does not count.
    pub fn parse(word: &str, is_ready: bool) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "terminating" => Self::Terminating,
            "initializationfailed" | "failed" | "disabled" => Self::Failing,
            _ if is_ready => Self::Ready,
            _ => Self::NotReady,
        }
    }
}

/// The backup that Pinecone names as an index's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceBackup {
    /// This version of the API does not show it.
    NotShown,
    /// Pinecone names none: the index was not restored from a backup.
    None,
    /// ID of the backup that the index was restored from.
    Id(String),
}

impl SourceBackup {
    /// Whether the index came from that backup; `None` where Pinecone does not say.
    pub fn is(&self, backup_id: &str) -> Option<bool> {
        match self {
            Self::NotShown => None,
            Self::None => Some(false),
            Self::Id(id) => Some(id == backup_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_words_are_parsed_whatever_their_case() {
        for (word, state) in [
            ("Ready", BackupState::Ready),
            ("ready", BackupState::Ready),
            ("Initializing", BackupState::NotReady),
            ("Scheduled", BackupState::NotReady),
            ("InitializationFailed", BackupState::Failed),
            ("Failed", BackupState::Failed),
        ] {
            assert_eq!(BackupState::parse(word), state, "{word}");
        }
        for (word, state) in [
            ("Pending", JobState::Pending),
            ("COMPLETED", JobState::Completed),
            ("Failed", JobState::Failed),
            ("Canceled", JobState::Cancelled),
            ("Cancelled", JobState::Cancelled),
        ] {
            assert_eq!(JobState::parse(word), state, "{word}");
        }
        for (word, is_ready, health) in [
            ("Ready", true, IndexHealth::Ready),
            ("ScalingUp", true, IndexHealth::Ready),
            ("Initializing", false, IndexHealth::NotReady),
            ("terminating", true, IndexHealth::Terminating),
            ("Disabled", true, IndexHealth::Failing),
            ("InitializationFailed", false, IndexHealth::Failing),
            ("Failed", false, IndexHealth::Failing),
        ] {
            assert_eq!(IndexHealth::parse(word, is_ready), health, "{word}");
        }
    }

    #[test]
    fn a_state_that_is_new_never_counts_as_ready_or_ended() {
        assert_eq!(BackupState::parse("Archived"), BackupState::NotReady);
        assert_eq!(JobState::parse("Verifying"), JobState::Pending);
        assert_eq!(IndexHealth::parse("Moving", false), IndexHealth::NotReady);
    }

    #[test]
    fn an_origin_is_known_only_where_pinecone_shows_it() {
        assert_eq!(SourceBackup::NotShown.is("b"), None);
        assert_eq!(SourceBackup::None.is("b"), Some(false));
        assert_eq!(SourceBackup::Id("b".into()).is("b"), Some(true));
        assert_eq!(SourceBackup::Id("c".into()).is("b"), Some(false));
    }
}
