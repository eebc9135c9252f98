//! Many objects at once, beside the floor.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use jiff::Timestamp;
use kube::Api;

use super::{Plan, Session};
use crate::audit::{Requests, requests};
use crate::cluster::Cluster;
use crate::machine::{Spent, Window, memory};
use crate::results::{Row, Side};
use crate::subject::Subject;
use crate::watch::{Until, Watch};

/// All events are sent once none is for that long.
const SETTLE: Duration = Duration::from_secs(3);

/// How long the control plane is measured at rest.
const REST: Duration = Duration::from_secs(5);

/// Both subjects, in an order that changes with each round.
pub async fn round(plan: &Plan, session: &Session, round: u16, row: &mut Row) -> Result<()> {
    let mut sides = [Side::Floor, Side::Operator];
    if round % 2 == 1 {
        sides.reverse();
    }
    for side in sides {
        let cluster = Cluster::start(plan.keys).await?;
        let mut subject = Subject::start(side, session, &cluster).await?;
        let idle = memory(subject.pid())?.rss_mib;
        let run = run(plan, &cluster, &mut subject, 0).await?;
        run.add(plan, side, row);
        if side == Side::Operator {
            row.add(side, "RSS idle", "MiB", idle);
            row.add(side, "RSS peak", "MiB", memory(subject.pid())?.peak_mib);
        }
    }
    Ok(())
}

/// What all restores took.
pub struct Run {
    wall: Duration,
    spent: Spent,
    /// What the control plane would have used in that time without restores.
    at_rest: Duration,
    status_writes: u32,
    events: u32,
    pinecone: u64,
}

/// Creates the objects, each with an annotation of that size, and waits until all are ready.
pub async fn run(
    plan: &Plan,
    cluster: &Cluster,
    subject: &mut Subject,
    annotation: usize,
) -> Result<Run> {
    let all = Api::all(cluster.client.clone());
    let mut ready = Watch::of(all, plan.objects, Until::Ready);
    let since = Timestamp::now();
    let window = Window::open(cluster.processes(subject.pid()))?;
    let began = Instant::now();
    cluster.create(plan.objects, annotation).await?;
    let all = ready.all(subject, plan.patience()).await?;
    let wall = all.duration_since(began);
    let calls = settled(&cluster.control_plane.audit_log(), since).await?;
    let spent = window.spent()?;
    let window = Window::open(cluster.processes(subject.pid()))?;
    tokio::time::sleep(REST).await;
    let rest = window.spent()?;
    let share = spent.length.as_secs_f64() / rest.length.as_secs_f64();
    Ok(Run {
        wall,
        spent,
        at_rest: rest.control_plane.mul_f64(share),
        status_writes: calls.status_writes,
        events: calls.events,
        pinecone: cluster.pinecone.requests().await?,
    })
}

/// What was asked of the API server, once the last events are sent: the operator sends them when it has
/// nothing else to do, and they are part of what restores cost.
pub async fn settled(log: &Path, since: Timestamp) -> Result<Requests> {
    let mut before = 0;
    loop {
        tokio::time::sleep(SETTLE).await;
        let calls = requests(log, since)?;
        if calls.events == before {
            return Ok(calls);
        }
        before = calls.events;
    }
}

impl Run {
    /// Cores that unrelated processes used meanwhile.
    pub fn other_load(&self) -> f64 {
        self.spent.other_load
    }

    fn add(&self, plan: &Plan, side: Side, row: &mut Row) {
        let each = |total: f64| total / f64::from(plan.objects);
        row.other_load.push(self.spent.other_load);
        row.add(side, "until all are ready", "s", self.wall.as_secs_f64());
        let own = each(self.spent.subject.as_secs_f64() * 1_000.0);
        row.add(side, "own CPU of one restore", "ms", own);
        let control_plane = self.spent.control_plane;
        let of_restores = control_plane.saturating_sub(self.at_rest);
        for (name, used) in [
            ("control plane's CPU of one restore", control_plane),
            ("the same above rest", of_restores),
        ] {
            row.add(side, name, "ms", each(used.as_secs_f64() * 1_000.0));
        }
        let writes = each(f64::from(self.status_writes));
        row.add(side, "status writes of one restore", "", writes);
        row.add(
            side,
            "events of one restore",
            "",
            each(f64::from(self.events)),
        );
        let pinecone = each(self.pinecone as f64);
        row.add(side, "Pinecone requests of one restore", "", pinecone);
    }
}
