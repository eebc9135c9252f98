use std::time::Duration;

use jiff::Timestamp;

use crate::api::{IndexRestore, Submission, SubmissionOutcome};
use crate::caches::KeyProblem;
use crate::pinecone::{Backup, Failure, FailureKind, Index, Look, RestoreJob};

use super::situation::{Situation, Stage, own_submission};

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
    StillThere(Check),
}

/// Before a claim is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Preflight {
    pub index: Look<Index>,
    /// Read where the name is taken, or an attempt may still take effect.
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
    /// When the reads ended, by Pinecone's clock where it is known.
    pub ended: Timestamp,
}

/// A look at an index that was restored.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    pub index: Look<Index>,
    /// Whether the restore job is shown, in the list or by its ID. Read where the index does
    /// not name its backup.
    pub job: Option<Look<()>>,
    /// Whether the key shows the backup. Read where the job is not shown.
    pub backup: Option<Look<Backup>>,
}

impl Rivals {
    /// Adds another IndexRestore of the same index name. Of two unresolved claims, one whose
    /// request was not answered has precedence over one that was answered 409; else the one
    /// with the lesser UID.
    pub fn add(&mut self, situation: &Situation, other: &IndexRestore) {
        let Some(theirs) = own_submission(other) else {
            return;
        };
        let status = other.status.as_ref();
        let job = status.and_then(|status| status.restore_job_id.clone());
        match (theirs.outcome, job) {
            (SubmissionOutcome::Accepted, Some(job)) => self.jobs.push(job),
            (SubmissionOutcome::Open | SubmissionOutcome::Taken, _)
                if theirs.backup_id == situation.backup_id =>
            {
                let own = match &situation.stage {
                    Stage::Claimed(claim) => rank(claim),
                    _ => (true, situation.uid.as_str()),
                };
                if rank(theirs) < own {
                    self.has_precedence = true;
                } else if theirs.outcome == SubmissionOutcome::Open {
                    self.newest_open = self.newest_open.max(Some(theirs.start_time.0));
                }
            }
            _ => {}
        }
    }

    /// Whether a restore job of this backup and name may be the result of another claim: that one
    /// has precedence, or it is younger than `confirm`, so that its answer may still be on its way.
    pub fn may_own_job(&self, now: Timestamp, confirm: Duration) -> bool {
        let is_young = |start: Timestamp| {
            let age = Duration::try_from(now.duration_since(start));
            age.is_err() || age.is_ok_and(|age| age < confirm)
        };
        self.has_precedence || self.newest_open.is_some_and(is_young)
    }
}

fn rank(claim: &Submission) -> (bool, &str) {
    (claim.outcome == SubmissionOutcome::Taken, &claim.uid)
}

impl History {
    /// Where the index that has the name came from, as far as it or its job shows.
    pub fn is_of_backup(&self, situation: &Situation, index: &Index) -> Option<bool> {
        let shown = index.source.is(&situation.backup_id);
        shown.or(self.foreign.as_ref().map(|_| false))
    }

    /// Takes in a job as its ID shows it, if it is of this name.
    pub fn confirm(&mut self, situation: &Situation, job: RestoreJob) {
        if job.target_index_name != situation.index_name {
            return;
        }
        if job.backup_id != situation.backup_id {
            self.foreign = Some(job);
            return;
        }
        self.jobs
            .retain(|listed| listed.restore_job_id != job.restore_job_id);
        self.jobs.push(job.clone());
        self.confirmed = Some(job);
    }
}

impl From<Look<Index>> for Check {
    fn from(index: Look<Index>) -> Self {
        Self {
            index,
            job: None,
            backup: None,
        }
    }
}

/// The list of restore jobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    pub jobs: Vec<RestoreJob>,
    /// Whether the list came to its end: only then a missing job means something.
    pub is_complete: bool,
    /// The earlier job that might be adopted, as `GET /restore-jobs/{id}` shows
    /// it: Pinecone answers 404 there once the job's index was deleted, and while its
    /// store of jobs fails.
    pub confirmed: Option<RestoreJob>,
    /// The job that was listed, now or before, and is answered 404 by its ID.
    pub doubted: Option<RestoreJob>,
    /// The job of another backup that made the index, as its ID shows it.
    pub foreign: Option<RestoreJob>,
    /// What other IndexRestores have of this backup and name.
    pub rivals: Rivals,
}

/// What other IndexRestores of the same index name claim or record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rivals {
    /// Restore jobs that Pinecone accepted for others.
    pub jobs: Vec<String>,
    /// Whether another one's claim on the same backup has precedence and is not resolved.
    pub has_precedence: bool,
    /// When the newest open claim began that does not have precedence.
    pub newest_open: Option<Timestamp>,
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
