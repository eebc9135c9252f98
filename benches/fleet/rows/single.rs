//! What is measured of the operator alone: its start, its latency, and its memory with large objects.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use testkit::{DEADLINE, eventually};

use super::{Plan, Session, wall};
use crate::cluster::{Cluster, index_name};
use crate::machine::{Window, memory};
use crate::results::{Row, Side, TAIL, percentile};
use crate::subject::Subject;

/// Below the 262,144 bytes that Kubernetes allows all annotations together.
const ANNOTATION: usize = 250_000;

/// Between two objects: the operator is idle again, but for polls.
const PAUSE: Duration = Duration::from_millis(500);

/// From the start of the process to its first create request.
pub async fn start(plan: &Plan, session: &Session, row: &mut Row) -> Result<()> {
    let cluster = Cluster::start(plan.keys).await?;
    cluster.create(plan.objects, 0).await?;
    let began = Timestamp::now();
    let subject = Subject::start_operator(session, &cluster)?;
    let window = Window::open(cluster.processes(subject.pid()))?;
    let first = eventually(
        "the operator sends a create request",
        DEADLINE,
        async || Ok(cluster.pinecone.creates().await?.into_values().min()),
    );
    let first = first.await.with_context(|| subject.log_tail())?;
    row.other_load.push(window.spent()?.other_load);
    let seconds = first.duration_since(began).as_secs_f64();
    row.add(
        Side::Operator,
        "until the first create request",
        "s",
        seconds,
    );
    Ok(())
}

/// From sending the object to the API server to the create request that Pinecone received.
pub async fn latency(plan: &Plan, session: &Session, row: &mut Row) -> Result<()> {
    for side in [Side::Floor, Side::Operator] {
        let times = latencies(plan, session, side, row).await?;
        for (name, share) in [("p50", 0.5), (TAIL, 0.99)] {
            let value = percentile(&times, share).context("no create request arrived")?;
            row.add(
                side,
                &format!("from create to create request, {name}"),
                "ms",
                value,
            );
        }
    }
    Ok(())
}

/// Of each object, in milliseconds.
async fn latencies(plan: &Plan, session: &Session, side: Side, row: &mut Row) -> Result<Vec<f64>> {
    let cluster = Cluster::start(plan.keys).await?;
    let subject = Subject::start(side, session, &cluster).await?;
    let window = Window::open(cluster.processes(subject.pid()))?;
    let mut sent = Vec::new();
    for number in 0..plan.objects {
        sent.push((index_name(number), Timestamp::now()));
        cluster.create_one(number, Arc::from("")).await?;
        tokio::time::sleep(PAUSE).await;
    }
    let creates = eventually("all create requests have arrived", DEADLINE, async || {
        let creates = cluster.pinecone.creates().await?;
        Ok((creates.len() == sent.len()).then_some(creates))
    });
    let creates = creates.await.with_context(|| subject.log_tail())?;
    row.other_load.push(window.spent()?.other_load);
    let times = sent.iter().filter_map(|(name, sent)| {
        let arrived = creates.get(name)?;
        Some(arrived.duration_since(*sent).as_secs_f64() * 1_000.0)
    });
    Ok(times.collect())
}

/// The peak of memory.
pub async fn annotations(plan: &Plan, session: &Session, row: &mut Row) -> Result<()> {
    let cluster = Cluster::start(plan.keys).await?;
    let mut subject = Subject::start(Side::Operator, session, &cluster).await?;
    let run = wall::run(plan, &cluster, &mut subject, ANNOTATION).await?;
    row.other_load.push(run.other_load());
    let peak = memory(subject.pid())?.peak_mib;
    row.add(Side::Operator, "RSS peak", "MiB", peak);
    Ok(())
}
