//! The kustomizations in `deploy/`: they equal the chart, and IndexRestores do not change however they are applied.

use index_restore_operator::api::IndexRestore;
use pinecone_emulator::{BackupSeed, Project};

use crate::cluster::{BACKUP, Cluster, KEY, OPERATOR, restore};
use crate::manifests::{Manifests, assert_same, comparable};
use crate::rendering::template;
use crate::tools::{HELM_3, Tool, files, read, root};

#[tokio::test(flavor = "multi_thread")]
async fn each_overlay_equals_the_rendered_chart() {
    let (helm, kubectl) = (Tool::new(&HELM_3).await, Tool::kubectl().await);
    for (overlay, values) in [
        ("cluster-wide", "emulator.enabled=false"),
        (
            "namespaced",
            "watchNamespaces={restores},rbac.secretNames={pinecone}",
        ),
        ("with-emulator", "emulator.enabled=true"),
    ] {
        let built = kubectl
            .run(&["kustomize", &format!("deploy/{overlay}")])
            .await;
        let mut built: Manifests = comparable(&built);
        // Helm creates the namespace itself, without labels.
        let namespace = built.remove(&format!("Namespace /{OPERATOR}")).unwrap();
        assert_eq!(
            namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
            "restricted"
        );
        let chart = comparable(&template(&helm, &["--set", values]).await);
        assert_same(&built, &chart, overlay);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admission_policies_equal_those_of_the_chart() {
    let (helm, kubectl) = (Tool::new(&HELM_3).await, Tool::kubectl().await);
    let built = kubectl.run(&["kustomize", "deploy/policies"]).await;
    let all = "admissionPolicies.namedSecrets.enabled=true,admissionPolicies.readableSecrets.enabled=true";
    let admission = |manifests: Manifests| -> Manifests {
        let manifests = manifests.into_iter();
        manifests
            .filter(|(key, _)| key.starts_with("ValidatingAdmission"))
            .collect()
    };
    let chart = admission(comparable(&template(&helm, &["--set", all]).await));
    assert_same(&comparable(&built), &chart, "deploy/policies");
    let default = comparable(&template(&helm, &[]).await);
    assert_eq!(admission(default), Manifests::new());
}

/// The spec and the recorded IDs, which no way of applying may change.
fn identity(object: &IndexRestore) -> (String, Option<String>, Option<String>) {
    let status = object.status.clone().unwrap();
    let spec = serde_json::to_string(&object.spec).unwrap();
    (spec, status.restore_job_id, status.index_id)
}

/// Installs the operator from one file, with and without server-side apply.
#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_applying_causes_no_drift_and_no_second_create() {
    let cluster = Cluster::start().await;
    let kubectl = cluster.kubectl().await;
    let folder = tempfile::tempdir().unwrap();
    let install = folder.path().join("install.yaml");
    std::fs::write(
        &install,
        kubectl.run(&["kustomize", "deploy/cluster-wide"]).await,
    )
    .unwrap();
    let install = install.to_str().unwrap();
    kubectl.run(&["apply", "-f", install]).await;
    kubectl
        .run(&["apply", "--server-side", "--force-conflicts", "-f", install])
        .await;
    let _operator = cluster.operator(OPERATOR, OPERATOR).await;
    cluster.create_secret("default").await;

    let plain = "deploy/samples/plain.yaml";
    kubectl.run(&["apply", "-f", plain]).await;
    let first = cluster.until("default", "plain", "Restored").await;
    for (way, same) in [
        (&["apply"][..], true),
        (&["apply", "--server-side", "--force-conflicts"], true),
        (
            &[
                "apply",
                "--server-side",
                "--force-conflicts",
                "--field-manager=argocd-controller",
            ],
            true,
        ),
        (&["replace"], true),
        (&["replace", "--force"], false),
        (&["apply", "--force"], true),
    ] {
        let before = cluster.restores("default").get("plain").await.unwrap();
        kubectl.run(&[way, &["-f", plain]].concat()).await;
        let after = if same {
            cluster.restores("default").get("plain").await.unwrap()
        } else {
            cluster.until("default", "plain", "Adopted").await
        };
        assert_eq!(before.metadata.uid == after.metadata.uid, same, "{way:?}");
        assert_eq!(identity(&after), identity(&first), "{way:?}");
        assert_eq!(after.metadata.generation, Some(1), "{way:?}");
        kubectl.run(&["diff", "-f", plain]).await;
        let labels = (&after.metadata.labels, &after.metadata.finalizers);
        assert_eq!(
            labels,
            (&None, &None),
            "the operator writes only the status"
        );
        assert_eq!(cluster.creates("products-restored"), 1, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_of_adoption_and_of_another_namespace_work_as_documented() {
    let cluster = Cluster::start().await;
    let kubectl = cluster.kubectl().await;
    kubectl.run(&["apply", "-k", "deploy/cluster-wide"]).await;
    cluster.create_secret("default").await;
    let _operator = cluster.operator(OPERATOR, OPERATOR).await;
    // The restore that the index comes from.
    let manifest = restore("before", "products-restored");
    cluster.control_plane.apply(&manifest).await.unwrap();
    let before = cluster.until("default", "before", "Restored").await;
    kubectl.run(&["delete", "indexrestore", "before"]).await;
    kubectl
        .run(&["apply", "-f", "deploy/samples/adopted.yaml"])
        .await;
    let adopted = cluster.until("default", "adopted", "Adopted").await;
    let ids = |object: &IndexRestore| (identity(object).1, identity(object).2);
    assert_eq!(ids(&adopted), ids(&before));
    assert_eq!(cluster.creates("products-restored"), 1);

    let staging = format!("{KEY}_of_staging");
    cluster
        .pinecone
        .add_project(Project::new("staging", &staging))
        .unwrap();
    let backup = BackupSeed::new("nightly", "products").id("0b1f5a52-7c0e-4c8b-9b0a-5d6f5b0c9a11");
    cluster.pinecone.add_backup("staging", backup).unwrap();
    let sample = read("deploy/samples/another-namespace.yaml")
        .replace("your-pinecone-api-key", &staging)
        .replace(BACKUP, "0b1f5a52-7c0e-4c8b-9b0a-5d6f5b0c9a11");
    cluster.control_plane.apply(&sample).await.unwrap();
    cluster
        .until("staging", "another-namespace", "Restored")
        .await;
    let creates = cluster.pinecone.accepted_creates();
    let create = creates
        .iter()
        .find(|create| create.index_name == "products-of-staging");
    assert_eq!(create.unwrap().project, "staging");
}

/// `kubectl apply -f` reads only files with an extension, so the kustomization in the folder has none.
#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_the_crd_can_be_applied_with_and_without_kustomize() {
    let cluster = Cluster::start().await;
    let kubectl = cluster.kubectl().await;
    let crd = "customresourcedefinition.apiextensions.k8s.io/indexrestores.restore.pinecone.io";
    for (way, done) in [("-f", "created"), ("-k", "unchanged")] {
        let output = kubectl.run(&["apply", way, "crds/"]).await;
        assert_eq!(output, format!("{crd} {done}\n"));
    }
}

#[test]
fn each_sample_is_used_by_the_demo_or_by_a_test() {
    let stories = std::fs::read_to_string(root().join("crates/demo/src/stories.rs")).unwrap();
    for sample in files("deploy/samples") {
        let name = sample.rsplit('/').next().unwrap().trim_end_matches(".yaml");
        let here = include_str!("kustomizations.rs").contains(&format!("samples/{name}.yaml"));
        let there = stories.contains(&format!("\"{name}\""))
            || stories.contains(&format!("samples/{name}.yaml"));
        assert!(here || there, "{sample}");
    }
}
