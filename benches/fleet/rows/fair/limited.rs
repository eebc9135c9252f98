//! Restores on an API key whose requests Pinecone limits, with and without a Retry-After.

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use testkit::{DEADLINE, eventually};

use super::{ALONE, BESIDE, TROUBLED, restore_in_turn};
use crate::cluster::Cluster;
use crate::limit_use::{LimitUse, TOO_MANY_REQUESTS};
use crate::machine::Window;
use crate::pinecone::{Limit, namespace};
use crate::results::{Cost, Row, Side};
use crate::rows::{Plan, Session};
use crate::subject::Subject;
use crate::watch::{Until, Watch};

/// Of the other key, created at once. A restore that just misses a poll is seen one period later, so the median of some batches counts.
const RESTORES: u32 = 10;
const BATCHES: u32 = 3;

/// Requests of the limited key.
const PER_SECOND: u32 = 20;

pub async fn measure(plan: &Plan, session: &Session, row: &mut Row) -> Result<()> {
    for (retry_after, name) in [(None, "no Retry-After"), (Some(1), "Retry-After of 1 s")] {
        let limit = Limit {
            per_second: PER_SECOND,
            retry_after,
        };
        one(plan, session, limit, name, row).await?;
    }
    Ok(())
}

async fn one(
    plan: &Plan,
    session: &Session,
    limit: Limit,
    name: &str,
    row: &mut Row,
) -> Result<()> {
    let cluster = Cluster::start_limited(plan.keys, Some(limit)).await?;
    let mut subject = Subject::start(Side::Operator, session, &cluster).await?;
    let window = Window::open(cluster.processes(subject.pid()))?;
    let alone = restore_in_turn(&cluster, &mut subject, ALONE, BATCHES, RESTORES).await?;
    let mut limited = Watch::of(cluster.restores(TROUBLED), plan.objects, Until::Ready);
    cluster.create_on(TROUBLED, 0..plan.objects).await?;
    let reached = eventually("the limit is reached", DEADLINE, async || {
        let answers = answers(&cluster).await?;
        let is_limited = answers
            .iter()
            .any(|(_, status)| *status == TOO_MANY_REQUESTS);
        Ok(is_limited.then_some(()))
    });
    reached.await.with_context(|| subject.log_tail())?;
    let beside = restore_in_turn(&cluster, &mut subject, BESIDE, BATCHES, RESTORES).await?;
    limited.all(&mut subject, plan.patience()).await?;
    row.other_load.push(window.spent()?.other_load);
    let answers = answers(&cluster).await?;
    let used = LimitUse::of(&answers, PER_SECOND).context("the limited key made no request")?;
    let mut add = |what: &str, value| {
        let name = format!("{name}: {what}");
        row.add(Side::Operator, &name, "%", value);
    };
    add(
        "unused share of the limit (target: at most 10)",
        used.unused,
    );
    add(
        "share of requests answered 429 (target: at most 5)",
        used.limited,
    );
    row.add_cost(&Cost {
        what: &format!("{name}: {RESTORES} restores of another key"),
        unit: "s",
        alone,
        trouble: "the limited one",
        beside,
        most: 1.2,
    });
    subject.stop().await
}

/// Returns when each request of the limited key arrived, and the status of its answer.
async fn answers(cluster: &Cluster) -> Result<Vec<(Timestamp, u16)>> {
    let requests = cluster.pinecone.requests_of(&namespace(TROUBLED)).await?;
    let answers = requests
        .iter()
        .filter_map(|request| Some((request.time, request.status?)));
    Ok(answers.collect())
}
