//! Creating, listing, describing and deleting backups.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::error::{ErrorResponse, HandlerResult, parse};
use crate::api::reply::Reply;
use crate::model::backup::{Backup, BackupStatus};
use crate::model::id::new_id;
use crate::model::job::Job;
use crate::model::limits::check_name;
use crate::model::time::later;
use crate::operations::context::Context;
use crate::operations::page::{Row, paginate};
use crate::project::ProjectState;

#[derive(Deserialize)]
struct CreateBackup {
    name: Option<String>,
    description: Option<String>,
}

impl ProjectState {
    pub(crate) fn list_backups(&self, context: &Context<'_>) -> HandlerResult {
        self.page_of_backups(context, |_| true)
    }

    pub(crate) fn list_index_backups(&self, name: &str, context: &Context<'_>) -> HandlerResult {
        let index = self.index(name);
        if context.version.includes_deleted(context.call)? {
            let of_name = |backup: &Backup| backup.source_index_name == name;
            let known = index.is_some()
                || self
                    .deleted_indexes
                    .iter()
                    .any(|deleted| deleted.name == name)
                || self.backups.iter().any(of_name);
            return match known {
                true => self.page_of_backups(context, of_name),
                false => Err(ErrorResponse::no_index(name)),
            };
        }
        let index = index.ok_or_else(|| ErrorResponse::no_index(name))?;
        self.page_of_backups(context, |backup| backup.source_index_id == index.id)
    }

    fn backup_row<'a>(&'a self, backup: &'a Backup, context: &'a Context<'_>) -> Row<'a> {
        Row {
            names: vec![backup.id.clone()],
            created_at: backup.created_at,
            listed: true,
            json: Box::new(move || self.backup_json(backup, context)),
        }
    }

    fn backup_json(&self, backup: &Backup, context: &Context<'_>) -> Value {
        context
            .version
            .backup(backup, self.source_deleted_at(backup), context.now)
    }

    fn page_of_backups(
        &self,
        context: &Context<'_>,
        wanted: impl Fn(&Backup) -> bool,
    ) -> HandlerResult {
        let backups = self.backups.iter().filter(|backup| wanted(backup));
        let rows = backups
            .map(|backup| self.backup_row(backup, context))
            .collect();
        let rows = self.habits.row_order.sort(rows);
        paginate(rows, context.call, &context.plan.reads, context.now)
    }

    pub(crate) fn create_backup(
        &mut self,
        index_name: &str,
        context: &Context<'_>,
    ) -> HandlerResult {
        let request: CreateBackup = parse(&context.call.body)?;
        if let Some(name) = &request.name {
            check_name(name)?;
        }
        let index = self
            .index(index_name)
            .ok_or_else(|| ErrorResponse::no_index(index_name))?;
        if self.backups.len() >= self.backup_quota {
            return Err(ErrorResponse::forbidden(
                "Increase your quota or upgrade to create more backups.",
            ));
        }
        let tags = index
            .tags
            .iter()
            .map(|(key, value)| (key.clone(), json!(value)));
        let backup = Backup {
            id: new_id(),
            name: request.name,
            description: request.description,
            source_index_name: index.name.clone(),
            source_index_id: index.id.clone(),
            status: BackupStatus::Initializing,
            ready_at: Some(later(context.now, context.durations.backup)),
            tags: Some(tags.collect()),
            shape: index.shape.clone(),
            record_count: 0,
            namespace_count: 0,
            size_bytes: 0,
            created_at: context.now,
        };
        let reply = Reply::json(200, self.backup_json(&backup, context)).with_effect();
        self.backups.push(backup);
        Ok(reply)
    }

    pub(crate) fn describe_backup(&self, id: &str, context: &Context<'_>) -> HandlerResult {
        let backup = self
            .backup(id)
            .ok_or_else(|| ErrorResponse::no_backup(id))?;
        Ok(Reply::json(200, self.backup_json(backup, context)))
    }

    pub(crate) fn delete_backup(&mut self, id: &str, context: &Context<'_>) -> HandlerResult {
        self.backup(id)
            .ok_or_else(|| ErrorResponse::no_backup(id))?;
        let pending = |job: &&Job| {
            job.backup_id == id && job.is_pending(context.now) && self.has_index_of(job)
        };
        let jobs: Vec<String> = self
            .jobs
            .iter()
            .filter(pending)
            .map(|job| format!("'{}'", job.id))
            .collect();
        if !jobs.is_empty() {
            return Err(ErrorResponse::failed_precondition(format!(
                "Unable to delete backup. There are pending restore jobs for this backup: [{}]",
                jobs.join(", ")
            )));
        }
        self.backups.retain(|backup| backup.id != id);
        Ok(Reply::empty(202).with_effect())
    }
}
