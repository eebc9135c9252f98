//! The operator writes statuses, and leaves the metadata to its owners.

use index_restore_operator::api::IndexRestore;
use kube::api::PostParams;
use serde_json::json;
use testkit::scene::Scene;

/// The operator does not even read most of it.
#[tokio::test(flavor = "multi_thread")]
async fn status_writes_leave_the_metadata_as_the_user_wrote_it() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let mut object = scene.restore("labelled", json!({}));
    let metadata = json!({
        "name": "labelled",
        "labels": {"team": "search"},
        "annotations": {"note": "x".repeat(10_000)},
        "finalizers": ["example.com/hold"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "1"}],
    });
    object.metadata = serde_json::from_value(metadata).unwrap();
    let params = PostParams::default();
    let created = scene.restores.create(&params, &object).await.unwrap();
    let restored = scene.restored_once("labelled").await;
    let written = |object: &IndexRestore| {
        let metadata = &object.metadata;
        let fields = metadata.managed_fields.clone().unwrap_or_default();
        (
            metadata.labels.clone(),
            metadata.annotations.clone(),
            metadata.finalizers.clone(),
            metadata.owner_references.clone(),
            fields.into_iter().find(|field| field.subresource.is_none()),
        )
    };
    assert_eq!(written(&restored), written(&created));
}
