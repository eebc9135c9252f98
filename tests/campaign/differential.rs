//! The same spec reached two ways gives the same status, but for IDs and times.

use anyhow::{Result, anyhow};
use index_restore_operator::api::IndexRestore;
use serde_json::{Value, json};

/// The status without what may differ: IDs, hosts, times, generations, and the names
/// in messages.
fn essence(object: &IndexRestore) -> Value {
    let mut status = serde_json::to_value(&object.status).unwrap();
    let generation = json!(object.metadata.generation);
    let ids = ["/restoreJobId", "/indexId", "/indexHost"];
    let times = [
        "/restore/startTime",
        "/restore/completionTime",
        "/restore/duration",
        "/lastConfirmedTime",
    ];
    let claim = ["uid", "nonce", "startTime", "lastObservedTime", "indexName"];
    let claim = claim.map(|field| format!("/submission/{field}"));
    let hidden = ids.into_iter().chain(times).map(str::to_owned).chain(claim);
    for pointer in hidden {
        if let Some(value) = status
            .pointer_mut(&pointer)
            .filter(|value| !value.is_null())
        {
            *value = json!("*");
        }
    }
    // It shows that it is the newest one, not which.
    status["observedGeneration"] = json!(status["observedGeneration"] == generation);
    if let Some(submitted) = status.pointer_mut("/submission/generation") {
        *submitted = json!("*");
    }
    let conditions = status["conditions"].as_array_mut();
    for condition in conditions.into_iter().flatten() {
        condition["lastTransitionTime"] = json!("*");
        condition["observedGeneration"] = json!(condition["observedGeneration"] == generation);
        // Until it is True, it keeps the reason that the restore showed first: the histories differ.
        if condition["type"] == "Succeeded" && condition["status"] != "True" {
            condition["reason"] = json!("*");
        }
        let message = condition["message"].as_str().unwrap_or_default();
        condition["message"] = json!(message.replace(&object.spec.index_name, "*"));
    }
    status
}

/// Compares the statuses of two objects of one spec, index names aside.
pub fn same(one: &IndexRestore, other: &IndexRestore) -> Result<()> {
    compare(essence(one), essence(other))
}

/// The same where attempts of unknown outcome are part of the one's history.
pub fn same_but_for_attempts(one: &IndexRestore, other: &IndexRestore) -> Result<()> {
    let without = |object| {
        let mut status = essence(object);
        status["submission"]["attempt"] = json!("*");
        status
    };
    compare(without(one), without(other))
}

fn compare(left: Value, right: Value) -> Result<()> {
    match left == right {
        true => Ok(()),
        false => Err(anyhow!("the statuses differ:\n  {left}\n  {right}")),
    }
}
