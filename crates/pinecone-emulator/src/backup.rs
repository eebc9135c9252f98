//! Backups: making, listing, describing and deleting them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::index::{Shape, missing};
use crate::page::{Row, paginate};
use crate::reply::{Outcome, Refusal, Reply};
use crate::rules::{Tags, check_name, read};
use crate::seed::{BackupSeed, BackupStatus};
use crate::tenant::{Moment, Tenant, later, new_id};

/// A backup.
#[derive(Debug, Clone)]
pub(crate) struct Backup {
    pub id: String,
    pub name: Option<String>,
    pub description: Option<String>,
    pub source_index_name: String,
    pub source_index_id: String,
    pub status: BackupStatus,
    /// When an `Initializing` backup becomes ready; `None`: when it is told to.
    pub ready_at: Option<Timestamp>,
    pub tags: Option<BTreeMap<String, Value>>,
    pub shape: Shape,
    pub record_count: u64,
    pub namespace_count: u64,
    pub size_bytes: u64,
    pub created_at: Timestamp,
}

impl Backup {
    pub(crate) fn seeded(seed: BackupSeed, now: Timestamp) -> Self {
        Self {
            id: seed.id.unwrap_or_else(new_id),
            name: seed.name,
            description: seed.description,
            source_index_name: seed.source_index_name,
            source_index_id: seed.source_index_id.unwrap_or_else(new_id),
            status: seed.status,
            ready_at: None,
            tags: seed.tags,
            shape: Shape {
                dimension: seed.dimension,
                metric: seed.metric,
                cloud: seed.cloud,
                region: seed.region,
                fields: None,
            },
            record_count: seed.record_count,
            namespace_count: seed.namespace_count,
            size_bytes: seed.size_bytes,
            created_at: seed.created_at.unwrap_or(now),
        }
    }

    pub(crate) fn status(&self, now: Timestamp) -> BackupStatus {
        match (&self.status, self.ready_at) {
            (BackupStatus::Initializing, Some(at)) if at <= now => BackupStatus::Ready,
            (status, _) => status.clone(),
        }
    }

    /// The tags a restored index inherits: an index has only strings.
    pub(crate) fn inheritable_tags(&self) -> Tags {
        let pairs = self.tags.iter().flatten();
        pairs
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    }
}

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
                false => Err(missing(name)),
            };
        }
        let index = index.ok_or_else(|| missing(name))?;
        self.page_of_backups(at, |backup| backup.source_index_id == index.id)
    }

    /// When the source index of a backup was deleted; of one that never was here, when the backup was made.
    fn source_deleted_at(&self, backup: &Backup) -> Option<Timestamp> {
        let id = &backup.source_index_id;
        if self.indexes.iter().any(|index| index.id == *id) {
            return None;
        }
        let past = self.past.iter().find(|past| past.id == *id);
        Some(past.map_or(backup.created_at, |past| past.deleted_at))
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
        let index = self.index(index_name).ok_or_else(|| missing(index_name))?;
        if self.backups.len() >= self.backup_quota {
            return Err(Refusal::forbidden(
                "Increase your quota or upgrade to create more backups.",
            ));
        }
        let tags = index
            .tags
            .iter()
            .map(|(key, value)| (key.clone(), json!(value)));
        let seed = BackupSeed {
            name: request.name,
            description: request.description,
            source_index_id: Some(index.id.clone()),
            tags: Some(tags.collect()),
            status: BackupStatus::Initializing,
            ..BackupSeed::new("", &index.name)
        };
        let mut backup = Backup::seeded(seed, at.now);
        backup.shape = index.shape.clone();
        backup.ready_at = Some(later(at.now, at.times.backup));
        let reply = Reply::json(200, self.backup_json(&backup, at)).effective();
        self.backups.push(backup);
        Ok(reply)
    }

    pub(crate) fn describe_backup(&self, id: &str, at: &Moment<'_>) -> Outcome {
        let backup = self.backup(id).ok_or_else(|| no_backup(id))?;
        Ok(Reply::json(200, self.backup_json(backup, at)))
    }

    pub(crate) fn delete_backup(&mut self, id: &str, at: &Moment<'_>) -> Outcome {
        self.backup(id).ok_or_else(|| no_backup(id))?;
        let pending = |job: &&crate::restore::Job| {
            job.backup_id == id && job.is_pending(at.now) && self.has_target(job)
        };
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

pub(crate) fn no_backup(id: &str) -> Refusal {
    Refusal::not_found(format!("Backup {id} not found."))
}
