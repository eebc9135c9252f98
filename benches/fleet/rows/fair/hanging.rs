//! Finished restores of an API key whose list of indexes Pinecone does not answer.

use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use pinecone_emulator::{Fault, FaultKind, Route};
use testkit::{DEADLINE, eventually};
use tokio::time::{Instant, sleep_until};

use super::{ALONE, BESIDE, TROUBLED, restore, restore_in_turn};
use crate::cluster::Cluster;
use crate::machine::Window;
use crate::pinecone::namespace;
use crate::results::{Cost, Row, Side};
use crate::rows::{Plan, Session};
use crate::subject::Subject;

/// Restores of the other key, one after the other.
const RESTORES: u32 = 5;

/// Finished restores are checked every ten times `--poll-max`.
const FLAGS: [&str; 2] = ["--poll-min=1s", "--poll-max=1s"];
const PERIOD: Duration = Duration::from_secs(10);

/// Far above `--request-timeout`.
const HANGS: Duration = Duration::from_secs(600);

/// How long list requests are counted.
const COUNTED: Duration = Duration::from_secs(60);

pub async fn measure(plan: &Plan, session: &Session, row: &mut Row) -> Result<()> {
    let cluster = Cluster::start(plan.keys).await?;
    let mut subject = Subject::start_with(session, &cluster, &FLAGS).await?;
    restore(&cluster, &mut subject, TROUBLED, 0..plan.objects).await?;
    let window = Window::open(cluster.processes(subject.pid()))?;
    let alone = restore_in_turn(&cluster, &mut subject, ALONE, RESTORES, 1).await?;
    hang(&cluster).await.with_context(|| subject.log_tail())?;
    let (since, end) = (Timestamp::now(), Instant::now() + COUNTED);
    let beside = restore_in_turn(&cluster, &mut subject, BESIDE, RESTORES, 1).await?;
    row.add_cost(&Cost {
        what: "one restore of another key",
        unit: "s",
        alone,
        trouble: "the hanging list",
        beside,
        most: 1.2,
    });
    sleep_until(end).await;
    let requests = cluster.pinecone.requests_of(&namespace(TROUBLED)).await?;
    let lists = requests.iter().filter(|request| {
        request.route == Route::ListIndexes
            && request.time >= since
            && request.time < since + COUNTED
    });
    row.other_load.push(window.spent()?.other_load);
    let most = COUNTED.as_secs() / PERIOD.as_secs();
    let name = format!("hanging list requests in 60 s (target: at most {most})");
    row.add(Side::Operator, &name, "", lists.count() as f64);
    subject.stop().await
}

/// Waits until a list request of the key in trouble hangs.
async fn hang(cluster: &Cluster) -> Result<()> {
    let fault = Fault::new(Route::ListIndexes, FaultKind::DelayAnswer(HANGS));
    let fault = fault.in_project(namespace(TROUBLED));
    let fault = cluster.pinecone.inject(&fault).await?;
    eventually("a list request hangs", DEADLINE, async || {
        Ok((cluster.pinecone.hits(fault).await? > 0).then_some(()))
    })
    .await
}
