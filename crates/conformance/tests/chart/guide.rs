//! The commands of docs/install.md, as they stand there, run in order.

use std::path::PathBuf;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use testkit::{Operator, Program};

use crate::cluster::{Cluster, KEY, OPERATOR};
use crate::tools::{HELM_3, HELM_4, Tool, read, said};

/// The blocks of shell commands under that heading, to the next heading of its level.
fn commands(heading: &str) -> Vec<String> {
    let guide = read("docs/install.md");
    let (_, rest) = guide.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let blocks: Vec<_> = section
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect();
    assert!(!blocks.is_empty(), "{heading}");
    blocks
}

/// Stands in for the kubelet and the controller of Deployments, which are not there: once the Deployment is, its operator runs as a
/// child process, and its status says so.
async fn stand_in(cluster: &Cluster, operator: &mut Option<Operator>) {
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

/// `helm` and `kubectl` are the built ones.
async fn follow(cluster: &Cluster, helm: Option<&'static Program>, heading: &str) -> String {
    let kubectl = cluster.kubectl().await;
    let mut folders: Vec<PathBuf> = vec![kubectl.program().parent().unwrap().into()];
    if let Some(program) = helm {
        let helm = Tool::new(program).await;
        folders.push(helm.program().parent().unwrap().into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let path = std::env::join_paths(folders).unwrap();
    let (mut operator, mut told) = (None, String::new());
    for block in commands(heading) {
        let mut shell = kubectl.command("/bin/bash".as_ref());
        let output = shell
            .args(["-euo", "pipefail", "-c", &block])
            .env("PATH", &path)
            .env("PINECONE_API_KEY", KEY)
            .output()
            .await
            .unwrap();
        told.push_str(&said(&output));
        let logs = operator.as_ref().map(Operator::logs);
        assert!(output.status.success(), "{block}\n{told}\n{logs:?}");
        stand_in(cluster, &mut operator).await;
    }
    told
}

async fn with_helm(program: &'static Program) {
    let cluster = Cluster::start().await;
    follow(&cluster, Some(program), "With Helm").await;
    cluster.until("default", "plain", "Restored").await;
    let told = follow(&cluster, Some(program), "Upgrade").await;
    assert!(told.contains("has been upgraded"), "{told}");
    let told = follow(&cluster, Some(program), "Uninstall").await;
    assert!(
        told.contains("products-restored"),
        "the IndexRestore is still there: {told}"
    );
    let told = follow(&cluster, None, "Remove everything").await;
    assert!(told.contains("indexrestores.restore.pinecone.io"), "{told}");
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
async fn the_guide_works_with_kubectl() {
    let cluster = Cluster::start().await;
    follow(&cluster, None, "With kubectl").await;
    cluster.until("default", "plain", "Restored").await;
    follow(&cluster, None, "Remove everything").await;
    assert_eq!(cluster.creates("products-restored"), 1);
}
