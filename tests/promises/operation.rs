//! The process: start, endpoints, logs, shutdown.

use std::time::Duration;

use pinecone_emulator::{Fault, FaultKind, Route};
use serde_json::{Value, json};
use testkit::installation::{CRD, authorize};
use testkit::scene::{PATIENT, Scene, conditions, status};
use testkit::{DEADLINE, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn records_open_submissions_at_shutdown_and_claims_nothing_new() {
    let scene = Scene::new().await;
    scene.pinecone.set_restore_duration(None);
    let mut operator = scene.start_with(&PATIENT).await;
    let slow = Fault::new(
        Route::CreateIndexFromBackup,
        FaultKind::DelayAnswer(Duration::from_secs(2)),
    );
    scene.pinecone.inject(slow);
    scene.create("open", json!({})).await;
    scene.until_accepted("open").await;
    operator.process.terminate().unwrap();
    scene.create("new", json!({})).await;
    let exit = operator.process.wait_exit(DEADLINE).await.unwrap();
    assert!(exit.success(), "{exit:?}\n{}", operator.process.logs());
    scene.check_recorded_once(&scene.get("open").await);
    assert_eq!(status(&scene.get("new").await).submission, None);
    assert_eq!(scene.accepted("new"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_liveness_readiness_and_metrics() {
    let scene = Scene::new().await;
    let operator = scene.start().await;
    assert_eq!(operator.get("/livez").await.unwrap().0, 200);
    scene.create("counted", json!({})).await;
    scene.restored_once("counted").await;
    eventually("the restore is counted", DEADLINE, async || {
        let (_, text) = operator.get("/metrics").await?;
        let lines = [
            "indexrestore_submissions_total{outcome=\"accepted\"} 1",
            "indexrestore_restores{reason=\"Restored\"} 1",
            "indexrestore_pinecone_requests_total{operation=\"create_index_from_backup\",code=\"202\"} 1",
        ];
        anyhow::ensure!(lines.iter().all(|line| text.contains(line)), text);
        Ok(Some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn json_logs_contain_the_object_the_job_and_the_request_id() {
    let scene = Scene::new().await;
    let mut operator = scene.start_with(&["--log-format=json"]).await;
    scene.create("logged", json!({})).await;
    let object = scene.restored_once("logged").await;
    operator.process.terminate().unwrap();
    operator.process.wait_exit(DEADLINE).await.unwrap();
    let logs = operator.process.logs();
    let lines: Vec<Value> = logs
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect();
    let accepted = lines
        .iter()
        .find(|line| line["message"] == "Pinecone accepted the restore")
        .unwrap_or_else(|| panic!("{logs}"));
    assert_eq!(accepted["job"], json!(status(&object).restore_job_id));
    assert!(accepted["request_id"].is_string(), "{accepted}");
    let span = &accepted["span"];
    assert_eq!(span["indexrestore"], "logged");
    assert_eq!(span["namespace"], scene.namespace);
    assert_eq!(span["generation"], 1);
    let about_restores = logs.lines().filter(|line| line.contains("indexrestore\""));
    assert!(about_restores.clone().count() > 1, "{logs}");
    for line in about_restores {
        for field in ["\"namespace\":", "\"indexrestore\":"] {
            assert_eq!(line.matches(field).count(), 1, "{field} in {line}");
        }
    }
}

/// Panics unless the last line is the only error, in words for people.
fn check_last_line(logs: &str) {
    let is_error = |line: &str| line.split_whitespace().nth(1) == Some("ERROR");
    assert_eq!(
        logs.lines().filter(|line| is_error(line)).count(),
        1,
        "{logs}"
    );
    let last = logs.lines().last().unwrap();
    assert!(is_error(last) && !last.contains("Status {"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_start_logs_the_remedy() {
    let scene = Scene::new().await;
    for (flags, remedy) in [
        (
            ["--pinecone-endpoint=nonsense", "--log-format=text"],
            "--pinecone-endpoint",
        ),
        (["--poll-min=2m", "--log-format=text"], "--poll-min"),
        (
            ["--pinecone-api-version=2031-01", "--log-format=text"],
            "2025-10, 2026-04, 2026-07",
        ),
        (
            ["--watch-namespace=", "--kubeconfig-of=nobody"],
            "unexpected argument",
        ),
        (
            ["--pinecone-ca-file=/nowhere.pem", "--log-format=text"],
            "--pinecone-ca-file",
        ),
        (
            ["--leader-elect-lease-duration=5s", "--log-format=text"],
            "--leader-elect-renew-deadline",
        ),
        (
            ["--leader-elect-namespace=kube-system", "--log-format=text"],
            "may not read the Lease",
        ),
    ] {
        let mut operator = scene.launch(&flags);
        let exit = operator.process.wait_exit(DEADLINE).await.unwrap();
        let logs = operator.process.logs();
        assert!(
            !exit.success() && logs.contains(remedy),
            "{flags:?}: {logs}"
        );
        check_last_line(&logs);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_operator_writes_nothing_and_requests_nothing() {
    let scene = Scene::new().await;
    let _operator = scene.start_with(&["--poll-max=60s"]).await;
    scene.create("idle", json!({})).await;
    let before = scene.restored_once("idle").await;
    scene.pinecone.clear_requests();
    // Another restore runs from start to end in the meantime.
    scene.create("busy", json!({})).await;
    scene.restored_once("busy").await;
    let after = scene.get("idle").await;
    assert_eq!(
        before.metadata.resource_version,
        after.metadata.resource_version
    );
    let asked = scene.pinecone.requests();
    let asked: Vec<_> = asked
        .iter()
        .filter(|request| request.path.contains("idle"))
        .collect();
    assert!(asked.is_empty(), "{asked:?}");
}

/// The CRD of an older version, which lacks the field of the claim.
fn outdated_crd() -> String {
    let mut crd: Value = serde_saphyr::from_str(CRD).unwrap();
    let status = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties";
    let fields = crd.pointer_mut(status).unwrap().as_object_mut().unwrap();
    fields.remove("submission").unwrap();
    let root = "/spec/versions/0/schema/openAPIV3Schema";
    let root = crd.pointer_mut(root).unwrap().as_object_mut().unwrap();
    root.remove("x-kubernetes-validations").unwrap();
    crd.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_start_without_the_crd_and_sends_nothing_with_an_outdated_one() {
    let control_plane = testkit::ControlPlane::start().await.unwrap();
    let kubeconfig = authorize(&control_plane).await;
    let scene = Scene::on(&control_plane, &kubeconfig).await;
    let mut operator = scene.launch(&[]);
    let exit = operator.process.wait_exit(DEADLINE).await.unwrap();
    let logs = operator.process.logs();
    assert!(
        exit.code() == Some(1) && logs.contains("index-restore-operator crd"),
        "{logs}"
    );
    check_last_line(&logs);

    control_plane.apply(&outdated_crd()).await.unwrap();
    let operator = scene.start_with(&["--watch-namespace="]).await;
    let logs = operator.process.logs();
    assert!(logs.contains("namespaces=\"all namespaces\""), "{logs}");
    scene.create("early", json!({})).await;
    let object = scene.until("early", "CRDOutdated").await;
    assert_eq!(
        conditions(&object),
        ["Ready=False", "Stalled=True", "Succeeded=Unknown"]
    );
    assert_eq!(scene.pinecone.accepted_creates(), []);
    eventually("a warning is logged", DEADLINE, async || {
        let logs = operator.process.logs();
        let mut lines = logs.lines();
        let warned = lines.any(|line| line.contains("WARN") && line.contains("CRDOutdated"));
        anyhow::ensure!(warned, "{logs}");
        Ok(Some(()))
    })
    .await
    .unwrap();

    control_plane.apply(CRD).await.unwrap();
    scene.restored_once("early").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconcile_that_runs_at_shutdown_claims_nothing() {
    let scene = Scene::new().await;
    let mut operator = scene.start().await;
    let slow = FaultKind::Delay(Duration::from_secs(1));
    scene
        .pinecone
        .inject(Fault::new(Route::DescribeBackup, slow));
    scene.create("late", json!({})).await;
    scene.until_asked(Route::DescribeBackup, 1).await;
    operator.process.terminate().unwrap();
    let exit = operator.process.wait_exit(DEADLINE).await.unwrap();
    assert!(exit.success(), "{exit:?}");
    assert_eq!(status(&scene.get("late").await).submission, None);
    assert_eq!(scene.posts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_own_status_writes_trigger_no_requests() {
    let scene = Scene::new().await;
    scene.pinecone.set_restore_duration(None);
    let _operator = scene.start_with(&["--poll-min=5s", "--poll-max=60s"]).await;
    scene.create("quiet", json!({})).await;
    scene.until("quiet", "Restoring").await;
    scene.until_asked(Route::DescribeRestoreJob, 1).await;
    let requests = scene.pinecone.requests();
    let first = requests
        .iter()
        .find(|request| request.route == Route::DescribeRestoreJob);
    let waited = first
        .unwrap()
        .time
        .duration_since(scene.accepted("quiet")[0].time);
    assert!(waited >= jiff::SignedDuration::from_secs(4), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_a_restore_whose_object_was_deleted() {
    let scene = Scene::new().await;
    let operator = scene.start_with(&PATIENT).await;
    let slow = FaultKind::DelayAnswer(Duration::from_secs(2));
    scene
        .pinecone
        .inject(Fault::new(Route::CreateIndexFromBackup, slow));
    scene.create("orphan", json!({})).await;
    scene.until_accepted("orphan").await;
    scene.delete("orphan").await;
    let job = scene.accepted("orphan")[0].restore_job_id.clone();
    eventually("the orphaned restore is reported", DEADLINE, async || {
        let events = scene.events().await;
        let published = events.iter().any(|event| {
            let note = event.note.as_deref().unwrap_or_default();
            event.reason.as_deref() == Some("RestoreOrphaned")
                && event.type_.as_deref() == Some("Warning")
                && note.contains(&job)
        });
        let metrics = operator.get("/metrics").await?.1;
        let counted = metrics.contains("indexrestore_orphaned_total 1");
        let logs = operator.process.logs();
        let mut lines = logs.lines();
        let logged = lines.any(|line| line.contains("ERROR") && line.contains(&job));
        anyhow::ensure!(
            published && counted && logged,
            "{published} {counted} {logged}\n{logs}"
        );
        Ok(Some(()))
    })
    .await
    .unwrap();
}

#[test]
fn the_binary_has_failpoints_only_with_the_feature() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_index-restore-operator")).unwrap();
    let program = String::from_utf8_lossy(&program);
    let has = |text: &str| program.contains(text);
    assert!(
        has("INDEX_RESTORE_PINECONE_ENDPOINT"),
        "the search would find nothing"
    );
    for text in ["INDEX_RESTORE_FAILPOINT", "create.post", "SITE/SIDE"] {
        assert_eq!(has(text), cfg!(feature = "failpoints"), "{text}");
    }
}
