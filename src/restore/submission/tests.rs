use serde_json::{Value, json};

use super::*;
use crate::restore::messages;

fn object(status: Value) -> IndexRestore {
    serde_json::from_value(json!({
        "apiVersion": "restore.pinecone.io/v1alpha1",
        "kind": "IndexRestore",
        "metadata": {"name": "r", "namespace": "n", "uid": "u-1", "generation": 3},
        "spec": {"backupId": "b", "indexName": "index", "apiKeySecretRef": {"name": "pinecone"}},
        "status": status,
    }))
    .unwrap()
}

fn claim(nonce: &str, outcome: &str) -> Value {
    json!({
        "uid": "u-1", "attempt": 1, "nonce": nonce, "startTime": "2026-11-22T10:00:00Z",
        "generation": 1, "backupId": "b", "indexName": "index", "outcome": outcome,
    })
}

fn claimed(nonce: &str, outcome: &str) -> IndexRestore {
    object(json!({ "submission": claim(nonce, outcome) }))
}

fn with_job(id: &str) -> IndexRestore {
    object(json!({ "submission": claim("mine", "Accepted"), "restoreJobId": id }))
}

#[test]
fn records_an_accepted_job_unless_another_is_recorded() {
    let mut copied = with_job("other");
    copied.metadata.uid = Some("u-2".into());
    for (fresh, expected) in [
        (None, RecordTarget::Lost),
        (Some(with_job("j")), RecordTarget::Recorded),
        (Some(with_job("other")), RecordTarget::Lost),
        (Some(claimed("mine", "Open")), RecordTarget::Ours),
        (Some(claimed("mine", "Abandoned")), RecordTarget::Ours),
        (Some(claimed("theirs", "Open")), RecordTarget::Ours),
        (Some(object(Value::Null)), RecordTarget::Ours),
        (Some(copied), RecordTarget::Ours),
    ] {
        let found = record_target(fresh.as_ref(), &claimed("mine", "Open"), Some("j"));
        assert_eq!(found, expected, "{fresh:?}");
    }
}

#[test]
fn records_a_refusal_only_on_its_own_open_claim() {
    for (fresh, expected) in [
        (None, RecordTarget::Lost),
        (Some(with_job("j")), RecordTarget::Recorded),
        (Some(claimed("mine", "Open")), RecordTarget::Ours),
        (Some(claimed("mine", "Refused")), RecordTarget::Recorded),
        (Some(claimed("theirs", "Open")), RecordTarget::Overtaken),
        (Some(claimed("theirs", "Refused")), RecordTarget::Overtaken),
        (Some(object(Value::Null)), RecordTarget::Overtaken),
    ] {
        let found = record_target(fresh.as_ref(), &claimed("mine", "Open"), None);
        assert_eq!(found, expected, "{fresh:?}");
    }
}

#[test]
fn holds_a_claim_only_if_the_object_shows_all_of_it() {
    let request = ClaimRequest {
        nonce: "mine".into(),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let unclaimed = object(Value::Null);
    let mut claimed = unclaimed.clone();
    claimed.status = Some(request.status(&claimed, &messages::pending()));
    assert!(holds(&claimed, &request));
    assert!(!holds(&unclaimed, &request), "there is none");
    let claimed = serde_json::to_value(claimed).unwrap();
    for (field, value) in [
        ("uid", json!("u-2")),
        ("nonce", json!("theirs")),
        ("generation", json!(2)),
        ("backupId", json!("other")),
        ("indexName", json!("other")),
        ("outcome", json!("Refused")),
    ] {
        let mut changed = claimed.clone();
        changed["status"]["submission"][field] = value;
        let changed = serde_json::from_value(changed).unwrap();
        assert!(!holds(&changed, &request), "{field}");
    }
}

#[test]
fn the_conditions_of_a_new_object_are_not_its_own() {
    let new = object(serde_json::to_value(IndexRestoreStatus::unobserved()).unwrap());
    assert_eq!(own_status(&new), IndexRestoreStatus::default());
    let request = ClaimRequest {
        nonce: "n".into(),
        now: Timestamp::from_second(1_800_000_000).unwrap(),
    };
    let claimed = request.status(&new, &messages::pending());
    let begun = claimed.conditions.iter().map(|c| c.last_transition_time.0);
    assert_eq!(begun.collect::<Vec<_>>(), [request.now; 3]);
}
