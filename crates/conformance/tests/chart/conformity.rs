//! Validation of every rendered manifest, for every set of values: by kubeconform with schemas from the API server's own OpenAPI, which
//! includes the CRD, and by the API server itself.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use testkit::{DEADLINE, eventually};

use crate::cluster::{Cluster, OPERATOR};
use crate::manifests::parse;
use crate::rendering::{matrix, template};
use crate::tools::{HELM_3, KUBECONFORM, Tool, files, read, text_of};

/// Kinds of the Prometheus operator, which the API server has no schemas for.
const FOREIGN: [&str; 3] = ["ServiceMonitor", "PodMonitor", "PrometheusRule"];

#[tokio::test(flavor = "multi_thread")]
async fn every_rendered_manifest_is_valid() {
    let cluster = Cluster::start().await;
    let kubectl = cluster.kubectl().await;
    let (helm, kubeconform) = (Tool::new(&HELM_3).await, Tool::new(&KUBECONFORM).await);
    kubectl
        .run(&["apply", "--server-side", "-f", "crds/indexrestores.yaml"])
        .await;
    for namespace in [OPERATOR, "team-a", "team-b", "elsewhere", "argocd"] {
        cluster.create_namespace(namespace).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut rendered = Vec::new();
    for values in matrix() {
        rendered.push((
            values.clone(),
            template(&helm, &["--values", &values]).await,
        ));
    }
    for sample in files("deploy/samples") {
        // This sample is invalid on purpose.
        if !sample.contains("refused") {
            rendered.push((sample.clone(), read(&sample)));
        }
    }
    for example in crate::metadata::examples() {
        rendered.push(("crdsExamples".into(), example.to_string()));
    }
    let all = rendered.iter().flat_map(|(_, yaml)| parse(yaml));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let kinds: BTreeSet<_> = all
        .map(|it| (text(&it["apiVersion"]), text(&it["kind"])))
        .collect();
    for (api_version, kind) in kinds {
        if !FOREIGN.contains(&kind.as_str()) {
            let schema = schema(&kubectl, &api_version, &kind).await;
            let path = folder.path().join(format!("{}.json", kind.to_lowercase()));
            std::fs::write(path, schema.to_string()).unwrap();
        }
    }
    let location = format!("{}/{{{{.ResourceKind}}}}.json", folder.path().display());
    let validate = async |path: &Path| {
        let path = path.to_str().unwrap();
        let foreign = FOREIGN.join(",");
        let arguments = [
            "-strict",
            "-summary",
            "-skip",
            &foreign,
            "-schema-location",
            &location,
            path,
        ];
        kubeconform.try_run(&arguments).await
    };
    for (name, yaml) in &rendered {
        let path = folder.path().join("rendered.yaml");
        std::fs::write(&path, yaml).unwrap();
        let output = validate(&path).await;
        assert!(output.status.success(), "{name}: {}", text_of(&output));
        let own: Vec<_> = parse(yaml)
            .into_iter()
            .filter(|it| !FOREIGN.contains(&it["kind"].as_str().unwrap()))
            .collect();
        let own: Vec<_> = own.iter().map(Value::to_string).collect();
        std::fs::write(&path, own.join("\n---\n")).unwrap();
        let dry = [
            "apply",
            "--server-side",
            "--dry-run=server",
            "--validate=strict",
            "-f",
        ];
        if !name.contains("another-namespace") {
            kubectl
                .run(&[&dry[..], &[path.to_str().unwrap()]].concat())
                .await;
        }
    }
    // The schemas reject an invalid manifest.
    let path = folder.path().join("wrong.yaml");
    let wrong = read("deploy/samples/plain.yaml").replace("indexName", "indexname");
    std::fs::write(&path, wrong).unwrap();
    assert!(!validate(&path).await.status.success());
}

/// The schema of a kind as the API server publishes it, changed so that it rejects unknown fields.
async fn schema(kubectl: &Tool, api_version: &str, kind: &str) -> Value {
    let path = match api_version.split_once('/') {
        Some(_) => format!("/openapi/v3/apis/{api_version}"),
        None => format!("/openapi/v3/api/{api_version}"),
    };
    // The API server publishes the schema of a new CRD with a delay.
    let document = eventually("its schema is published", DEADLINE, async || {
        let output = kubectl.try_run(&["get", "--raw", &path]).await;
        anyhow::ensure!(output.status.success(), text_of(&output));
        Ok(Some(String::from_utf8(output.stdout)?))
    })
    .await
    .unwrap();
    let document: Value = document
        .replace("#/components/schemas/", "#/definitions/")
        .parse()
        .unwrap();
    let mut definitions = document["components"]["schemas"].clone();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let wanted = json!({"group": group, "kind": kind, "version": version});
    let is_it = |schema: &Value| {
        let kinds = schema["x-kubernetes-group-version-kind"].as_array();
        kinds.is_some_and(|kinds| kinds.contains(&wanted))
    };
    let found = definitions
        .as_object()
        .unwrap()
        .iter()
        .find(|(_, schema)| is_it(schema));
    let name = found
        .unwrap_or_else(|| panic!("{wanted} is not in {path}"))
        .0
        .clone();
    close(&mut definitions);
    json!({"definitions": definitions, "$ref": format!("#/definitions/{name}")})
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let is_object =
                map.get("properties").is_some_and(Value::is_object) && map.contains_key("type");
            if is_object && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".into(), json!(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}
