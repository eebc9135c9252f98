//! Projects, API keys and seeds.

use crate::config::{Config, Project};
use crate::control::handle::{Control, ControlError, ControlResult};
use crate::model::request_limit::{Allowance, RequestLimit};
use crate::seed::{ProjectSeed, Seed};

/// Projects, API keys and seeds.
impl Control {
    /// Returns the handle of a new emulator.
    ///
    /// # Errors
    /// If two projects have the same name or key.
    pub(crate) fn new(config: &Config) -> ControlResult<Self> {
        let control = Self::empty(config);
        for project in &config.projects {
            control.add_project(project.clone())?;
        }
        Ok(control)
    }

    /// Adds a project.
    ///
    /// # Errors
    /// If the name or one of the keys exists already.
    pub fn add_project(&self, project: Project) -> ControlResult {
        self.with(|service, _| {
            if service.project(&project.name).is_some() {
                return Err(ControlError::Taken("project", project.name));
            }
            if project
                .api_keys
                .iter()
                .any(|key| service.keys.contains_key(key))
            {
                return Err(ControlError::KeyTaken);
            }
            service.add_project(project);
            Ok(())
        })
    }

    /// Changes the maximum number of indexes and backups of a project.
    ///
    /// # Errors
    /// If the project does not exist.
    pub fn set_quotas(&self, project: &str, indexes: usize, backups: usize) -> ControlResult {
        self.with_project(project, |project, _| {
            project.index_quota = indexes;
            project.backup_quota = backups;
            Ok(())
        })
    }

    /// Limits the requests of a project; `None`: no limit.
    ///
    /// # Errors
    /// If the project does not exist.
    pub fn limit_requests(&self, project: &str, limit: Option<RequestLimit>) -> ControlResult {
        self.with_project(project, |project, now| {
            project.allowance = limit.map(|limit| Allowance::new(limit, now));
            Ok(())
        })
    }

    /// Sets whether the plan of a project's organization has no backups.
    ///
    /// # Errors
    /// If the project does not exist.
    pub fn set_plan_without_backups(&self, project: &str, without: bool) -> ControlResult {
        self.with_project(project, |project, _| {
            project.plan_without_backups = without;
            Ok(())
        })
    }

    /// Adds a valid API key to a project.
    ///
    /// # Errors
    /// If the project does not exist, or the key belongs to another project.
    pub fn add_api_key(&self, project: &str, key: &str) -> ControlResult {
        self.with_project(project, |_, _| Ok(()))?;
        self.with(|service, _| match service.keys.get(key) {
            Some(owner) if owner != project => Err(ControlError::KeyTaken),
            _ => {
                service.keys.insert(key.to_owned(), project.to_owned());
                Ok(())
            }
        })
    }

    /// Revokes an API key. Returns whether it was valid.
    pub fn revoke_api_key(&self, key: &str) -> bool {
        self.with(|service, _| service.keys.remove(key).is_some())
    }

    /// Returns the names of the projects.
    pub fn projects(&self) -> Vec<String> {
        self.with(|service, _| {
            service
                .projects
                .iter()
                .map(|project| project.name.clone())
                .collect()
        })
    }

    /// Creates everything in a seed.
    ///
    /// # Errors
    /// If something in it exists already, or its name is not allowed; what was created before it stays.
    pub fn plant(&self, seed: Seed) -> ControlResult {
        for project in seed.projects {
            self.plant_project(project)?;
        }
        for fault in seed.faults {
            self.inject(fault);
        }
        Ok(())
    }

    fn plant_project(&self, seed: ProjectSeed) -> ControlResult {
        let name = seed.name.clone();
        self.add_project(Project {
            name: seed.name,
            api_keys: seed.api_keys,
            index_quota: seed.index_quota,
            backup_quota: seed.backup_quota,
            plan_without_backups: seed.plan_without_backups,
        })?;
        for backup in seed.backups {
            self.add_backup(&name, backup)?;
        }
        for index in seed.indexes {
            self.add_index(&name, index)?;
        }
        for job in seed.restore_jobs {
            self.add_restore_job(&name, job)?;
        }
        Ok(())
    }
}
