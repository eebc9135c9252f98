//! Fairness: what the trouble of one API key costs the restores of others.

mod hanging;
mod limited;
mod missing;
mod rejected;

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::{Plan, Session};
use crate::cluster::Cluster;
use crate::results::{Row, median};
use crate::subject::Subject;
use crate::watch::{Until, Watch};

/// The API key in trouble.
const TROUBLED: u32 = 0;

/// The key whose restores are measured without the trouble, and the one beside it: a fresh one each, so that both begin alike.
const ALONE: u32 = 1;
const BESIDE: u32 = 2;

/// For restores that no trouble should delay.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is wrong with one API key.
#[derive(Clone, Copy)]
pub enum Trouble {
    /// Pinecone rejects it.
    Rejected,
    /// Its list of indexes is not answered.
    Hanging,
    /// Its Secret does not exist.
    Missing,
    /// Pinecone limits its requests.
    Limited,
}

impl Trouble {
    pub fn title(self, objects: &str) -> String {
        match self {
            Self::Rejected => format!("{objects} restores whose API key is rejected"),
            Self::Hanging => format!("{objects} finished restores whose list of indexes hangs"),
            Self::Missing => format!("{objects} restores whose Secret does not exist"),
            Self::Limited => format!("{objects} restores on a rate-limited API key"),
        }
    }

    /// In one round, unless it is short.
    pub async fn measure(self, plan: &Plan, session: &Session, row: &mut Row) -> Result<()> {
        match self {
            Self::Rejected => {
                for _ in 0..session.rounds {
                    rejected::round(plan, session, row).await?;
                }
                Ok(())
            }
            Self::Hanging => hanging::measure(plan, session, row).await,
            Self::Missing => missing::measure(plan, session, row).await,
            Self::Limited => limited::measure(plan, session, row).await,
        }
    }
}

/// Creates these restores on a key that has those before them, and returns the seconds until all are Ready.
async fn restore(
    cluster: &Cluster,
    subject: &mut Subject,
    key: u32,
    numbers: Range<u32>,
) -> Result<f64> {
    let mut ready = Watch::of(cluster.restores(key), numbers.end, Until::Ready);
    let began = Instant::now();
    cluster.create_on(key, numbers).await?;
    let last = ready.all(subject, PATIENCE).await?;
    Ok(last.duration_since(began).as_secs_f64())
}

/// Creates batches of restores on a fresh key, each once the one before it is Ready, and returns the median of their seconds.
async fn restore_in_turn(
    cluster: &Cluster,
    subject: &mut Subject,
    key: u32,
    batches: u32,
    each: u32,
) -> Result<f64> {
    let mut times = Vec::new();
    for batch in 0..batches {
        let numbers = batch * each..(batch + 1) * each;
        times.push(restore(cluster, subject, key, numbers).await?);
    }
    median(&times).context("there were no restores")
}
