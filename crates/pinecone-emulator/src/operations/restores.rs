//! Restores: the create from a backup, and the job that follows it.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::error::{Outcome, Refusal, read};
use crate::api::reply::Reply;
use crate::faults::plan::Ending;
use crate::journal::AcceptedCreate;
use crate::model::backup::{Backup, BackupStatus};
use crate::model::id::new_id;
use crate::model::index::{Index, Protection};
use crate::model::job::{Job, JobOutcome};
use crate::model::limits::given;
use crate::model::limits::{Tags, check_name, check_tags};
use crate::model::time::later;
use crate::operations::context::Moment;
use crate::operations::page::{Row, paginate};
use crate::project::Tenant;

#[derive(Deserialize)]
struct CreateFromBackup {
    name: String,
    tags: Option<Tags>,
    deletion_protection: Option<Protection>,
}

fn job_json(job: &Job, at: &Moment<'_>) -> Value {
    let created_at = job.created_at.filter(|_| !at.plan.view.null_created_at);
    at.wire.job(job, created_at, at.now)
}

fn row<'a>(job: &'a Job, listed: bool, at: &'a Moment<'_>) -> Row<'a> {
    Row {
        names: vec![job.id.clone(), job.index_name.clone()],
        born: job.born,
        listed,
        json: Box::new(move || job_json(job, at)),
    }
}

impl Tenant {
    pub(crate) fn create_index_from_backup(&mut self, backup_id: &str, at: &Moment<'_>) -> Outcome {
        let request: CreateFromBackup = read(&at.call.body)?;
        check_name(&request.name)?;
        let tags = request.tags.as_ref();
        check_tags(tags.unwrap_or(&Tags::new()), at.wire.tag_values())?;
        let backup = self
            .backup(backup_id)
            .ok_or_else(|| Refusal::no_backup(backup_id))?;
        if backup.status(at.now) != BackupStatus::Ready {
            return Err(Refusal::precondition(format!(
                "Backup {backup_id} is not completed"
            )));
        }
        self.check_room(&request.name)?;
        let index = restored(backup, &request, at);
        let job = begun(&index, backup_id, at);
        let reply = match at.plan.ending {
            Some(Ending::MissingIds) => json!({}),
            _ => json!({"restore_job_id": job.id, "index_id": index.id}),
        };
        let accepted = self.accepted_create(&request, &index, &job, at);
        self.accepted.push(accepted);
        self.admit(index);
        self.jobs.push(job);
        Ok(Reply::json(202, reply).effective())
    }

    fn accepted_create(
        &self,
        request: &CreateFromBackup,
        index: &Index,
        job: &Job,
        at: &Moment<'_>,
    ) -> AcceptedCreate {
        AcceptedCreate {
            seq: at.seq,
            time: at.now,
            project: self.name.clone(),
            backup_id: job.backup_id.clone(),
            index_name: index.name.clone(),
            tags: request.tags.clone(),
            deletion_protection: request
                .deletion_protection
                .map(|protection| protection.word().to_owned()),
            restore_job_id: job.id.clone(),
            index_id: index.id.clone(),
            api_version: at.call.api_version.clone(),
            user_agent: at.call.user_agent.clone(),
        }
    }

    pub(crate) fn list_restore_jobs(&self, at: &Moment<'_>) -> Outcome {
        let keeps_all = self.habits.keeps_jobs_of_deleted_indexes;
        let indexes: HashSet<&str> = self.indexes.iter().map(|i| i.id.as_str()).collect();
        let listed = |job: &Job| keeps_all || indexes.contains(job.index_id.as_str());
        let jobs = self.jobs.iter();
        let rows = jobs.map(|job| row(job, listed(job), at)).collect();
        let rows = self.habits.row_order.sort(rows);
        paginate(rows, at.call, &at.plan.view, at.now)
    }

    /// 404 too for a job whose index is gone, as in Pinecone.
    pub(crate) fn describe_restore_job(&self, id: &str, at: &Moment<'_>) -> Outcome {
        let jobs = self.jobs.iter();
        let job = jobs
            .filter(|_| !at.plan.view.job_not_found)
            .find(|job| job.id == id)
            .ok_or_else(|| Refusal::not_found(format!("Restore job {id} not found.")))?;
        if !self.has_target(job) {
            let message = format!("Index metadata not found for index {}.", job.index_id);
            return Err(Refusal::not_found(message));
        }
        Ok(Reply::json(200, job_json(job, at)))
    }
}

/// The index a create makes: the backup's shape; its tags only if none were sent.
fn restored(backup: &Backup, request: &CreateFromBackup, at: &Moment<'_>) -> Index {
    let fate = &at.plan.fate;
    let end = at.times.restore.map(|restore| later(at.now, restore));
    let sent = request.tags.clone().filter(|tags| !tags.is_empty());
    let mut index = Index::new(&request.name, backup.shape.clone(), at.now);
    index.tags = given(sent.unwrap_or_else(|| backup.inheritable_tags()));
    index.protected = request.deletion_protection == Some(Protection::Enabled);
    index.source_backup_id = Some(backup.id.clone());
    index.ready_lag = fate.ready_lag;
    index.ready_at = if fate.ready_early {
        Some(at.now)
    } else if fate.outcome == JobOutcome::Completed {
        end.map(|end| later(end, fate.ready_lag))
    } else {
        None
    };
    index.fails_at = fate.index_fails.then(|| end.unwrap_or(at.now));
    index
}

/// The job a create begins. One that a fault lets fail does so at once where restores end only by hand.
fn begun(index: &Index, backup_id: &str, at: &Moment<'_>) -> Job {
    let fate = &at.plan.fate;
    let end = at.times.restore.map(|restore| later(at.now, restore));
    let end = match fate.outcome {
        JobOutcome::Completed if fate.index_fails => None,
        JobOutcome::Completed => end,
        JobOutcome::Failed | JobOutcome::Cancelled => Some(end.unwrap_or(at.now)),
    };
    Job {
        id: new_id(),
        backup_id: backup_id.to_owned(),
        index_name: index.name.clone(),
        index_id: index.id.clone(),
        created_at: Some(at.now),
        born: at.now,
        end: end.map(|end| (end, fate.outcome)),
    }
}
