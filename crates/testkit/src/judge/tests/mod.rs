//! Each rule has a history that breaks it, and one that does not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod journal;
mod pairs;
mod run;

use index_restore_operator::api::IndexRestore;
use jiff::Timestamp;
use pinecone_emulator::{AcceptedCreate, Request};
use serde_json::{Value, json};

use super::{Trial, Version, Violation};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn object(status: Value) -> IndexRestore {
    serde_json::from_value(json!({
        "apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestore",
        "metadata": {"name": "a", "uid": "u", "generation": 1},
        "spec": {"backupId": "b", "indexName": "i", "apiKeySecretRef": {"name": "s"}},
        "status": status,
    }))
    .unwrap()
}

fn reporting(conditions: &[(&str, &str, &str)]) -> Value {
    let all = conditions.iter().map(|(type_, status, reason)| {
        json!({"type": type_, "status": status, "reason": reason, "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z"})
    });
    json!({"observedGeneration": 1, "conditions": all.collect::<Vec<_>>()})
}

/// A status with a claim of the object `u`.
fn claimed(nonce: &str, outcome: &str, reason: &str) -> Value {
    let mut status = reporting(&[("Ready", "False", reason)]);
    status["submission"] = json!({"uid": "u", "attempt": 1, "nonce": nonce,
        "startTime": "2026-01-01T00:00:00Z", "generation": 1, "backupId": "b",
        "indexName": "i", "outcome": outcome});
    status
}

fn with_ids(mut status: Value, job: &str, index: &str) -> Value {
    status["restoreJobId"] = json!(job);
    status["indexId"] = json!(index);
    status
}

fn version(second: i64, status: Value) -> Version {
    Version {
        seen: at(second),
        object: object(status),
    }
}

fn post(second: i64, name: &str, effect: bool) -> Request {
    serde_json::from_value(json!({
        "seq": second, "time": at(second), "method": "POST", "path": "/backups/b/create-index",
        "route": "create_index_from_backup", "body": {"name": name},
        "effect": effect, "delivered": true,
    }))
    .unwrap()
}

fn accepted(second: i64, job: &str) -> AcceptedCreate {
    serde_json::from_value(json!({
        "seq": second, "time": at(second), "project": "p", "backup_id": "b", "index_name": "i",
        "restore_job_id": job, "index_id": format!("{job}-index"),
    }))
    .unwrap()
}

/// A restore as it should be: claimed, sent, recorded.
fn restored() -> Trial {
    let restored = reporting(&[("Ready", "True", "Restored")]);
    let mut end = with_ids(claimed("n", "Accepted", "Restored"), "j", "j-index");
    end["conditions"] = restored["conditions"].clone();
    Trial {
        versions: vec![
            version(1, json!({"observedGeneration": -1})),
            version(2, claimed("n", "Open", "Submitting")),
            version(
                4,
                with_ids(claimed("n", "Accepted", "Restoring"), "j", "j-index"),
            ),
            version(5, end),
        ],
        requests: vec![post(3, "i", true)],
        accepted: vec![accepted(3, "j")],
        ..Trial::default()
    }
}

fn rules(violations: &[Violation]) -> Vec<&'static str> {
    violations.iter().map(|violation| violation.rule).collect()
}
