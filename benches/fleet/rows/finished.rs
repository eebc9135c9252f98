//! Start and steady state with many finished objects.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::{Plan, Session, wall};
use crate::audit::requests;
use crate::cluster::Cluster;
use crate::machine::{Window, cpu, memory};
use crate::polls::DEFAULT;
use crate::results::{Row, Side};
use crate::subject::Subject;

/// A row with fewer objects only checks that the bench works.
const WHOLE: u32 = 1_000;

/// Restores all objects, and measures the operator afterwards, in one round.
pub async fn measure(plan: &Plan, session: &Session, row: &mut Row) -> Result<()> {
    let cluster = Cluster::start(plan.keys).await?;
    let mut subject = Subject::start(Side::Operator, session, &cluster).await?;
    wall::run(plan, &cluster, &mut subject, 0).await?;
    tokio::time::sleep(plan.rest()).await;
    let settled = memory(subject.pid())?.rss_mib;
    row.add(Side::Operator, "RSS settled", "MiB", settled);
    subject.stop().await?;
    let subject = restart(session, &cluster, row).await?;
    tokio::time::sleep(plan.rest()).await;
    steady(plan, &cluster, &subject, row).await
}

async fn restart(session: &Session, cluster: &Cluster, row: &mut Row) -> Result<Subject> {
    let (since, began) = (Timestamp::now(), Instant::now());
    let subject = Subject::start_operator(session, cluster)?;
    let ready = subject.until_ready().await;
    ready.with_context(|| subject.log_tail())?;
    let (wall, own) = (began.elapsed(), cpu(&[subject.pid()])?);
    let calls = requests(&cluster.control_plane.audit_log(), since)?;
    let mut add = |name, unit, value| row.add(Side::Operator, name, unit, value);
    add("start: until /readyz is 200", "s", wall.as_secs_f64());
    add("start: own CPU", "s", own.as_secs_f64());
    add("start: list requests", "", f64::from(calls.lists));
    let writes = calls.status_writes + calls.events;
    add("start: writes", "", f64::from(writes));
    Ok(subject)
}

async fn steady(plan: &Plan, cluster: &Cluster, subject: &Subject, row: &mut Row) -> Result<()> {
    let since = Timestamp::now();
    let asked = cluster.pinecone.requests().await?;
    let window = Window::open(cluster.processes(subject.pid()))?;
    tokio::time::sleep(plan.steady()).await;
    let spent = window.spent()?;
    row.other_load.push(spent.other_load);
    let calls = requests(&cluster.control_plane.audit_log(), since)?;
    let asked = cluster.pinecone.requests().await? - asked;
    let minutes = spent.length.as_secs_f64() / 60.0;
    let mut add = |name, unit, value| row.add(Side::Operator, name, unit, value);
    add("steady: share of one core", "%", spent.share());
    let writes = f64::from(calls.status_writes + calls.events);
    add("steady: writes a minute", "", writes / minutes);
    add(
        "steady: Pinecone requests a minute",
        "",
        asked as f64 / minutes,
    );
    add("steady: RSS", "MiB", memory(subject.pid())?.rss_mib);
    Ok(())
}

impl Plan {
    /// Until nothing of the restores or of a start is left to do.
    fn rest(&self) -> Duration {
        Duration::from_secs(if self.objects < WHOLE { 3 } else { 60 })
    }

    /// Every finished restore is confirmed once in each slow period.
    fn steady(&self) -> Duration {
        match self.objects < WHOLE {
            true => Duration::from_secs(10),
            false => DEFAULT.slow_period(),
        }
    }
}
