//! The health check in Argo CD's layout: its test data equals what the operator writes, and the ConfigMap contains the same script.

use index_restore_operator::api::Reason;
use serde_json::{Map, Value, json};

use crate::health::{Health, expected};
use crate::judges::{CONFIG_MAP, argo};
use crate::states::{UNOBSERVED, default_states};
use crate::{path, text};

const FOLDER: &str = "deploy/argocd/resource_customizations/restore.pinecone.io/IndexRestore";

/// Environment variable that updates the test data instead of comparing it.
const UPDATE: &str = "UPDATE_TESTDATA";

#[tokio::test(flavor = "multi_thread")]
async fn the_test_data_equals_what_the_operator_writes() {
    let states = default_states().await;
    let mut tests = Vec::new();
    let named = Reason::ALL.map(|reason| (reason.as_str(), expected(reason)));
    let mut names: Vec<_> = std::fs::read_dir(path(&format!("{FOLDER}/testdata")))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for (state, health) in named.into_iter().chain([(UNOBSERVED, Health::InProgress)]) {
        let object = canonical(&states[state]);
        let input = format!("testdata/{state}.yaml");
        names.retain(|name| *name != format!("{state}.yaml"));
        agrees(&input, &serde_saphyr::to_string(&object).unwrap());
        let ready = &object["status"]["conditions"][0];
        let message = match (ready["reason"].as_str(), ready["message"].as_str()) {
            (Some(reason), Some(message)) if state != UNOBSERVED => format!("{reason}: {message}"),
            _ => "Waiting for the operator".into(),
        };
        tests.push(json!({
            "healthStatus": {"status": health.argo(), "message": message},
            "inputPath": input,
        }));
    }
    assert!(names.is_empty(), "without a state: {names:?}");
    let tests = serde_saphyr::to_string(&json!({"tests": tests})).unwrap();
    agrees("health_test.yaml", &tests);
}

fn agrees(file: &str, found: &str) {
    let path = path(&format!("{FOLDER}/{file}"));
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed, found,
        "{file} is not up to date; set {UPDATE}=1 to update it"
    );
}

#[test]
fn argo_cds_own_test_of_the_script_passes() {
    let passed = argo(&["health-test", &path(FOLDER)], "");
    assert_eq!(passed.as_array().unwrap().len(), Reason::ALL.len() + 1);
}

#[test]
fn the_config_map_contains_the_same_script() {
    let config_map: Value = serde_saphyr::from_str(&text(CONFIG_MAP)).unwrap();
    let key = "resource.customizations.health.restore.pinecone.io_IndexRestore";
    let data = config_map["data"].as_object().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), [key]);
    assert_eq!(data[key], text(&format!("{FOLDER}/health.lua")));
}

/// The object with fixed values in place of those that differ between runs.
fn canonical(object: &Value) -> Value {
    let mut object = object.clone();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("managedFields");
    for (field, value) in [
        ("namespace", "restores"),
        ("resourceVersion", "1000"),
        ("uid", UUID),
        ("creationTimestamp", TIME),
    ] {
        metadata.insert(field.into(), value.into());
    }
    neutral(object)
}

const UUID: &str = "00000000-0000-4000-8000-000000000000";
const TIME: &str = "2026-01-01T00:00:00Z";
/// A fixed UUID, which is not replaced.
const BACKUP: &str = testkit::scene::BACKUP;

fn neutral(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| {
                    let value = match (name.as_str(), &value) {
                        ("nonce", _) => UUID.into(),
                        ("indexHost", _) => "index-0000000.svc.region.pinecone.io".into(),
                        ("duration", Value::String(_)) => "1s".into(),
                        (name, Value::String(_)) if name.ends_with("Time") => TIME.into(),
                        _ => neutral(value),
                    };
                    (name, value)
                })
                .collect::<Map<_, _>>(),
        ),
        Value::Array(values) => values.into_iter().map(neutral).collect(),
        Value::String(text) => words(&text).into(),
        other => other,
    }
}

/// The text with each time, and each UUID except the backup's, replaced.
fn words(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-:.".contains(c);
    let mut neutral = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, after) = rest.split_at(start);
        let end = after.find(|c| !is_part(c)).unwrap_or(after.len());
        let (word, left) = after.split_at(end);
        neutral += before;
        neutral += &replaced(word);
        rest = left;
    }
    neutral + rest
}

fn replaced(word: &str) -> String {
    let bare = word.trim_end_matches(['.', ':']);
    let tail = &word[bare.len()..];
    let is_uuid = bare.len() == UUID.len() && bare.matches('-').count() == 4;
    let new = match bare {
        _ if bare == BACKUP => bare,
        _ if is_uuid => UUID,
        _ if bare.parse::<jiff::Timestamp>().is_ok() => TIME,
        _ => bare,
    };
    format!("{new}{tail}")
}
