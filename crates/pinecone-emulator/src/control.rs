//! The handle to look into an emulator and to change it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Project};
use crate::fault::Fault;
use crate::habits::Habits;
use crate::journal::{AcceptedCreate, Request};
use crate::seed::{ProjectSeed, Seed};
use crate::tenant::Tenant;
use crate::world::World;

/// Looks into an emulator and changes it, past Pinecone's API. Clones share one emulator.
#[derive(Clone)]
pub struct Control {
    world: Arc<Mutex<World>>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Control")
    }
}

/// Why a change was not made. Its text never contains an API key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no such project.
    #[error("there is no project {0:?}")]
    NoProject(String),
    /// There is no such index in the project.
    #[error("there is no index {0:?}")]
    NoIndex(String),
    /// There is no such backup in the project.
    #[error("there is no backup {0:?}")]
    NoBackup(String),
    /// There is no such restore job that is pending.
    #[error("there is no pending restore job {0:?}")]
    NoPendingJob(String),
    /// There is one already.
    #[error("there is already a {0} {1:?}")]
    Taken(&'static str, String),
    /// The name breaks Pinecone's rule for names.
    #[error("{0:?} is no name for an index")]
    BadName(String),
    /// The API key belongs to a project already.
    #[error("the API key belongs to a project already")]
    KeyTaken,
}

pub(crate) type Done<T = ()> = Result<T, ControlError>;

/// Projects and keys.
impl Control {
    /// Adds a project.
    ///
    /// # Errors
    /// If the name or one of the keys is taken.
    pub fn add_project(&self, project: Project) -> Done {
        self.with(|world, _| {
            if world.tenant(&project.name).is_some() {
                return Err(ControlError::Taken("project", project.name));
            }
            if project
                .api_keys
                .iter()
                .any(|key| world.keys.contains_key(key))
            {
                return Err(ControlError::KeyTaken);
            }
            world.add_project(project);
            Ok(())
        })
    }

    /// Changes how many indexes and backups a project may hold.
    ///
    /// # Errors
    /// If there is no such project.
    pub fn set_quotas(&self, project: &str, indexes: usize, backups: usize) -> Done {
        self.tenant(project, |tenant, _| {
            tenant.index_quota = indexes;
            tenant.backup_quota = backups;
            Ok(())
        })
    }

    /// Sets whether the plan of a project's organization has no backups.
    ///
    /// # Errors
    /// If there is no such project.
    pub fn set_plan_without_backups(&self, project: &str, without: bool) -> Done {
        self.tenant(project, |tenant, _| {
            tenant.plan_without_backups = without;
            Ok(())
        })
    }

    /// Makes a key valid for a project, from the next request on.
    ///
    /// # Errors
    /// If there is no such project, or the key belongs to another one.
    pub fn add_api_key(&self, project: &str, key: &str) -> Done {
        self.tenant(project, |_, _| Ok(()))?;
        self.with(|world, _| match world.keys.get(key) {
            Some(owner) if owner != project => Err(ControlError::KeyTaken),
            _ => {
                world.keys.insert(key.to_owned(), project.to_owned());
                Ok(())
            }
        })
    }

    /// Makes a key invalid; whether it was valid.
    pub fn revoke_api_key(&self, key: &str) -> bool {
        self.with(|world, _| world.keys.remove(key).is_some())
    }

    /// The names of the projects.
    pub fn projects(&self) -> Vec<String> {
        self.with(|world, _| {
            world
                .tenants
                .iter()
                .map(|tenant| tenant.name.clone())
                .collect()
        })
    }

    /// Adds everything in a seed.
    ///
    /// # Errors
    /// If something in it is there already; what came before it stays.
    pub fn plant(&self, seed: Seed) -> Done {
        for project in seed.projects {
            self.plant_project(project)?;
        }
        for fault in seed.faults {
            self.inject(fault);
        }
        Ok(())
    }

    fn plant_project(&self, seed: ProjectSeed) -> Done {
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

/// Faults, time and the journal.
impl Control {
    /// Injects a fault and returns its number.
    pub fn inject(&self, fault: Fault) -> u64 {
        self.with(|world, _| world.inject(fault))
    }

    /// Removes one fault; whether it was there.
    pub fn clear_fault(&self, id: u64) -> bool {
        self.with(|world, _| {
            let before = world.faults.len();
            world.faults.retain(|armed| armed.id != id);
            world.faults.len() < before
        })
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.with(|world, _| world.faults.clear());
    }

    /// How many requests a fault affected; 0 if it is not there.
    pub fn fault_hits(&self, id: u64) -> u32 {
        self.faults()
            .into_iter()
            .find_map(|(other, _, hits)| (other == id).then_some(hits))
            .unwrap_or(0)
    }

    /// The faults: number, fault, and how many requests it affected.
    pub fn faults(&self) -> Vec<(u64, Fault, u32)> {
        self.with(|world, _| {
            let faults = world.faults.iter();
            faults
                .map(|armed| (armed.id, armed.fault.clone(), armed.fired()))
                .collect()
        })
    }

    /// Changes how the service behaves, from the next request on.
    pub fn set_habits(&self, habits: Habits) {
        self.with(|world, _| world.set_habits(habits));
    }

    /// How long restores take that begin from now on; `None`: until [`finish_job`](Self::finish_job).
    pub fn set_restore_duration(&self, duration: impl Into<Option<Duration>>) {
        let duration = duration.into();
        self.with(|world, _| world.times.restore = duration);
    }

    /// How long a deleted index stays `Terminating`, for deletions from now on.
    pub fn set_termination(&self, duration: Duration) {
        self.with(|world, _| world.times.termination = duration);
    }

    /// Lets the emulator's clock jump ahead: what was due within that time is done.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.with(|world, _| world.skew = world.skew.saturating_add(by));
    }

    /// Sets how far the emulator's clock is from the machine's, as its `Date` headers and timestamps show.
    pub fn set_clock_skew(&self, skew: SignedDuration) {
        self.with(|world, _| world.skew = skew);
    }

    /// The time on the emulator's clock.
    pub fn now(&self) -> Timestamp {
        self.with(|_, now| now)
    }

    /// The last 100 000 requests to Pinecone's paths, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.with(|world, _| world.journal.requests())
    }

    /// Takes the requests that arrived before that time out of the journal, oldest first: a run
    /// of hours reads the journal bit by bit. One that is still being answered is told as it is.
    pub fn take_requests(&self, before: Timestamp) -> Vec<Request> {
        self.with(|world, _| world.journal.take(before))
    }

    /// Takes out the accepted creates so far, of all projects, oldest first.
    pub fn take_accepted_creates(&self) -> Vec<AcceptedCreate> {
        self.with(|world, _| {
            let tenants = world.tenants.iter_mut();
            let mut all: Vec<AcceptedCreate> = tenants
                .flat_map(|tenant| std::mem::take(&mut tenant.accepted))
                .collect();
            all.sort_by_key(|accepted| (accepted.time, accepted.seq));
            all
        })
    }

    /// Forgets the requests so far, not the accepted creates.
    pub fn clear_requests(&self) {
        self.with(|world, _| world.journal.clear());
    }

    /// Every create from a backup that took effect, of all projects, oldest first.
    pub fn accepted_creates(&self) -> Vec<AcceptedCreate> {
        self.with(|world, _| {
            let mut all: Vec<AcceptedCreate> = world
                .tenants
                .iter()
                .flat_map(|tenant| tenant.accepted.clone())
                .collect();
            all.sort_by_key(|accepted| (accepted.time, accepted.seq));
            all
        })
    }
}

/// The way to the world.
impl Control {
    pub(crate) fn new(config: &Config) -> Done<Self> {
        let control = Self {
            world: Arc::new(Mutex::new(World::new(config))),
        };
        for project in &config.projects {
            control.add_project(project.clone())?;
        }
        Ok(control)
    }

    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut World, Timestamp) -> R) -> R {
        // A panic elsewhere can't leave the plain state half-changed in a way that matters to a test.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Timestamp::now();
        let now = now.checked_add(world.skew).unwrap_or(now);
        act(&mut world, now)
    }

    pub(crate) fn delivered(&self, seq: u64) {
        self.with(|world, _| world.journal.delivered(seq));
    }

    pub(crate) fn tenant<R>(
        &self,
        project: &str,
        act: impl FnOnce(&mut Tenant, Timestamp) -> Done<R>,
    ) -> Done<R> {
        self.with(|world, now| match world.tenant(project) {
            Some(tenant) => {
                tenant.settle(now);
                act(tenant, now)
            }
            None => Err(ControlError::NoProject(project.to_owned())),
        })
    }

    pub(crate) fn list<R>(
        &self,
        project: &str,
        act: impl FnOnce(&Tenant, Timestamp) -> Vec<R>,
    ) -> Vec<R> {
        self.tenant(project, |tenant, now| Ok(act(tenant, now)))
            .unwrap_or_default()
    }
}
