//! Tests of the alerts, the dashboard and the metrics with Prometheus's own promtool.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use conformance::tool::Tool;
use index_restore_operator::pinecone::RequestMetrics;
use index_restore_operator::restore::metrics::Metrics;
use index_restore_operator::runtime::exposition::Format;
use index_restore_operator::runtime::metrics::{LeaderGauge, encode, registry};
use index_restore_operator::runtime::process;
use index_restore_operator::runtime::readiness::Readiness;
use serde_json::{Value, json};

const FILES: &str = "charts/index-restore-operator/files";
const CASES: &str = include_str!("cases.yaml");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(name: &str) -> String {
    let path = root().join(FILES).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn text_of(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|text| String::from_utf8_lossy(text))
        .concat()
}

fn promtool(arguments: &[&str], input: &str) -> Output {
    let tool = Tool::promtool().unwrap();
    tool.output(arguments, input, &[]).unwrap()
}

fn passes(arguments: &[&str], input: &str) {
    let output = promtool(arguments, input);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text_of(&output)
    );
}

/// A folder with the rules, as a rule file of Prometheus, and the cases.
fn folder(rules: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let groups = json!({"groups": [{"name": "index-restore-operator", "rules": rules}]});
    std::fs::write(folder.path().join("alerts.yaml"), groups.to_string()).unwrap();
    std::fs::write(folder.path().join("cases.yaml"), CASES).unwrap();
    folder
}

fn alerts() -> Value {
    serde_saphyr::from_str(&read("alerts.yaml")).unwrap()
}

fn names(of: &Value, field: &str) -> BTreeSet<String> {
    let each = of.as_array().unwrap().iter();
    each.map(|value| value[field].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn promtool_finds_no_fault_in_the_alerts_and_all_cases_hold() {
    let folder = folder(&alerts());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let check = ["check", "rules", "--lint=all", "--lint-fatal"];
    passes(&[&check[..], &[&path("alerts.yaml")]].concat(), "");
    passes(&["test", "rules", &path("cases.yaml")], "");
}

#[test]
fn each_alert_has_a_case_that_fires_and_one_that_does_not() {
    let cases: Value = serde_saphyr::from_str(CASES).unwrap();
    let tests = cases["tests"].as_array().unwrap().iter();
    let tested: Vec<_> = tests
        .flat_map(|case| case["alert_rule_test"].as_array().unwrap().clone())
        .collect();
    let (fire, silent): (Vec<_>, Vec<_>) = tested
        .into_iter()
        .partition(|test| test["exp_alerts"].is_array());
    let expected = names(&alerts(), "alert");
    assert!(expected.len() > 6, "{expected:?}");
    assert_eq!(names(&json!(fire), "alertname"), expected);
    assert_eq!(names(&json!(silent), "alertname"), expected);
}

/// Two installations must not hide each other, whatever an alert aggregates.
#[test]
fn the_cases_fail_for_alerts_that_drop_the_labels_of_an_installation() {
    let mut broken = alerts();
    for alert in broken.as_array_mut().unwrap() {
        let expression = alert["expr"].as_str().unwrap();
        let merged = expression.replace("cluster, namespace, job", "cluster");
        assert_ne!(merged, expression);
        alert["expr"] = json!(merged);
    }
    let folder = folder(&broken);
    let cases = folder.path().join("cases.yaml");
    let output = promtool(&["test", "rules", cases.to_str().unwrap()], "");
    assert!(!output.status.success());
    for name in names(&broken, "alert") {
        let failed = text_of(&output).contains(&format!("alertname: {name},"));
        assert!(failed, "{name}: {}", text_of(&output));
    }
}

/// The queries of the dashboard, with values for Grafana's variables.
fn queries() -> Vec<String> {
    let dashboard: Value = read("dashboard.json").parse().unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    targets
        .map(|target| {
            let query = target["expr"].as_str().unwrap();
            query
                .replace("$job", ".*")
                .replace("$__rate_interval", "5m")
                .replace("$__range", "6h")
        })
        .collect()
}

#[test]
fn the_queries_of_the_dashboard_are_valid_and_add_up_installations() {
    let queries = queries();
    assert!(queries.len() > 10);
    for query in &queries {
        // A version is the same text wherever it runs.
        let maxima = query.matches("max by (").count();
        let kept = query.matches("max by (cluster, namespace, job, ").count();
        let is_version = query.contains("max by (version, revision)");
        assert!(maxima == kept || is_version, "{query}");
        assert!(!query.contains('$'), "{query}");
    }
    let records = queries.iter().enumerate().map(|(index, query)| {
        let name = format!("dashboard:query:{index}");
        json!({"record": name, "expr": query})
    });
    let folder = folder(&records.collect());
    let path = folder.path().join("alerts.yaml");
    passes(&["check", "rules", path.to_str().unwrap()], "");
}

/// What `/metrics` shows.
fn open_metrics() -> String {
    let mut registry = registry("indexrestore", "1.2.3", "abc");
    let requests = RequestMetrics::register(&mut registry);
    let metrics = Metrics::register(&mut registry);
    LeaderGauge::register(&mut registry).set(true);
    let _readiness = Readiness::register(&mut registry, ["a".to_owned()]);
    metrics.reconciled("ok", Duration::from_micros(300));
    metrics.submitted("unknown");
    metrics.count_restores([("Restored", 3)], 1);
    drop(requests);
    encode([&process::registry(), &registry]).unwrap()
}

#[test]
fn promtool_finds_no_fault_in_the_metrics() {
    let text = Format::PrometheusText.of_open_metrics(open_metrics());
    passes(&["check", "metrics"], &text);
    // promtool must be able to find a fault.
    let without_help = text.replace("# HELP indexrestore_leader", "# indexrestore_leader");
    let output = promtool(&["check", "metrics"], &without_help);
    assert!(text_of(&output).contains("no help text"), "{output:?}");
}

/// promtool reads OpenMetrics only where samples have a time, to import them.
#[test]
fn prometheus_reads_the_metrics_as_open_metrics() {
    let text = open_metrics();
    let with_times: String = text
        .lines()
        .map(|line| match line.starts_with('#') {
            true => format!("{line}\n"),
            false => format!("{line} 1700000000\n"),
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let import = |text: &str| {
        let path = folder.path().join("metrics");
        std::fs::write(&path, text).unwrap();
        let (from, to) = (path.to_str().unwrap(), folder.path().to_str().unwrap());
        promtool(&["tsdb", "create-blocks-from", "openmetrics", from, to], "")
    };
    let output = import(&with_times);
    assert!(output.status.success(), "{}", text_of(&output));
    let output = import(&with_times.replace("# EOF", ""));
    assert!(!output.status.success(), "{}", text_of(&output));
}
