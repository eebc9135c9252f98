//! Runs the commands of deploy/argocd/README.md, unchanged, in a copy of the files that they change. Argo CD itself does not run.

use std::path::Path;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use serde_json::Value;
use testkit::{DEADLINE, eventually};

use crate::cluster::{Cluster, KEY};
use crate::guide::{commands_of, shell};
use crate::lifecycle::copy;
use crate::tools::{read, root, text_of};

const FOLDER: &str = "deploy/argocd";
const README: &str = "deploy/argocd/README.md";
const REPOSITORY: &str = "git@git.corp.example:platform/restores.git";

/// What an installation of Argo CD has before: its settings, and a definition of Applications without their fields, which other
/// tests check.
const INSTALLATION: &str = r#"{apiVersion: v1, kind: Namespace, metadata: {name: argocd}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: argocd-cm, namespace: argocd}, data: {url: "https://argocd.example.com"}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: applications.argoproj.io}
spec:
  group: argoproj.io
  scope: Namespaced
  names: {kind: Application, plural: applications, singular: application, listKind: ApplicationList}
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"#;

/// The paths below a folder, without folders.
fn paths(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let below = entries.flat_map(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => paths(&path),
            false => vec![path],
        }
    });
    below.collect()
}

async fn run(cluster: &Cluster, folder: &Path, block: &str) {
    let kubectl = cluster.kubectl().await;
    let mut shell = shell(&kubectl, cluster, None, block);
    shell.env("REPO", REPOSITORY).current_dir(folder);
    let output = shell.output().await.unwrap();
    assert!(output.status.success(), "{block}\n{}", text_of(&output));
}

/// The repository of an Application.
fn repository(application: &Value) -> &str {
    application["spec"]["source"]["repoURL"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_for_argo_cd_work() {
    let cluster = Cluster::start().await;
    cluster.control_plane.apply(INSTALLATION).await.unwrap();
    let kubectl = cluster.kubectl().await;
    let get = ["get", "applications", "--namespace", "argocd"];
    eventually("Applications are served", DEADLINE, async || {
        let output = kubectl.try_run(&get).await;
        Ok(output.status.success().then_some(()))
    })
    .await
    .unwrap();
    let tree = tempfile::tempdir().unwrap();
    copy(&root().join(FOLDER), &tree.path().join(FOLDER));
    let before = paths(tree.path()).len();
    for block in commands_of(README, "Install") {
        run(&cluster, tree.path(), &block).await;
    }

    let settings: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), "argocd");
    let settings = settings.get("argocd-cm").await.unwrap().data.unwrap();
    let shipped: Value = serde_saphyr::from_str(&read("deploy/argocd/argocd-cm.yaml")).unwrap();
    let check = "resource.customizations.health.restore.pinecone.io_IndexRestore";
    assert_eq!(shipped["data"][check], settings[check].as_str());
    assert_eq!(settings["url"], "https://argocd.example.com", "it stays");
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), "staging");
    let secret = secrets.get("pinecone").await.unwrap().data.unwrap();
    assert_eq!(secret["api-key"].0, KEY.as_bytes());
    let applied = [&get[..], &["index-restore", "--output=json"]].concat();
    let applied: Value = serde_json::from_str(&kubectl.run(&applied).await).unwrap();
    assert_eq!(repository(&applied), REPOSITORY);
    let changed = paths(tree.path());
    assert_eq!(changed.len(), before, "{changed:?}");
    for path in changed {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("\nkind: Application\n") {
            let file: Value = serde_saphyr::from_str(&text).unwrap();
            assert_eq!(repository(&file), REPOSITORY, "{path:?}");
        }
    }
}
