//! Runs the cells of a column and judges them.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::join_all;
use jiff::SignedDuration;
use kube::api::ListParams;
use pinecone_emulator::{FaultKind, Request, Route};
use serde_json::json;
use testkit::scene::{Running, Scene, status};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::cell::{Cell, Outcome, Posts};
use crate::kinds::Kind;
use crate::record::Reports;

pub const CONFIRM: Duration = Duration::from_secs(12);
pub const FLAGS: [&str; 4] = [
    "--concurrency=64",
    "--request-timeout=6s",
    "--confirm-patience=12s",
    "--poll-max=500ms",
];

/// How many columns are worked on at once: each is some forty restores.
static TURNS: Semaphore = Semaphore::const_new(2);

pub async fn take_turn() -> SemaphorePermit<'static> {
    TURNS.acquire().await.unwrap()
}

pub async fn stage() -> Scene {
    Scene::new().await.without_election()
}

/// Runs one cell for each kind at once, and panics with the names of all that failed.
pub async fn run(
    scene: Scene,
    column: &str,
    rows: Vec<(String, Kind)>,
    cell: impl AsyncFn(&Cell<'_>, &Kind) -> Result<Outcome>,
) {
    let _turn = take_turn().await;
    let operator = scene.start_with(&FLAGS).await;
    let outcomes = join_all(rows.iter().map(async |(row, kind)| {
        let place = Cell::new(&scene, format!("{column}-{row}")).await;
        place.apply_and(&cell, kind).await
    }));
    let outcomes = outcomes.await;
    let requests = scene.pinecone.requests();
    let mut failed = Vec::new();
    for ((row, kind), outcome) in rows.iter().zip(outcomes) {
        let name = format!("{column}-{row}");
        let judged = outcome.and_then(|outcome| {
            let own = requests.iter();
            let own = own.filter(|r| r.project.as_ref() == Some(&name)).collect();
            judge(&scene, &name, &own, kind, &outcome)
        });
        if let Err(error) = judged {
            failed.push(format!("{column} × {row}: {error:#}"));
        }
    }
    if let Err(error) = no_key_is_shown(&scene, &operator).await {
        failed.push(format!("{column}: {error:#}"));
    }
    println!("{column}: {} cells", rows.len());
    assert!(
        failed.is_empty(),
        "{} of {} cells failed:\n{}",
        failed.len(),
        rows.len(),
        failed.join("\n")
    );
}

impl Cell<'_> {
    async fn apply_and(
        &self,
        cell: &impl AsyncFn(&Cell<'_>, &Kind) -> Result<Outcome>,
        kind: &Kind,
    ) -> Result<Outcome> {
        let outcome = cell(self, kind).await?;
        self.until(outcome.end).await?;
        Ok(outcome)
    }
}

fn judge(
    scene: &Scene,
    name: &str,
    own: &Vec<&Request>,
    kind: &Kind,
    outcome: &Outcome,
) -> Result<()> {
    let reports = Reports::of(scene, name);
    let (before, after) = (
        &reports.all[..outcome.cleared],
        &reports.all[outcome.cleared - 1..],
    );
    for reported in [before, after] {
        ensure!(!flaps(reported, kind), "flaps: {:?}", reports.all);
    }
    if let Some(words) = &outcome.words {
        ensure!(
            reports.ever_reported(words),
            "no {words:?} in {:?}",
            reports.all
        );
    }
    let creates = scene.accepted(name);
    ensure!(
        creates.len() == outcome.accepted,
        "{} creates were accepted",
        creates.len()
    );
    if let (Some(create), Some(object)) = (creates.first(), &reports.object) {
        let status = status(object);
        let (job, index) = match outcome.jobless {
            true => (None, None),
            false => (Some(&create.restore_job_id), Some(&create.index_id)),
        };
        ensure!(
            status.restore_job_id.as_ref() == job && status.index_id.as_ref() == index,
            "the status has other IDs than Pinecone gave"
        );
    }
    judge_posts(own, kind, outcome.posts)?;
    judge_pauses(own, kind)
}

/// Whether a reason comes back that had gone. On a machine without time to spare, a
/// request may time out that was to be answered, and a claim get too old to be used:
/// what is reported of that is no answer's.
fn flaps(reported: &[(String, String)], kind: &Kind) -> bool {
    let is_late = matches!(
        kind.fault,
        FaultKind::SlowBody(_) | FaultKind::DelayAnswer(_)
    );
    let is_own = |message: &str| is_late || !message.contains("timed out");
    let own = reported.iter().filter(|(_, message)| is_own(message));
    let mut reasons: Vec<_> = own.map(|(reason, _)| reason).collect();
    reasons.dedup();
    (1..reasons.len()).any(|at| reasons[..at].contains(&reasons[at]))
}

fn judge_posts(own: &[&Request], kind: &Kind, expected: Posts) -> Result<()> {
    let posts: Vec<_> = own
        .iter()
        .filter(|request| request.route == Route::CreateIndexFromBackup)
        .collect();
    let sent = posts.len();
    match expected {
        Posts::Exactly(count) => ensure!(sent == count, "{sent} posts, not {count}"),
        Posts::Refused(least) => {
            ensure!(sent >= least, "{sent} posts, fewer than {least}");
            let refused = posts[..sent - 1].iter().all(|p| p.status == kind.status());
            ensure!(refused, "sent again after something else than a refusal");
        }
        Posts::Repeated => {
            ensure!(sent == 2, "{sent} posts, not two");
            let waited = posts[1].time.duration_since(posts[0].time);
            let confirm = SignedDuration::try_from(CONFIRM)?;
            ensure!(waited >= confirm, "sent again after {waited:#} only");
        }
    }
    Ok(())
}

/// After a Retry-After, no request of that sort comes sooner; after a 429, none of that
/// key at all.
fn judge_pauses(own: &[&Request], kind: &Kind) -> Result<()> {
    let Some(pause) = kind.pause() else {
        return Ok(());
    };
    let pause = SignedDuration::try_from(pause)?;
    let asked = own.iter().enumerate().filter(|(_, request)| {
        request.status == kind.status() && matches!(request.status, Some(429 | 503))
    });
    let mut count = 0;
    for (at, request) in asked {
        count += 1;
        let of_sort =
            |later: &&&Request| request.status == Some(429) || later.route == request.route;
        let Some(next) = own[at + 1..].iter().find(of_sort) else {
            continue;
        };
        let waited = next.time.duration_since(request.time);
        let route = next.route;
        ensure!(waited >= pause, "{route:?} {waited:#} after Retry-After");
    }
    ensure!(count > 0, "nobody asked for a pause");
    Ok(())
}

async fn no_key_is_shown(scene: &Scene, operator: &Running) -> Result<()> {
    let restores = scene.restores.list(&ListParams::default()).await?;
    let logs = operator.process.logs();
    ensure!(
        logs.contains("looking") || logs.contains("restore"),
        "no log"
    );
    for (place, text) in [
        ("the logs", logs),
        ("the metrics", operator.get("/metrics").await?.1),
        ("a status", serde_json::to_string(&restores.items)?),
        ("an event", json!(scene.events().await).to_string()),
    ] {
        ensure!(text.len() > 100, "{place} has nothing to search");
        ensure!(!text.contains("canary"), "the key is in {place}");
    }
    Ok(())
}
