//! Deleted, re-created, copied, wiped, or in the way of somebody else's index.

use std::time::Duration;

use kube::api::PostParams;
use pinecone_emulator::{DEFAULT_PROJECT, Fault, FaultKind, IndexSeed, JobSeed, Route};
use serde_json::json;
use testkit::scene::{BACKUP, PATIENT, Scene, conditions, ready, status};
use testkit::{DEADLINE, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn deleted_and_applied_again_the_index_is_taken_and_not_made_again() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("again", json!({})).await;
    let first = scene.restored_once("again").await;
    scene.delete("again").await;
    let indexes = scene.pinecone.indexes(DEFAULT_PROJECT);
    assert_eq!(indexes.len(), 1, "deleting the resource deletes no index");
    scene.create("again", json!({})).await;
    let second = scene.until("again", "Adopted").await;
    assert_ne!(first.metadata.uid, second.metadata.uid);
    scene.check_recorded_once(&second);
    assert_eq!(conditions(&second), ["Ready=True", "Succeeded=True"]);
    let started = |object| status(object).restore.unwrap().start_time;
    assert_eq!(
        started(&first),
        started(&second),
        "the status tells the restore's age"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_and_applied_again_while_it_runs() {
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
async fn a_wiped_status_is_found_again() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("wiped", json!({})).await;
    scene.restored_once("wiped").await;
    scene
        .overwrite_status("wiped", |status| *status = None)
        .await;
    let object = scene.until("wiped", "Adopted").await;
    scene.check_recorded_once(&object);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_copied_to_another_object_counts_for_nothing() {
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
    assert_ne!(ready(&claimed).0, "True", "not ready by a copied status");
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
async fn a_foreign_index_is_left_alone_under_both_policies() {
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
    // A name that becomes free un-stalls it.
    scene
        .pinecone
        .delete_index(DEFAULT_PROJECT, "foreign-same")
        .unwrap();
    scene.restored_once("foreign-same").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_the_same_backup_is_taken_only_where_the_policy_allows() {
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
async fn a_name_that_passed_to_another_index_is_not_taken_by_an_old_job() {
    let scene = Scene::new().await;
    let old = JobSeed::new(BACKUP, "reused").created_at(scene.pinecone.now());
    scene
        .pinecone
        .add_restore_job(DEFAULT_PROJECT, old)
        .unwrap();
    // Made by hand after the restored index was deleted.
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
async fn an_index_that_is_being_deleted_is_waited_for() {
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

/// The outcome of one object's create is not written into another of its name.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_made_again_meanwhile_gets_no_record_of_the_first() {
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
