//! What a stage has to read before it can be decided, and what was read: the input of every
//! decision. Pure.

use jiff::Timestamp;

use super::evidence::Evidence;
use super::jobs::RestoreJobs;
use super::situation::{Situation, Stage, Submitted};
use crate::api::{Reason, Submission};
use crate::caches::KeyProblem;
use crate::pinecone::{Backup, Failure, FailureKind, Index, Lookup, RestoreJob};

/// While a job is pending, every fourth poll reads its index as well: an index can fail before
/// its job says so.
const INDEX_EVERY: u32 = 4;

/// Reasons of a restored index that is unhealthy, or may be gone.
const UNHEALTHY: [Reason; 4] = [
    Reason::IndexDeleted,
    Reason::RestoreJobNotFound,
    Reason::IndexFailed,
    Reason::IndexNotReady,
];

/// What has to be read, with what its stage knows already.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Question<'a> {
    /// Is the name free and the backup ready? If the name is taken: by whom?
    MaySubmit {
        /// Asks for the restore jobs even where the name is free. Set after an attempt of unknown
        /// outcome, which may still take effect.
        jobs: bool,
    },
    /// What is the outcome of the open submission?
    FindOurs(&'a Submission),
    /// How far is the job?
    Follow {
        /// The restore that is followed.
        submitted: &'a Submitted,
        /// Asks for the index while the job is pending. Set for every fourth poll; an ended or
        /// missing job has its index read anyway.
        index: bool,
    },
    /// Is the restored index still there?
    StillThere {
        /// The restore that is complete.
        submitted: &'a Submitted,
        /// Lets one list answer for all indexes of a key. Not set while the status reports the
        /// index as unhealthy: the list may be older.
        by_list: bool,
    },
}

/// A stage with the answer to its question.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation<'a> {
    /// Nothing had to be read: only a change of the object can change the decision.
    NotNeeded,
    /// Nothing could be read for want of an API key.
    NoKey(Question<'a>, KeyProblem),
    /// Answers [`Question::MaySubmit`].
    MaySubmit(Preflight),
    /// Answers [`Question::FindOurs`].
    FindOurs(&'a Submission, Search),
    /// Answers [`Question::Follow`].
    Follow(&'a Submitted, Poll),
    /// Answers [`Question::StillThere`].
    StillThere(&'a Submitted, Check),
}

/// What is read before a claim is made.
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

/// What is read while a submission is open.
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

/// What is read while the restore job runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Poll {
    /// The recorded restore job, by its ID; where none is recorded, the one that the list shows
    /// for this backup and name.
    pub job: Lookup<RestoreJob>,
    /// Read where the job has ended or cannot be seen, and by every fourth poll.
    pub index: Option<Lookup<Index>>,
}

/// What is read of an index that was restored.
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

/// Returns the question that this situation raises; `None` where only a change of the object can
/// change the decision.
pub fn ask<'a>(situation: &'a Situation, evidence: &Evidence) -> Option<Question<'a>> {
    match &situation.stage {
        Stage::Unclaimed { .. } if situation.deleting => None,
        Stage::Unclaimed { .. } => Some(Question::MaySubmit {
            jobs: situation.is_frozen,
        }),
        Stage::Rejected | Stage::Failed => None,
        Stage::Claimed(claim) => Some(Question::FindOurs(claim)),
        Stage::Submitted(submitted) => Some(Question::Follow {
            submitted,
            index: evidence.polls() % INDEX_EVERY == INDEX_EVERY - 1,
        }),
        // The list may be older than the observation that found the index unhealthy: another process
        // may have made it, or this one in an earlier term.
        Stage::Finished(submitted) => Some(Question::StillThere {
            submitted,
            by_list: !situation.shows(&UNHEALTHY),
        }),
    }
}

impl Observation<'_> {
    /// The reads that failed; "not found" is an answer.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        let failures = match self {
            Self::NotNeeded | Self::NoKey(..) => [None; 3],
            Self::MaySubmit(seen) => [err(&seen.index), failed(&seen.jobs), failed(&seen.backup)],
            Self::FindOurs(_, seen) => [err(&seen.index), err(&seen.jobs), failed(&seen.backup)],
            Self::Follow(_, seen) => [err(&seen.job), failed(&seen.index), None],
            Self::StillThere(_, seen) => {
                [err(&seen.index), failed(&seen.job), failed(&seen.backup)]
            }
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

    /// Whether anything that was wanted could not be read.
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Self::NoKey(..)) || self.failures().next().is_some()
    }
}

fn err<T>(read: &Result<T, Failure>) -> Option<&Failure> {
    read.as_ref().err()
}

fn failed<T>(read: &Option<Result<T, Failure>>) -> Option<&Failure> {
    read.as_ref().and_then(err)
}
