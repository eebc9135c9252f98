//! Each rule of the schema, with a value that passes and one that is refused.

use serde_json::{Value, json};

use crate::api::*;

fn object(spec: Value) -> IndexRestore {
    let mut base = json!({
        "backupId": "670e8400-e29b-41d4-a716-446655440000",
        "indexName": "index",
        "apiKeySecretRef": {"name": "pinecone"},
    });
    for (key, value) in spec.as_object().cloned().unwrap_or_default() {
        base[key] = value;
    }
    serde_json::from_value(json!({
        "apiVersion": "restore.pinecone.io/v1alpha1",
        "kind": "IndexRestore",
        "metadata": {"name": "r", "namespace": "n"},
        "spec": base,
    }))
    .unwrap()
}

fn refusal(spec: Value) -> Option<String> {
    object(spec)
        .validate_cel()
        .err()
        .map(|errors| errors.to_string())
}

#[test]
fn each_rule_accepts_valid_values_and_names_the_field_of_invalid_ones() {
    let cases = [
        (
            json!({"backupId": "bkp_123"}),
            json!({"backupId": "a/b"}),
            "backupId",
        ),
        (
            json!({"backupId": "...x"}),
            json!({"backupId": ".."}),
            "backupId",
        ),
        (
            json!({"backupId": "é"}),
            json!({"backupId": "a b"}),
            "backupId",
        ),
        (
            json!({"backupId": "b"}),
            json!({"backupId": "a\u{7}b"}),
            "backupId",
        ),
        (
            json!({"backupId": "b"}),
            json!({"backupId": "a\u{a0}b"}),
            "backupId",
        ),
        (
            json!({"indexName": "a-1"}),
            json!({"indexName": "-a"}),
            "indexName",
        ),
        (
            json!({"indexName": "1"}),
            json!({"indexName": "a-"}),
            "indexName",
        ),
        (
            json!({"indexName": "a"}),
            json!({"indexName": "A"}),
            "indexName",
        ),
        (
            json!({"indexName": "a"}),
            json!({"indexName": "a\n"}),
            "indexName",
        ),
        (
            json!({"tags": {"Team_1-a": "x"}}),
            json!({"tags": {"a b": "x"}}),
            "key of tags",
        ),
        (
            json!({"tags": {"a".repeat(80): "x"}}),
            json!({"tags": {"a".repeat(81): "x"}}),
            "key of tags",
        ),
        (
            json!({"tags": {"a": "A; @_.+-z"}}),
            json!({"tags": {"a": "x/y"}}),
            "value of tags",
        ),
        (
            json!({"apiKeySecretRef": {"name": "a.b-c"}}),
            json!({"apiKeySecretRef": {"name": "A"}}),
            "apiKeySecretRef.name",
        ),
        (
            json!({"apiKeySecretRef": {"name": "a", "key": "API_key.1"}}),
            json!({"apiKeySecretRef": {"name": "a", "key": "a/b"}}),
            "apiKeySecretRef.key",
        ),
    ];
    for (good, bad, named) in cases {
        assert_eq!(refusal(good.clone()), None, "{good}");
        let message = refusal(bad.clone()).unwrap_or_else(|| panic!("{bad} passed"));
        assert!(message.contains(named), "{bad}: {message}");
    }
}

fn submitted(outcome: &str) -> IndexRestore {
    let mut object = object(json!({"tags": {"a": "b"}}));
    object.status = serde_json::from_value(json!({"submission": {
        "uid": "u", "attempt": 1, "nonce": "n", "startTime": "2026-11-22T10:00:00Z", "generation": 1,
        "backupId": "b", "indexName": "i", "outcome": outcome,
    }}))
    .unwrap();
    object
}

#[test]
fn the_spec_is_immutable_only_while_a_submission_may_take_effect() {
    let edits: [fn(&mut IndexRestoreSpec); 5] = [
        |spec| spec.backup_id = "other".into(),
        |spec| spec.index_name = "other".into(),
        |spec| spec.deletion_protection = DeletionProtection::Enabled,
        |spec| spec.tags = None,
        |spec| {
            spec.tags
                .get_or_insert_default()
                .insert("a".into(), "c".into());
        },
    ];
    for (outcome, is_frozen) in [
        ("Open", true),
        ("Taken", true),
        ("Accepted", true),
        ("Adopted", true),
        ("Abandoned", true),
        ("Refused", false),
        ("Unsent", false),
    ] {
        let old = submitted(outcome);
        for edit in edits {
            let mut new = old.clone();
            edit(&mut new.spec);
            assert_eq!(
                new.validate_cel_update(&old).is_err(),
                is_frozen,
                "{outcome}"
            );
        }
        let mut new = old.clone();
        new.spec.api_key_secret_ref.name = "rotated".into();
        new.spec.adoption_policy = AdoptionPolicy::Never;
        assert!(new.validate_cel_update(&old).is_ok(), "{outcome}");
    }
}

#[test]
fn the_checked_in_definition_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/crds/indexrestores.yaml");
    let checked_in = std::fs::read_to_string(path).unwrap();
    assert!(
        checked_in == crd_yaml().unwrap(),
        "crds/indexrestores.yaml is not what the types say; run: cargo run -- crd > crds/indexrestores.yaml"
    );
}

#[test]
fn every_field_is_described() {
    fn check(path: &str, schema: &Value) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            let description = field["description"].as_str();
            let is_wrapped = description.map(|text| text.replace("\n\n", "").contains('\n'));
            assert_eq!(is_wrapped, Some(false), "{path}: {description:?}");
            check(&path, field);
            check(&path, &field["items"]);
        }
    }
    let crd = serde_json::to_value(crd()).unwrap();
    let root = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    check("", &json!({"properties": {"IndexRestore": root}}));
}
