//! Runs the commands of docs/install.md in order, unchanged, and gives other pages the means to.

use std::path::PathBuf;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use testkit::{DEADLINE, Operator, Program};
use tokio::process::Command;

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
    let blocks = blocks(section);
    assert!(!blocks.is_empty(), "{page}: no commands under {heading}");
    blocks
}

/// The blocks of shell commands of a text.
pub fn blocks(text: &str) -> Vec<String> {
    let blocks = text.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

/// Does the work of the kubelet and the Deployment controller, which do not run: starts the operator of the Deployment as a child
/// process, and updates the status of the Deployment.
pub async fn run_deployment(cluster: &Cluster, operator: &mut Option<Operator>) {
    let Some(found) = deployment(cluster).await else {
        *operator = None;
        return;
    };
    let (namespace, name) = (found.namespace().unwrap(), found.name_any());
    if operator.is_none() {
        *operator = Some(cluster.operator(&namespace, &name).await);
    }
    let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), &namespace);
    let replicas = found.spec.replicas;
    let status = json!({"status": {
        "observedGeneration": found.metadata.generation,
        "replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas, "readyReplicas": replicas,
    }});
    let patch = Patch::Merge(&status);
    let params = PatchParams::default();
    deployments
        .patch_status(&name, &params, &patch)
        .await
        .unwrap();
}

/// The operator's Deployment, unless its namespace is being deleted.
async fn deployment(cluster: &Cluster) -> Option<Deployment> {
    let deployments: Api<Deployment> = Api::all(cluster.client.clone());
    let all = deployments.list(&ListParams::default()).await.unwrap();
    let mut all = all.items.into_iter();
    let found = all.find(|it| !it.name_any().ends_with("pinecone-emulator"))?;
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    let namespace = namespaces.get(&found.namespace().unwrap()).await.unwrap();
    namespace
        .metadata
        .deletion_timestamp
        .is_none()
        .then_some(found)
}

/// A shell that runs a block with the built `helm` and `kubectl`, for a reader who has set the variables that the pages name.
pub fn shell(kubectl: &Tool, cluster: &Cluster, helm: Option<&Tool>, block: &str) -> Command {
    let programs = [kubectl].into_iter().chain(helm);
    let folders = programs.map(|tool| PathBuf::from(tool.program().parent().unwrap()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&path))).unwrap();
    let mut shell = kubectl.command("/bin/bash".as_ref());
    shell
        .args(["-euo", "pipefail", "-c", block])
        .env("PATH", &path)
        .env("PINECONE_API_KEY", KEY)
        .env("PINECONE_ENDPOINT", cluster.pinecone_url())
        .env("BACKUP_ID", BACKUP);
    shell
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
    let helm = match helm {
        Some(program) => Some(Tool::new(program).await),
        None => None,
    };
    let mut output_text = String::new();
    for block in blocks {
        let mut shell = shell(&kubectl, cluster, helm.as_ref(), block);
        let output = shell.output().await.unwrap();
        output_text.push_str(&text_of(&output));
        let logs = operator.as_ref().map(Operator::logs);
        assert!(output.status.success(), "{block}\n{output_text}\n{logs:?}");
        run_deployment(cluster, operator).await;
    }
    output_text
}

/// Runs blocks of commands as [`follow_with`], which must end.
pub async fn follow_to_end(
    cluster: &Cluster,
    helm: Option<&'static Program>,
    blocks: &[String],
    operator: &mut Option<Operator>,
) -> String {
    let run = follow_with(cluster, helm, blocks, operator);
    let ended = tokio::time::timeout(DEADLINE, run).await;
    ended.unwrap_or_else(|_| panic!("the commands do not end: {blocks:?}"))
}

/// Installs the operator as a section says, and restores an index with the API version that the README recommends.
async fn restore_after(cluster: &Cluster, helm: Option<&'static Program>, heading: &str) {
    let mut blocks = commands(heading);
    blocks.extend(commands("Restore an index"));
    blocks.extend(commands("Wait for a restore"));
    let output_text = follow(cluster, helm, &blocks).await;
    assert!(output_text.contains("Ready"), "{output_text}");
    cluster.until("default", "products", "Restored").await;
    let creates = cluster.pinecone.accepted_creates();
    let versions: Vec<_> = creates.iter().map(|it| it.api_version.as_deref()).collect();
    assert_eq!(versions, [Some("2026-07")]);
}

async fn keeps_the_api_version(cluster: &Cluster) {
    let pod = deployment(cluster).await.unwrap().spec.template;
    let container = json!(pod.spec.unwrap().containers[0]).to_string();
    assert!(container.contains("2026-07"), "{container}");
}

async fn with_helm(program: &'static Program) {
    let cluster = Cluster::start().await;
    restore_after(&cluster, Some(program), "With Helm").await;
    let output_text = follow(&cluster, Some(program), &commands("Upgrade")).await;
    assert!(output_text.contains("has been upgraded"), "{output_text}");
    keeps_the_api_version(&cluster).await;
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
    restore_after(&cluster, None, "With kubectl").await;
    // The last commands of that section apply the manifests again.
    keeps_the_api_version(&cluster).await;
    follow(&cluster, None, &commands("Remove everything")).await;
    assert_eq!(cluster.creates("products-restored"), 1);
}
