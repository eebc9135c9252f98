//! What a reconcile writes into the status. Pure.

use jiff::Timestamp;
use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::situation::{Situation, requested_at};
use super::submission::{first_attempt, own_status};
use crate::api::conditions::whole_seconds;
use crate::api::{
    IndexRestore, IndexRestoreStatus, Reason, RestoreStatus, StatusMessage, Submission,
    SubmissionOutcome,
};
use crate::pinecone::RestoreJob;

/// What is to be written into the status.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Reason and message of the conditions, and of the event if the reason changes.
    pub message: StatusMessage,
    /// What changes in the rest of the status.
    pub change: Change,
}

/// What changes in the status besides the conditions.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Only the conditions, the observed generation and the last handled request change.
    Nothing,
    /// The open submission was answered with "the name is taken".
    Taken,
    /// The open submission is closed: no restore of it is known.
    Close {
        /// How the submission ended: `Refused`, `Unsent` or `Abandoned`.
        outcome: SubmissionOutcome,
        /// Why it was refused: Pinecone's reason, or `IndexAlreadyExists` where the name is taken.
        /// `None` for the other outcomes.
        reason: Option<Reason>,
    },
    /// The restore job is known.
    Record(Box<Record>),
    /// The restore job, as Pinecone reports it now.
    Job(RestoreStatus),
    /// The restore is complete and the index ready.
    Finish {
        /// Absent where no restore job is known.
        restore: Option<RestoreStatus>,
        /// Host that serves the index; empty where Pinecone shows none.
        host: String,
        /// When the index was found ready, by the operator's clock.
        at: Timestamp,
    },
    /// Until when the open submission was observed, and whether an index was seen.
    Observed {
        /// End of the observation without a gap, by Pinecone's clock where it is known.
        until: Timestamp,
        /// Sets `indexSeen`, which is never reset for the same claim.
        index_seen: bool,
    },
    /// A check of the restored index was answered.
    Confirmed(Timestamp),
    /// Checks of the restored index fail.
    Unconfirmed {
        /// When Pinecone last confirmed the index; `None` where it never did.
        last: Option<Timestamp>,
        /// When the first of the failed checks began.
        since: Timestamp,
    },
}

/// The restore job that answers a submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// ID of the restore job; absent where only the index itself names its backup.
    pub job_id: Option<String>,
    /// ID of the index; absent where no job is shown.
    pub index_id: Option<String>,
    /// Backup that the job restores from.
    pub backup_id: String,
    /// Name of the index.
    pub index_name: String,
    /// Whether it was there before this restore asked for it.
    pub adopted: bool,
    /// State of the job; absent where no job is shown.
    pub restore: Option<RestoreStatus>,
}

impl Report {
    /// Returns a report with this message and change.
    pub fn new(message: StatusMessage, change: Change) -> Self {
        Self { message, change }
    }

    /// Returns the status of `object` with this report applied.
    pub fn status(&self, object: &IndexRestore, now: Timestamp) -> IndexRestoreStatus {
        let mut status = own_status(object);
        match &self.change {
            Change::Nothing => {}
            Change::Taken => close(&mut status, SubmissionOutcome::Taken, None),
            Change::Close { outcome, reason } => close(&mut status, *outcome, *reason),
            Change::Record(record) => status = record.status(object, status, now),
            Change::Job(restore) => status.restore = Some(restore.clone()),
            Change::Finish { restore, host, at } => {
                status.restore = restore.clone();
                status.index_host = Some(host.clone());
                status.last_confirmed_time = time(*at);
            }
            Change::Observed { until, index_seen } => {
                if let Some(submission) = &mut status.submission {
                    submission.last_observed_time = time(*until);
                    submission.index_seen |= index_seen;
                }
            }
            Change::Confirmed(at) => {
                status.last_confirmed_time = time(*at);
                status.unconfirmed_since = None;
            }
            Change::Unconfirmed { last, since } => {
                status.last_confirmed_time = last.and_then(time);
                status.unconfirmed_since = time(*since);
            }
        }
        // While a claim is open, a request waits until it can be acted on.
        if !status.submission.as_ref().is_some_and(Submission::is_open) {
            status.last_handled_request = requested_at(object)
                .cloned()
                .or(status.last_handled_request);
        }
        status.observed_generation = object.metadata.generation;
        status.conditions = self.message.conditions(
            has_succeeded(&status),
            object.metadata.generation.unwrap_or_default(),
            &status.conditions,
            now,
        );
        status
    }
}

impl Record {
    /// The record of a job that Pinecone shows.
    pub fn of(job: &RestoreJob, adopted: bool) -> Self {
        Self {
            job_id: Some(job.restore_job_id.clone()),
            index_id: Some(job.target_index_id.clone()),
            backup_id: job.backup_id.clone(),
            index_name: job.target_index_name.clone(),
            adopted,
            restore: Some(restore_status(job)),
        }
    }

    /// The record of an index that names its backup, where no job is shown.
    pub fn of_index(situation: &Situation, adopted: bool) -> Self {
        Self {
            job_id: None,
            index_id: None,
            backup_id: situation.backup_id.clone(),
            index_name: situation.index_name.clone(),
            adopted,
            restore: None,
        }
    }

    fn status(
        &self,
        object: &IndexRestore,
        before: IndexRestoreStatus,
        now: Timestamp,
    ) -> IndexRestoreStatus {
        let outcome = match self.adopted {
            true => SubmissionOutcome::Adopted,
            false => SubmissionOutcome::Accepted,
        };
        // The status lacks the claim, or never had one: the job was found.
        let nonce = self.job_id.as_deref().unwrap_or_default();
        let claim = before.submission.clone();
        let claim = claim.unwrap_or_else(|| first_attempt(object, nonce, outcome, now));
        IndexRestoreStatus {
            submission: Some(Submission {
                outcome,
                reason: None,
                backup_id: self.backup_id.clone(),
                index_name: self.index_name.clone(),
                ..claim
            }),
            restore_job_id: self.job_id.clone(),
            index_id: self.index_id.clone(),
            index_host: None,
            restore: self.restore.clone(),
            ..before
        }
    }
}

fn time(at: Timestamp) -> Option<Time> {
    Some(Time(whole_seconds(at)))
}

/// Longest state of a job that is stored, in characters: Pinecone's open string must not make a
/// status too large to write.
const MAX_STATE: usize = 64;

/// The job as Pinecone reports it.
pub fn restore_status(job: &RestoreJob) -> RestoreStatus {
    let [start, end] = [job.created_at, job.completed_at].map(|time| time.map(whole_seconds));
    RestoreStatus {
        state: Some(job.word.chars().take(MAX_STATE).collect()),
        // Kubernetes APIs have no fractions; the bounds make the cast exact.
        percent_complete: job
            .percent_complete
            .filter(|percent| percent.is_finite())
            .map(|percent| percent.clamp(0.0, 100.0) as i32),
        start_time: start.map(Time),
        completion_time: end.map(Time),
        duration: start.zip(end).map(|(start, end)| took(start, end)),
    }
}

/// The time between the two, as kubectl spells durations: `1h5m20s`.
fn took(start: Timestamp, end: Timestamp) -> String {
    const PRINTER: SpanPrinter = SpanPrinter::new()
        .designator(Designator::Compact)
        .spacing(Spacing::None);
    PRINTER.duration_to_string(&end.duration_since(start))
}

/// Whether the restore was complete and its index ready at some time.
fn has_succeeded(status: &IndexRestoreStatus) -> bool {
    status.index_host.is_some()
}

fn close(status: &mut IndexRestoreStatus, outcome: SubmissionOutcome, reason: Option<Reason>) {
    if let Some(submission) = &mut status.submission {
        submission.outcome = outcome;
        submission.reason = reason.map(|reason| reason.as_str().to_owned());
    }
}
