//! The status of a restored index while the operator cannot check it.

use index_restore_operator::api::IndexRestore;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::DeleteParams;
use pinecone_emulator::{DEFAULT_PROJECT, IndexSeed, Project};
use serde_json::json;
use testkit::judge::rules::ENDS_STAY;
use testkit::scene::{KEY, Running, Scene, conditions, ready, status};
use testkit::{DEADLINE, eventually};

/// Replaces the key in the Secret and revokes the previous one, so that the operator reads the
/// Secret again at its next check.
async fn replace_key(scene: &Scene, key: &str, before: &str) {
    scene.put_secret("pinecone", "api-key", key).await;
    assert!(scene.pinecone.revoke_api_key(before));
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_report_a_deletion_based_on_another_projects_key() {
    let scene = Scene::new().await;
    // With the key of another project, the index cannot be seen.
    scene.waive("namesake", ENDS_STAY);
    let other = Project::new("other", "pcsk_other");
    scene.pinecone.add_project(other).unwrap();
    let namesake = IndexSeed::new("namesake");
    scene.pinecone.add_index("other", namesake).unwrap();
    let _operator = scene.start().await;
    scene.create("namesake", json!({})).await;
    scene.restored_once("namesake").await;
    replace_key(&scene, "pcsk_other", KEY).await;
    let object = scene.until("namesake", "RestoreJobNotFound").await;
    let expected = ["Ready=Unknown", "Stalled=True", "Succeeded=True"];
    assert_eq!(conditions(&object), expected);
    let message = ready(&object).2;
    assert!(
        message.contains("cannot be seen with this API key"),
        "{message}"
    );
    assert!(!message.contains("deleted"), "{message}");
    scene
        .pinecone
        .add_api_key(DEFAULT_PROJECT, "pcsk_new")
        .unwrap();
    replace_key(&scene, "pcsk_new", "pcsk_other").await;
    scene.restored_once("namesake").await;
    assert!(!scene.has_event("IndexDeleted").await);
    assert_eq!(scene.posts(), 1);
}

/// Waits for the metric of restored indexes that cannot be checked.
async fn until_counted(operator: &Running, count: u32) {
    let line = format!("indexrestore_unconfirmed {count}\n");
    eventually("the metric is as expected", DEADLINE, async || {
        let text = operator.get("/metrics").await?.1;
        anyhow::ensure!(text.contains(&line), text);
        Ok(Some(()))
    })
    .await
    .unwrap();
}

/// Deletes the index while no key is usable: the status stays as it was and shows when it was last
/// confirmed, until a valid key shows the deletion.
async fn is_unconfirmed(scene: &Scene, operator: &Running, restored: &IndexRestore, why: &str) {
    let name = restored.metadata.name.as_deref().unwrap();
    let is_marked = |object: &IndexRestore| status(object).unconfirmed_since.is_some();
    let object = scene.until_that(name, is_marked).await.unwrap();
    scene.pinecone.delete_index(DEFAULT_PROJECT, name).unwrap();
    assert_eq!(conditions(&object), ["Ready=True", "Succeeded=True"]);
    assert_eq!(status(&object).index_host, status(restored).index_host);
    let (last, since) = (
        status(&object).last_confirmed_time.unwrap().0,
        status(&object).unconfirmed_since.unwrap().0,
    );
    let message = ready(&object).2;
    let expected = [
        format!("as of {last}"),
        format!("failed since {since}"),
        why.into(),
    ];
    assert!(
        expected.iter().all(|words| message.contains(words)),
        "{message}"
    );
    eventually("an event reports the failed check", DEADLINE, async || {
        Ok(scene.has_event("CheckFailed").await.then_some(()))
    })
    .await
    .unwrap();
    until_counted(operator, 1).await;
    assert_eq!(ready(&scene.get(name).await).1, "Restored");

    scene
        .pinecone
        .add_api_key(DEFAULT_PROJECT, "pcsk_new")
        .unwrap();
    scene.put_secret("pinecone", "api-key", "pcsk_new").await;
    let object = scene.until(name, "IndexDeleted").await;
    assert_eq!(status(&object).unconfirmed_since, None);
    let expected = ["Ready=False", "Stalled=True", "Succeeded=True"];
    assert_eq!(conditions(&object), expected);
    until_counted(operator, 0).await;
    assert_eq!(scene.posts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_the_last_confirmation_while_the_key_is_revoked() {
    let scene = Scene::new().await;
    let operator = scene.start().await;
    scene.create("revoked", json!({})).await;
    let restored = scene.restored_once("revoked").await;
    assert!(scene.pinecone.revoke_api_key(KEY));
    is_unconfirmed(&scene, &operator, &restored, "HTTP 401").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_the_last_confirmation_while_the_secret_is_missing() {
    let scene = Scene::new().await;
    let operator = scene.start().await;
    scene.create("keyless", json!({})).await;
    let restored = scene.restored_once("keyless").await;
    let secrets: Api<Secret> = Api::namespaced(scene.client.clone(), &scene.namespace);
    let params = DeleteParams::default();
    secrets.delete("pinecone", &params).await.unwrap();
    is_unconfirmed(&scene, &operator, &restored, "\"pinecone\"").await;
}
