//! The files of the chart, and the manifests that it renders.

use std::path::Path;

use index_restore_operator::api::{Progress, Reason};
use serde_json::{Value, json};

use crate::cluster::OPERATOR;
use crate::lifecycle::{CHART, copy};
use crate::manifests::{Manifests, assert_same, flag_defaults, key, parse};
use crate::tools::{HELM_3, HELM_4, HELM_DOCS, Tool, UNITTEST, files, read, root};

/// Renders the chart with the release name and namespace of the documentation.
pub async fn template(helm: &Tool, arguments: &[&str]) -> String {
    let release = ["template", OPERATOR, CHART, "--namespace", OPERATOR];
    helm.run(&[&release, arguments].concat()).await
}

/// Values that cover every template and every branch.
pub fn matrix() -> Vec<String> {
    files(&format!("{CHART}/ci"))
}

#[tokio::test]
async fn helm_3_and_helm_4_lint_the_chart_and_render_it_identically() {
    let (three, four) = (Tool::new(&HELM_3).await, Tool::new(&HELM_4).await);
    assert!(matrix().len() > 5);
    for values in matrix() {
        let lint = ["lint", "--strict", "--values", &values, CHART];
        three.run(&lint).await;
        four.run(&lint).await;
        let values = ["--values", &values];
        let by_three = template(&three, &values).await;
        let by_four = template(&four, &values).await;
        assert_same(&keyed(&by_three), &keyed(&by_four), values[1]);
        assert_eq!(
            by_three,
            template(&three, &values).await,
            "the output is reproducible"
        );
    }
}

fn keyed(yaml: &str) -> Manifests {
    let manifests = parse(yaml).into_iter();
    manifests
        .map(|manifest| (key(&manifest), manifest))
        .collect()
}

#[tokio::test]
async fn rejects_unknown_values_at_every_depth() {
    let helm = Tool::new(&HELM_3).await;
    let values: Value = serde_saphyr::from_str(&read(&format!("{CHART}/values.yaml"))).unwrap();
    let schema: Value = read(&format!("{CHART}/values.schema.json"))
        .parse()
        .unwrap();
    let mut places = vec![String::new()];
    find_objects(&values, &schema, "", &mut places);
    assert!(places.len() > 15, "{places:?}");
    for place in places {
        let unknown = format!("{place}replicaCuont=2");
        let error = helm
            .run_failing(&["template", CHART, "--set", &unknown])
            .await;
        assert!(error.contains("replicaCuont"), "{unknown}: {error}");
    }
}

/// Collects the objects of the values whose fields the schema lists completely.
fn find_objects(values: &Value, schema: &Value, path: &str, places: &mut Vec<String>) {
    for (key, value) in values.as_object().unwrap() {
        let schema = &schema["properties"][key];
        assert!(!schema.is_null(), "the schema lacks {path}{key}");
        // Other objects are types of Kubernetes, which the API server validates. A parent chart's own keys may be in `global`.
        if !schema["properties"].is_null() && key != "global" {
            assert_eq!(schema["additionalProperties"], false, "{path}{key}");
            let path = format!("{path}{key}.");
            places.push(path.clone());
            find_objects(value, schema, &path, places);
        }
    }
}

#[tokio::test]
async fn rejects_contradictory_values() {
    let helm = Tool::new(&HELM_3).await;
    for (values, expected) in [
        (
            "terminationGracePeriodSeconds=30",
            "terminationGracePeriodSeconds must be longer",
        ),
        ("pinecone.requestTimeoutSeconds=175", "174"),
        ("controller.pollMinSeconds=61", "pollMaxSeconds"),
        (
            "replicaCount=2,leaderElection.enabled=false",
            "leaderElection.enabled",
        ),
        (
            "leaderElection.renewDeadlineSeconds=15",
            "leaseDurationSeconds must be longer",
        ),
        (
            "emulator.enabled=true,pinecone.endpoint=https://pinecone.example",
            "exclude each other",
        ),
        (
            "emulator.enabled=true,rbac.secretNames={other}",
            "emulator.secretName",
        ),
        (
            "admissionPolicies.namedSecrets.enabled=true,rbac.secretNames={pinecone-of-search,vectors}",
            "admits no Secret named vectors",
        ),
        (
            "admissionPolicies.namedSecrets.enabled=true,emulator.enabled=true,emulator.secretName=demo",
            "admits no Secret named demo",
        ),
        ("log.format=xml", "log.format"),
        ("image.digest=latest", "digest"),
        ("watchNamespaces={Restores}", "watchNamespaces"),
    ] {
        let error = helm
            .run_failing(&["template", CHART, "--set", values])
            .await;
        assert!(
            error.replace('/', ".").contains(expected),
            "{values}: {error}"
        );
    }
}

#[test]
fn chart_and_image_versions_equal_the_workspace_version() {
    let chart: Value = serde_saphyr::from_str(&read(&format!("{CHART}/Chart.yaml"))).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(chart["version"], version);
    assert_eq!(chart["appVersion"], version);
    for manifest in [
        "deploy/base/deployment.yaml",
        "deploy/with-emulator/emulator.yaml",
    ] {
        assert!(
            read(manifest).contains(&format!(":{version}\n")),
            "{manifest}"
        );
    }
}

#[tokio::test]
async fn the_crd_in_the_chart_is_up_to_date() {
    let path = format!("{CHART}/files/indexrestores.yaml");
    assert_eq!(
        read(&path),
        read("crds/indexrestores.yaml"),
        "run: cp crds/indexrestores.yaml {path}"
    );
    let helm = Tool::new(&HELM_3).await;
    let only = ["--show-only", "templates/custom-resource-definition.yaml"];
    let rendered = &parse(&template(&helm, &only).await)[0];
    let own = &parse(&read(&path))[0];
    assert_eq!(rendered["spec"], own["spec"]);
    let keep = "/metadata/annotations/helm.sh~1resource-policy";
    assert_eq!(rendered.pointer(keep), Some(&json!("keep")));
    let loose = [&only[..], &["--set", "crds.keep=false"]].concat();
    let rendered = &parse(&template(&helm, &loose).await)[0];
    assert_eq!(rendered.pointer(keep), None);
    let without = template(&helm, &["--set", "crds.enabled=false"]).await;
    assert!(!without.contains("CustomResourceDefinition"));
}

#[tokio::test]
async fn every_flag_is_set_to_the_operators_own_default() {
    let helm = Tool::new(&HELM_3).await;
    let only = ["--show-only", "templates/deployment.yaml"];
    let deployment = &parse(&template(&helm, &only).await)[0];
    let arguments = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    let mut set = 0;
    let defaults = flag_defaults();
    for argument in arguments.as_array().unwrap() {
        let Some((flag, value)) = argument.as_str().unwrap().split_once('=') else {
            continue;
        };
        set += 1;
        // The chart uses JSON logs, because log collectors parse them.
        let default = if flag == "--log-format" {
            "json"
        } else {
            &defaults[flag]
        };
        assert_eq!(value, default, "{flag}");
    }
    // The flags without a value by default: namespaces to watch, a CA file, and the Lease's namespace, which is the pod's.
    assert_eq!(set + 3, defaults.len(), "{arguments}");
}

#[tokio::test]
async fn the_readme_equals_the_output_of_helm_docs() {
    let docs = Tool::new(&HELM_DOCS).await;
    let made = docs
        .run(&[
            "--chart-search-root",
            CHART,
            "--dry-run",
            "--log-level=error",
        ])
        .await;
    let readme = read(&format!("{CHART}/README.md"));
    assert!(
        made.trim() == readme.trim(),
        "{CHART}/README.md is not up to date; run: {} --chart-search-root {CHART}",
        docs.program().display()
    );
}

#[test]
fn the_health_check_in_the_chart_equals_that_of_argo_cd() {
    let path = format!("{CHART}/files/health.lua");
    let own = "deploy/argocd/resource_customizations/restore.pinecone.io/IndexRestore/health.lua";
    assert_eq!(read(&path), read(own), "run: cp {own} {path}");
}

#[test]
fn the_alerts_and_the_dashboard_use_existing_metrics_and_reasons() {
    let reference = read("docs/reference.md");
    let stalled = |reason: &&Reason| reason.condition_states().progress == Progress::Stalled;
    let stalled = sorted(Reason::ALL.iter().filter(stalled).map(|r| r.as_str()));
    let known: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    for file in ["alerts.yaml", "dashboard.json"] {
        let text = read(&format!("{CHART}/files/{file}")).replace("\\\"", "\"");
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        let metrics = words.filter(|word| word.starts_with("indexrestore_"));
        let metrics: Vec<_> = metrics
            .map(|word| word.strip_suffix("_bucket").unwrap_or(word))
            .collect();
        assert!(metrics.len() > 6, "{file}");
        for metric in metrics {
            assert!(reference.contains(&format!("| `{metric}` |")), "{metric}");
        }
        let asked: Vec<Vec<_>> = text
            .split("reason=")
            .skip(1)
            .map(|list| list.trim_start_matches('~').split('"').nth(1).unwrap())
            .map(|list| sorted(list.split('|')))
            .collect();
        assert!(
            asked.contains(&stalled),
            "{file} lacks the list of all stalled reasons"
        );
        for reason in asked.into_iter().flatten() {
            assert!(known.contains(&reason), "{file}: {reason}");
        }
    }
}

fn sorted<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut words: Vec<_> = words.collect();
    words.sort_unstable();
    words
}

/// Runs helm-unittest, which compares with snapshots. After an intended change, run the printed command, which updates them.
#[tokio::test]
async fn the_charts_own_unit_tests_pass() {
    let tests = Tool::new(&UNITTEST).await;
    // helm-unittest writes missing snapshots and reports success, so it runs on a copy.
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join(CHART), folder.path());
    let chart = folder.path().to_str().unwrap();
    let output = tests.run(&["--strict", "--color=false", chart]).await;
    assert!(output.contains("Snapshot:"), "{output}");
    let written = folder.path().join("tests/__snapshot__");
    for entry in std::fs::read_dir(written).unwrap() {
        let after = entry.unwrap();
        let name = after.file_name().into_string().unwrap();
        assert!(
            read(&format!("{CHART}/tests/__snapshot__/{name}"))
                == std::fs::read_to_string(after.path()).unwrap(),
            "{name} is not complete; run: {} -u {CHART}",
            tests.program().display()
        );
    }
    let templates = files(&format!("{CHART}/templates"));
    let suites: String = files(&format!("{CHART}/tests"))
        .iter()
        .filter(|path| path.ends_with("_test.yaml"))
        .map(|path| read(path))
        .collect();
    for template in templates {
        let name = Path::new(&template).file_name().unwrap().to_str().unwrap();
        let is_rendered = !name.starts_with('_');
        assert!(
            !is_rendered || suites.contains(&format!("templates:\n  - {name}\n")),
            "no suite tests {name}; see {}",
            root().join(CHART).join("tests").display()
        );
    }
}

/// Scaling up must not restart the pod that reconciles.
#[tokio::test]
async fn the_pod_template_does_not_depend_on_the_number_of_replicas() {
    let helm = Tool::new(&HELM_3).await;
    for values in matrix() {
        // Several replicas need leader election.
        if values.contains("/bare-") {
            continue;
        }
        let mut pods = Vec::new();
        for replicas in ["replicaCount=1", "replicaCount=2", "replicaCount=3"] {
            let set = ["--values", &values, "--set", replicas];
            let only = ["--show-only", "templates/deployment.yaml"];
            let rendered = template(&helm, &[&only[..], &set].concat()).await;
            pods.push(parse(&rendered)[0]["spec"]["template"].clone());
        }
        assert_eq!(pods[0], pods[1], "{values}");
        assert_eq!(pods[1], pods[2], "{values}");
    }
}
