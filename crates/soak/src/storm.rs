//! Carries the schedule out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use index_restore_operator::api::IndexRestore;
use jiff::Timestamp;
use pinecone_emulator::{BackupStatus, IndexSeed};
use testkit::{ControlPlane, judge};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::life::World;
use crate::people::{self, PROJECTS};
use crate::replicas::Replicas;
use crate::schedule::{Blow, Planned};
use crate::screen::clock;
use crate::tags::{KIND, LIFE, project, tag};

/// For kube-apiserver to be ready again, on a machine that is busy.
const READY: Duration = Duration::from_secs(120);

pub struct Storm {
    pub control_plane: Arc<ControlPlane>,
    pub replicas: Arc<Replicas>,
    pub world: Arc<World>,
}

/// What ends a blow.
enum Relief {
    Nothing,
    Faults(Vec<u64>),
    Thaw(usize, u32),
    ResumeApiServer,
    Secrets(usize),
    Room(usize),
    Backup(usize),
}

/// What takes people a while: it must not hold up what is due next.
type Errands = JoinSet<Result<()>>;

enum Turn {
    Begins,
    Ends,
}

impl Storm {
    /// Does all that is planned, each at its time, and undoes it.
    pub async fn blow(&self, plan: &[Planned], begun: Instant) -> Result<()> {
        let mut turns = Vec::new();
        for (number, planned) in plan.iter().enumerate() {
            turns.push((planned.at, number, Turn::Begins));
            turns.push((planned.at + planned.lasts, number, Turn::Ends));
        }
        turns.sort_by_key(|(at, _, _)| *at);
        let mut reliefs = HashMap::new();
        let mut errands = Errands::new();
        for (at, number, turn) in turns {
            tokio::time::sleep_until(begun + at).await;
            let planned = &plan[number];
            match turn {
                Turn::Begins => {
                    let lasts = planned.lasts;
                    let now = clock(begun.elapsed());
                    println!("{now} {number:3} {} ({lasts:.1?})", planned.name);
                    reliefs.insert(number, self.begin(&planned.blow, &mut errands).await?);
                }
                Turn::Ends => {
                    let relief = reliefs.remove(&number).unwrap_or(Relief::Nothing);
                    self.relieve(relief).await?;
                }
            }
        }
        self.world.people.control.clear_faults();
        while let Some(errand) = errands.join_next().await {
            errand?.context("what people do failed")?;
        }
        Ok(())
    }

    async fn begin(&self, blow: &Blow, errands: &mut Errands) -> Result<Relief> {
        let people = &self.world.people;
        let control = &people.control;
        Ok(match blow {
            Blow::Pinecone(faults) => {
                let faults = faults.iter().cloned();
                Relief::Faults(faults.map(|fault| control.inject(fault)).collect())
            }
            Blow::Freeze(number) => Relief::Thaw(*number, self.replicas.freeze(*number)),
            Blow::Kill(number) => {
                self.replicas.kill(*number)?;
                Relief::Nothing
            }
            Blow::PauseApiServer => {
                self.control_plane.suspend_api_server()?;
                Relief::ResumeApiServer
            }
            Blow::RestartApiServer => {
                self.restart_api_server().await?;
                Relief::Nothing
            }
            Blow::WipeStatuses(ranks) => {
                self.wipe(ranks, errands);
                Relief::Nothing
            }
            Blow::DeleteIndexes(ranks) => self.delete_indexes(ranks),
            Blow::Label(ranks) => {
                self.label(ranks, errands);
                Relief::Nothing
            }
            Blow::LoseSecrets(project) => {
                people.delete_secrets(*project).await?;
                Relief::Secrets(*project)
            }
            Blow::RotateKey(project) => {
                people.rotate(*project)?;
                Relief::Secrets(*project)
            }
            Blow::Quota(project) => {
                people.set_room(*project, false)?;
                Relief::Room(*project)
            }
            Blow::BackupNotReady(project) => {
                self.set_backup(*project, BackupStatus::Initializing)?;
                Relief::Backup(*project)
            }
        })
    }

    async fn relieve(&self, relief: Relief) -> Result<()> {
        let people = &self.world.people;
        match relief {
            Relief::Nothing => {}
            Relief::Faults(ids) => {
                for id in ids {
                    people.control.clear_fault(id);
                }
            }
            Relief::Thaw(number, pid) => self.replicas.thaw(number, pid),
            Relief::ResumeApiServer => self.control_plane.resume_api_server()?,
            Relief::Secrets(project) => people.put_secrets(project).await?,
            Relief::Room(project) => people.set_room(project, true)?,
            Relief::Backup(project) => self.set_backup(project, BackupStatus::Ready)?,
        }
        Ok(())
    }

    fn set_backup(&self, project: usize, status: BackupStatus) -> Result<()> {
        let control = &self.world.people.control;
        let (name, id) = (people::project(project), people::backup(project));
        Ok(control.set_backup_status(&name, &id, status)?)
    }

    async fn restart_api_server(&self) -> Result<()> {
        self.control_plane.stop_api_server()?;
        let started = self.control_plane.start_api_server().await;
        if started.is_ok() {
            return Ok(());
        }
        let client = self.control_plane.client().await?;
        testkit::eventually("kube-apiserver is back", READY, async || {
            Ok(Some(client.apiserver_version().await?))
        })
        .await
        .map(drop)
    }

    /// The living objects for which `is_fit` holds, those that the ranks name, and their lives.
    fn choose(
        &self,
        ranks: &[f64],
        is_fit: impl Fn(&IndexRestore, bool) -> bool,
    ) -> Vec<IndexRestore> {
        let known = self.world.observer.lock();
        let mut fit: Vec<&IndexRestore> = known
            .living()
            .filter(|(_, life, object)| is_fit(object, life.wiped))
            .map(|(_, _, object)| object)
            .collect();
        fit.sort_by_key(|object| tag(object, LIFE));
        let place =
            |rank: &f64| ((rank * fit.len() as f64) as usize).min(fit.len().saturating_sub(1));
        ranks
            .iter()
            .filter_map(|rank| fit.get(place(rank)).map(|object| (*object).clone()))
            .collect()
    }

    /// Not those whose index people delete, nor those that may not adopt: that the status is lost
    /// *and* the index deleted is a stated limit.
    fn wipe(&self, ranks: &[f64], errands: &mut Errands) {
        let deleted = self.world.observer.lock().judge.facts.deleted.clone();
        let deleted = deleted.unwrap_or_default();
        let chosen = self.choose(ranks, |object, _| {
            !["Never", "Recreated"].contains(&tag(object, KIND))
                && !deleted.contains(&object.spec.index_name)
        });
        for object in chosen {
            if let Some(life) = self
                .world
                .observer
                .lock()
                .judge
                .lives
                .get_mut(tag(&object, LIFE))
            {
                life.wiped = true;
            }
            let world = Arc::clone(&self.world);
            errands.spawn(async move {
                let (namespace, name, uid) = identity(&object)?;
                world.people.wipe(namespace, name, uid).await
            });
        }
    }

    fn delete_indexes(&self, ranks: &[f64]) -> Relief {
        let chosen = self.choose(ranks, |object, wiped| {
            !wiped && judge::is_ready(object) && ["Plain", "Never"].contains(&tag(object, KIND))
        });
        let control = &self.world.people.control;
        for (number, object) in chosen.into_iter().enumerate() {
            let (project, name) = (project(&object), object.spec.index_name.clone());
            // Every other one is followed by another index of its name and host.
            let is_recreated = number % 2 == 1;
            {
                let mut known = self.world.observer.lock();
                let facts = &mut known.judge.facts;
                // The same may be chosen twice.
                if !facts.deleted.get_or_insert_default().insert(name.clone()) {
                    continue;
                }
                if is_recreated {
                    facts.recreated.get_or_insert_default().insert(name.clone());
                }
            }
            let _ = control.delete_index(project, &name);
            if is_recreated {
                let _ = control.add_index(project, IndexSeed::new(name));
            }
        }
        Relief::Nothing
    }

    fn label(&self, ranks: &[f64], errands: &mut Errands) {
        for (number, object) in self.choose(ranks, |_, _| true).into_iter().enumerate() {
            let world = Arc::clone(&self.world);
            errands.spawn(async move {
                let (namespace, name, _) = identity(&object)?;
                let value = format!("{number}-{}", Timestamp::now().as_second());
                world.people.label(namespace, name, &value).await
            });
        }
    }
}

fn identity(object: &IndexRestore) -> Result<(&str, &str, &str)> {
    let metadata = &object.metadata;
    let namespace = metadata.namespace.as_deref().context("no namespace")?;
    let name = metadata.name.as_deref().context("no name")?;
    Ok((namespace, name, metadata.uid.as_deref().context("no UID")?))
}

/// Whether a project is one of those that there are.
pub fn projects() -> impl Iterator<Item = String> {
    (0..PROJECTS).map(people::project)
}
