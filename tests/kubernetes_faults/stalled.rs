//! A second API server that hears nothing from etcd: its lists and watches are old,
//! and its writes take effect and hang.

use std::time::Duration;

use kube::config::Kubeconfig;
use pinecone_emulator::{BackupSeed, DEFAULT_PROJECT, Fault, FaultKind, Route};
use serde_json::json;
use testkit::installation::shared;
use testkit::proxied::{Proxied, posts};
use testkit::scene::{Running, Scene, status};
use testkit::{DEADLINE, SecondApiServer, eventually};

async fn until_stored_claim(scene: &Scene, name: &str) {
    let claimed = scene.until_that(name, |object| status(object).submission.is_some());
    claimed.await.unwrap();
}

async fn until_says(operator: &Running, name: &str, text: &str) {
    eventually("the log says it", 2 * DEADLINE, async || {
        let logs = operator.process.logs();
        let said = |line: &str| line.contains(name) && line.contains(text);
        anyhow::ensure!(logs.lines().any(said), "{logs}");
        Ok(Some(()))
    })
    .await
    .unwrap();
}

/// An operator that knows the second one only.
async fn on(second: &SecondApiServer, scene: &Scene) -> Running {
    let (control_plane, kubeconfig) = shared().await;
    let kubeconfig = second.readdress(Kubeconfig::read_from(kubeconfig).unwrap());
    let path = control_plane.write_kubeconfig(&kubeconfig).unwrap();
    scene
        .start_by(&path, &["--request-timeout=5s", "--confirm-patience=12s"])
        .await
}

/// Stalls it between the look at the backup and the claim, and waits until the
/// claim is in etcd all the same.
async fn claim_into_the_void(second: &SecondApiServer, scene: &Scene, name: &str) {
    let backup = format!("backup-{name}");
    let seed = BackupSeed::new("nightly", "products").id(&backup);
    scene.pinecone.add_backup(DEFAULT_PROJECT, seed).unwrap();
    let slow = Fault::new(
        Route::DescribeBackup,
        FaultKind::Delay(Duration::from_secs(2)),
    );
    let asked = scene.asked(Route::DescribeBackup);
    scene.pinecone.inject(slow.mentioning(&backup).times(1));
    scene.create(name, json!({"backupId": backup})).await;
    scene.until_asked(Route::DescribeBackup, asked + 1).await;
    second.set_stalled(true);
    until_stored_claim(scene, name).await;
    assert_eq!(posts(scene, name).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_was_stored_and_not_answered() {
    let (control_plane, _) = shared().await;
    let second = control_plane.second_api_server().await.unwrap();
    let scene = Scene::new().await.without_election();
    let operator = on(&second, &scene).await;
    scene.create("before", json!({})).await;
    scene.restored_once("before").await;

    claim_into_the_void(&second, &scene, "soon").await;
    second.set_stalled(false);
    scene.restored_once("soon").await;

    claim_into_the_void(&second, &scene, "late").await;
    // The operator gave up on the write, and on the read that would show its outcome.
    until_says(&operator, "late", "the API server did not answer").await;
    assert_eq!(posts(&scene, "late").len(), 0);
    second.set_stalled(false);
    scene.restored_once("late").await;
    for name in ["before", "soon", "late"] {
        assert_eq!(posts(&scene, name).len(), 1, "{name}");
    }

    // Deleted and made again while it cannot know.
    second.set_stalled(true);
    scene.delete("before").await;
    scene.create("before", json!({})).await;
    scene
        .pinecone
        .delete_index(DEFAULT_PROJECT, "soon")
        .unwrap();
    until_says(&operator, "soon", "the API server did not answer").await;
    second.set_stalled(false);
    let again = scene.until("before", "Adopted").await;
    scene.check_recorded_once(&again);
    scene.until("soon", "IndexDeleted").await;
    assert_eq!(scene.posts(), 3);
    println!("stalled API server, writes hang: 4 cells");
}

/// Two replicas; the lists and watches of one come from the stalled server, and its
/// writes go to the other, as Sieve has it.
async fn one_sees_the_past_for(second: &SecondApiServer, time: Duration) {
    let proxied = Proxied::new().await;
    let names: Vec<String> = (0..4).map(|n| format!("old-{n}")).collect();
    let _first = proxied.start_with_late(&names).await;
    let (behind, rival) = proxied.rival_reading(&second.admin_kubeconfig()).await;
    proxied.until_late(&names).await;
    eventually("the rival has seen it", DEADLINE, async || {
        let (_, text) = rival.get("/metrics").await?;
        let line = format!(
            "indexrestore_restores{{reason=\"BackupNotFound\"}} {}\n",
            names.len()
        );
        Ok(text.contains(&line).then_some(()))
    })
    .await
    .unwrap();
    second.set_stalled(true);
    let began = tokio::time::Instant::now();
    let backup = BackupSeed::new("nightly", "products").id("late");
    proxied
        .scene
        .pinecone
        .add_backup(DEFAULT_PROJECT, backup)
        .unwrap();
    for name in &names {
        proxied.until(name, "Restored").await;
    }
    tokio::time::sleep_until(began + time).await;
    second.set_stalled(false);
    for name in &names {
        let object = proxied.until(name, "Restored").await;
        proxied.scene.check_recorded_once(&object);
        assert_eq!(posts(&proxied.scene, name).len(), 1);
    }
    eventually("the rival has caught up", DEADLINE, async || {
        let (_, text) = rival.get("/metrics").await?;
        let line = format!(
            "indexrestore_restores{{reason=\"Restored\"}} {}\n",
            names.len()
        );
        Ok(text.contains(&line).then_some(()))
    })
    .await
    .unwrap();
    let lost = behind
        .journal()
        .iter()
        .filter(|seen| seen.code == 409)
        .count();
    println!(
        "stalled view for {time:?}: {} cells, {lost} writes lost",
        names.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_the_past_for_five_thirty_and_sixty_seconds() {
    let (control_plane, _) = shared().await;
    let second = control_plane.second_api_server().await.unwrap();
    for seconds in [5, 30, 60] {
        one_sees_the_past_for(&second, Duration::from_secs(seconds)).await;
    }
}
