//! Install, upgrade, rollback and uninstall by Helm 3 and Helm 4, with restores in the cluster.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use serde_json::json;
use testkit::Program;

use crate::cluster::{Cluster, OPERATOR, reason, restore};
use crate::tools::{HELM_3, HELM_4, Tool, root};

pub const CHART: &str = "charts/index-restore-operator";

async fn install(helm: &Tool, chart: &str) -> String {
    helm.run(&[
        "install",
        OPERATOR,
        chart,
        "--namespace",
        OPERATOR,
        "--create-namespace",
    ])
    .await
}

async fn runs_the_lifecycle(program: &'static Program) {
    let cluster = Cluster::start().await;
    let helm = Tool::new(program).await.kubeconfig(&cluster.admin);
    let notes = install(&helm, CHART).await;
    assert!(notes.contains("create secret generic pinecone --from-literal=api-key="));
    assert!(!notes.contains("THIS IS NOT PINECONE"), "{notes}");
    cluster.create_secret("default").await;
    let mut operator = cluster.operator(OPERATOR, OPERATOR).await;
    let manifest = restore("kept", "kept");
    cluster.control_plane.apply(&manifest).await.unwrap();
    let before = cluster.until("default", "kept", "Restored").await;

    let release = [OPERATOR, "--namespace", OPERATOR];
    let more = ["--set", "replicaCount=2,emulator.enabled=true"];
    let upgrade = [&["upgrade"], &release[..1], &[CHART], &release[1..], &more].concat();
    let notes = helm.run(&upgrade).await;
    let (_, notes) = notes.split_once("NOTES:").unwrap();
    assert!(notes.trim_start().starts_with("*****"), "{notes}");
    assert!(notes.contains("THIS IS NOT PINECONE"), "{notes}");
    let mut second = cluster.operator(OPERATOR, OPERATOR).await;
    assert!(
        helm.run(&[&["rollback"][..], &release].concat())
            .await
            .contains("Rollback was a success")
    );
    let kubectl = cluster.kubectl().await;
    let replicas = [
        "get",
        "deployment",
        "--output=jsonpath={.items[0].spec.replicas}",
        "--namespace",
        OPERATOR,
    ];
    assert_eq!(kubectl.run(&replicas).await, "1");
    let budgets = ["get", "pdb", "--output=name", "--namespace", OPERATOR];
    assert_eq!(
        kubectl.run(&budgets).await,
        "",
        "the rollback removes the PodDisruptionBudget"
    );

    operator.kill().unwrap();
    second.kill().unwrap();
    helm.run(&[&["uninstall"][..], &release].concat()).await;
    let after = cluster.restores("default").get("kept").await.unwrap();
    assert_eq!(after.metadata.uid, before.metadata.uid);
    assert_eq!(
        after.status, before.status,
        "an uninstall does not change the status"
    );
    let left = [
        "get",
        "clusterroles,clusterrolebindings,deployments,roles,serviceaccounts",
        "--all-namespaces",
        "--output=name",
    ];
    let left = kubectl.run(&left).await;
    assert!(
        !left.contains(OPERATOR),
        "an uninstall leaves only the CRD: {left}"
    );

    install(&helm, CHART).await;
    let _operator = cluster.operator(OPERATOR, OPERATOR).await;
    let manifest = restore("next", "next");
    cluster.control_plane.apply(&manifest).await.unwrap();
    cluster.until("default", "next", "Restored").await;
    let reinstalled = cluster.restores("default").get("kept").await.unwrap();
    assert_eq!(reason(&reinstalled).as_deref(), Some("Restored"));
    assert_eq!((cluster.creates("kept"), cluster.creates("next")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_3_lifecycle_keeps_the_restores() {
    runs_the_lifecycle(&HELM_3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_4_lifecycle_keeps_the_restores() {
    runs_the_lifecycle(&HELM_4).await;
}

/// A copy of the chart as of an earlier version, whose CRD lacks a field.
fn earlier(folder: &std::path::Path) -> String {
    let chart = folder.join("index-restore-operator");
    copy(&root().join(CHART), &chart);
    let path = chart.join("files/indexrestores.yaml");
    let mut crd: serde_json::Value =
        serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
    let fields = crd.pointer_mut(spec).unwrap().as_object_mut().unwrap();
    fields
        .remove("adoptionPolicy")
        .expect("the CRD has the field");
    std::fs::write(&path, crd.to_string()).unwrap();
    chart.display().to_string()
}

/// Copies a folder recursively.
pub fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

async fn upgrades_the_crd(program: &'static Program) {
    let cluster = Cluster::start().await;
    let helm = Tool::new(program).await.kubeconfig(&cluster.admin);
    let folder = tempfile::tempdir().unwrap();
    install(&helm, &earlier(folder.path())).await;
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let has_field = async || {
        let crd = definitions
            .get("indexrestores.restore.pinecone.io")
            .await
            .unwrap();
        let schema = json!(crd.spec.versions[0].schema);
        let field = "/openAPIV3Schema/properties/spec/properties/adoptionPolicy";
        schema.pointer(field).is_some()
    };
    assert!(!has_field().await);
    helm.run(&["upgrade", OPERATOR, CHART, "--namespace", OPERATOR])
        .await;
    assert!(has_field().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_3_upgrades_the_crd() {
    upgrades_the_crd(&HELM_3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_4_upgrades_the_crd() {
    upgrades_the_crd(&HELM_4).await;
}
