//! What holds at every end, whatever was done: the rules of the judge, statuses that hold
//! together, logs without panics and errors, keys nowhere, and one create for each resource.

use anyhow::{Result, anyhow};
use index_restore_operator::api::{IndexRestore, Reason};
use k8s_openapi::api::core::v1::Event as CoreEvent;
use kube::Api;
use kube::api::ListParams;
use serde_json::json;
use testkit::scene::{Running, Scene, conditions, ready, status};

use crate::tally::{Oracle, Tally};

/// Judges a scene whose restores are at rest. At most `orphans` restores may have been
/// accepted too late for their objects: each of them is an error line.
pub async fn check(scene: &Scene, operator: &Running, orphans: usize, tally: &Tally) {
    let listed = scene.restores.list(&ListParams::default()).await.unwrap();
    for object in &listed.items {
        let name = object.metadata.name.clone().unwrap_or_default();
        tally.judge(Oracle::Health, &name, holds_together(object));
    }
    let judged = match scene.violations().await {
        Ok(violations) if violations.is_empty() => Ok(()),
        violations => Err(anyhow!("{violations:?}")),
    };
    tally.judge(Oracle::Health, "the history", judged);
    // It is in the tally now, and the campaign continues.
    scene.excuse();
    let events = json!(scene.events().await).to_string();
    let core: Api<CoreEvent> = Api::namespaced(scene.client.clone(), &scene.namespace);
    let core = json!(core.list(&ListParams::default()).await.unwrap().items).to_string();
    let logs = operator.process.logs();
    let metrics = operator.get("/metrics").await.unwrap().1;
    let statuses = serde_json::to_string(&listed.items).unwrap();
    for (place, text) in [
        ("logs", &logs),
        ("metrics", &metrics),
        ("statuses", &statuses),
        ("events", &events),
        ("core events", &core),
    ] {
        let found = text.lines().find(|line| line.contains("canary"));
        let judgement = found.map_or(Ok(()), |line| Err(anyhow!("an API key: {line}")));
        tally.judge(Oracle::Health, place, judgement);
    }
    tally.judge(Oracle::Health, "logs", quiet(&logs, &metrics, orphans));
}

/// No panic, and no error but that of an orphan, which the metric counts too.
fn quiet(logs: &str, metrics: &str, orphans: usize) -> Result<()> {
    if let Some(line) = logs.lines().find(|line| line.contains("panicked")) {
        return Err(anyhow!(line.to_owned()));
    }
    let errors = logs.lines().filter(|line| line.contains(" ERROR "));
    let (named, others): (Vec<_>, Vec<_>) =
        errors.partition(|line| line.contains("no IndexRestore can record it"));
    if let Some(line) = others.first() {
        return Err(anyhow!("{} errors, such as {line}", others.len()));
    }
    let counted = format!("indexrestore_orphaned_total {}", named.len());
    match named.len() <= orphans && metrics.lines().any(|line| line == counted) {
        true => Ok(()),
        false => Err(anyhow!("{} orphans, {orphans} at most", named.len())),
    }
}

/// Whether the status is of the current spec, and the conditions are those that
/// the README promises for the reason.
fn holds_together(object: &IndexRestore) -> Result<()> {
    let status = status(object);
    let generation = object.metadata.generation;
    if status.observed_generation != generation {
        return Err(anyhow!(
            "generation {generation:?}, observed {:?}",
            status.observed_generation
        ));
    }
    let shown = conditions(object);
    let reason = ready(object).1;
    let one = |condition: &str| shown.iter().any(|c| c == condition);
    let stale = status
        .conditions
        .iter()
        .find(|c| c.observed_generation != generation);
    if let Some(stale) = stale {
        return Err(anyhow!("{} is of another generation", stale.type_));
    }
    let row = |line: &&str| line.starts_with(&format!("| `{reason}` |"));
    let table = include_str!("../../docs/reasons.md");
    let row = table
        .lines()
        .find(row)
        .ok_or_else(|| anyhow!("no such reason: {reason}"))?;
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let progress = cells[3];
    let is_promised = one(&format!("Ready={}", cells[2]))
        && (progress == "–" || one(&format!("{progress}=True")))
        && shown.len() == if progress == "–" { 2 } else { 3 };
    let restored = Reason::Restored.as_str();
    let has_ids = status.restore_job_id.is_some() && status.index_id.is_some();
    if reason == restored && !(has_ids && status.index_host.is_some()) {
        return Err(anyhow!("restored without IDs or host"));
    }
    match is_promised {
        true => Ok(()),
        false => Err(anyhow!("{reason} with {shown:?}, promised is {row}")),
    }
}

/// One create for each name of an index, which is never deleted meanwhile.
pub fn created_once(scene: &Scene, tally: &Tally) {
    let mut counts = std::collections::BTreeMap::new();
    for create in scene.pinecone.accepted_creates() {
        let place = format!("{}/{}", create.project, create.index_name);
        *counts.entry(place).or_insert(0) += 1;
    }
    for (place, count) in counts {
        let judgement = (count == 1)
            .then_some(())
            .ok_or_else(|| anyhow!("{count} creates"));
        tally.judge(Oracle::Health, &place, judgement);
    }
}
