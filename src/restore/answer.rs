//! What Pinecone was asked, and what it answered: the input of every decision.

use std::time::Duration;

use jiff::Timestamp;

use super::jobs::RestoreJobs;
use crate::caches::KeyProblem;
use crate::pinecone::{Backup, Failure, FailureKind, Index, Lookup, RestoreJob};

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Nothing was asked.
    Nothing,
    /// Nothing could be read for want of an API key.
    NoKey(KeyProblem),
    /// Answers [`Question::MaySubmit`](super::Question::MaySubmit).
    MaySubmit(Preflight),
    /// Answers [`Question::FindOurs`](super::Question::FindOurs).
    FindOurs(Search),
    /// Answers [`Question::Follow`](super::Question::Follow).
    Follow {
        /// The recorded restore job, by its ID; where none is recorded, the one that the list shows
        /// for this backup and name.
        job: Lookup<RestoreJob>,
        /// Read where the job has ended or cannot be seen, and now and then.
        index: Option<Lookup<Index>>,
    },
    /// Answers [`Question::StillThere`](super::Question::StillThere).
    StillThere(Check),
}

/// Before a claim is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Preflight {
    /// The index that has the wanted name; `None` where the name is free.
    pub index: Lookup<Index>,
    /// Read where the name is taken, or an attempt may still take effect.
    pub jobs: Option<Result<RestoreJobs, Failure>>,
    /// Read where the name is free. "Not found" is a failure here, so that the status can quote its
    /// words.
    pub backup: Option<Result<Backup, Failure>>,
    /// Pinecone's clock.
    pub date: Option<Timestamp>,
}

/// While a submission is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The index that has the name of the submission.
    pub index: Lookup<Index>,
    /// The restore jobs of that name. Read before the index, in one observation.
    pub jobs: Result<RestoreJobs, Failure>,
    /// Proves that the key is one of the right project.
    pub backup: Option<Result<Backup, Failure>>,
    /// When the reads ended, by Pinecone's clock where it is known.
    pub ended: Timestamp,
}

/// An observation of an index that was restored.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The index that has the recorded name, from the shared list or by its name.
    pub index: Lookup<Index>,
    /// Whether the restore job is shown, in the list or by its ID. Read where the index does
    /// not name its backup.
    pub job: Option<Lookup<()>>,
    /// Whether the key shows the backup. Read where the job is not shown.
    pub backup: Option<Lookup<Backup>>,
}

impl From<Lookup<Index>> for Check {
    fn from(index: Lookup<Index>) -> Self {
        Self {
            index,
            job: None,
            backup: None,
        }
    }
}

impl Answer {
    /// The reads that failed; "not found" is an answer.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        let failures = match self {
            Self::Nothing | Self::NoKey(_) => [None; 3],
            Self::MaySubmit(seen) => [
                seen.index.as_ref().err(),
                seen.jobs.as_ref().and_then(|jobs| jobs.as_ref().err()),
                seen.backup
                    .as_ref()
                    .and_then(|backup| backup.as_ref().err()),
            ],
            Self::FindOurs(seen) => [
                seen.index.as_ref().err(),
                seen.jobs.as_ref().err(),
                seen.backup
                    .as_ref()
                    .and_then(|backup| backup.as_ref().err()),
            ],
            Self::Follow { job, index } => [
                job.as_ref().err(),
                index.as_ref().and_then(|index| index.as_ref().err()),
                None,
            ],
            Self::StillThere(seen) => [
                seen.index.as_ref().err(),
                seen.job.as_ref().and_then(|job| job.as_ref().err()),
                seen.backup
                    .as_ref()
                    .and_then(|backup| backup.as_ref().err()),
            ],
        };
        failures
            .into_iter()
            .flatten()
            .filter(|failure| failure.kind != FailureKind::NotFound)
    }

    /// Whether Pinecone refused the API key in any of the reads.
    pub fn is_unauthorized(&self) -> bool {
        self.failures()
            .any(|failure| failure.kind == FailureKind::Unauthorized)
    }

    /// The longest pause that Pinecone asked for.
    pub fn asked_pause(&self) -> Option<Duration> {
        let asked = self.failures().filter_map(|failure| failure.retry_after);
        asked.max()
    }

    /// Whether anything that was wanted could not be read.
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Self::NoKey(_)) || self.failures().next().is_some()
    }
}
