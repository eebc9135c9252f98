//! Runs the commands of docs/install.md in order, unchanged, and gives other pages the means to.

use std::path::PathBuf;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use testkit::{Operator, Program};

use crate::cluster::{BACKUP, Cluster, KEY, OPERATOR};
use crate::tools::{HELM_3, HELM_4, Tool, read, text_of};

/// The blocks of shell commands of docs/install.md under a heading.
pub fn commands(heading: &str) -> Vec<String> {
    commands_of("docs/install.md", heading)
}

/// The blocks of shell commands of a page under a heading, up to the next heading of its level.
pub fn commands_of(page: &str, heading: &str) -> Vec<String> {
    let text = read(page);
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let blocks: Vec<_> = section
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect();
    assert!(!blocks.is_empty(), "{page}: no commands under {heading}");
    blocks
}

/// Does the work of the kubelet and the Deployment controller, which do not run: starts the operator of the Deployment as a child
/// process, and updates the status of the Deployment.
pub async fn run_deployment(cluster: &Cluster, operator: &mut Option<Operator>) {
    let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), OPERATOR);
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    let namespace = namespaces.get_opt(OPERATOR).await.unwrap();
    let stays = namespace.is_some_and(|it| it.metadata.deletion_timestamp.is_none());
    let found = deployments.get_opt(OPERATOR).await.unwrap();
    let Some(found) = found.filter(|_| stays) else {
        *operator = None;
        return;
    };
    if operator.is_none() {
        *operator = Some(cluster.operator(OPERATOR, OPERATOR).await);
    }
    let replicas = found.spec.replicas;
    let status = json!({"status": {
        "observedGeneration": found.metadata.generation,
        "replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas, "readyReplicas": replicas,
    }});
    let patch = Patch::Merge(&status);
    let params = PatchParams::default();
    deployments
        .patch_status(OPERATOR, &params, &patch)
        .await
        .unwrap();
}

/// Runs blocks of commands with the built `helm` and `kubectl`; returns their output.
pub async fn follow(
    cluster: &Cluster,
    helm: Option<&'static Program>,
    blocks: &[String],
) -> String {
    follow_with(cluster, helm, blocks, &mut None).await
}

/// The same with an operator that already runs.
pub async fn follow_with(
    cluster: &Cluster,
    helm: Option<&'static Program>,
    blocks: &[String],
    operator: &mut Option<Operator>,
) -> String {
    let kubectl = cluster.kubectl().await;
    let mut folders: Vec<PathBuf> = vec![kubectl.program().parent().unwrap().into()];
    if let Some(program) = helm {
        let helm = Tool::new(program).await;
        folders.push(helm.program().parent().unwrap().into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let path = std::env::join_paths(folders).unwrap();
    let mut output_text = String::new();
    for block in blocks {
        let mut shell = kubectl.command("/bin/bash".as_ref());
        let output = shell
            .args(["-euo", "pipefail", "-c", block])
            .env("PATH", &path)
            .env("PINECONE_API_KEY", KEY)
            .env("PINECONE_ENDPOINT", cluster.pinecone_url())
            .env("BACKUP_ID", BACKUP)
            .output()
            .await
            .unwrap();
        output_text.push_str(&text_of(&output));
        let logs = operator.as_ref().map(Operator::logs);
        assert!(output.status.success(), "{block}\n{output_text}\n{logs:?}");
        run_deployment(cluster, operator).await;
    }
    output_text
}

async fn with_helm(program: &'static Program) {
    let cluster = Cluster::start().await;
    follow(&cluster, Some(program), &commands("With Helm")).await;
    cluster.until("default", "plain", "Restored").await;
    let output_text = follow(&cluster, None, &commands("Wait for a restore")).await;
    assert!(output_text.contains("Ready"), "{output_text}");
    let output_text = follow(&cluster, Some(program), &commands("Upgrade")).await;
    assert!(output_text.contains("has been upgraded"), "{output_text}");
    let output_text = follow(&cluster, Some(program), &commands("Uninstall")).await;
    assert!(
        output_text.contains("products-restored"),
        "the IndexRestore still exists: {output_text}"
    );
    let output_text = follow(&cluster, None, &commands("Remove everything")).await;
    assert!(
        output_text.contains("indexrestores.restore.pinecone.io"),
        "{output_text}"
    );
    assert_eq!(cluster.creates("products-restored"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_works_with_helm_3() {
    with_helm(&HELM_3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_works_with_helm_4() {
    with_helm(&HELM_4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_works_with_the_emulator() {
    let cluster = Cluster::start().await;
    cluster.add_the_charts_project();
    follow(&cluster, Some(&HELM_4), &commands("With the emulator")).await;
    cluster.until(OPERATOR, "plain", "Restored").await;
    assert_eq!(cluster.creates("products-restored"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_works_with_kubectl() {
    let cluster = Cluster::start().await;
    follow(&cluster, None, &commands("With kubectl")).await;
    cluster.until("default", "plain", "Restored").await;
    follow(&cluster, None, &commands("Remove everything")).await;
    assert_eq!(cluster.creates("products-restored"), 1);
}
