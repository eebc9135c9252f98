//! Keeps as many restores alive as there shall be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::life::{Plan, World};

/// How many deletions may be due at once.
const DUE: usize = 10;
/// For the lives that are under way once the run closes.
const ENDINGS: Duration = Duration::from_secs(420);

/// How many lives were planned, and how many were lived to their end.
pub struct Population {
    planned: AtomicU64,
    pub lived: AtomicU64,
    /// One permit is for one object.
    room: Arc<Semaphore>,
}

impl Population {
    /// So many objects at a time.
    pub fn of(count: u32) -> Self {
        Self {
            planned: AtomicU64::new(0),
            lived: AtomicU64::new(0),
            room: Arc::new(Semaphore::new(count as usize)),
        }
    }

    /// Begins lives until the run closes, and waits for those under way.
    pub async fn keep(&self, world: &Arc<World>, seed: u64) -> Result<()> {
        let mut lives = JoinSet::new();
        loop {
            let number = self.planned.load(Ordering::Relaxed);
            let plan = Plan::draw(seed, number);
            let turn = async {
                let room = Arc::clone(&self.room).acquire_many_owned(plan.objects());
                anyhow::Ok((
                    room.await?,
                    Arc::clone(&world.starting).acquire_owned().await?,
                ))
            };
            let (permits, starting) = tokio::select! {
                () = world.closing.cancelled() => break,
                turn = turn => turn?,
                Some(ended) = lives.join_next() => {
                    self.ended(ended)?;
                    continue;
                }
            };
            self.planned.fetch_add(1, Ordering::Relaxed);
            let world = Arc::clone(world);
            lives.spawn(async move {
                let outcome = world.live(plan, starting).await;
                drop(permits);
                outcome
            });
        }
        let endings = async {
            while let Some(ended) = lives.join_next().await {
                self.ended(ended)?;
            }
            Ok(())
        };
        // Those that did not come to their end are found wrong afterwards, one by one.
        tokio::time::timeout(ENDINGS, endings)
            .await
            .unwrap_or(Ok(()))
    }

    fn ended(&self, ended: Result<Result<()>, tokio::task::JoinError>) -> Result<()> {
        self.lived.fetch_add(1, Ordering::Relaxed);
        ended?.context("a life ended badly")
    }

    /// Lets objects be deleted, at that many a second, while there are as many as there shall be.
    pub async fn retire(&self, world: &World, per_second: f64) {
        let every = Duration::from_secs_f64(1.0 / per_second.max(0.001));
        let mut ticks = tokio::time::interval(every);
        loop {
            ticks.tick().await;
            let is_full = self.room.available_permits() < DUE;
            if is_full && world.retirements.available_permits() < DUE {
                world.retirements.add_permits(1);
            }
        }
    }
}
