//! Argo CD's own sync and comparison: no sync option causes drift or a second create.

use std::path::PathBuf;

use index_restore_operator::api::IndexRestore;
use pinecone_emulator::{BackupSeed, DEFAULT_PROJECT, Fault, FaultKind, JobOutcome, Route};
use serde_json::{Value, json};
use testkit::scene::{Scene, status};

use crate::judges::operate;
use crate::with_operator;

/// An Argo CD Application for one namespace, with the credentials of a cluster administrator.
struct Application {
    scene: Scene,
    kubeconfig: PathBuf,
}

impl Application {
    async fn new() -> Self {
        with_operator().await;
        let scene = Scene::new().await;
        let (control_plane, _) = testkit::installation::shared().await;
        let kubeconfig = control_plane.admin_kubeconfig();
        let kubeconfig = control_plane.write_kubeconfig(&kubeconfig).unwrap();
        Self { scene, kubeconfig }
    }

    fn request(&self, options: &[&str], manifests: &[Value]) -> Value {
        json!({
            "application": {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Application",
                "metadata": {"name": "restores", "namespace": "argocd"},
                "spec": {
                    "destination": {"namespace": self.scene.namespace},
                    "syncPolicy": {"syncOptions": options},
                },
            },
            "manifests": manifests,
            "seconds": 60,
        })
    }

    async fn sync(&self, request: Value) -> Value {
        operate("sync", self.kubeconfig.clone(), request).await
    }

    async fn synced(&self, options: &[&str], manifests: &[Value]) {
        let outcome = self.sync(self.request(options, manifests)).await;
        assert_eq!(outcome["phase"], "Succeeded", "{options:?}: {outcome:#}");
    }

    /// Checks that Argo CD finds no difference with any of its comparisons.
    async fn does_not_drift(&self, manifests: &[Value]) {
        let request = self.request(&[], manifests);
        let compared = operate("compare", self.kubeconfig.clone(), request).await;
        let compared = compared.as_array().unwrap();
        assert_eq!(compared.len(), 3 * manifests.len());
        for difference in compared {
            assert_eq!(difference["modified"], false, "{difference:#}");
        }
    }
}

/// A manifest as users write it, without defaults.
fn manifest(name: &str) -> Value {
    json!({
        "apiVersion": "restore.pinecone.io/v1alpha1",
        "kind": "IndexRestore",
        "metadata": {"name": name},
        "spec": {
            "backupId": testkit::scene::BACKUP,
            "indexName": name,
            "apiKeySecretRef": {"name": "pinecone"},
        },
    })
}

fn ids(object: &IndexRestore) -> (Option<String>, Option<String>) {
    let status = status(object);
    assert!(status.restore_job_id.is_some() && status.index_id.is_some());
    (status.restore_job_id, status.index_id)
}

/// Every sync option that keeps the object, for the first sync and for a later one, in every combination.
#[tokio::test(flavor = "multi_thread")]
async fn reapplying_in_every_way_that_keeps_the_object_changes_nothing() {
    let ways: [&[&str]; 3] = [&[], &["ServerSideApply=true"], &["Replace=true"]];
    let manifests = [manifest("kept")];
    for first in ways {
        let application = Application::new().await;
        let scene = &application.scene;
        let _operator = scene.start().await;
        application.synced(first, &manifests).await;
        let before = scene.restored_once("kept").await;
        application.does_not_drift(&manifests).await;
        for next in ways {
            application.synced(next, &manifests).await;
            let after = scene.restored_once("kept").await;
            assert_eq!(ids(&before), ids(&after), "{first:?} {next:?}");
            let made =
                |object: &IndexRestore| (object.metadata.uid.clone(), object.metadata.generation);
            assert_eq!(made(&before), made(&after), "{first:?} {next:?}");
            application.does_not_drift(&manifests).await;
        }
        assert_eq!(scene.posts(), 1);
    }
}

/// The comparisons above prove something only if they can find a difference.
#[tokio::test(flavor = "multi_thread")]
async fn every_comparison_detects_a_change_in_git() {
    let application = Application::new().await;
    let mut changed = manifest("compared");
    application.synced(&[], &[changed.clone()]).await;
    changed["spec"]["adoptionPolicy"] = json!("Never");
    let request = application.request(&[], &[changed]);
    let compared = operate("compare", application.kubeconfig.clone(), request).await;
    for difference in compared.as_array().unwrap() {
        assert_eq!(difference["modified"], true, "{difference:#}");
    }
    assert_eq!(compared.as_array().unwrap().len(), 3);
}

/// `Force=true` with `Replace=true` deletes and recreates the object on every sync.
#[tokio::test(flavor = "multi_thread")]
async fn a_recreated_object_adopts_the_same_index() {
    let application = Application::new().await;
    let scene = &application.scene;
    let _operator = scene.start().await;
    let mut forced = manifest("forced");
    application.synced(&[], &[forced.clone()]).await;
    let mut before = scene.restored_once("forced").await;
    let options = "argocd.argoproj.io/sync-options";
    forced["metadata"]["annotations"] = json!({options: "Force=true,Replace=true"});
    for _ in 0..3 {
        application.synced(&[], &[forced.clone()]).await;
        let after = scene.until("forced", "Adopted").await;
        assert_ne!(before.metadata.uid, after.metadata.uid, "it was recreated");
        assert_eq!(ids(&before), ids(&after));
        application.does_not_drift(&[forced.clone()]).await;
        before = after;
    }
    scene.check_recorded_once(&before);
    assert_eq!(scene.posts(), 1);
}

/// The object is recreated while its restore runs.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_recreated_during_its_restore_records_the_same_job() {
    let application = Application::new().await;
    let scene = &application.scene;
    scene.pinecone.set_restore_duration(None);
    let _operator = scene.start().await;
    let mut running = manifest("running");
    application.synced(&[], &[running.clone()]).await;
    let before = scene.until("running", "Restoring").await;
    let options = "argocd.argoproj.io/sync-options";
    running["metadata"]["annotations"] = json!({options: "Force=true,Replace=true"});
    application.synced(&[], &[running.clone()]).await;
    let after = scene.until("running", "Restoring").await;
    assert_ne!(before.metadata.uid, after.metadata.uid, "it was recreated");
    assert_eq!(ids(&before), ids(&after));
    assert_eq!(scene.posts(), 1);
}

/// The API server rejects the change of an immutable field in Git; with `Force=true`, Argo CD then deletes and recreates the object.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_an_immutable_field_fails_and_with_force_starts_another_restore() {
    let application = Application::new().await;
    let scene = &application.scene;
    let _operator = scene.start().await;
    let mut changed = manifest("changed");
    application.synced(&[], &[changed.clone()]).await;
    let before = scene.restored_once("changed").await;
    changed["spec"]["indexName"] = json!("another");
    let outcome = application
        .sync(application.request(&[], &[changed.clone()]))
        .await;
    assert_eq!(outcome["phase"], "Failed", "{outcome:#}");
    let message = outcome.to_string();
    assert!(message.contains("create another IndexRestore"), "{message}");
    assert_eq!(scene.get("changed").await.metadata.uid, before.metadata.uid);

    let mut request = application.request(&[], &[changed.clone()]);
    request["force"] = json!(true);
    let outcome = application.sync(request).await;
    assert_eq!(outcome["phase"], "Succeeded", "{outcome:#}");
    let after = scene.restored_once("changed").await;
    assert_ne!(before.metadata.uid, after.metadata.uid, "it was recreated");
    assert_eq!(scene.accepted("changed").len(), 1);
    assert_eq!(scene.pinecone.indexes(DEFAULT_PROJECT).len(), 2);

    let other = BackupSeed::new("other", "products").id("other");
    scene.pinecone.add_backup(DEFAULT_PROJECT, other).unwrap();
    changed["spec"]["backupId"] = json!("other");
    let mut request = application.request(&[], &[changed]);
    request["force"] = json!(true);
    let outcome = application.sync(request).await;
    assert_eq!(outcome["phase"], "Succeeded", "{outcome:#}");
    scene.until("changed", "IndexAlreadyExists").await;
    assert_eq!(scene.pinecone.accepted_creates().len(), 2);
}

/// Argo CD applies a later wave when the index is ready, and not if its restore failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_wave_waits_for_the_index() {
    let application = Application::new().await;
    let scene = &application.scene;
    scene.pinecone.set_restore_duration(None);
    let _operator = scene.start().await;
    let consumer = |name: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "annotations": {"argocd.argoproj.io/sync-wave": "1"},
            },
        })
    };
    let exists = async |name: &str| {
        let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> =
            kube::Api::namespaced(scene.client.clone(), &scene.namespace);
        maps.get_opt(name).await.unwrap().is_some()
    };
    let mut request = application.request(&[], &[manifest("waited-for"), consumer("consumer")]);
    request["seconds"] = json!(3);
    let outcome = application.sync(request.clone()).await;
    assert_eq!(outcome["phase"], "Running", "{outcome:#}");
    let message = outcome["message"].as_str().unwrap();
    assert!(message.contains("IndexRestore/waited-for"), "{message}");
    assert!(!exists("consumer").await);

    let restoring = scene.until("waited-for", "Restoring").await;
    let job = status(&restoring).restore_job_id.unwrap();
    let completed = JobOutcome::Completed;
    scene.pinecone.finish_job(&job, completed).unwrap();
    request["seconds"] = json!(60);
    let outcome = application.sync(request).await;
    assert_eq!(outcome["phase"], "Succeeded", "{outcome:#}");
    assert!(exists("consumer").await);

    let fails = Fault::new(Route::CreateIndexFromBackup, FaultKind::JobFails);
    scene
        .pinecone
        .set_restore_duration(Some(std::time::Duration::from_millis(300)));
    scene.pinecone.inject(fails.mentioning("fails"));
    let request = application.request(&[], &[manifest("fails"), consumer("never")]);
    let outcome = application.sync(request).await;
    assert_eq!(outcome["phase"], "Failed", "{outcome:#}");
    assert!(
        outcome.to_string().contains("RestoreFailed: "),
        "{outcome:#}"
    );
    assert!(!exists("never").await);
}

/// `Prune=confirm`: an object that is removed from Git stays until a user confirms; its index stays afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn pruning_waits_for_confirmation_and_keeps_the_index() {
    let application = Application::new().await;
    let scene = &application.scene;
    let _operator = scene.start().await;
    let mut pruned: Value = serde_saphyr::from_str(&{
        let examples = crate::text("deploy/argocd/restores/products.yaml");
        examples.split("\n---\n").next().unwrap().to_owned()
    })
    .unwrap();
    pruned["metadata"]["name"] = json!("pruned");
    pruned["spec"]["indexName"] = json!("pruned");
    application.synced(&[], &[pruned]).await;
    scene.restored_once("pruned").await;

    // No garbage collector runs here, which a foreground deletion would need.
    let mut request = application.request(&["PrunePropagationPolicy=background"], &[]);
    request["prune"] = json!(true);
    request["seconds"] = json!(3);
    let outcome = application.sync(request.clone()).await;
    assert_eq!(outcome["phase"], "Running", "{outcome:#}");
    assert!(
        outcome["message"]
            .as_str()
            .unwrap()
            .contains("confirmation"),
        "{outcome:#}"
    );
    scene.get("pruned").await;

    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(1);
    let agreed =
        json!({"argocd.argoproj.io/deletion-approved": now.strftime("%FT%TZ").to_string()});
    request["application"]["metadata"]["annotations"] = agreed;
    request["seconds"] = json!(60);
    let outcome = application.sync(request).await;
    assert_eq!(outcome["phase"], "Succeeded", "{outcome:#}");
    assert!(scene.restores.get_opt("pruned").await.unwrap().is_none());
    let indexes = scene.pinecone.indexes(DEFAULT_PROJECT);
    assert_eq!(indexes.len(), 1, "deleting the resource keeps the index");
}
