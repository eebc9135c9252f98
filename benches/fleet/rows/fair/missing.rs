//! Many restores that name one Secret which does not exist.

use std::time::Duration;

use anyhow::Result;
use index_restore_operator::api::Reason;
use jiff::Timestamp;

use super::TROUBLED;
use crate::audit::requests;
use crate::cluster::Cluster;
use crate::machine::{Spent, Window, memory};
use crate::results::{Row, Side};
use crate::rows::wall::settled;
use crate::rows::{Plan, Session};
use crate::subject::Subject;
use crate::watch::{Until, Watch};

/// How long the idle operator is measured, and the one with the objects.
const IDLE: Duration = Duration::from_secs(20);
const STEADY: Duration = Duration::from_secs(60);

/// How long the operator keeps what it read from a Secret.
const CACHED: f64 = 20.0;

pub async fn measure(plan: &Plan, session: &Session, row: &mut Row) -> Result<()> {
    let cluster = Cluster::start(plan.keys).await?;
    cluster.delete_secret(TROUBLED).await?;
    let mut subject = Subject::start(Side::Operator, session, &cluster).await?;
    let idle = spend(&cluster, &subject, IDLE).await?;
    let until = Until::Reason(Reason::SecretNotFound);
    let mut missing = Watch::of(cluster.restores(TROUBLED), plan.objects, until);
    let began = Timestamp::now();
    cluster.create_on(TROUBLED, 0..plan.objects).await?;
    missing.all(&mut subject, plan.patience()).await?;
    settled(&cluster.control_plane.audit_log(), began).await?;
    let since = Timestamp::now();
    let spent = spend(&cluster, &subject, STEADY).await?;
    let calls = requests(&cluster.control_plane.audit_log(), since)?;
    row.other_load.push(spent.other_load);
    let seconds = spent.length.as_secs_f64();
    let mut add = |name, unit, value| row.add(Side::Operator, name, unit, value);
    let reads = f64::from(calls.secret_reads) * CACHED / seconds;
    add("Secret reads in 20 s (target: at most 1)", "", reads);
    let writes = f64::from(calls.status_writes) * 60.0 / seconds;
    add("status writes a minute (target: 0)", "", writes);
    let events = f64::from(calls.events) * 60.0 / seconds;
    add("events a minute", "", events);
    add("share of one core without restores", "%", idle.share());
    add("share of one core", "%", spent.share());
    add("RSS", "MiB", memory(subject.pid())?.rss_mib);
    subject.stop().await
}

async fn spend(cluster: &Cluster, subject: &Subject, length: Duration) -> Result<Spent> {
    let window = Window::open(cluster.processes(subject.pid()))?;
    tokio::time::sleep(length).await;
    window.spent()
}
