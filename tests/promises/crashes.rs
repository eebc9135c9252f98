//! The operator is killed with SIGKILL at a step and restarted: Pinecone accepts one create,
//! whichever step it was. Leader election is off, so that the next process starts immediately, as
//! it would after the lease of the killed one expired. The crash matrix has the steps at which the
//! request has not begun, or has ended.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use pinecone_emulator::{Fault, FaultKind, Route};
use serde_json::json;
use testkit::scene::{PATIENT, Scene, status};
use testkit::{DEADLINE, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn restores_once_after_a_kill_before_the_request_arrived() {
    let scene = Scene::new().await.without_election();
    let mut operator = scene.start().await;
    let drop = Fault::new(Route::CreateIndexFromBackup, FaultKind::DropBefore);
    let drop = scene.pinecone.inject(drop);
    scene.create("claimed", json!({})).await;
    scene.until_asked(Route::CreateIndexFromBackup, 1).await;
    operator.process.kill().unwrap();
    assert!(status(&scene.get("claimed").await).submission.is_some());
    scene.pinecone.clear_fault(drop);
    let _operator = scene.start().await;
    scene.restored_once("claimed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restores_once_after_a_kill_while_the_request_is_in_flight() {
    let scene = Scene::new().await.without_election();
    let mut operator = scene.start().await;
    let late = FaultKind::Delay(Duration::from_secs(1));
    scene
        .pinecone
        .inject(Fault::new(Route::CreateIndexFromBackup, late).times(1));
    scene.create("late", json!({})).await;
    scene.until_asked(Route::CreateIndexFromBackup, 1).await;
    operator.process.kill().unwrap();
    assert_eq!(
        scene.accepted("late"),
        [],
        "killed before the request took effect"
    );
    let _operator = scene.start().await;
    scene.restored_once("late").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restores_once_after_a_kill_after_the_record() {
    let scene = Scene::new().await.without_election();
    scene.pinecone.set_restore_duration(None);
    let mut operator = scene.start().await;
    scene.create("recorded", json!({})).await;
    let object = scene.until("recorded", "Restoring").await;
    operator.process.kill().unwrap();
    scene.check_recorded_once(&object);
    let job = status(&object).restore_job_id.unwrap();
    let outcome = pinecone_emulator::JobOutcome::Completed;
    scene.pinecone.finish_job(&job, outcome).unwrap();
    let _operator = scene.start().await;
    scene.restored_once("recorded").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restores_once_after_repeated_kills() {
    let scene = Scene::new().await.without_election();
    let lost = Fault::new(Route::CreateIndexFromBackup, FaultKind::LoseAnswer).times(3);
    scene.pinecone.inject(lost);
    let names: Vec<_> = (0..8).map(|n| format!("killed-{n}")).collect();
    for name in &names {
        scene.create(name, json!({})).await;
    }
    for _ in 1..6 {
        let before = scene.pinecone.requests().len();
        let mut operator = scene.start().await;
        // The operator still checks a restored index, with the list of all indexes.
        eventually("requests were sent", DEADLINE, async || {
            Ok((scene.pinecone.requests().len() > before + 2).then_some(()))
        })
        .await
        .unwrap();
        operator.process.kill().unwrap();
    }
    let _operator = scene.start().await;
    for name in &names {
        scene.restored_once(name).await;
    }
    assert_eq!(scene.pinecone.accepted_creates().len(), names.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_the_ids_after_a_write_conflict() {
    let scene = Scene::new().await;
    let _operator = scene.start_with(&PATIENT).await;
    // The list does not show the job: only the answer to the create has its ID.
    let hidden = FaultKind::ListDrop(None);
    scene
        .pinecone
        .inject(Fault::new(Route::ListRestoreJobs, hidden));
    let slow = FaultKind::DelayAnswer(Duration::from_secs(2));
    scene
        .pinecone
        .inject(Fault::new(Route::CreateIndexFromBackup, slow));
    scene.create("touched", json!({})).await;
    scene.until_accepted("touched").await;
    let touch = json!({"metadata": {"labels": {"touched": "yes"}}});
    let params = PatchParams::default();
    scene
        .restores
        .patch("touched", &params, &Patch::Merge(touch))
        .await
        .unwrap();
    scene.restored_once("touched").await;
}
