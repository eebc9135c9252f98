//! Manifests as values, and the comparison of two sets of manifests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::tools::read;

pub type Manifests = BTreeMap<String, Value>;

pub fn parse(yaml: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    let mut documents: Vec<_> = documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect();
    documents.iter_mut().for_each(whole);
    documents
}

/// Converts whole floats to integers, because Helm writes 1.0 as 1.
fn whole(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap();
            if float.fract() == 0.0 && float.abs() < 1e15 {
                *value = json!(float as i64);
            }
        }
        Value::Object(map) => map.values_mut().for_each(whole),
        Value::Array(values) => values.iter_mut().for_each(whole),
        _ => {}
    }
}

pub fn key(manifest: &Value) -> String {
    let metadata = &manifest["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!(
        "{} {}/{}",
        text(&manifest["kind"]),
        text(&metadata["namespace"]),
        text(&metadata["name"])
    )
}

/// Manifests by kind and name in a comparable form: without the labels of the tools, the order of keys, and flags with default values.
pub fn comparable(yaml: &str) -> Manifests {
    let mut comparable = Manifests::new();
    for mut manifest in parse(yaml) {
        let key = key(&manifest);
        plain(&mut manifest);
        let own = ["app.kubernetes.io/name"];
        drop_keys(&mut manifest["metadata"], "labels", &own);
        for part in ["metadata", "/spec/template/metadata"] {
            let metadata = match part {
                "metadata" => Some(&mut manifest["metadata"]),
                path => manifest.pointer_mut(path),
            };
            if let Some(metadata) = metadata {
                let notes = ["helm.sh/resource-policy", "checksum/seed"];
                drop_keys(metadata, "annotations", &notes);
            }
        }
        if manifest["kind"] == "Deployment" {
            drop_defaults(&mut manifest);
        }
        assert!(
            comparable.insert(key.clone(), manifest).is_none(),
            "{key} twice"
        );
    }
    comparable
}

fn plain(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for name in [
                "helm.sh/chart",
                "app.kubernetes.io/instance",
                "app.kubernetes.io/version",
                "app.kubernetes.io/managed-by",
            ] {
                map.remove(name);
            }
            map.values_mut().for_each(plain);
        }
        Value::Array(values) => values.iter_mut().for_each(plain),
        _ => {}
    }
}

fn drop_keys(metadata: &mut Value, field: &str, names: &[&str]) {
    let Some(metadata) = metadata.as_object_mut() else {
        return;
    };
    if let Some(map) = metadata.get_mut(field).and_then(Value::as_object_mut) {
        map.retain(|name, _| !names.contains(&name.as_str()));
        if map.is_empty() {
            metadata.remove(field);
        }
    }
}

fn drop_defaults(deployment: &mut Value) {
    let defaults = flag_defaults();
    let path = "/spec/template/spec/containers/0/args";
    let Some(Value::Array(arguments)) = deployment.pointer_mut(path) else {
        panic!("{deployment}: no arguments")
    };
    arguments.retain(|argument| {
        let (flag, value) = argument
            .as_str()
            .unwrap()
            .split_once('=')
            .unwrap_or_default();
        defaults.get(flag).is_none_or(|default| default != value)
    });
    arguments.sort_by_key(Value::to_string);
}

/// The operator's flags and their defaults in docs/reference.md, which another test compares with the code.
pub fn flag_defaults() -> BTreeMap<String, String> {
    let reference = read("docs/reference.md");
    let rows = reference.lines().filter(|line| line.starts_with("| `--"));
    rows.map(|row| {
        let cells: Vec<_> = row
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        (cells[1].to_owned(), cells[3].to_owned())
    })
    .collect()
}

/// Compares manifest by manifest, so that a failure shows a short difference.
pub fn assert_same(left: &Manifests, right: &Manifests, what: &str) {
    let keys = |manifests: &Manifests| manifests.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(left), keys(right), "{what}");
    for (key, manifest) in left {
        assert_eq!(
            serde_json::to_string_pretty(manifest).unwrap(),
            serde_json::to_string_pretty(&right[key]).unwrap(),
            "{what}: {key}"
        );
    }
}

/// The rules of a Role or ClusterRole, one line per verb and resource.
pub fn rules(role: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let texts = |value: &Value| -> Vec<String> {
        let values = value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        values.iter().map(text).collect()
    };
    for rule in role["rules"].as_array().unwrap_or(&vec![json!({})]) {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    lines.push(format!("{verb} {group}/{resource}"));
                }
            }
        }
    }
    lines.sort();
    lines
}
