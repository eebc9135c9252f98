//! The annotations of Chart.yaml that Artifact Hub reads; most hold YAML.

use serde_json::{Value, json};

use crate::lifecycle::CHART;
use crate::manifests::{comparable, parse};
use crate::rendering::template;
use crate::tools::{HELM_3, Tool, read};

const CATEGORIES: [&str; 8] = [
    "ai-machine-learning",
    "database",
    "integration-delivery",
    "monitoring-logging",
    "networking",
    "security",
    "storage",
    "streaming-messaging",
];

fn annotation(name: &str) -> Value {
    let chart: Value = serde_saphyr::from_str(&read(&format!("{CHART}/Chart.yaml"))).unwrap();
    let annotation = &chart["annotations"][format!("artifacthub.io/{name}")];
    let text = annotation
        .as_str()
        .unwrap_or_else(|| panic!("{name}: {annotation}"));
    serde_saphyr::from_str(text).unwrap()
}

/// The examples of IndexRestores in the annotations, which another test validates.
pub fn examples() -> Vec<Value> {
    annotation("crdsExamples").as_array().unwrap().clone()
}

#[test]
fn the_listed_crd_is_the_installed_one() {
    let crd = &parse(&read("crds/indexrestores.yaml"))[0];
    let listed = annotation("crds");
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["name"], crd["metadata"]["name"]);
    assert_eq!(listed[0]["kind"], crd["spec"]["names"]["kind"]);
    let versions = crd["spec"]["versions"].as_array().unwrap();
    assert!(
        versions
            .iter()
            .any(|version| version["name"] == listed[0]["version"])
    );
    let examples = examples();
    assert!(!examples.is_empty());
    for example in examples {
        assert_eq!(example["kind"], listed[0]["kind"]);
    }
}

#[tokio::test]
async fn the_listed_images_are_those_that_the_chart_renders() {
    let helm = Tool::new(&HELM_3).await;
    let rendered = template(&helm, &["--set", "emulator.enabled=true"]).await;
    let image = "/spec/template/spec/containers/0/image";
    let rendered: Vec<_> = comparable(&rendered)
        .values()
        .filter_map(|manifest| manifest.pointer(image).cloned())
        .collect();
    let listed = annotation("images");
    let listed = listed.as_array().unwrap().iter();
    let listed: Vec<_> = listed.map(|image| image["image"].clone()).collect();
    assert_eq!(listed, rendered);
}

#[test]
fn license_category_and_stage_are_valid() {
    assert_eq!(annotation("license"), env!("CARGO_PKG_LICENSE"));
    let category = annotation("category");
    assert!(CATEGORIES.contains(&category.as_str().unwrap()));
    assert_eq!(annotation("operator"), json!(true));
    // The API is v1alpha1: until it is stable, no version of the chart is.
    let listed = annotation("crds");
    let is_alpha = listed[0]["version"].as_str().unwrap().contains("alpha");
    assert_eq!(annotation("prerelease"), json!(is_alpha));
    for link in annotation("links").as_array().unwrap() {
        let (name, url) = (link["name"].as_str(), link["url"].as_str());
        assert!(
            name.is_some() && url.unwrap().starts_with("https://"),
            "{link}"
        );
    }
}
