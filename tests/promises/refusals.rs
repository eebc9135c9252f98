//! Requests that Pinecone rejects: the reason is reported, and the restore continues automatically where it can.

use std::time::Duration;

use pinecone_emulator::{
    AnswerBody, BackupSeed, BackupStatus, DEFAULT_PROJECT, Fault, FaultKind, RetryAfter, Route,
    StatusAnswer,
};
use serde_json::json;
use testkit::scene::{BACKUP, PATIENT, Scene, conditions, ready};

/// Each rejection of the create request: HTTP status, reason, whether manual action is required, and
/// a word of the remedy.
const REFUSALS: [(u16, &str, bool, &str); 8] = [
    (400, "InvalidRequest", true, "Correct the spec"),
    (401, "InvalidApiKey", false, "Secret"),
    (402, "PaymentRequired", false, "invoices"),
    (403, "QuotaExceeded", false, "quota"),
    (404, "BackupNotFound", true, "backupId"),
    (412, "BackupNotReady", false, "not ready"),
    (422, "InvalidRequest", true, "Correct the spec"),
    (429, "RateLimited", false, "rate limited"),
];

#[tokio::test(flavor = "multi_thread")]
async fn reports_each_rejection_of_the_create_and_creates_nothing() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    for (status, ..) in REFUSALS {
        let name = format!("refused-{status}");
        let fault = Fault::new(Route::CreateIndexFromBackup, FaultKind::status(status));
        scene.pinecone.inject(fault.mentioning(&name));
        scene.create(&name, json!({})).await;
    }
    for (status, reason, is_stalled, remedy) in REFUSALS {
        let name = format!("refused-{status}");
        let object = scene.until(&name, reason).await;
        let (is_ready, _, message) = ready(&object);
        let progress = if is_stalled {
            "Stalled=True"
        } else {
            "Reconciling=True"
        };
        assert_eq!(is_ready, "False", "{name}");
        assert_eq!(
            conditions(&object)[1..],
            [progress, "Succeeded=Unknown"],
            "{name}"
        );
        assert!(
            message.contains(&format!("HTTP {status}")),
            "{name}: {message}"
        );
        assert!(message.contains(remedy), "{name}: {message}");
        assert!(message.contains("request ID"), "{name}: {message}");
        assert_eq!(scene.accepted(&name), []);
    }
    scene.pinecone.clear_faults();
    for (status, reason, ..) in REFUSALS {
        // A spec that was rejected as invalid waits for an edit.
        if reason != "InvalidRequest" {
            scene.restored_once(&format!("refused-{status}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spec_rejected_as_invalid_can_be_corrected() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let fault = Fault::new(Route::CreateIndexFromBackup, FaultKind::status(400)).mentioning("typo");
    scene.pinecone.inject(fault);
    scene.create("typo", json!({})).await;
    let mut object = scene.until("typo", "InvalidRequest").await;
    object.spec.index_name = "corrected".into();
    scene.replace(&object).await;
    scene.restored_once("typo").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_a_missing_unready_or_failed_backup_and_waits_for_it() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let seed = |id: &str, status| BackupSeed::new("b", "products").id(id).status(status);
    let add = |seed| scene.pinecone.add_backup(DEFAULT_PROJECT, seed).unwrap();
    add(seed("unready", BackupStatus::Initializing));
    add(seed("failed", BackupStatus::InitializationFailed));
    for (backup, reason) in [
        ("missing", "BackupNotFound"),
        ("unready", "BackupNotReady"),
        ("failed", "BackupFailed"),
    ] {
        scene.create(backup, json!({"backupId": backup})).await;
        let object = scene.until(backup, reason).await;
        assert!(ready(&object).2.contains(backup), "{:?}", ready(&object));
    }
    add(seed("missing", BackupStatus::Ready));
    let ready = BackupStatus::Ready;
    scene
        .pinecone
        .set_backup_status(DEFAULT_PROJECT, "unready", ready)
        .unwrap();
    scene.restored_once("missing").await;
    scene.restored_once("unready").await;
    assert_eq!(scene.accepted("failed"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_while_pinecone_is_asked_is_not_lost() {
    let scene = Scene::new().await;
    // Nothing but the edit is a reason to look again.
    let flags = [PATIENT.as_slice(), &["--poll-max=10m"]].concat();
    let _operator = scene.start_with(&flags).await;
    scene.create("typo", json!({"backupId": "missing"})).await;
    scene.until("typo", "BackupNotFound").await;
    let slow = FaultKind::DelayAnswer(Duration::from_secs(5));
    let slow = scene
        .pinecone
        .inject(Fault::new(Route::DescribeBackup, slow));
    let asked = scene.asked(Route::DescribeBackup);
    scene.request("typo", "again").await;
    scene.until_asked(Route::DescribeBackup, asked + 1).await;
    let mut object = scene.get("typo").await;
    object.spec.backup_id = BACKUP.into();
    scene.replace(&object).await;
    scene.pinecone.clear_fault(slow);
    scene.restored_once("typo").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_for_a_backup_in_an_unknown_state() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let states = [
        ("Scheduled", BackupStatus::Scheduled),
        ("Archiving", BackupStatus::Other("Archiving".into())),
    ];
    for (word, state) in states {
        let name = word.to_lowercase();
        let backup = BackupSeed::new("b", "products").id(&name).status(state);
        scene.pinecone.add_backup(DEFAULT_PROJECT, backup).unwrap();
        scene.create(&name, json!({"backupId": name})).await;
        let object = scene.until(&name, "BackupNotReady").await;
        assert!(ready(&object).2.contains(word), "{:?}", ready(&object));
    }
    scene.until_asked_again(Route::DescribeBackup, 6).await;
    assert_eq!(scene.posts(), 0);
    for name in ["scheduled", "archiving"] {
        let ready = BackupStatus::Ready;
        let changed = scene
            .pinecone
            .set_backup_status(DEFAULT_PROJECT, name, ready);
        changed.unwrap();
        scene.restored_once(name).await;
    }
}

/// The API version is a flag of the operator: an edit of the spec would not help.
#[tokio::test(flavor = "multi_thread")]
async fn does_not_report_a_rejected_api_version_as_an_invalid_spec() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let refused = FaultKind::Status(StatusAnswer::new(400).body(AnswerBody::Json {
        code: "INVALID_ARGUMENT".into(),
        message: "API version 2025-10 is not supported. Supported versions: 2031-01.".into(),
    }));
    let routes = [Route::DescribeIndex, Route::CreateIndexFromBackup];
    for (name, route) in ["read", "create"].into_iter().zip(routes) {
        let fault = Fault::new(route, refused.clone());
        let fault = scene.pinecone.inject(fault.mentioning(name));
        scene.create(name, json!({})).await;
        let object = scene.until(name, "ApiUnavailable").await;
        assert_eq!(
            conditions(&object),
            ["Ready=False", "Reconciling=True", "Succeeded=Unknown"]
        );
        let message = ready(&object).2;
        assert!(message.contains("--pinecone-api-version"), "{message}");
        scene.pinecone.clear_fault(fault);
        scene.restored_once(name).await;
    }
    assert!(!scene.has_event("InvalidRequest").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_id_with_a_typo_can_be_corrected_in_place() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("typo", json!({"backupId": "670e8400"})).await;
    let mut object = scene.until("typo", "BackupNotFound").await;
    object.spec.backup_id = testkit::scene::BACKUP.into();
    scene.replace(&object).await;
    scene.restored_once("typo").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_failed_reads_and_recovers_automatically() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let html = StatusAnswer::new(502).body(AnswerBody::Html);
    let asked = StatusAnswer::new(429).retry_after(RetryAfter::Seconds(1));
    for (name, kind, reason) in [
        ("read-401", FaultKind::status(401), "InvalidApiKey"),
        ("read-403", FaultKind::status(403), "PermissionDenied"),
        ("read-500", FaultKind::status(500), "ApiUnavailable"),
        ("read-502", FaultKind::Status(html), "ApiUnavailable"),
        ("read-429", FaultKind::Status(asked), "RateLimited"),
        ("read-reset", FaultKind::ResetBefore, "ApiUnavailable"),
        ("read-garbage", FaultKind::GarbageBody, "ApiUnavailable"),
        ("read-cut", FaultKind::TruncatedBody, "ApiUnavailable"),
        ("read-huge", FaultKind::HugeBody, "ApiUnavailable"),
        (
            "read-slow",
            FaultKind::SlowBody(Duration::from_secs(60)),
            "ApiUnavailable",
        ),
    ] {
        let fault = Fault::new(Route::DescribeIndex, kind).mentioning(name);
        let id = scene.pinecone.inject(fault);
        scene.create(name, json!({})).await;
        scene.until(name, reason).await;
        assert_eq!(scene.accepted(name), []);
        scene.pinecone.clear_fault(id);
        scene.restored_once(name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_pinecone_is_unreachable_and_recovers_automatically() {
    let scene = Scene::new().await;
    let dead = format!("http://127.0.0.1:{}", testkit::free_port().unwrap());
    let mut operator = scene.start_with(&["--pinecone-endpoint", &dead]).await;
    scene.create("away", json!({})).await;
    let object = scene.until("away", "ApiUnavailable").await;
    assert!(
        ready(&object).2.contains("no answer"),
        "{:?}",
        ready(&object)
    );
    operator.process.kill().unwrap();
    let _operator = scene.start().await;
    scene.restored_once("away").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resubmits_a_rejected_create_only_after_retry_after_or_backoff() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let create = Route::CreateIndexFromBackup;
    let asked = StatusAnswer::new(429).retry_after(RetryAfter::Seconds(3));
    let asked = Fault::new(create, FaultKind::Status(asked)).times(1);
    scene.pinecone.inject(asked.mentioning("asked"));
    // Without Retry-After, the backoff doubles with each rejection.
    let full = Fault::new(create, FaultKind::status(403)).times(5);
    scene.pinecone.inject(full.mentioning("full"));
    scene.create("asked", json!({})).await;
    scene.restored_once("asked").await;
    scene.create("full", json!({})).await;
    scene.restored_once("full").await;
    let sent = |name: &str| {
        let requests = scene.pinecone.requests().into_iter();
        let of_name = requests
            .filter(|r| r.route == create && r.body.as_ref().is_some_and(|b| b["name"] == name));
        of_name.map(|request| request.time).collect::<Vec<_>>()
    };
    let wait = |times: &[jiff::Timestamp], n: usize| times[n].duration_since(times[n - 1]);
    let asked = sent("asked");
    assert_eq!(asked.len(), 2);
    assert!(wait(&asked, 1) >= jiff::SignedDuration::from_millis(2_900));
    let full = sent("full");
    assert_eq!(full.len(), 6);
    assert!(wait(&full, 5) >= jiff::SignedDuration::from_millis(1_600));
}
