//! [`Control`] over what projects hold: backups, indexes and restore jobs.

use crate::control::handle::{Control, ControlError, Done};
use crate::control::snapshot::{BackupSnapshot, IndexSnapshot, JobSnapshot};
use crate::model::backup::BackupStatus;
use crate::model::job::JobOutcome;
use crate::model::limits::check_name;
use crate::seed::{BackupSeed, IndexSeed, JobSeed};

/// Backups, indexes and restore jobs.
impl Control {
    /// Adds a backup and returns its ID.
    ///
    /// # Errors
    /// If there is no such project, or its ID is taken.
    pub fn add_backup(&self, project: &str, seed: BackupSeed) -> Done<String> {
        self.tenant(project, |tenant, now| {
            let backup = seed.build(now);
            if tenant.backup(&backup.id).is_some() {
                return Err(ControlError::Taken("backup", backup.id));
            }
            let id = backup.id.clone();
            tenant.backups.push(backup);
            Ok(id)
        })
    }

    /// Changes the status of a backup; it keeps it.
    ///
    /// # Errors
    /// If there is no such project or backup.
    pub fn set_backup_status(&self, project: &str, id: &str, status: BackupStatus) -> Done {
        self.tenant(project, |tenant, _| {
            let backup = tenant.backups.iter_mut().find(|backup| backup.id == id);
            let backup = backup.ok_or_else(|| ControlError::NoBackup(id.to_owned()))?;
            backup.status = status;
            backup.ready_at = None;
            Ok(())
        })
    }

    /// Removes a backup, whatever is being restored from it.
    ///
    /// # Errors
    /// If there is no such project or backup.
    pub fn remove_backup(&self, project: &str, id: &str) -> Done {
        self.tenant(project, |tenant, _| {
            let before = tenant.backups.len();
            tenant.backups.retain(|backup| backup.id != id);
            if tenant.backups.len() == before {
                return Err(ControlError::NoBackup(id.to_owned()));
            }
            Ok(())
        })
    }

    /// Adds an index that someone else made, ready unless the seed says otherwise, and returns its ID.
    ///
    /// # Errors
    /// If there is no such project, or the name is taken or breaks the rule for names.
    pub fn add_index(&self, project: &str, seed: IndexSeed) -> Done<String> {
        self.tenant(project, |tenant, now| {
            if check_name(&seed.name).is_err() {
                return Err(ControlError::BadName(seed.name));
            }
            if tenant.index(&seed.name).is_some() {
                return Err(ControlError::Taken("index", seed.name));
            }
            let index = seed.build(now);
            let id = index.id.clone();
            tenant.admit(index);
            Ok(id)
        })
    }

    /// Removes an index at once, protected or not, without a `Terminating` in between.
    ///
    /// # Errors
    /// If there is no such project or index.
    pub fn delete_index(&self, project: &str, name: &str) -> Done {
        self.tenant(project, |tenant, now| {
            let index = tenant.index_mut(name);
            let index = index.ok_or_else(|| ControlError::NoIndex(name.to_owned()))?;
            index.gone_at = Some(now);
            tenant.settle(now);
            Ok(())
        })
    }

    /// Gives an index a state, such as `Terminating` or `Disabled`, which it keeps.
    ///
    /// # Errors
    /// If there is no such project or index.
    pub fn set_index_state(&self, project: &str, name: &str, state: &str, ready: bool) -> Done {
        self.tenant(project, |tenant, _| {
            let index = tenant.index_mut(name);
            let index = index.ok_or_else(|| ControlError::NoIndex(name.to_owned()))?;
            index.forced = Some((state.to_owned(), ready));
            Ok(())
        })
    }

    /// Adds a restore job of earlier days and returns its ID.
    ///
    /// # Errors
    /// If there is no such project, or the ID is taken.
    pub fn add_restore_job(&self, project: &str, seed: JobSeed) -> Done<String> {
        self.tenant(project, |tenant, now| {
            let target = tenant.index(&seed.index_name).map(|index| index.id.clone());
            let job = seed.build(target, now);
            if tenant.jobs.iter().any(|other| other.id == job.id) {
                return Err(ControlError::Taken("restore job", job.id));
            }
            let id = job.id.clone();
            tenant.jobs.push(job);
            Ok(id)
        })
    }

    /// Ends a pending restore job now, whatever time it had left.
    ///
    /// # Errors
    /// If there is no such job, or it is not pending any more.
    pub fn finish_job(&self, job_id: &str, outcome: JobOutcome) -> Done {
        self.with(|world, now| {
            let mut tenants = world.tenants.iter_mut();
            if tenants.any(|tenant| tenant.finish_job(job_id, outcome, now)) {
                return Ok(());
            }
            Err(ControlError::NoPendingJob(job_id.to_owned()))
        })
    }

    /// Removes a restore job from the history, as if it was long ago; whether it was there.
    pub fn forget_restore_job(&self, job_id: &str) -> bool {
        self.with(|world, _| {
            let mut tenants = world.tenants.iter_mut();
            tenants.any(|tenant| {
                let before = tenant.jobs.len();
                tenant.jobs.retain(|job| job.id != job_id);
                tenant.jobs.len() < before
            })
        })
    }

    /// The indexes of a project that exist now, oldest first; none if there is no such project.
    pub fn indexes(&self, project: &str) -> Vec<IndexSnapshot> {
        self.list(project, |tenant, now| {
            tenant
                .indexes
                .iter()
                .map(|index| IndexSnapshot::of(index, now))
                .collect()
        })
    }

    /// The backups of a project, oldest first; none if there is no such project.
    pub fn backups(&self, project: &str) -> Vec<BackupSnapshot> {
        self.list(project, |tenant, now| {
            let backups = tenant.backups.iter();
            backups
                .map(|backup| BackupSnapshot::of(backup, now))
                .collect()
        })
    }

    /// The restore jobs of a project, oldest first; none if there is no such project.
    pub fn restore_jobs(&self, project: &str) -> Vec<JobSnapshot> {
        self.list(project, |tenant, now| {
            tenant
                .jobs
                .iter()
                .map(|job| JobSnapshot::of(job, now))
                .collect()
        })
    }
}
