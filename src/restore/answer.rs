use std::time::Duration;

use jiff::Timestamp;

use crate::pinecone::{Backup, Failure, FailureKind, Index, RestoreJob};
use crate::secret::KeyProblem;

/// One thing that was looked for: there, not there, or not known.
pub type Look<T> = Result<Option<T>, Failure>;

/// Whether a read found its thing; "not found" in Pinecone's own form is an answer.
pub fn found<T>(read: Result<T, Failure>) -> Look<T> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Nothing,
    /// Nothing could be read for want of an API key.
    NoKey(KeyProblem),
    MaySubmit(Preflight),
    FindOurs(Search),
    Follow {
        job: Look<RestoreJob>,
        /// Read where the job has ended or cannot be seen, and now and then.
        index: Option<Look<Index>>,
    },
    StillThere(Look<Index>),
}

/// Before a claim is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Preflight {
    pub index: Look<Index>,
    /// Read where the name is taken, or an attempt was abandoned.
    pub history: Option<Result<History, Failure>>,
    /// Read where the name is free. That it is not found is a failure here: its
    /// words are told.
    pub backup: Option<Result<Backup, Failure>>,
    /// Pinecone's clock.
    pub date: Option<Timestamp>,
}

/// While a submission is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    pub index: Look<Index>,
    pub history: Result<History, Failure>,
    /// Proves that the key is one of the right project.
    pub backup: Option<Result<Backup, Failure>>,
}

/// The list of restore jobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    pub jobs: Vec<RestoreJob>,
    /// Whether the list came to its end: only then a missing job means something.
    pub is_complete: bool,
    /// The earlier job that might be adopted, as `GET /restore-jobs/{id}` shows
    /// it: Pinecone answers 404 there once the job's index was deleted.
    pub confirmed: Option<RestoreJob>,
}

impl Answer {
    /// The reads that failed; "not found" is an answer.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        let failures = match self {
            Self::Nothing | Self::NoKey(_) => [None; 3],
            Self::MaySubmit(seen) => [
                seen.index.as_ref().err(),
                seen.history
                    .as_ref()
                    .and_then(|history| history.as_ref().err()),
                seen.backup
                    .as_ref()
                    .and_then(|backup| backup.as_ref().err()),
            ],
            Self::FindOurs(seen) => [
                seen.index.as_ref().err(),
                seen.history.as_ref().err(),
                seen.backup
                    .as_ref()
                    .and_then(|backup| backup.as_ref().err()),
            ],
            Self::Follow { job, index } => [
                job.as_ref().err(),
                index.as_ref().and_then(|index| index.as_ref().err()),
                None,
            ],
            Self::StillThere(index) => [index.as_ref().err(), None, None],
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
