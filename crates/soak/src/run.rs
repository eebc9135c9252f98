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
use crate::observer::Observer;
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

/// How often the journal is read, and after how many times the state is printed.
const ROUND: Duration = Duration::from_secs(1);
const PRINT: u32 = 30;

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
    let observer = Arc::new(Observer::new(control.clone(), arguments.api.shows_source()));
    let builder = installation::install(&control_plane, binary, &emulator.url(), arguments).await?;
    let people = People::settle_in(control_plane.client().await?, control).await?;
    let replicas = Replicas::start(builder, arguments.replicas, Arc::clone(&observer))?;
    let world = Arc::new(World {
        people,
        observer,
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
            self.print("the faults are over; everything settles");
            world.closing.cancel();
            Ok(())
        };
        let lives = self.population.keep(world, seed);
        tokio::try_join!(storm, lives)?;
        rest::settled(world).await?;
        let stalled = rest::delete_stalled(world).await?;
        self.print(&format!("all restores report the actual state; {stalled} that require manual action are deleted; now nothing may change"));
        let replicas = if arguments.rivals {
            arguments.replicas
        } else {
            1
        };
        let lists = rest::lists_allowed(installation::SLOW_PERIOD) * replicas;
        rest::rest(world, &self.storm.control_plane, lists).await
    }

    /// Sees all that is stored; never ends but by an error.
    async fn watch(&self) -> Result<Infallible> {
        let observer = &self.storm.world.observer;
        let url = self.storm.control_plane.etcd_url();
        tokio::try_join!(
            etcd::watch(&url, RESTORES, |change| observer.see(&change)),
            etcd::watch(&url, EVENTS, |change| observer.see_event(&change)),
        )?;
        Err(anyhow::anyhow!("etcd is not watched any more"))
    }

    /// Observes until a rule is broken.
    async fn judge(&self) -> Result<()> {
        let mut rounds = 0;
        loop {
            tokio::time::sleep(ROUND).await;
            rounds += 1;
            let observer = &self.storm.world.observer;
            observer.read_journal();
            if rounds % 2 == 0 {
                self.storm
                    .replicas
                    .look_after()
                    .context("sampling the replicas")?;
            }
            if rounds % PRINT == 0 {
                self.print(&self.state());
            }
            if !observer.lock().judge.violations.is_empty() {
                return Ok(());
            }
        }
    }

    fn state(&self) -> String {
        let known = self.storm.world.observer.lock();
        let latest: Vec<_> = known.living().map(|(_, _, object)| object).collect();
        let ready = latest
            .iter()
            .filter(|object| testkit::judge::is_ready(object));
        format!(
            "{} live, {} ready; {} creates accepted, {} requests",
            latest.len(),
            ready.count(),
            known.counts.accepted,
            known.counts.requests
        )
    }

    fn print(&self, what: &str) {
        println!("{}     {what}", clock(self.begun.elapsed()));
    }

    fn verdict(&self, arguments: &Arguments, seed: u64, rest: Option<Rest>) -> Result<bool> {
        let took = self.begun.elapsed();
        report::broken(&self.storm.world.observer, &self.storm.replicas);
        let account = self.storm.replicas.end()?;
        let summary = Summary {
            seed,
            minutes: arguments.minutes,
            took,
            plan: &self.plan,
            population: &self.population,
            account: &account,
            rest: rest.as_ref(),
            observer: &self.storm.world.observer,
        };
        Ok(summary.print())
    }
}
