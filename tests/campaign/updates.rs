//! Legal and illegal updates of each field in each state. What holds a restore in its
//! state survives every legal update; it is taken away at the end.

use anyhow::{Result, anyhow};
use futures::future::join_all;
use index_restore_operator::api::IndexRestore;
use kube::api::{Patch, PatchParams};
use pinecone_emulator::{BackupStatus, Fault, FaultKind, IndexSeed, JobOutcome, Route};
use serde_json::{Value, json};
use testkit::scene::{Running, Scene, status};

use crate::consistency;
use crate::ground::{Ground, stage};
use crate::health;
use crate::operation::{Expected, SpecOperation, generate};
use crate::recovery::unreadable;
use crate::schema::stored;
use crate::semantics::FROZEN;
use crate::singles::judge;
use crate::tally::{Oracle, Tally};

const PHASE: &str = "updates";
const CREATE: Route = Route::CreateIndexFromBackup;

/// A state to be updated in.
struct State {
    name: &'static str,
    /// The reason of Ready in it.
    reason: &'static str,
    is_frozen: bool,
    /// The reason once nothing holds it any more.
    end: &'static str,
}

const fn state(
    name: &'static str,
    reason: &'static str,
    is_frozen: bool,
    end: &'static str,
) -> State {
    State {
        name,
        reason,
        is_frozen,
        end,
    }
}

const STATES: [State; 10] = [
    state("waiting", "BackupNotReady", false, "Restored"),
    state("refused", "QuotaExceeded", false, "Restored"),
    state("rejected", "InvalidRequest", false, "Restored"),
    state("keyless", "InvalidSecret", false, "Restored"),
    state("taken", "IndexAlreadyExists", false, "Restored"),
    state("confirming", "ConfirmingSubmission", true, "Restored"),
    state("restoring", "Restoring", true, "Restored"),
    state("done", "Restored", true, "Restored"),
    state("failed", "RestoreFailed", true, "RestoreFailed"),
    state("deleting", "BackupNotReady", false, ""),
];

const FINALIZER: &str = "example.com/held";

pub async fn run(schema: &Value, tally: &Tally) {
    let (scene, operator) = stage().await;
    scene.pinecone.set_restore_duration(None);
    let operations = generate(schema);
    let runs = STATES.iter().map(|state| {
        let (scene, operations) = (&scene, &operations);
        async move {
            let ground = Ground::new(scene, state.name).await;
            let outcome = in_state(&ground, state, operations, schema, tally).await;
            tally.judge(Oracle::Recovery, state.name, outcome);
        }
    });
    join_all(runs).await;
    finish(&scene, &operator, tally).await;
}

async fn finish(scene: &Scene, operator: &Running, tally: &Tally) {
    health::check(scene, operator, 0, tally).await;
    health::created_once(scene, tally);
}

async fn in_state(
    ground: &Ground<'_>,
    state: &State,
    operations: &[SpecOperation],
    schema: &Value,
    tally: &Tally,
) -> Result<()> {
    hold(ground, state).await;
    let spec = ground.spec(state.name);
    ground.create(state.name, &spec, false).await?;
    if state.name == "deleting" {
        mark(ground, state.name, json!([FINALIZER])).await?;
    }
    if state.name == "done" || state.name == "failed" {
        end_job(ground, state).await?;
    }
    ground.until(state.name, &[state.reason]).await?;
    if state.name == "deleting" {
        let params = kube::api::DeleteParams::default();
        let deleted = ground.scene.restores.delete(state.name, &params).await;
        deleted.map_err(anyhow::Error::from)?;
    }
    for operation in chosen(operations) {
        update(ground, state, &operation, schema, tally).await?;
    }
    release(ground, state).await?;
    if state.name == "deleting" {
        let gone = ground.get(state.name).await.is_err();
        let clean = gone && ground.creates() == 0;
        return clean
            .then_some(())
            .ok_or_else(|| anyhow!("it was restored while it was deleted"));
    }
    let object = ground.until(state.name, &[state.end]).await?;
    let judgement = consistency::recorded(ground, schema, &object);
    tally.judge(Oracle::Consistency, state.name, judgement);
    Ok(())
}

/// Of each field and verdict, operations from the beginning, middle and end.
fn chosen(operations: &[SpecOperation]) -> Vec<SpecOperation> {
    let mut chosen: Vec<SpecOperation> = Vec::new();
    let accepted = |operation: &SpecOperation| operation.verdict == Expected::Accepted;
    for operation in operations {
        let alike: Vec<&SpecOperation> = operations
            .iter()
            .filter(|o| o.field == operation.field && accepted(o) == accepted(operation))
            .collect();
        let some = [0, alike.len() / 2, alike.len() - 1].map(|n| alike[n]);
        let is_some = some.iter().any(|o| std::ptr::eq(*o, operation));
        if is_some {
            chosen.push(operation.clone());
        }
    }
    chosen
}

/// Sets up what brings a restore into the state and holds it there.
async fn hold(ground: &Ground<'_>, state: &State) {
    let pinecone = &ground.scene.pinecone;
    let fault = |route, kind| Fault::new(route, kind).mentioning(format!("{}.", ground.name));
    match state.name {
        "waiting" | "deleting" => ground.set_backups(BackupStatus::Initializing),
        "refused" => ground.set_quota(0),
        "rejected" => {
            pinecone.inject(fault(CREATE, FaultKind::status(400)));
        }
        "keyless" => ground.put_keys("nothing", "to see").await,
        "taken" => {
            for name in index_names(ground) {
                let index = IndexSeed::new(name);
                pinecone.add_index(&ground.name, index).unwrap();
            }
        }
        "confirming" => {
            pinecone.inject(fault(CREATE, FaultKind::LoseAnswer));
            pinecone.inject(unreadable(ground));
        }
        _ => {}
    }
}

/// Takes away what held it.
async fn release(ground: &Ground<'_>, state: &State) -> Result<()> {
    let pinecone = &ground.scene.pinecone;
    match state.name {
        "waiting" => ground.set_backups(BackupStatus::Ready),
        "refused" => ground.set_quota(1_000),
        "rejected" => {
            let own = |fault: &Fault| fault.mentions == Some(format!("{}.", ground.name));
            for (id, fault, _) in pinecone.faults() {
                if own(&fault) {
                    pinecone.clear_fault(id);
                }
            }
            // It waits for an edit.
            let right = |spec: &mut Value| spec["tags"] = json!({"now": "right"});
            ground.edit_unclaimed(state.name, right).await?;
        }
        "keyless" => ground.mend_keys().await,
        "taken" => {
            for name in index_names(ground) {
                pinecone.delete_index(&ground.name, &name).unwrap();
            }
        }
        "confirming" => {
            for (id, fault, _) in pinecone.faults() {
                if fault.project.as_ref() == Some(&ground.name) {
                    pinecone.clear_fault(id);
                }
            }
        }
        "deleting" => return mark(ground, state.name, Value::Null).await,
        _ => {}
    }
    match state.end {
        "Restored" if state.name != "done" => end_job(ground, state).await,
        _ => Ok(()),
    }
}

/// Somebody else's finalizer.
async fn mark(ground: &Ground<'_>, name: &str, finalizers: Value) -> Result<()> {
    let patch = Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
    let params = PatchParams::default();
    let marked = ground.scene.restores.patch(name, &params, &patch).await;
    marked.map(drop).map_err(anyhow::Error::from)
}

/// Ends the restore job once there is one.
async fn end_job(ground: &Ground<'_>, state: &State) -> Result<()> {
    let known = |object: &IndexRestore| status(object).restore_job_id.is_some();
    let object = ground.until_that(state.name, known).await;
    let object = object.map_err(|error| anyhow!("no job: {error}"))?;
    let outcome = match state.end {
        "RestoreFailed" => JobOutcome::Failed,
        _ => JobOutcome::Completed,
    };
    let job = status(&object).restore_job_id.unwrap_or_default();
    let finished = ground.scene.pinecone.finish_job(&job, outcome);
    finished.map_err(|error| anyhow!("{job}: {error:?}"))
}

fn index_names(ground: &Ground<'_>) -> [String; 2] {
    [ground.name.clone(), format!("{}-renamed", ground.name)]
}

/// Legal values that keep the restore in its state: what they name exists.
fn fitted(ground: &Ground<'_>, operation: &SpecOperation) -> SpecOperation {
    let mut fitted = operation.clone();
    if operation.verdict == Expected::Accepted {
        let text = operation.value.as_ref().and_then(Value::as_str);
        let second = text.is_some_and(|text| text.len() > 1);
        let other = match operation.field.as_str() {
            "backupId" => Some(ground.backups()),
            "indexName" => Some(index_names(ground)),
            "apiKeySecretRef.name" => Some(ground.secrets()),
            "apiKeySecretRef.key" => Some(["api-key", "spare"].map(str::to_owned)),
            _ => None,
        };
        if let Some(pair) = other.filter(|_| operation.value.is_some()) {
            let [first, last] = pair;
            fitted.value = Some(json!(if second { last } else { first }));
        }
    }
    fitted
}

async fn update(
    ground: &Ground<'_>,
    state: &State,
    operation: &SpecOperation,
    schema: &Value,
    tally: &Tally,
) -> Result<()> {
    if tally.is_hopeless() {
        return Err(anyhow!("given up"));
    }
    let operation = fitted(ground, operation);
    let about = format!(
        "{} with {}: {}",
        state.name, operation.field, operation.what
    );
    tally.operation(PHASE);
    let before = ground.get(state.name).await?;
    let mut after = before["spec"].clone();
    operation.apply(&mut after);
    let after = stored(schema, &after);
    let is_touched = FROZEN.iter().any(|f| after[*f] != before["spec"][*f]);
    let verdict = match &operation.verdict {
        Expected::Accepted if state.is_frozen && is_touched => {
            Expected::Refused("spec: Forbidden".into())
        }
        other => other.clone(),
    };
    let change = |spec: &mut Value| operation.apply(spec);
    let edited = match state.is_frozen {
        true => ground.edit(state.name, change).await,
        false => ground.edit_unclaimed(state.name, change).await,
    };
    tally.judge(Oracle::Validation, &about, judge(&verdict, &edited));
    let Ok(edited) = edited else { return Ok(()) };
    let judgement = is_stored(&edited, &after, &operation);
    tally.judge(Oracle::Consistency, &about, judgement);
    // Where one edit leaves the state, the others cannot be tried in it.
    let settled = ground.until(state.name, &[state.reason]).await;
    settled
        .map(drop)
        .map_err(|error| anyhow!("{about}: {error}"))
}

/// What the API server answers is the spec that was meant.
fn is_stored(edited: &Value, meant: &Value, operation: &SpecOperation) -> Result<()> {
    let is_meant = operation.verdict == Expected::Either || edited["spec"] == *meant;
    is_meant
        .then_some(())
        .ok_or_else(|| anyhow!("stored is {}, meant was {meant}", edited["spec"]))
}
