//! Many restores with an API key that Pinecone rejects.

use anyhow::Result;
use index_restore_operator::api::Reason;

use super::{ALONE, BESIDE, TROUBLED, restore};
use crate::cluster::Cluster;
use crate::machine::Window;
use crate::results::{Cost, Row, Side};
use crate::rows::{Plan, Session, thousands};
use crate::subject::Subject;
use crate::watch::{Until, Watch};

/// Of the other key.
const RESTORES: u32 = 40;

pub async fn round(plan: &Plan, session: &Session, row: &mut Row) -> Result<()> {
    let cluster = Cluster::start(plan.keys).await?;
    cluster.set_api_key(TROUBLED, "rejected").await?;
    let mut subject = Subject::start(Side::Operator, session, &cluster).await?;
    let window = Window::open(cluster.processes(subject.pid()))?;
    let alone = restore(&cluster, &mut subject, ALONE, 0..RESTORES).await?;
    let until = Until::Reason(Reason::InvalidApiKey);
    let mut rejected = Watch::of(cluster.restores(TROUBLED), plan.objects, until);
    cluster.create_on(TROUBLED, 0..plan.objects).await?;
    rejected.all(&mut subject, plan.patience()).await?;
    let beside = restore(&cluster, &mut subject, BESIDE, 0..RESTORES).await?;
    row.other_load.push(window.spent()?.other_load);
    row.add_cost(&Cost {
        what: &format!("{RESTORES} restores of another key"),
        unit: "s",
        alone,
        trouble: &format!("{} rejected", thousands(plan.objects)),
        beside,
        most: 1.5,
    });
    subject.stop().await
}
