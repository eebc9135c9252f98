//! Validation by the API server: accepted and rejected objects, with the message that a user sees.

use index_restore_operator::api::{AdoptionPolicy, DeletionProtection, IndexRestoreSpec, crd};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use testkit::scene::{Scene, ready, status};

async fn rejection(scene: &Scene, object: Value) -> Option<String> {
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let api: Api<kube::core::DynamicObject> = {
        let kind =
            kube::core::GroupVersionKind::gvk("restore.pinecone.io", "v1alpha1", "IndexRestore");
        let resource = kube::core::ApiResource::from_gvk_with_plural(&kind, "indexrestores");
        Api::namespaced_with(scene.client.clone(), &scene.namespace, &resource)
    };
    let object = serde_json::from_value(object).unwrap();
    api.create(&dry_run, &object)
        .await
        .err()
        .map(|error| error.to_string())
}

fn object(scene: &Scene, spec: Value) -> Value {
    serde_json::to_value(scene.restore("admission", spec)).unwrap()
}

/// Sets one field of the spec without the checks of the Rust types; `Null` removes it.
fn with(scene: &Scene, pointer: &str, value: Value) -> Value {
    let mut object = object(scene, json!({"tags": {"a": "b"}}));
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(&format!("/spec{parent}")).unwrap();
    match value {
        Value::Null => parent.as_object_mut().unwrap().remove(key),
        value => parent
            .as_object_mut()
            .unwrap()
            .insert(key.to_owned(), value),
    };
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_valid_values_and_rejects_invalid_ones_by_field() {
    let scene = Scene::new().await;
    let many = |n: usize| {
        (0..n)
            .map(|n| (format!("k{n}"), "v"))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let cases = [
        (
            "/backupId",
            json!("bkp_123.~é"),
            json!("a/b"),
            "backupId must not be",
        ),
        (
            "/backupId",
            json!("..."),
            json!(".."),
            "backupId must not be",
        ),
        (
            "/backupId",
            json!("b".repeat(128)),
            json!("b".repeat(129)),
            "spec.backupId: Too long",
        ),
        (
            "/backupId",
            json!("b"),
            json!("a b"),
            "backupId must not be",
        ),
        (
            "/backupId",
            json!("b"),
            json!("a\u{7}b"),
            "backupId must not be",
        ),
        (
            "/backupId",
            json!("b"),
            json!("a\u{2003}b"),
            "backupId must not be",
        ),
        ("/backupId", json!("b"), json!(""), "spec.backupId"),
        (
            "/backupId",
            json!("b"),
            Value::Null,
            "spec.backupId: Required",
        ),
        (
            "/indexName",
            json!("a"),
            json!("-a"),
            "indexName must consist",
        ),
        (
            "/indexName",
            json!("a-1"),
            json!("a-"),
            "indexName must consist",
        ),
        (
            "/indexName",
            json!("1"),
            json!("Products"),
            "indexName must consist",
        ),
        (
            "/indexName",
            json!("a".repeat(45)),
            json!("a".repeat(46)),
            "spec.indexName: Too long",
        ),
        (
            "/indexName",
            json!("a"),
            Value::Null,
            "spec.indexName: Required",
        ),
        (
            "/tags",
            json!(many(20)),
            json!(many(21)),
            "spec.tags: Too many",
        ),
        ("/tags", Value::Null, json!({}), "spec.tags"),
        (
            "/tags/a",
            json!("v".repeat(120)),
            json!("v".repeat(121)),
            "spec.tags.a: Too long",
        ),
        (
            "/tags/a",
            json!("A; @_.+-z"),
            json!("x/y"),
            "each value of tags",
        ),
        ("/tags/a", json!("v"), json!(""), "spec.tags.a"),
        ("/tags/Team_1-a", json!("v"), json!(7), "spec.tags.Team_1-a"),
        ("/tags/b", json!("v"), json!("é"), "each value of tags"),
        (
            "/deletionProtection",
            json!("Enabled"),
            json!("enabled"),
            "spec.deletionProtection: Unsupported value",
        ),
        (
            "/adoptionPolicy",
            json!("Never"),
            json!("Always"),
            "spec.adoptionPolicy: Unsupported value",
        ),
        (
            "/apiKeySecretRef/name",
            json!("a.b-c"),
            json!("A"),
            "apiKeySecretRef.name must be",
        ),
        (
            "/apiKeySecretRef/name",
            json!("a"),
            Value::Null,
            "spec.apiKeySecretRef.name: Required",
        ),
        (
            "/apiKeySecretRef/key",
            json!("API_key.1"),
            json!("a/b"),
            "apiKeySecretRef.key must be",
        ),
        (
            "/apiKeySecretRef",
            json!({"name": "a"}),
            Value::Null,
            "spec.apiKeySecretRef: Required",
        ),
    ];
    for (pointer, good, bad, named) in cases {
        let message = rejection(&scene, with(&scene, pointer, good.clone())).await;
        assert_eq!(message, None, "{pointer} {good}");
        let message = rejection(&scene, with(&scene, pointer, bad.clone())).await;
        let message = message.unwrap_or_else(|| panic!("{pointer} {bad} was accepted"));
        assert!(message.contains(named), "{pointer} {bad}: {message}");
    }
    let mut bad_key = object(&scene, json!({}));
    bad_key["spec"]["tags"] = json!({"a b": "v"});
    let message = rejection(&scene, bad_key).await.unwrap();
    assert!(message.contains("each key of tags"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn omitted_fields_get_their_defaults() {
    let scene = Scene::new().await;
    let created = scene.create("defaults", json!({})).await;
    assert_eq!(created.spec.api_key_secret_ref.key, "api-key");
    assert_eq!(
        created.spec.deletion_protection,
        DeletionProtection::Disabled
    );
    assert_eq!(created.spec.adoption_policy, AdoptionPolicy::IfSameBackup);
    assert_eq!(created.spec.tags, None);
    assert_eq!(
        status(&created).observed_generation,
        Some(-1),
        "the operator has not observed a new object"
    );
    let (truth, reason, message) = ready(&created);
    assert_eq!((truth.as_str(), reason.as_str()), ("Unknown", "Pending"));
    assert!(message.contains("has not started"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_submission_only_the_secret_reference_and_adoption_policy_can_change() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("frozen", json!({"tags": {"a": "b"}})).await;
    let object = scene.restored_once("frozen").await;
    let edits: [fn(&mut IndexRestoreSpec); 6] = [
        |spec| spec.backup_id = "other".into(),
        |spec| spec.index_name = "other".into(),
        |spec| spec.deletion_protection = DeletionProtection::Enabled,
        |spec| spec.tags = None,
        |spec| {
            spec.tags
                .get_or_insert_default()
                .insert("a".into(), "c".into());
        },
        |spec| {
            spec.tags
                .get_or_insert_default()
                .insert("more".into(), "c".into());
        },
    ];
    let params = PostParams::default();
    for edit in edits {
        let mut edited = object.clone();
        edit(&mut edited.spec);
        let error = scene
            .restores
            .replace("frozen", &params, &edited)
            .await
            .unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("spec: Forbidden: backupId, indexName, tags"),
            "{message}"
        );
    }
    let mut edited = object.clone();
    edited.spec.api_key_secret_ref.name = "elsewhere".into();
    edited.spec.adoption_policy = AdoptionPolicy::Never;
    scene
        .restores
        .replace("frozen", &params, &edited)
        .await
        .unwrap();
    // The status reports the new generation, although there is nothing to do.
    scene.until("frozen", "Restored").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reapplying_the_crd_causes_no_drift() {
    let scene = Scene::new().await;
    let crds: Api<CustomResourceDefinition> = Api::all(scene.client.clone());
    let name = "indexrestores.restore.pinecone.io";
    let stored = async || crds.get(name).await.unwrap().spec;
    let before = serde_json::to_value(stored().await).unwrap();
    let apply = PatchParams::apply("somebody-else").force();
    crds.patch(name, &apply, &Patch::Apply(crd()))
        .await
        .unwrap();
    assert_eq!(serde_json::to_value(stored().await).unwrap(), before);
    let merge = PatchParams::default();
    crds.patch(name, &merge, &Patch::Merge(crd()))
        .await
        .unwrap();
    assert_eq!(serde_json::to_value(stored().await).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn reapplying_a_manifest_causes_no_drift_and_no_second_create() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let manifest = json!({
        "apiVersion": "restore.pinecone.io/v1alpha1",
        "kind": "IndexRestore",
        "metadata": {"name": "applied"},
        "spec": {
            "backupId": testkit::scene::BACKUP,
            "indexName": "applied",
            "apiKeySecretRef": {"name": "pinecone"},
        },
    });
    let apply = async || {
        let params = PatchParams::apply("argocd-controller").force();
        scene
            .restores
            .patch("applied", &params, &Patch::Apply(&manifest))
            .await
            .unwrap()
    };
    apply().await;
    let before = scene.restored_once("applied").await;
    let after = apply().await;
    assert_eq!(
        before.metadata.resource_version,
        after.metadata.resource_version
    );
    let merged = scene
        .restores
        .patch("applied", &PatchParams::default(), &Patch::Merge(&manifest))
        .await;
    assert_eq!(
        merged.unwrap().metadata.generation,
        before.metadata.generation
    );
    scene.restored_once("applied").await;
}
