//! Objects that are deleted, recreated, copied or lose their status, and names that other indexes have.

use std::time::Duration;

use kube::api::PostParams;
use pinecone_emulator::{DEFAULT_PROJECT, Fault, FaultKind, IndexSeed, JobSeed, Route};
use serde_json::json;
use testkit::scene::{BACKUP, PATIENT, Scene, conditions, ready, status};
use testkit::{DEADLINE, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn adopts_its_index_after_deletion_and_reapplication() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("reapplied", json!({})).await;
    let first = scene.restored_once("reapplied").await;
    scene.delete("reapplied").await;
    let indexes = scene.pinecone.indexes(DEFAULT_PROJECT);
    assert_eq!(
        indexes.len(),
        1,
        "deleting the resource does not delete the index"
    );
    scene.create("reapplied", json!({})).await;
    let second = scene.until("reapplied", "Adopted").await;
    assert_ne!(first.metadata.uid, second.metadata.uid);
    scene.check_recorded_once(&second);
    assert_eq!(conditions(&second), ["Ready=True", "Succeeded=True"]);
    let started = |object| status(object).restore.unwrap().start_time;
    assert_eq!(
        started(&first),
        started(&second),
        "the status shows when the restore started"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn adopts_its_running_restore_after_deletion_and_reapplication() {
    let scene = Scene::new().await;
    scene.pinecone.set_restore_duration(None);
    let _operator = scene.start().await;
    scene.create("running", json!({})).await;
    scene.until("running", "Restoring").await;
    scene.delete("running").await;
    scene.create("running", json!({})).await;
    let object = scene
        .until_that("running", |object| status(object).restore_job_id.is_some())
        .await
        .unwrap();
    scene.check_recorded_once(&object);
    let job = status(&object).restore_job_id.unwrap();
    let outcome = pinecone_emulator::JobOutcome::Completed;
    scene.pinecone.finish_job(&job, outcome).unwrap();
    scene.until("running", "Adopted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recovers_from_a_cleared_status() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("cleared", json!({})).await;
    scene.restored_once("cleared").await;
    scene
        .overwrite_status("cleared", |status| *status = None)
        .await;
    let object = scene.until("cleared", "Adopted").await;
    scene.check_recorded_once(&object);
}

#[tokio::test(flavor = "multi_thread")]
async fn ignores_a_status_copied_from_another_object() {
    let scene = Scene::new().await.without_election();
    let mut operator = scene.start().await;
    scene.create("original", json!({})).await;
    let original = scene.restored_once("original").await;
    operator.process.kill().unwrap();
    scene.pinecone.set_restore_duration(None);
    scene.create("copy", json!({})).await;
    scene
        .overwrite_status("copy", |status| *status = original.status.clone())
        .await;
    let _operator = scene.start().await;
    let claimed = scene.until_that("copy", |copy| {
        let submission = status(copy).submission.unwrap();
        Some(submission.uid) == copy.metadata.uid
    });
    let claimed = claimed.await.unwrap();
    assert_ne!(
        ready(&claimed).0,
        "True",
        "a copied status does not make it ready"
    );
    let running = scene.until("copy", "Restoring").await;
    let job = status(&running).restore_job_id.unwrap();
    let outcome = pinecone_emulator::JobOutcome::Completed;
    scene.pinecone.finish_job(&job, outcome).unwrap();
    let copy = scene.restored_once("copy").await;
    assert_ne!(
        status(&copy).restore_job_id,
        status(&original).restore_job_id
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_a_foreign_index_alone_under_both_policies() {
    let scene = Scene::new().await;
    let index = |name| {
        scene
            .pinecone
            .add_index(DEFAULT_PROJECT, IndexSeed::new(name))
            .unwrap()
    };
    let untouched = [index("foreign-same"), index("foreign-never")];
    let _operator = scene.start().await;
    scene
        .create("foreign-same", json!({"adoptionPolicy": "IfSameBackup"}))
        .await;
    scene
        .create("foreign-never", json!({"adoptionPolicy": "Never"}))
        .await;
    for name in ["foreign-same", "foreign-never"] {
        let object = scene.until(name, "IndexAlreadyExists").await;
        assert_eq!(
            conditions(&object),
            ["Ready=False", "Stalled=True", "Succeeded=False"]
        );
        assert!(ready(&object).2.contains(name), "{:?}", ready(&object));
        assert_eq!(status(&object).index_id, None);
    }
    assert_eq!(scene.pinecone.accepted_creates(), []);
    let ids: Vec<_> = scene
        .pinecone
        .indexes(DEFAULT_PROJECT)
        .into_iter()
        .map(|i| i.id)
        .collect();
    assert_eq!(ids, untouched);
    // The restore continues as soon as the name is free.
    scene
        .pinecone
        .delete_index(DEFAULT_PROJECT, "foreign-same")
        .unwrap();
    scene.restored_once("foreign-same").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adopts_an_index_of_the_same_backup_only_if_the_policy_allows() {
    let scene = Scene::new().await;
    let index = IndexSeed::new("rebuilt");
    let id = scene.pinecone.add_index(DEFAULT_PROJECT, index).unwrap();
    let made = scene.pinecone.now() - jiff::SignedDuration::from_hours(48);
    let job = JobSeed::new(BACKUP, "rebuilt").created_at(made);
    let job = scene
        .pinecone
        .add_restore_job(DEFAULT_PROJECT, job)
        .unwrap();
    let _operator = scene.start().await;

    scene
        .create(
            "never",
            json!({"indexName": "rebuilt", "adoptionPolicy": "Never"}),
        )
        .await;
    let never = scene.until("never", "IndexAlreadyExists").await;
    assert!(ready(&never).2.contains(&job), "{:?}", ready(&never));

    scene.create("same", json!({"indexName": "rebuilt"})).await;
    let same = scene.until("same", "Adopted").await;
    assert_eq!(status(&same).restore_job_id, Some(job));
    assert_eq!(status(&same).index_id, Some(id));
    assert!(ready(&same).2.contains("nothing was created now"));

    let mut never = scene.get("never").await;
    never.spec.adoption_policy = index_restore_operator::api::AdoptionPolicy::IfSameBackup;
    scene
        .restores
        .replace("never", &PostParams::default(), &never)
        .await
        .unwrap();
    scene.until("never", "Adopted").await;
    assert_eq!(scene.pinecone.accepted_creates(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_adopt_another_index_because_of_an_old_job() {
    let scene = Scene::new().await;
    let old = JobSeed::new(BACKUP, "reused").created_at(scene.pinecone.now());
    scene
        .pinecone
        .add_restore_job(DEFAULT_PROJECT, old)
        .unwrap();
    // Created by hand after the restored index was deleted.
    scene
        .pinecone
        .add_index(DEFAULT_PROJECT, IndexSeed::new("reused"))
        .unwrap();
    let _operator = scene.start().await;
    scene.create("reused", json!({})).await;
    let object = scene.until("reused", "IndexAlreadyExists").await;
    assert_eq!(status(&object).index_id, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_for_an_index_that_is_being_deleted() {
    let scene = Scene::new().await;
    scene
        .pinecone
        .add_index(DEFAULT_PROJECT, IndexSeed::new("going"))
        .unwrap();
    scene
        .pinecone
        .set_index_state(DEFAULT_PROJECT, "going", "Terminating", false)
        .unwrap();
    let _operator = scene.start().await;
    scene.create("going", json!({})).await;
    scene
        .until_that("going", |object| ready(object).2.contains("is deleting"))
        .await
        .unwrap();
    scene
        .pinecone
        .delete_index(DEFAULT_PROJECT, "going")
        .unwrap();
    scene.restored_once("going").await;
}

/// The outcome of a create is not written into another object of the same name.
#[tokio::test(flavor = "multi_thread")]
async fn does_not_record_a_restore_in_a_recreated_object() {
    let scene = Scene::new().await;
    let operator = scene.start_with(&PATIENT).await;
    let slow = FaultKind::DelayAnswer(Duration::from_secs(2));
    let slow = Fault::new(Route::CreateIndexFromBackup, slow).times(1);
    scene.pinecone.inject(slow);
    scene.create("twice", json!({})).await;
    scene.until_accepted("twice").await;
    scene.delete("twice").await;
    scene
        .create("twice", json!({"adoptionPolicy": "Never"}))
        .await;
    eventually("the orphan is counted", DEADLINE, async || {
        let text = operator.get("/metrics").await?.1;
        Ok(text.contains("indexrestore_orphaned_total 1").then_some(()))
    })
    .await
    .unwrap();
    let object = scene.until("twice", "IndexAlreadyExists").await;
    assert_eq!(status(&object).restore_job_id, None);
    assert_eq!(scene.posts(), 1);
}
