//! Backups, indexes and restore jobs.

use crate::control::handle::{Control, ControlError, ControlResult};
use crate::control::snapshot::{BackupSnapshot, IndexSnapshot, JobSnapshot};
use crate::model::backup::BackupStatus;
use crate::model::job::JobOutcome;
use crate::model::limits::check_name;
use crate::seed::{BackupSeed, IndexSeed, JobSeed};

/// Backups, indexes and restore jobs.
impl Control {
    /// Creates a backup, and returns its ID.
    ///
    /// # Errors
    /// If the project does not exist, or has a backup with this ID.
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

    /// Sets the status of a backup, which then does not change by itself.
    ///
    /// # Errors
    /// If the project or the backup does not exist.
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

    /// Removes a backup, even while it is being restored.
    ///
    /// # Errors
    /// If the project or the backup does not exist.
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

    /// Creates an index, ready unless the seed has another state, and returns its ID.
    ///
    /// # Errors
    /// If the project does not exist, has an index with this name, or Pinecone does not allow the name.
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

    /// Removes an index immediately, protected or not. It is not `Terminating` first.
    ///
    /// # Errors
    /// If the project or the index does not exist.
    pub fn delete_index(&self, project: &str, name: &str) -> ControlResult {
        self.with_project(project, |project, now| {
            let index = project.index_mut(name);
            let index = index.ok_or_else(|| ControlError::NoIndex(name.to_owned()))?;
            index.terminated_at = Some(now);
            project.remove_terminated(now);
            Ok(())
        })
    }

    /// Sets the state of an index, such as `Terminating` or `Disabled`, which then does not change by itself.
    ///
    /// # Errors
    /// If the project or the index does not exist.
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

    /// Creates a restore job without restoring anything, and returns its ID.
    ///
    /// # Errors
    /// If the project does not exist, or has a job with this ID.
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

    /// Ends a pending restore job now.
    ///
    /// # Errors
    /// If the job does not exist, or is not pending.
    pub fn finish_job(&self, job_id: &str, outcome: JobOutcome) -> ControlResult {
        self.with(|service, now| {
            let mut projects = service.projects.iter_mut();
            if projects.any(|project| project.finish_job(job_id, outcome, now)) {
                return Ok(());
            }
            Err(ControlError::NoPendingJob(job_id.to_owned()))
        })
    }

    /// Removes a restore job, as if Pinecone no longer kept it. Returns whether it existed.
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

    /// Returns the indexes of a project, oldest first; none if the project does not exist.
    pub fn indexes(&self, project: &str) -> Vec<IndexSnapshot> {
        self.list(project, |project, now| {
            project
                .indexes
                .iter()
                .map(|index| IndexSnapshot::of(index, now))
                .collect()
        })
    }

    /// Returns the backups of a project, oldest first; none if the project does not exist.
    pub fn backups(&self, project: &str) -> Vec<BackupSnapshot> {
        self.list(project, |project, now| {
            let backups = project.backups.iter();
            backups
                .map(|backup| BackupSnapshot::of(backup, now))
                .collect()
        })
    }

    /// Returns the restore jobs of a project, oldest first; none if the project does not exist.
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
