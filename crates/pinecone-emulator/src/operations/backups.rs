//! Backups: making, listing, describing and deleting them.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::error::{Outcome, Refusal, read};
use crate::api::reply::Reply;
use crate::model::backup::{Backup, BackupStatus};
use crate::model::id::new_id;
use crate::model::job::Job;
use crate::model::limits::check_name;
use crate::model::time::later;
use crate::operations::context::Moment;
use crate::operations::page::{Row, paginate};
use crate::project::Tenant;

#[derive(Deserialize)]
struct CreateBackup {
    name: Option<String>,
    description: Option<String>,
}

impl Tenant {
    pub(crate) fn list_backups(&self, at: &Moment<'_>) -> Outcome {
        self.page_of_backups(at, |_| true)
    }

    pub(crate) fn list_index_backups(&self, name: &str, at: &Moment<'_>) -> Outcome {
        let index = self.index(name);
        if at.wire.includes_deleted(at.call)? {
            let of_name = |backup: &Backup| backup.source_index_name == name;
            let known = index.is_some()
                || self.past.iter().any(|past| past.name == name)
                || self.backups.iter().any(of_name);
            return match known {
                true => self.page_of_backups(at, of_name),
                false => Err(Refusal::no_index(name)),
            };
        }
        let index = index.ok_or_else(|| Refusal::no_index(name))?;
        self.page_of_backups(at, |backup| backup.source_index_id == index.id)
    }

    fn backup_row<'a>(&'a self, backup: &'a Backup, at: &'a Moment<'_>) -> Row<'a> {
        Row {
            names: vec![backup.id.clone()],
            born: backup.created_at,
            listed: true,
            json: Box::new(move || self.backup_json(backup, at)),
        }
    }

    fn backup_json(&self, backup: &Backup, at: &Moment<'_>) -> Value {
        at.wire
            .backup(backup, self.source_deleted_at(backup), at.now)
    }

    fn page_of_backups(&self, at: &Moment<'_>, wanted: impl Fn(&Backup) -> bool) -> Outcome {
        let backups = self.backups.iter().filter(|backup| wanted(backup));
        let rows = backups.map(|backup| self.backup_row(backup, at)).collect();
        let rows = self.habits.row_order.sort(rows);
        paginate(rows, at.call, &at.plan.view, at.now)
    }

    pub(crate) fn create_backup(&mut self, index_name: &str, at: &Moment<'_>) -> Outcome {
        let request: CreateBackup = read(&at.call.body)?;
        if let Some(name) = &request.name {
            check_name(name)?;
        }
        let index = self
            .index(index_name)
            .ok_or_else(|| Refusal::no_index(index_name))?;
        if self.backups.len() >= self.backup_quota {
            return Err(Refusal::forbidden(
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
            ready_at: Some(later(at.now, at.times.backup)),
            tags: Some(tags.collect()),
            shape: index.shape.clone(),
            record_count: 0,
            namespace_count: 0,
            size_bytes: 0,
            created_at: at.now,
        };
        let reply = Reply::json(200, self.backup_json(&backup, at)).effective();
        self.backups.push(backup);
        Ok(reply)
    }

    pub(crate) fn describe_backup(&self, id: &str, at: &Moment<'_>) -> Outcome {
        let backup = self.backup(id).ok_or_else(|| Refusal::no_backup(id))?;
        Ok(Reply::json(200, self.backup_json(backup, at)))
    }

    pub(crate) fn delete_backup(&mut self, id: &str, at: &Moment<'_>) -> Outcome {
        self.backup(id).ok_or_else(|| Refusal::no_backup(id))?;
        let pending =
            |job: &&Job| job.backup_id == id && job.is_pending(at.now) && self.has_target(job);
        let jobs: Vec<String> = self
            .jobs
            .iter()
            .filter(pending)
            .map(|job| format!("'{}'", job.id))
            .collect();
        if !jobs.is_empty() {
            return Err(Refusal::precondition(format!(
                "Unable to delete backup. There are pending restore jobs for this backup: [{}]",
                jobs.join(", ")
            )));
        }
        self.backups.retain(|backup| backup.id != id);
        Ok(Reply::empty(202).effective())
    }
}
