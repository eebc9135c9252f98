//! Leader election: one replica reconciles, and another one takes over however the first one ends.
//! Replicas that reconcile at the same time are in `rivals`.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use pinecone_emulator::{Fault, FaultKind, Route};
use serde_json::json;
use testkit::installation::{CRD, authorize};
use testkit::scene::{PATIENT, Running, Scene, status};
use testkit::{ControlPlane, DEADLINE, eventually, wait_for};

/// Longer than any test waits: another replica can lead only after the lease is released.
const LONG: [&str; 2] = [
    "--leader-elect-lease-duration=10m",
    "--leader-elect-renew-deadline=9m",
];
const SHORT: [&str; 5] = [
    "--leader-elect-lease-duration=4s",
    "--leader-elect-renew-deadline=3s",
    "--leader-elect-retry-period=500ms",
    // A request must not time out while its process is suspended.
    "--request-timeout=10m",
    "--confirm-patience=11m",
];
/// Makes an operator take part in the election without reconciling the objects of the scene.
const OTHER_NAMESPACE: &str = "--watch-namespace=kube-system";

fn leases(scene: &Scene) -> Api<Lease> {
    Api::namespaced(scene.client.clone(), &scene.namespace)
}

fn holder(lease: Option<&Lease>) -> String {
    let spec = lease.and_then(|lease| lease.spec.clone());
    spec.and_then(|spec| spec.holder_identity)
        .unwrap_or_default()
}

pub async fn until_leads(operator: &Running, leads: bool) {
    let line = format!("indexrestore_leader {}\n", i32::from(leads));
    eventually("leadership is as expected", DEADLINE, async || {
        let (_, text) = operator.get("/metrics").await?;
        Ok(text.contains(&line).then_some(()))
    })
    .await
    .unwrap_or_else(|error| panic!("{line}{error:#}\n{}", operator.process.logs()));
}

async fn until_logs(operator: &Running, texts: &[&str]) {
    eventually("the log contains the texts", DEADLINE, async || {
        let logs = operator.process.logs();
        let said = |line: &str| texts.iter().all(|text| line.contains(text));
        anyhow::ensure!(logs.lines().any(said), logs);
        Ok(Some(()))
    })
    .await
    .unwrap_or_else(|error| panic!("{texts:?}: {error:#}"));
}

/// A leader and a standby with these flags.
async fn leader_and_standby(scene: &Scene, flags: &[&str]) -> (Running, Running) {
    let leader = scene.start_with(flags).await;
    until_leads(&leader, true).await;
    (leader, scene.start_with(flags).await)
}

async fn own_control_plane() -> (ControlPlane, Scene) {
    let control_plane = ControlPlane::start().await.unwrap();
    control_plane.apply(CRD).await.unwrap();
    let kubeconfig = authorize(&control_plane).await;
    let scene = Scene::on(&control_plane, &kubeconfig).await;
    (control_plane, scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_ready_and_up_to_date_but_sends_and_writes_nothing() {
    let scene = Scene::new().await;
    let (leader, standby) = leader_and_standby(&scene, &[]).await;
    scene.create("watched", json!({})).await;
    scene.restored_once("watched").await;
    eventually("the standby observed it", DEADLINE, async || {
        let (_, text) = standby.get("/metrics").await?;
        let seen = text.contains("indexrestore_restores{reason=\"Restored\"} 1");
        Ok(seen.then_some(()))
    })
    .await
    .unwrap();
    let (_, text) = standby.get("/metrics").await.unwrap();
    for counter in [
        "indexrestore_pinecone_requests_total{",
        "indexrestore_submissions_total{",
        "indexrestore_reconciles_total{",
        "indexrestore_leader ",
    ] {
        let mut lines = text.lines().filter(|line| line.starts_with(counter));
        let all_zero = lines.clone().all(|line| line.ends_with(" 0"));
        assert!(all_zero && lines.next().is_some(), "{counter} in\n{text}");
    }
    assert_eq!(standby.get("/readyz").await.unwrap().0, 200);
    until_leads(&leader, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_leader_records_its_submission_before_it_releases_the_lease() {
    let scene = Scene::new().await;
    let (mut leader, standby) = leader_and_standby(&scene, &[LONG, PATIENT].concat()).await;
    let slow = FaultKind::DelayAnswer(Duration::from_secs(2));
    scene
        .pinecone
        .inject(Fault::new(Route::CreateIndexFromBackup, slow).times(1));
    scene.create("open", json!({})).await;
    scene.until_accepted("open").await;
    let lease = leases(&scene).get("index-restore-operator").await.unwrap();
    let first = holder(Some(&lease));
    leader.process.terminate().unwrap();
    wait_for(
        &leases(&scene),
        "index-restore-operator",
        DEADLINE,
        |lease| holder(lease) != first,
    )
    .await
    .unwrap();
    // The operator records the restore before it releases the lease.
    scene.check_recorded_once(&scene.get("open").await);
    until_leads(&standby, true).await;
    let exit = leader.process.wait_exit(DEADLINE).await.unwrap();
    assert!(exit.success(), "{}", leader.process.logs());
    scene.create("next", json!({})).await;
    scene.restored_once("next").await;
    scene.restored_once("open").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over_from_a_killed_leader() {
    let scene = Scene::new().await;
    let (mut leader, standby) = leader_and_standby(&scene, &SHORT).await;
    let silent = FaultKind::DelayAnswer(Duration::from_secs(600));
    scene
        .pinecone
        .inject(Fault::new(Route::CreateIndexFromBackup, silent).times(1));
    scene.create("orphan", json!({})).await;
    scene.until_accepted("orphan").await;
    leader.process.kill().unwrap();
    until_leads(&standby, true).await;
    scene.restored_once("orphan").await;
    let lease = leases(&scene).get("index-restore-operator").await.unwrap();
    assert!(lease.spec.unwrap().lease_transitions >= Some(1));
}

/// Freezes the leader while Pinecone has not yet answered what it asks before it claims `thawed`.
async fn freeze_before_its_claim(scene: &Scene, leader: &mut Running) {
    until_leads(leader, true).await;
    let slow = FaultKind::Delay(Duration::from_secs(1));
    scene
        .pinecone
        .inject(Fault::new(Route::DescribeBackup, slow).times(1));
    scene.create("thawed", json!({})).await;
    scene.until_asked(Route::DescribeBackup, 1).await;
    leader.process.suspend().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_frozen_before_its_claim_does_not_claim_after_it_lost_the_lease() {
    let scene = Scene::new().await;
    let mut frozen = scene.start_with(&SHORT).await;
    freeze_before_its_claim(&scene, &mut frozen).await;
    let mut rival = scene
        .start_with(&[&SHORT[..], &[OTHER_NAMESPACE]].concat())
        .await;
    until_leads(&rival, true).await;
    let before = scene.get("thawed").await;
    assert_eq!(status(&before).submission, None, "frozen before the claim");

    // The object has not changed, so the API server would accept the claim.
    frozen.process.resume().unwrap();
    until_logs(&frozen, &["thawed", "nothing is written"]).await;
    until_leads(&frozen, false).await;
    let after = scene.get("thawed").await;
    assert_eq!(
        after.metadata.resource_version,
        before.metadata.resource_version
    );
    assert_eq!(scene.accepted("thawed"), []);

    rival.process.terminate().unwrap();
    scene.restored_once("thawed").await;
}

/// What the downward API sets in every container of one pod.
const POD: [(&str, &str); 2] = [("POD_NAME", "operator-0"), ("POD_UID", "3c1f6d0e")];

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_container_leads_at_once() {
    let scene = Scene::new().await;
    let mut killed = scene.launch_with(&LONG, &POD);
    until_leads(&killed, true).await;
    killed.process.kill().unwrap();
    // The lease does not expire within this test.
    let restarted = scene.launch_with(&LONG, &POD);
    until_leads(&restarted, true).await;
    scene.create("next", json!({})).await;
    scene.restored_once("next").await;
    let lease = leases(&scene).get("index-restore-operator").await.unwrap();
    assert_eq!(lease.spec.unwrap().lease_transitions, Some(1));
}

/// As if a container were started while the earlier one is still alive.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_process_whose_lease_was_inherited_creates_nothing_and_waits() {
    let scene = Scene::new().await;
    let flags = [&LONG[..], &PATIENT].concat();
    let mut frozen = scene.launch_with(&flags, &POD);
    freeze_before_its_claim(&scene, &mut frozen).await;
    let heir = scene.launch_with(&flags, &POD);
    until_leads(&heir, true).await;
    scene.restored_once("thawed").await;
    let lease = leases(&scene).get("index-restore-operator").await.unwrap();
    let inherited = holder(Some(&lease));

    frozen.process.resume().unwrap();
    until_leads(&frozen, false).await;
    scene.create("next", json!({})).await;
    scene.restored_once("next").await;
    scene.restored_once("thawed").await;
    // Several rounds of the election: it must not take the lease back.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let lease = leases(&scene).get("index-restore-operator").await.unwrap();
    assert_eq!(holder(Some(&lease)), inherited);
    assert_eq!(lease.spec.unwrap().lease_transitions, Some(1));
    until_leads(&heir, true).await;
    until_leads(&frozen, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_down_without_the_api_server_and_recovers_every_restore() {
    let (control_plane, scene) = own_control_plane().await;
    scene.pinecone.set_restore_duration(None);
    let mut operator = scene.start_with(&SHORT).await;
    until_leads(&operator, true).await;
    scene.create("running", json!({})).await;
    scene.until("running", "Restoring").await;
    let slow = FaultKind::DelayAnswer(Duration::from_secs(1));
    scene
        .pinecone
        .inject(Fault::new(Route::CreateIndexFromBackup, slow).times(1));
    scene.create("open", json!({})).await;
    scene.until_accepted("open").await;

    control_plane.stop_api_server().unwrap();
    until_leads(&operator, false).await;
    assert_eq!(operator.get("/readyz").await.unwrap().0, 200);
    scene.complete_jobs();
    control_plane.start_api_server().await.unwrap();
    until_leads(&operator, true).await;
    scene.restored_once("running").await;
    scene.restored_once("open").await;
    assert_eq!(operator.process.exited().unwrap(), None);
}
