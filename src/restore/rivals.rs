//! Other IndexRestores of the same index name, and whose a restore job may be.

use std::time::Duration;

use jiff::Timestamp;

use super::situation::{Situation, Stage};
use super::submission::own_submission;
use crate::api::{IndexRestore, Submission, SubmissionOutcome};

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
