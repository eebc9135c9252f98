use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::stage::own_submission;
use crate::api::conditions::{Finding, conditions, whole_seconds};
use crate::api::{
    IndexRestore, IndexRestoreStatus, Reason, RestoreStatus, Submission, SubmissionOutcome,
};
use crate::pinecone::RestoreJob;

/// What is to be written into the status.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub finding: Finding,
    pub change: Change,
}

/// What changes beside the conditions.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Nothing,
    /// The open submission was answered with "the name is taken".
    Taken,
    /// The open submission is over.
    Close {
        outcome: SubmissionOutcome,
        reason: Option<Reason>,
    },
    /// The restore job is known.
    Record(Record),
    /// The restore job went on.
    Job(RestoreStatus),
    /// The restore is complete and the index ready.
    Finish {
        restore: RestoreStatus,
        host: String,
    },
}

/// The restore job that answers a submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub job_id: String,
    pub index_id: String,
    pub backup_id: String,
    pub index_name: String,
    /// Whether it was there before this restore asked for it.
    pub adopted: bool,
    pub restore: RestoreStatus,
}

/// The claim to write before anything is sent.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    pub nonce: String,
    /// Pinecone's clock where it is known.
    pub now: Timestamp,
}

impl Report {
    pub fn new(finding: Finding, change: Change) -> Self {
        Self { finding, change }
    }

    /// The status of `object` with this report taken in.
    pub fn status(&self, object: &IndexRestore, now: Timestamp) -> IndexRestoreStatus {
        let mut status = own_status(object);
        match &self.change {
            Change::Nothing => {}
            Change::Taken => close(&mut status, SubmissionOutcome::Taken, None),
            Change::Close { outcome, reason } => close(&mut status, *outcome, *reason),
            Change::Record(record) => status = record.status(object, status, now),
            Change::Job(restore) => status.restore = Some(restore.clone()),
            Change::Finish { restore, host } => {
                status.restore = Some(restore.clone());
                status.index_host = Some(host.clone());
            }
        }
        status.observed_generation = object.metadata.generation;
        status.conditions = conditions(
            &self.finding,
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
            job_id: job.restore_job_id.clone(),
            index_id: job.target_index_id.clone(),
            backup_id: job.backup_id.clone(),
            index_name: job.target_index_name.clone(),
            adopted,
            restore: restore_status(job),
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
        let submission = before.submission.unwrap_or_else(|| Submission {
            uid: object.metadata.uid.clone().unwrap_or_default(),
            attempt: 1,
            nonce: self.job_id.clone(),
            start_time: Time(whole_seconds(now)),
            generation: object.metadata.generation.unwrap_or_default(),
            backup_id: String::new(),
            index_name: String::new(),
            outcome,
            reason: None,
        });
        IndexRestoreStatus {
            submission: Some(Submission {
                outcome,
                reason: None,
                backup_id: self.backup_id.clone(),
                index_name: self.index_name.clone(),
                ..submission
            }),
            restore_job_id: Some(self.job_id.clone()),
            index_id: Some(self.index_id.clone()),
            index_host: None,
            restore: Some(self.restore.clone()),
            ..before
        }
    }
}

impl ClaimRequest {
    /// The status of `object` with the claim in it. After an attempt of its own the
    /// conditions stay as they are, so that a retried refusal does not flap; else
    /// they say `first`, whatever was copied here.
    pub fn status(&self, object: &IndexRestore, first: &Finding) -> IndexRestoreStatus {
        let before = own_status(object);
        let last = before.submission.as_ref();
        let abandoned = last.filter(|last| last.is_abandoned());
        let submission = Submission {
            uid: object.metadata.uid.clone().unwrap_or_default(),
            attempt: last.map_or(1, |last| last.attempt) + i32::from(abandoned.is_some()),
            nonce: self.nonce.clone(),
            // An abandoned request may still arrive: its job would be ours as well.
            start_time: abandoned.map_or_else(
                || Time(whole_seconds(self.now)),
                |last| last.start_time.clone(),
            ),
            generation: object.metadata.generation.unwrap_or_default(),
            backup_id: object.spec.backup_id.clone(),
            index_name: object.spec.index_name.clone(),
            outcome: SubmissionOutcome::Open,
            reason: None,
        };
        let conditions = match last {
            Some(_) => before.conditions,
            None => {
                let generation = submission.generation;
                conditions(first, false, generation, &before.conditions, self.now)
            }
        };
        IndexRestoreStatus {
            observed_generation: object.metadata.generation,
            submission: Some(submission),
            restore_job_id: None,
            index_id: None,
            index_host: None,
            restore: None,
            conditions,
        }
    }
}

impl Submission {
    pub fn is_abandoned(&self) -> bool {
        self.outcome == SubmissionOutcome::Abandoned
    }
}

/// Longest state of a job that is passed on, in characters: an open string of
/// somebody else's must not make a status too large to write.
const MAX_STATE: usize = 64;

/// The job as Pinecone reports it.
pub fn restore_status(job: &RestoreJob) -> RestoreStatus {
    RestoreStatus {
        state: Some(job.word.chars().take(MAX_STATE).collect()),
        // Kubernetes APIs have no fractions; the bounds make the cast exact.
        percent_complete: job
            .percent_complete
            .filter(|percent| percent.is_finite())
            .map(|percent| percent.clamp(0.0, 100.0) as i32),
        start_time: job.created_at.map(|time| Time(whole_seconds(time))),
        completion_time: job.completed_at.map(|time| Time(whole_seconds(time))),
    }
}

/// Whether the restore was complete and its index ready at some time.
fn has_succeeded(status: &IndexRestoreStatus) -> bool {
    status.index_host.is_some()
}

fn close(status: &mut IndexRestoreStatus, outcome: SubmissionOutcome, reason: Option<Reason>) {
    if let Some(submission) = &mut status.submission {
        submission.outcome = outcome;
        submission.reason = reason;
    }
}

/// The status without what was recorded for another object.
fn own_status(object: &IndexRestore) -> IndexRestoreStatus {
    let status = object.status.clone().unwrap_or_default();
    if own_submission(object).is_some() {
        return status;
    }
    IndexRestoreStatus {
        conditions: status.conditions,
        ..IndexRestoreStatus::default()
    }
}
