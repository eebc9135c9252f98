//! The API server is away; its process is stopped for real.

use std::time::Duration;

use pinecone_emulator::{BackupSeed, DEFAULT_PROJECT, Fault, FaultKind, Route};
use serde_json::json;
use testkit::installation::{CRD, authorize};
use testkit::scene::{PATIENT, Running, Scene};
use testkit::{ControlPlane, DEADLINE, eventually};

const SHORT: [&str; 3] = [
    "--leader-elect-lease-duration=4s",
    "--leader-elect-renew-deadline=3s",
    "--leader-elect-retry-period=500ms",
];

async fn until_leads(operator: &Running, leads: bool) {
    let line = format!("indexrestore_leader {}\n", i32::from(leads));
    eventually("leadership is as expected", DEADLINE, async || {
        let (_, text) = operator.get("/metrics").await?;
        Ok(text.contains(&line).then_some(()))
    })
    .await
    .unwrap();
}

/// A restore that waits, one whose request is under way, and one that runs.
async fn away_for(time: Duration, timing: &[&str]) {
    let control_plane = ControlPlane::start().await.unwrap();
    control_plane.apply(CRD).await.unwrap();
    let kubeconfig = authorize(&control_plane).await;
    let scene = Scene::on(&control_plane, &kubeconfig).await;
    scene.pinecone.set_restore_duration(None);
    let mut operator = scene.start_with(&[timing, &PATIENT].concat()).await;
    until_leads(&operator, true).await;
    scene.create("waits", json!({"backupId": "late"})).await;
    scene.until("waits", "BackupNotFound").await;
    scene.create("runs", json!({})).await;
    scene.until("runs", "Restoring").await;
    let slow = FaultKind::DelayAnswer(Duration::from_secs(2));
    let slow = Fault::new(Route::CreateIndexFromBackup, slow).times(1);
    scene.pinecone.inject(slow);
    scene.create("open", json!({})).await;
    scene.until_accepted("open").await;

    control_plane.stop_api_server().unwrap();
    let began = tokio::time::Instant::now();
    until_leads(&operator, false).await;
    let backup = BackupSeed::new("nightly", "products").id("late");
    scene.pinecone.add_backup(DEFAULT_PROJECT, backup).unwrap();
    scene.complete_jobs();
    scene
        .pinecone
        .set_restore_duration(Duration::from_millis(300));
    tokio::time::sleep_until(began + time).await;
    assert_eq!(operator.get("/readyz").await.unwrap().0, 200);
    assert_eq!(operator.get("/livez").await.unwrap().0, 200);
    until_leads(&operator, false).await;
    assert_eq!(scene.posts(), 2, "nothing is sent that cannot be claimed");
    control_plane.start_api_server().await.unwrap();
    until_leads(&operator, true).await;
    for name in ["runs", "open", "waits"] {
        scene.restored_once(name).await;
    }
    assert_eq!(scene.posts(), 3);
    assert_eq!(operator.process.exited().unwrap(), None);
    println!("API server away for {time:?}: 3 cells");
}

#[tokio::test(flavor = "multi_thread")]
async fn for_four_lease_durations() {
    away_for(Duration::from_secs(16), &SHORT).await;
}

/// With the lease's intervals as they are by default.
#[tokio::test(flavor = "multi_thread")]
async fn for_a_minute() {
    away_for(Duration::from_secs(60), &[]).await;
}
