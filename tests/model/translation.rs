//! Between the model's compact values and the product's own types.

use index_restore_operator::api::conditions::{Finding, conditions};
use index_restore_operator::api::{
    AdoptionPolicy, ApiKeySecretRef, DeletionProtection, IndexRestore, IndexRestoreSpec,
    IndexRestoreStatus, RestoreStatus, Submission as RealSubmission,
};
use index_restore_operator::pinecone::{
    Backup as RealBackup, BackupState, Created, Failure, FailureKind, Index as RealIndex,
    IndexHealth, JobState, Posted, RestoreJob, SourceBackup, classify,
};
use index_restore_operator::restore::answer::History;
use index_restore_operator::restore::report::Record;
use index_restore_operator::restore::{Change, Decision, Report, Step};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time as KubeTime;

use crate::world::{
    Backup, Changing, Index, Listing, Object, Plan, Progress, Row, Submission, Time, Writing,
};

const EPOCH: i64 = 1_000_000_000;
/// Between two points in time; more than the margin of the clocks.
const STEP: i64 = 10_000;
pub const NAME: &str = "index";

pub fn timestamp(time: Time) -> Timestamp {
    Timestamp::from_second(EPOCH + i64::from(time) * STEP).unwrap()
}

fn time(at: Timestamp) -> Time {
    Time::try_from((at.as_second() - EPOCH) / STEP).unwrap()
}

/// `j3`, `u3` and the like.
fn text(kind: char, number: u8) -> String {
    format!("{kind}{number}")
}

pub fn number(text: &str) -> u8 {
    text[1..].parse().unwrap()
}

pub fn nonce(number: u8) -> String {
    text('n', number)
}

pub fn backup_id(backup: Backup) -> &'static str {
    match backup {
        Backup::A => "a",
        Backup::B => "b",
    }
}

fn backup(id: &str) -> Backup {
    match id {
        "a" => Backup::A,
        "b" => Backup::B,
        other => panic!("no such backup: {other}"),
    }
}

fn state_word(state: Progress) -> String {
    format!("{state:?}")
}

fn progress(word: &str) -> Progress {
    match JobState::parse(word) {
        JobState::Pending => Progress::Pending,
        JobState::Completed => Progress::Completed,
        JobState::Failed | JobState::Cancelled => Progress::Failed,
    }
}

impl Object {
    /// The resource that the product's functions take.
    pub fn expanded(&self, adoption: AdoptionPolicy) -> IndexRestore {
        let spec = IndexRestoreSpec {
            backup_id: backup_id(self.backup).into(),
            index_name: NAME.into(),
            tags: None,
            deletion_protection: DeletionProtection::Disabled,
            api_key_secret_ref: ApiKeySecretRef {
                name: "pinecone".into(),
                key: "api-key".into(),
            },
            adoption_policy: adoption,
        };
        let mut object = IndexRestore::new("restore", spec);
        object.metadata.uid = Some(text('u', self.uid));
        object.metadata.generation = Some(1);
        object.status = Some(self.expanded_status());
        object
    }

    fn expanded_status(&self) -> IndexRestoreStatus {
        let shown = self.shown.map(|reason| {
            let finding = Finding::new(reason, "");
            conditions(&finding, self.host.is_some(), 1, &[], timestamp(0))
        });
        IndexRestoreStatus {
            observed_generation: Some(if self.observed { 1 } else { -1 }),
            submission: self.submission.as_ref().map(expanded_submission),
            restore_job_id: self.job.map(|job| text('j', job)),
            index_id: self.job.map(|job| text('i', job)),
            index_host: self.host.map(|job| text('h', job)),
            restore: self.state.map(expanded_state),
            conditions: shown.unwrap_or_default(),
        }
    }

    /// The object with that status.
    pub fn with(&self, status: &IndexRestoreStatus) -> Self {
        let job = status.restore_job_id.as_deref().map(number);
        assert_eq!(job, status.index_id.as_deref().map(number));
        Self {
            uid: self.uid,
            backup: self.backup,
            observed: status.observed_generation == Some(1),
            submission: status.submission.as_ref().map(|own| Submission {
                uid: number(&own.uid),
                attempt: u8::try_from(own.attempt).unwrap(),
                nonce: number(&own.nonce),
                start: time(own.start_time.0),
                backup: backup(&own.backup_id),
                outcome: own.outcome,
                reason: own.reason,
            }),
            job,
            state: status
                .restore
                .as_ref()
                .map(|restore| restore.state.as_deref().map_or(Progress::Pending, progress)),
            host: status.index_host.as_deref().map(number),
            shown: Finding::shown(&status.conditions).map(|finding| finding.reason),
        }
    }
}

fn expanded_submission(own: &Submission) -> RealSubmission {
    RealSubmission {
        uid: text('u', own.uid),
        attempt: i32::from(own.attempt),
        nonce: nonce(own.nonce),
        start_time: KubeTime(timestamp(own.start)),
        generation: 1,
        backup_id: backup_id(own.backup).into(),
        index_name: NAME.into(),
        outcome: own.outcome,
        reason: own.reason,
    }
}

fn expanded_state(state: Progress) -> RestoreStatus {
    RestoreStatus {
        state: Some(state_word(state)),
        ..RestoreStatus::default()
    }
}

impl Row {
    pub fn expanded(&self) -> RestoreJob {
        RestoreJob {
            restore_job_id: text('j', self.id),
            backup_id: backup_id(self.backup).into(),
            target_index_name: NAME.into(),
            target_index_id: text('i', self.id),
            state: JobState::parse(&state_word(self.state)),
            word: state_word(self.state),
            created_at: Some(timestamp(self.created)),
            completed_at: None,
            percent_complete: None,
        }
    }
}

impl Listing {
    /// Every row twice: Pinecone repeats rows across pages.
    pub fn jobs(&self) -> Vec<RestoreJob> {
        let rows = || self.rows.iter().flatten().map(Row::expanded);
        rows().chain(rows()).collect()
    }

    pub fn expanded(&self) -> History {
        let jobs = self.jobs();
        let confirmed = self.confirmed.map(|id| text('j', id));
        let confirmed = jobs
            .iter()
            .find(|job| Some(&job.restore_job_id) == confirmed.as_ref())
            .cloned();
        History {
            jobs,
            is_complete: true,
            confirmed,
        }
    }
}

pub fn expanded_index(index: &Index) -> RealIndex {
    RealIndex {
        name: NAME.into(),
        host: Some(text('h', index.job)),
        health: match index.ready {
            true => IndexHealth::Ready,
            false => IndexHealth::NotReady,
        },
        word: String::new(),
        source: SourceBackup::NotShown,
        tags: [].into(),
        is_protected: false,
    }
}

pub fn expanded_backup(backup: Backup) -> RealBackup {
    RealBackup {
        backup_id: backup_id(backup).into(),
        state: BackupState::Ready,
        word: "Ready".into(),
    }
}

pub fn failure(kind: FailureKind) -> Failure {
    Failure::without_answer(kind, "")
}

/// What the sender of a create request gets back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    Accepted(u8),
    Taken,
    NoBackup,
    RateLimited,
    Nothing,
}

impl Reply {
    /// What the product makes of it.
    pub fn classified(self) -> Posted {
        match self {
            Self::Accepted(job) => Posted::Accepted(Created {
                restore_job_id: text('j', job),
                index_id: text('i', job),
                request_id: None,
            }),
            Self::Taken => classify(Err(failure(FailureKind::AlreadyExists))),
            Self::NoBackup => classify(Err(failure(FailureKind::NotFound))),
            Self::RateLimited => classify(Err(failure(FailureKind::RateLimited))),
            Self::Nothing => classify(Err(failure(FailureKind::Unavailable))),
        }
    }
}

impl Plan {
    pub fn of(decision: &Decision) -> Self {
        match &decision.step {
            Step::Keep => Self::Keep,
            Step::Submit { date } => Self::Submit {
                date: time(date.unwrap()),
            },
            Step::Report(report) => Self::Write(Writing::of(report)),
        }
    }
}

impl Changing {
    fn of(change: &Change) -> Self {
        let state_of = |restore: &RestoreStatus| restore.state.as_deref().map(progress);
        match change {
            Change::Nothing => Self::Nothing,
            Change::Taken => Self::Taken,
            Change::Close { outcome, reason } => Self::Close(*outcome, *reason),
            Change::Record(record) => {
                assert_eq!(number(&record.job_id), number(&record.index_id));
                Self::Record {
                    job: number(&record.job_id),
                    backup: backup(&record.backup_id),
                    adopted: record.adopted,
                    state: state_of(&record.restore),
                }
            }
            Change::Job(restore) => Self::Job(state_of(restore).unwrap()),
            Change::Finish { restore, host } => {
                Self::Finish(state_of(restore).unwrap(), number(host))
            }
        }
    }

    pub fn expanded(&self) -> Change {
        match *self {
            Self::Nothing => Change::Nothing,
            Self::Taken => Change::Taken,
            Self::Close(outcome, reason) => Change::Close { outcome, reason },
            Self::Record {
                job,
                backup,
                adopted,
                state,
            } => Change::Record(Record {
                job_id: text('j', job),
                index_id: text('i', job),
                backup_id: backup_id(backup).into(),
                index_name: NAME.into(),
                adopted,
                restore: state.map(expanded_state).unwrap_or_default(),
            }),
            Self::Job(state) => Change::Job(expanded_state(state)),
            Self::Finish(state, host) => Change::Finish {
                restore: expanded_state(state),
                host: text('h', host),
            },
        }
    }
}

impl Writing {
    pub fn of(report: &Report) -> Self {
        Self {
            reason: report.finding.reason,
            change: Changing::of(&report.change),
        }
    }

    pub fn expanded(&self) -> Report {
        Report::new(Finding::new(self.reason, ""), self.change.expanded())
    }
}
