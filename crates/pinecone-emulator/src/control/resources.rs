//! [`Control`] over what projects hold: backups, indexes and restore jobs.

use crate::control::handle::{Control, ControlError, ControlResult};
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
    pub fn add_backup(&self, project: &str, seed: BackupSeed) -> ControlResult<String> {
        self.with_project(project, |project, now| {
            let backup = seed.build(now);
            if project.backup(&backup.id).is_some() {
                return Err(ControlError::Taken("backup", backup.id));
            }
            let id = backup.id.clone();
            project.backups.push(backup);
            Ok(id)
        })
    }

    /// Changes the status of a backup; it keeps it.
    ///
    /// # Errors
    /// If there is no such project or backup.
    pub fn set_backup_status(
        &self,
        project: &str,
        id: &str,
        status: BackupStatus,
    ) -> ControlResult {
        self.with_project(project, |project, _| {
            let backup = project.backups.iter_mut().find(|backup| backup.id == id);
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
    pub fn remove_backup(&self, project: &str, id: &str) -> ControlResult {
        self.with_project(project, |project, _| {
            let before = project.backups.len();
            project.backups.retain(|backup| backup.id != id);
            if project.backups.len() == before {
                return Err(ControlError::NoBackup(id.to_owned()));
            }
            Ok(())
        })
    }

    /// Adds an index that someone else made, ready unless the seed says otherwise, and returns its ID.
    ///
    /// # Errors
    /// If there is no such project, or the name is taken or breaks the rule for names.
    pub fn add_index(&self, project: &str, seed: IndexSeed) -> ControlResult<String> {
        self.with_project(project, |project, now| {
            if check_name(&seed.name).is_err() {
                return Err(ControlError::BadName(seed.name));
            }
            if project.index(&seed.name).is_some() {
                return Err(ControlError::Taken("index", seed.name));
            }
            let index = seed.build(now);
            let id = index.id.clone();
            project.add_index(index);
            Ok(id)
        })
    }

    /// Removes an index at once, protected or not, without a `Terminating` in between.
    ///
    /// # Errors
    /// If there is no such project or index.
    pub fn delete_index(&self, project: &str, name: &str) -> ControlResult {
        self.with_project(project, |project, now| {
            let index = project.index_mut(name);
            let index = index.ok_or_else(|| ControlError::NoIndex(name.to_owned()))?;
            index.terminated_at = Some(now);
            project.remove_terminated(now);
            Ok(())
        })
    }

    /// Gives an index a state, such as `Terminating` or `Disabled`, which it keeps.
    ///
    /// # Errors
    /// If there is no such project or index.
    pub fn set_index_state(
        &self,
        project: &str,
        name: &str,
        state: &str,
        ready: bool,
    ) -> ControlResult {
        self.with_project(project, |project, _| {
            let index = project.index_mut(name);
            let index = index.ok_or_else(|| ControlError::NoIndex(name.to_owned()))?;
            index.state_override = Some((state.to_owned(), ready));
            Ok(())
        })
    }

    /// Adds a restore job of earlier days and returns its ID.
    ///
    /// # Errors
    /// If there is no such project, or the ID is taken.
    pub fn add_restore_job(&self, project: &str, seed: JobSeed) -> ControlResult<String> {
        self.with_project(project, |project, now| {
            let target = project
                .index(&seed.index_name)
                .map(|index| index.id.clone());
            let job = seed.build(target, now);
            if project.jobs.iter().any(|other| other.id == job.id) {
                return Err(ControlError::Taken("restore job", job.id));
            }
            let id = job.id.clone();
            project.jobs.push(job);
            Ok(id)
        })
    }

    /// Ends a pending restore job now, whatever time it had left.
    ///
    /// # Errors
    /// If there is no such job, or it is not pending any more.
    pub fn finish_job(&self, job_id: &str, outcome: JobOutcome) -> ControlResult {
        self.with(|service, now| {
            let mut projects = service.projects.iter_mut();
            if projects.any(|project| project.finish_job(job_id, outcome, now)) {
                return Ok(());
            }
            Err(ControlError::NoPendingJob(job_id.to_owned()))
        })
    }

    /// Removes a restore job from the history, as if it was long ago; whether it was there.
    pub fn forget_restore_job(&self, job_id: &str) -> bool {
        self.with(|service, _| {
            let mut projects = service.projects.iter_mut();
            projects.any(|project| {
                let before = project.jobs.len();
                project.jobs.retain(|job| job.id != job_id);
                project.jobs.len() < before
            })
        })
    }

    /// The indexes of a project that exist now, oldest first; none if there is no such project.
    pub fn indexes(&self, project: &str) -> Vec<IndexSnapshot> {
        self.list(project, |project, now| {
            project
                .indexes
                .iter()
                .map(|index| IndexSnapshot::of(index, now))
                .collect()
        })
    }

    /// The backups of a project, oldest first; none if there is no such project.
    pub fn backups(&self, project: &str) -> Vec<BackupSnapshot> {
        self.list(project, |project, now| {
            let backups = project.backups.iter();
            backups
                .map(|backup| BackupSnapshot::of(backup, now))
                .collect()
        })
    }

    /// The restore jobs of a project, oldest first; none if there is no such project.
    pub fn restore_jobs(&self, project: &str) -> Vec<JobSnapshot> {
        self.list(project, |project, now| {
            project
                .jobs
                .iter()
                .map(|job| JobSnapshot::of(job, now))
                .collect()
        })
    }
}
