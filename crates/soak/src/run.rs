//! One run, from the first process to the verdict.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use pinecone_emulator::{Config, Emulator};
use testkit::{ControlPlane, binary};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Arguments;
use crate::life::World;
use crate::oracle::Oracle;
use crate::people::{PROJECTS, People};
use crate::population::Population;
use crate::replicas::Replicas;
use crate::rest::{self, Rest};
use crate::schedule::{self, Planned};
use crate::screen::clock;
use crate::storm::Storm;
use crate::summary::Summary;
use crate::{etcd, installation, report};

/// Where the API server stores them.
const RESTORES: &str = "/registry/restore.pinecone.io/indexrestores/";
const EVENTS: &str = "/registry/events/";

/// Restores that may be under way at a time: an outage shall not make hundreds begin at once.
const STARTING: usize = 100;

/// How often the judge looks, and how often it tells how things are.
const LOOK: Duration = Duration::from_secs(1);
const TELL: u32 = 30;

struct Soak {
    storm: Storm,
    population: Population,
    plan: Vec<Planned>,
    begun: Instant,
}

/// Runs; whether no rule was broken.
///
/// # Errors
/// When something that is not the operator fails.
pub async fn run(arguments: &Arguments, seed: u64) -> Result<bool> {
    let binary = match &arguments.operator {
        Some(operator) => operator.clone(),
        None => {
            println!("building the operator");
            binary::build(env!("CARGO_PKG_NAME")).await?
        }
    };
    let control_plane = Arc::new(ControlPlane::start().await?);
    let emulator = Emulator::start(Config {
        projects: Vec::new(),
        restore: Some(Duration::from_secs(1)),
        ..Config::default()
    })
    .await?;
    let control = emulator.control();
    let oracle = Arc::new(Oracle::new(control.clone(), arguments.api.shows_source()));
    let builder = installation::install(&control_plane, binary, &emulator.url(), arguments).await?;
    let people = People::settle_in(control_plane.client().await?, control).await?;
    let replicas = Replicas::start(builder, arguments.replicas, Arc::clone(&oracle))?;
    let world = Arc::new(World {
        people,
        oracle,
        starting: Arc::new(Semaphore::new(STARTING)),
        retirements: Semaphore::new(0),
        closing: CancellationToken::new(),
    });
    let length = Duration::from_secs_f64(arguments.minutes * 60.0);
    let soak = Soak {
        storm: Storm {
            control_plane,
            replicas: Arc::new(replicas),
            world,
        },
        population: Population::of(arguments.resources),
        plan: schedule::plan(seed, length, PROJECTS, arguments.replicas),
        begun: Instant::now(),
    };
    let rest = tokio::select! {
        rest = soak.play(arguments, seed, length) => Some(rest?),
        broken = soak.watch() => match broken? {},
        broken = soak.judge() => { broken?; None }
        () = soak.population.retire(&soak.storm.world, arguments.churn) => None,
    };
    soak.verdict(arguments, seed, rest)
}

impl Soak {
    /// The storm, the calm after it, and the rest.
    async fn play(&self, arguments: &Arguments, seed: u64, length: Duration) -> Result<Rest> {
        let world = &self.storm.world;
        let storm = async {
            self.storm.blow(&self.plan, self.begun).await?;
            tokio::time::sleep_until(self.begun + length).await;
            self.tell("the faults are over; everything settles");
            world.closing.cancel();
            Ok(())
        };
        let lives = self.population.keep(world, seed);
        tokio::try_join!(storm, lives)?;
        rest::settled(world).await?;
        let stalled = rest::delete_stalled(world).await?;
        self.tell(&format!("all say what is true; {stalled} that wait for a person are deleted; the rest is watched"));
        let replicas = if arguments.rivals {
            arguments.replicas
        } else {
            1
        };
        let looks = rest::looks_allowed(installation::SLOW_PERIOD) * replicas;
        rest::rest(world, &self.storm.control_plane, looks).await
    }

    /// Sees all that is stored; never ends but by an error.
    async fn watch(&self) -> Result<Infallible> {
        let oracle = &self.storm.world.oracle;
        let url = self.storm.control_plane.etcd_url();
        tokio::try_join!(
            etcd::watch(&url, RESTORES, |change| oracle.see(&change)),
            etcd::watch(&url, EVENTS, |change| oracle.see_event(&change)),
        )?;
        Err(anyhow::anyhow!("etcd is not watched any more"))
    }

    /// Looks until a rule is broken.
    async fn judge(&self) -> Result<()> {
        let mut looks = 0;
        loop {
            tokio::time::sleep(LOOK).await;
            looks += 1;
            let oracle = &self.storm.world.oracle;
            oracle.read_journal();
            if looks % 2 == 0 {
                self.storm
                    .replicas
                    .look_after()
                    .context("looking after the replicas")?;
            }
            if looks % TELL == 0 {
                self.tell(&self.state());
            }
            if !oracle.lock().broken.is_empty() {
                return Ok(());
            }
        }
    }

    fn state(&self) -> String {
        let known = self.storm.world.oracle.lock();
        let living = known.lives.values().filter(|life| life.gone.is_none());
        let latest: Vec<_> = living.filter_map(|life| life.latest()).collect();
        let ready = latest
            .iter()
            .filter(|object| crate::rules::is_ready(object));
        format!(
            "{} live, {} ready; {} creates accepted, {} requests",
            latest.len(),
            ready.count(),
            known.counts.accepted,
            known.counts.requests
        )
    }

    fn tell(&self, what: &str) {
        println!("{}     {what}", clock(self.begun.elapsed()));
    }

    fn verdict(&self, arguments: &Arguments, seed: u64, rest: Option<Rest>) -> Result<bool> {
        let took = self.begun.elapsed();
        report::broken(&self.storm.world.oracle, &self.storm.replicas);
        let account = self.storm.replicas.end()?;
        let summary = Summary {
            seed,
            minutes: arguments.minutes,
            took,
            plan: &self.plan,
            population: &self.population,
            account: &account,
            rest: rest.as_ref(),
            oracle: &self.storm.world.oracle,
        };
        Ok(summary.tell())
    }
}
