//! Creating an index from a backup, and restore jobs.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::error::{ErrorResponse, HandlerResult, parse};
use crate::api::reply::Reply;
use crate::faults::plan::AnswerFault;
use crate::journal::AcceptedCreate;
use crate::model::backup::{Backup, BackupStatus};
use crate::model::id::new_id;
use crate::model::index::{DeletionProtection, Index};
use crate::model::job::{Job, JobOutcome};
use crate::model::limits::without_empty;
use crate::model::limits::{Tags, check_name, check_tags};
use crate::model::time::later;
use crate::operations::context::Context;
use crate::operations::page::{Row, paginate};
use crate::project::ProjectState;

#[derive(Deserialize)]
struct CreateFromBackup {
    name: String,
    tags: Option<Tags>,
    deletion_protection: Option<DeletionProtection>,
}

fn job_json(job: &Job, context: &Context<'_>) -> Value {
    let created_at = job
        .created_at
        .filter(|_| !context.plan.reads.null_created_at);
    context.version.job(job, created_at, context.now)
}

fn row<'a>(job: &'a Job, listed: bool, context: &'a Context<'_>) -> Row<'a> {
    Row {
        names: vec![job.id.clone(), job.index_name.clone()],
        created_at: job.listed_since,
        listed,
        json: Box::new(move || job_json(job, context)),
    }
}

impl ProjectState {
    pub(crate) fn create_index_from_backup(
        &mut self,
        backup_id: &str,
        context: &Context<'_>,
    ) -> HandlerResult {
        let request: CreateFromBackup = parse(&context.call.body)?;
        check_name(&request.name)?;
        let tags = request.tags.as_ref();
        check_tags(tags.unwrap_or(&Tags::new()), context.version.tag_values())?;
        let backup = self
            .backup(backup_id)
            .ok_or_else(|| ErrorResponse::no_backup(backup_id))?;
        if backup.status(context.now) != BackupStatus::Ready {
            return Err(ErrorResponse::failed_precondition(format!(
                "Backup {backup_id} is not completed"
            )));
        }
        self.check_new_index(&request.name)?;
        let index = new_index(backup, &request, context);
        let job = new_job(&index, backup_id, context);
        let reply = match context.plan.answer {
            Some(AnswerFault::MissingIds) => json!({}),
            _ => json!({"restore_job_id": job.id, "index_id": index.id}),
        };
        let accepted = self.accepted_create(&request, &index, &job, context);
        self.accepted.push(accepted);
        self.add_index(index);
        self.jobs.push(job);
        Ok(Reply::json(202, reply).with_effect())
    }

    fn accepted_create(
        &self,
        request: &CreateFromBackup,
        index: &Index,
        job: &Job,
        context: &Context<'_>,
    ) -> AcceptedCreate {
        AcceptedCreate {
            seq: context.seq,
            time: context.now,
            project: self.name.clone(),
            backup_id: job.backup_id.clone(),
            index_name: index.name.clone(),
            tags: request.tags.clone(),
            deletion_protection: request
                .deletion_protection
                .map(|protection| protection.as_str().to_owned()),
            restore_job_id: job.id.clone(),
            index_id: index.id.clone(),
            api_version: context.call.api_version.clone(),
            user_agent: context.call.user_agent.clone(),
        }
    }

    pub(crate) fn list_restore_jobs(&self, context: &Context<'_>) -> HandlerResult {
        let keeps_all = self.habits.keeps_jobs_of_deleted_indexes;
        let indexes: HashSet<&str> = self.indexes.iter().map(|i| i.id.as_str()).collect();
        let listed = |job: &Job| keeps_all || indexes.contains(job.index_id.as_str());
        let jobs = self.jobs.iter();
        let rows = jobs.map(|job| row(job, listed(job), context)).collect();
        let rows = self.habits.row_order.sort(rows);
        paginate(rows, context.call, &context.plan.reads, context.now)
    }

    /// Returns a 404 also for a job whose index was deleted, as Pinecone does.
    pub(crate) fn describe_restore_job(&self, id: &str, context: &Context<'_>) -> HandlerResult {
        let jobs = self.jobs.iter();
        let job = jobs
            .filter(|_| !context.plan.reads.job_not_found)
            .find(|job| job.id == id)
            .ok_or_else(|| ErrorResponse::not_found(format!("Restore job {id} not found.")))?;
        if !self.has_index_of(job) {
            let message = format!("Index metadata not found for index {}.", job.index_id);
            return Err(ErrorResponse::not_found(message));
        }
        Ok(Reply::json(200, job_json(job, context)))
    }
}

/// Returns the index of a create: with the backup's shape, and with its tags if none were sent.
fn new_index(backup: &Backup, request: &CreateFromBackup, context: &Context<'_>) -> Index {
    let faults = &context.plan.restore;
    let end = context
        .durations
        .restore
        .map(|restore| later(context.now, restore));
    let sent = request.tags.clone().filter(|tags| !tags.is_empty());
    let mut index = Index::new(&request.name, backup.shape.clone(), context.now);
    index.tags = without_empty(sent.unwrap_or_else(|| backup.inheritable_tags()));
    index.protected = request.deletion_protection == Some(DeletionProtection::Enabled);
    index.source_backup_id = Some(backup.id.clone());
    index.ready_lag = faults.ready_lag;
    index.ready_at = if faults.ready_early {
        Some(context.now)
    } else if faults.outcome == JobOutcome::Completed {
        end.map(|end| later(end, faults.ready_lag))
    } else {
        None
    };
    index.fails_at = faults.index_fails.then(|| end.unwrap_or(context.now));
    index
}

/// Returns the job of a create. If a fault makes it fail and restores have no duration, it fails immediately.
fn new_job(index: &Index, backup_id: &str, context: &Context<'_>) -> Job {
    let faults = &context.plan.restore;
    let end = context
        .durations
        .restore
        .map(|restore| later(context.now, restore));
    let end = match faults.outcome {
        JobOutcome::Completed if faults.index_fails => None,
        JobOutcome::Completed => end,
        JobOutcome::Failed | JobOutcome::Cancelled => Some(end.unwrap_or(context.now)),
    };
    Job {
        id: new_id(),
        backup_id: backup_id.to_owned(),
        index_name: index.name.clone(),
        index_id: index.id.clone(),
        created_at: Some(context.now),
        listed_since: context.now,
        end: end.map(|end| (end, faults.outcome)),
    }
}
