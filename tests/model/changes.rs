//! Conversion between the writes of the model and the product's own reports.

use index_restore_operator::api::{RestoreStatus, StatusMessage};
use index_restore_operator::pinecone::{Created, FailureKind, Posted, classify};
use index_restore_operator::restore::report::Record;
use index_restore_operator::restore::{Change, Decision, Report, Step};
use jiff::Timestamp;

use crate::evidence::ticks;
use crate::product::TICK;
use crate::translation::{
    NAME, backup, backup_id, expanded_state, failure, host, number, progress, project, text, time,
};
use crate::world::{Changing, Plan, Writing};

/// The answer to a create request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    Accepted(u8),
    Taken,
    NoBackup,
    RateLimited,
    Nothing,
}

impl Reply {
    /// The product's classification of the answer.
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
    pub fn of(decision: &Decision, now: Timestamp) -> Self {
        match &decision.step {
            Step::Keep => Self::Keep,
            Step::Submit { date } => Self::Submit {
                date: time(date.unwrap()),
                ago: 0,
            },
            Step::Report(report) => Self::Write(Writing::of(report, now)),
        }
    }
}

impl Changing {
    fn of(change: &Change, now: Timestamp) -> Self {
        let state_of = |restore: &RestoreStatus| restore.state.as_deref().map(progress);
        match change {
            Change::Nothing => Self::Nothing,
            Change::Taken => Self::Taken,
            Change::Close { outcome, reason } => Self::Close(*outcome, *reason),
            Change::Record(record) => {
                let job = record.job_id.as_deref().map(number);
                assert_eq!(job, record.index_id.as_deref().map(number));
                Self::Record {
                    job,
                    backup: backup(&record.backup_id),
                    adopted: record.adopted,
                    state: record.restore.as_ref().and_then(state_of),
                }
            }
            Change::Job(restore) => Self::Job(state_of(restore).unwrap()),
            Change::Finish { restore, host, .. } => {
                Self::Finish(restore.as_ref().and_then(state_of), project(host))
            }
            Change::Observed { until, index_seen } => {
                Self::Observed(ticks(*until, now), *index_seen)
            }
            Change::Confirmed(_) => Self::Confirmed,
            Change::Unconfirmed { .. } => Self::Unconfirmed,
        }
    }

    pub fn expanded(&self, now: Timestamp) -> Change {
        match *self {
            Self::Nothing => Change::Nothing,
            Self::Taken => Change::Taken,
            Self::Close(outcome, reason) => Change::Close { outcome, reason },
            Self::Record {
                job,
                backup,
                adopted,
                state,
            } => Change::Record(Box::new(Record {
                job_id: job.map(|job| text('j', job)),
                index_id: job.map(|job| text('i', job)),
                backup_id: backup_id(backup).into(),
                index_name: NAME.into(),
                adopted,
                restore: job.map(|_| state.map(expanded_state).unwrap_or_default()),
            })),
            Self::Job(state) => Change::Job(expanded_state(state)),
            Self::Finish(state, host) => Change::Finish {
                restore: state.map(expanded_state),
                host: self::host(host).into(),
                at: now,
            },
            Self::Observed(ago, index_seen) => Change::Observed {
                until: now - TICK * u32::from(ago),
                index_seen,
            },
            Self::Confirmed => Change::Confirmed(now),
            Self::Unconfirmed => Change::Unconfirmed {
                last: Some(now),
                since: now,
            },
        }
    }
}

impl Writing {
    pub fn of(report: &Report, now: Timestamp) -> Self {
        Self {
            reason: report.message.reason,
            is_unsure: report.message.text.contains("cannot be determined"),
            change: Changing::of(&report.change, now),
        }
    }

    pub fn expanded(&self, now: Timestamp) -> Report {
        Report::new(
            StatusMessage::new(self.reason, ""),
            self.change.expanded(now),
        )
    }
}
