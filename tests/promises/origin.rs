//! The origin of an index: the list of restore jobs may end early, the job store may fail, and an
//! index may be recreated under the same name.

use index_restore_operator::api::IndexRestore;
use jiff::{SignedDuration, Timestamp};
use pinecone_emulator::{
    DEFAULT_PROJECT, Fault, FaultKind, Habits, IndexSeed, JobSeed, Route, RowOrder,
};
use serde_json::json;
use testkit::scene::{Running, Scene, conditions, ready, shows_source, status};
use testkit::{DEADLINE, eventually};

/// Returns the end of the search that a message names.
fn named_end(message: &str) -> Option<Timestamp> {
    let (_, rest) = message.split_once("Until about ")?;
    rest.split_once(',')?.0.parse().ok()
}

/// The list of restore jobs must have time to show the index's job: the status says until when.
#[tokio::test(flavor = "multi_thread")]
async fn the_status_names_until_when_the_origin_of_an_index_is_checked() {
    let patience = SignedDuration::from_secs(5);
    let scene = Scene::new()
        .await
        .with_env("INDEX_RESTORE_CATCH_UP_PATIENCE", "5s");
    let index = IndexSeed::new("unknown");
    scene.pinecone.add_index(DEFAULT_PROJECT, index).unwrap();
    let _operator = scene.start().await;
    scene.create("unknown", json!({})).await;
    let concluded = scene.until("unknown", "IndexAlreadyExists").await;
    let versions = scene.history().up_to(&concluded).await.unwrap();
    let mut messages: Vec<_> = versions.iter().map(|version| ready(version).2).collect();
    messages.retain(|message| named_end(message).is_some());
    assert_eq!(messages.len(), 1, "one write for all polls: {messages:?}");
    let end = named_end(&messages[0]).unwrap();
    let created = concluded.metadata.creation_timestamp.unwrap().0;
    assert!(end >= created + patience, "{created}: {messages:?}");
    assert_eq!(scene.posts(), 0);
}

/// Adds more than a page of other restore jobs, one of them of a deleted index: the missing row
/// makes its page look like the last one.
fn add_other_jobs(scene: &Scene) {
    for number in 0..101 {
        // On the first page in either order of rows.
        let name = if number == 50 { "deleted" } else { "other" };
        let job = JobSeed::new("other-backup", name);
        scene
            .pinecone
            .add_restore_job(DEFAULT_PROJECT, job)
            .unwrap();
    }
}

/// A restore whose job is missing from the list in either order of rows.
async fn restored_among_others(name: &str) -> (Scene, Running, IndexRestore) {
    let scene = Scene::new().await.without_election();
    let other = IndexSeed::new("other");
    scene.pinecone.add_index(DEFAULT_PROJECT, other).unwrap();
    let operator = scene.start().await;
    add_other_jobs(&scene);
    scene.create(name, json!({})).await;
    let restored = scene.restored_once(name).await;
    add_other_jobs(&scene);
    (scene, operator, restored)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_ends_before_the_job_does_not_prove_another_origin() {
    let (scene, _operator, _) = restored_among_others("hidden").await;
    for row_order in [RowOrder::NewestFirst, RowOrder::OldestFirst] {
        scene.pinecone.set_habits(Habits {
            row_order,
            ..Habits::default()
        });
        scene.delete("hidden").await;
        scene.create("hidden", json!({})).await;
        let reason = match shows_source() {
            true => "Adopted",
            false => "IndexAlreadyExists",
        };
        let object = scene.until("hidden", reason).await;
        assert_eq!(status(&object).restore_job_id, None);
        let message = ready(&object).2;
        if shows_source() {
            assert_eq!(conditions(&object), ["Ready=True", "Succeeded=True"]);
            assert!(status(&object).index_host.is_some());
        } else {
            assert!(message.contains("cannot be determined"), "{message}");
            assert!(!message.to_lowercase().contains("delete"), "{message}");
        }
    }
    assert_eq!(scene.posts(), 1);
}

/// A backup tool recreates objects with their status and another UID.
#[tokio::test(flavor = "multi_thread")]
async fn adopts_by_the_job_in_a_copied_status_if_the_list_lacks_it() {
    let (scene, mut operator, restored) = restored_among_others("copied").await;
    for row_order in [RowOrder::NewestFirst, RowOrder::OldestFirst] {
        scene.pinecone.set_habits(Habits {
            row_order,
            ..Habits::default()
        });
        operator.process.kill().unwrap();
        scene.delete("copied").await;
        scene.create("copied", json!({})).await;
        let copy = |status: &mut Option<_>| status.clone_from(&restored.status);
        scene.overwrite_status("copied", copy).await;
        operator = scene.start().await;
        let object = scene.until("copied", "Adopted").await;
        scene.check_recorded_once(&object);
    }
    assert_eq!(scene.posts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_404_for_the_job_does_not_prove_another_origin() {
    let scene = Scene::new()
        .await
        .with_env("INDEX_RESTORE_JOB_OUTAGE_PATIENCE", "60s");
    let _operator = scene.start().await;
    scene.create("outage", json!({})).await;
    scene.restored_once("outage").await;
    scene.delete("outage").await;
    let hidden = Fault::new(Route::DescribeRestoreJob, FaultKind::JobNotFound);
    let hidden = scene.pinecone.inject(hidden);
    scene.create("outage", json!({})).await;
    // Enough requests for three observations after the catch-up patience.
    let is_concluded = async || ready(&scene.get("outage").await).1 == "IndexAlreadyExists";
    eventually("the job was requested by its ID", DEADLINE, async || {
        let is_enough = scene.pinecone.fault_hits(hidden) >= 25;
        Ok((is_enough || is_concluded().await).then_some(()))
    })
    .await
    .unwrap();
    // An index that names its backup needs no job to be adopted.
    let expected = match shows_source() {
        true => "Restoring",
        false => "Pending",
    };
    assert_eq!(ready(&scene.get("outage").await).1, expected);
    scene.pinecone.clear_fault(hidden);
    let adopted = scene.until("outage", "Adopted").await;
    scene.check_recorded_once(&adopted);
    let versions = scene.history().up_to(&adopted).await.unwrap();
    let reasons: Vec<_> = versions.iter().map(|version| ready(version).1).collect();
    assert!(
        !reasons.contains(&"IndexAlreadyExists".into()),
        "{reasons:?}"
    );
    assert_eq!(scene.posts(), 1);
}

/// It has the same host, because name and project are the same.
#[tokio::test(flavor = "multi_thread")]
async fn does_not_mistake_a_recreated_index_for_the_restored_one() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("replaced", json!({})).await;
    let restored = scene.restored_once("replaced").await;
    let deleted = scene.pinecone.delete_index(DEFAULT_PROJECT, "replaced");
    deleted.unwrap();
    let empty = IndexSeed::new("replaced");
    scene.pinecone.add_index(DEFAULT_PROJECT, empty).unwrap();
    let (reason, ready_is, words) = match shows_source() {
        true => ("IndexDeleted", "Ready=False", "another index has its name"),
        false => ("RestoreJobNotFound", "Ready=Unknown", "cannot be confirmed"),
    };
    let object = scene.until("replaced", reason).await;
    let expected = [ready_is, "Stalled=True", "Succeeded=True"];
    assert_eq!(conditions(&object), expected);
    assert!(ready(&object).2.contains(words), "{:?}", ready(&object));
    assert_eq!(status(&object).index_host, status(&restored).index_host);
    assert_eq!(scene.posts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_job_store_does_not_affect_an_existing_index() {
    let scene = Scene::new()
        .await
        .with_env("INDEX_RESTORE_JOB_OUTAGE_PATIENCE", "60s");
    let _operator = scene.start().await;
    scene.create("living", json!({})).await;
    let before = scene.restored_once("living").await;
    let unlisted = Fault::new(Route::ListRestoreJobs, FaultKind::ListDrop(None));
    let hidden = Fault::new(Route::DescribeRestoreJob, FaultKind::JobNotFound);
    scene.pinecone.inject(unlisted);
    scene.pinecone.inject(hidden);
    // The operator requests the job only if the index does not name its backup.
    match shows_source() {
        true => scene.until_asked_again(Route::ListIndexes, 2).await,
        false => scene.until_asked_again(Route::DescribeRestoreJob, 20).await,
    }
    let during = scene.get("living").await;
    scene.pinecone.clear_faults();
    scene.until_asked_again(Route::ListIndexes, 2).await;
    let after = scene.get("living").await;
    let version = |object: &IndexRestore| object.metadata.resource_version.clone();
    assert_eq!(version(&before), version(&during));
    assert_eq!(version(&before), version(&after));
}
