//! A project's holdings, and the way of a request to its handler.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::backup::Backup;
use crate::call::Call;
use crate::config::Project;
use crate::habits::Habits;
use crate::index::Index;
use crate::journal::AcceptedCreate;
use crate::plan::Plan;
use crate::reply::{Outcome, Refusal};
use crate::restore::Job;
use crate::route::Route;
use crate::wire::Wire;

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub restore: Option<Duration>,
    pub backup: Duration,
    pub index_creation: Duration,
    pub termination: Duration,
}

/// A request at the time it takes effect.
pub(crate) struct Moment<'a> {
    pub now: Timestamp,
    pub seq: u64,
    pub times: &'a Times,
    pub call: &'a Call,
    pub plan: &'a Plan,
    pub wire: &'static dyn Wire,
}

/// An index that is gone.
#[derive(Debug)]
pub(crate) struct PastIndex {
    pub id: String,
    pub name: String,
    pub deleted_at: Timestamp,
}

/// A project: everything in it is in the order of creation.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub name: String,
    pub index_quota: usize,
    pub backup_quota: usize,
    pub plan_without_backups: bool,
    pub habits: Habits,
    pub indexes: Vec<Index>,
    /// The indexes that are gone, whose backups stay.
    pub past: Vec<PastIndex>,
    pub backups: Vec<Backup>,
    pub jobs: Vec<Job>,
    pub accepted: Vec<AcceptedCreate>,
}

impl Tenant {
    pub(crate) fn new(project: &Project, habits: Habits) -> Self {
        Self {
            name: project.name.clone(),
            index_quota: project.index_quota,
            backup_quota: project.backup_quota,
            plan_without_backups: project.plan_without_backups,
            habits,
            indexes: Vec::new(),
            past: Vec::new(),
            backups: Vec::new(),
            jobs: Vec::new(),
            accepted: Vec::new(),
        }
    }

    /// Forgets the indexes whose termination is over.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        let over = |index: &mut Index| index.gone_at.is_some_and(|at| at <= now);
        let gone = self.indexes.extract_if(.., over);
        self.past.extend(gone.map(|index| PastIndex {
            id: index.id,
            name: index.name,
            deleted_at: index.gone_at.unwrap_or(now),
        }));
    }

    pub(crate) fn serve(&mut self, route: Route, subject: &str, at: &Moment<'_>) -> Outcome {
        if self.plan_without_backups && route.needs_backup_plan() {
            return Err(Refusal::new(
                403,
                "PERMISSION_DENIED",
                "Your organization's plan does not include backups. Upgrade your plan to create backups.",
            ));
        }
        match route {
            Route::ListIndexes => Ok(self.list_indexes(at)),
            Route::CreateIndex => self.create_index(at),
            Route::DescribeIndex => self.describe_index(subject, at),
            Route::ConfigureIndex => self.configure_index(subject, at),
            Route::DeleteIndex => self.delete_index(subject, at),
            Route::ListIndexBackups => self.list_index_backups(subject, at),
            Route::CreateBackup => self.create_backup(subject, at),
            Route::ListBackups => self.list_backups(at),
            Route::DescribeBackup => self.describe_backup(subject, at),
            Route::DeleteBackup => self.delete_backup(subject, at),
            Route::CreateIndexFromBackup => self.create_index_from_backup(subject, at),
            Route::ListRestoreJobs => self.list_restore_jobs(at),
            Route::DescribeRestoreJob => self.describe_restore_job(subject, at),
            Route::Any | Route::Unknown => Err(Refusal::not_found("Not found.")),
        }
    }

    pub(crate) fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }

    pub(crate) fn index_mut(&mut self, name: &str) -> Option<&mut Index> {
        self.indexes.iter_mut().find(|index| index.name == name)
    }

    pub(crate) fn backup(&self, id: &str) -> Option<&Backup> {
        self.backups.iter().find(|backup| backup.id == id)
    }

    /// Whether the index a job restored into still exists.
    pub(crate) fn has_target(&self, job: &Job) -> bool {
        self.indexes.iter().any(|index| index.id == job.index_id)
    }
}

/// `at` plus `by`, or the end of time.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

/// RFC 3339 with nanoseconds, as Pinecone writes times.
pub(crate) fn stamp(at: Timestamp) -> String {
    format!("{at:.9}")
}

pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
