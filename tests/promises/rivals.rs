//! Several operators that reconcile the same object, and several objects with the same index name.

use pinecone_emulator::{Fault, FaultKind, Route};
use serde_json::json;
use testkit::scene::{Scene, status};

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_at_once_submit_each_restore_once() {
    let scene = Scene::new().await.without_election();
    let lost = Fault::new(Route::CreateIndexFromBackup, FaultKind::LoseAnswer);
    scene.pinecone.inject(lost.mentioning("-3"));
    let _first = scene.start().await;
    let _second = scene.start().await;
    let names: Vec<_> = (0..12).map(|n| format!("contested-{n}")).collect();
    for name in &names {
        scene.create(name, json!({})).await;
    }
    for name in &names {
        scene.restored_once(name).await;
    }
    assert_eq!(scene.pinecone.accepted_creates().len(), names.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_restores_of_the_same_backup_and_index_name_share_one_index() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("one", json!({"indexName": "shared"})).await;
    scene.restored_once("one").await;
    scene.create("two", json!({"indexName": "shared"})).await;
    let two = scene.until("two", "Adopted").await;
    scene.check_recorded_once(&two);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_restores_of_different_backups_do_not_share_an_index() {
    let scene = Scene::new().await;
    let other = pinecone_emulator::BackupSeed::new("other", "articles").id("other");
    scene
        .pinecone
        .add_backup(pinecone_emulator::DEFAULT_PROJECT, other)
        .unwrap();
    let _operator = scene.start().await;
    scene.create("first", json!({"indexName": "wanted"})).await;
    let first = scene.restored_once("first").await;
    scene
        .create(
            "second",
            json!({"indexName": "wanted", "backupId": "other"}),
        )
        .await;
    let second = scene.until("second", "IndexAlreadyExists").await;
    assert_eq!(status(&second).restore_job_id, None);
    scene.check_recorded_once(&first);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_that_saw_the_same_object_send_one_request() {
    let scene = Scene::new().await.without_election();
    // Both operators read Pinecone before either claims.
    let slow = FaultKind::Delay(std::time::Duration::from_millis(500));
    scene
        .pinecone
        .inject(Fault::new(Route::DescribeBackup, slow));
    let _first = scene.start().await;
    let _second = scene.start().await;
    let names: Vec<_> = (0..6).map(|n| format!("raced-{n}")).collect();
    for name in &names {
        scene.create(name, json!({})).await;
    }
    for name in &names {
        scene.restored_once(name).await;
    }
    assert_eq!(scene.posts(), names.len());
}
