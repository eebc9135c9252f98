//! The chart as a dependency of another chart.

use std::path::Path;

use serde_json::{Value, json};
use testkit::Program;

use crate::lifecycle::CHART;
use crate::manifests::parse;
use crate::tools::{HELM_3, HELM_4, Tool, root};

/// Writes a chart that depends on this one, with the usual condition.
fn umbrella(folder: &Path) -> String {
    let chart = folder.join("platform");
    std::fs::create_dir(&chart).unwrap();
    let dependency = json!({
        "name": "index-restore-operator",
        "version": env!("CARGO_PKG_VERSION"),
        "repository": format!("file://{}", root().join(CHART).display()),
        "condition": "index-restore-operator.enabled",
    });
    let own = json!({"apiVersion": "v2", "name": "platform", "version": "1.0.0", "dependencies": [dependency]});
    std::fs::write(chart.join("Chart.yaml"), own.to_string()).unwrap();
    chart.display().to_string()
}

fn images(manifests: &[Value]) -> Vec<&str> {
    let deployments = manifests.iter().filter(|it| it["kind"] == "Deployment");
    let image = "/spec/template/spec/containers/0/image";
    deployments
        .map(|it| it.pointer(image).unwrap().as_str().unwrap())
        .collect()
}

async fn works_as_a_dependency(program: &'static Program) {
    let helm = Tool::new(program).await;
    let folder = tempfile::tempdir().unwrap();
    let chart = umbrella(folder.path());
    helm.run(&["dependency", "update", &chart]).await;
    let render = async |values: Value| {
        let path = folder.path().join("values.json");
        std::fs::write(&path, values.to_string()).unwrap();
        let values = ["--values", path.to_str().unwrap()];
        parse(
            &helm
                .run(&[&["template", "platform", &chart], &values[..]].concat())
                .await,
        )
    };

    let absent = render(json!({})).await;
    assert_eq!(images(&absent).len(), 1);
    let enabled = render(json!({"index-restore-operator": {"enabled": true}})).await;
    assert_eq!(enabled, absent);
    let disabled = render(json!({"index-restore-operator": {"enabled": false}})).await;
    assert_eq!(disabled, Vec::<Value>::new());

    let global = json!({"imageRegistry": "mirror.example.com:5000", "storageClass": "fast"});
    let own = json!({
        "image": {"registry": "registry.example.com"},
        "emulator": {"enabled": true, "image": {"repository": "ghcr.io/team/pinecone-emulator"}},
    });
    let mirrored = render(json!({"global": global, "index-restore-operator": own})).await;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        images(&mirrored),
        [
            format!("mirror.example.com:5000/index-restore-operator:{version}"),
            format!("mirror.example.com:5000/team/pinecone-emulator:{version}"),
        ]
    );
    let own = render(json!({"index-restore-operator": own})).await;
    assert_eq!(
        images(&own),
        [
            format!("registry.example.com/index-restore-operator:{version}"),
            format!("ghcr.io/team/pinecone-emulator:{version}"),
        ]
    );
}

#[tokio::test]
async fn is_a_dependency_that_helm_3_can_disable() {
    works_as_a_dependency(&HELM_3).await;
}

#[tokio::test]
async fn is_a_dependency_that_helm_4_can_disable() {
    works_as_a_dependency(&HELM_4).await;
}

/// Without a condition in the parent chart, Helm installs a dependency with `enabled: false` all the same.
#[tokio::test]
async fn disabling_it_without_a_condition_fails() {
    let helm = Tool::new(&HELM_3).await;
    let disabled = ["template", CHART, "--set", "enabled=false"];
    let error = helm.run_failing(&disabled).await;
    assert!(
        error.contains("condition: index-restore-operator.enabled"),
        "{error}"
    );
    helm.run(&["template", CHART, "--set", "enabled=true"])
        .await;
}
