//! Pinecone executed the create and its answer was lost: the operator finds the restore and does
//! not repeat it. The official Python and TypeScript clients repeat the request here.

use std::time::Duration;

use index_restore_operator::api::SubmissionOutcome;
use pinecone_emulator::{AnswerBody, Fault, FaultKind, Route, StatusAnswer};
use serde_json::json;
use testkit::scene::{Scene, conditions, ready, shows_source, status};

#[tokio::test(flavor = "multi_thread")]
async fn finds_a_restore_whose_answer_was_lost() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let after = |status| StatusAnswer::new(status).after_effect();
    let cases = [
        ("closed", FaultKind::LoseAnswer),
        ("reset", FaultKind::ResetAnswer),
        ("late", FaultKind::DelayAnswer(Duration::from_secs(20))),
        ("status-500", FaultKind::Status(after(500))),
        ("status-503", FaultKind::Status(after(503))),
        ("status-408", FaultKind::Status(after(408))),
        (
            "html-502",
            FaultKind::Status(after(502).body(AnswerBody::Html)),
        ),
        (
            "html-403",
            FaultKind::Status(after(403).body(AnswerBody::Html)),
        ),
        (
            "html-429",
            FaultKind::Status(after(429).body(AnswerBody::Html)),
        ),
        (
            "redirect",
            FaultKind::Status(after(307).header("location", "/elsewhere")),
        ),
        ("cut", FaultKind::TruncatedBody),
        ("garbage", FaultKind::GarbageBody),
        ("no-ids", FaultKind::MissingIds),
        ("slow", FaultKind::SlowBody(Duration::from_secs(60))),
        ("huge", FaultKind::HugeBody),
    ];
    for (name, kind) in &cases {
        let fault = Fault::new(Route::CreateIndexFromBackup, kind.clone());
        scene.pinecone.inject(fault.mentioning(*name));
        scene.create(name, json!({})).await;
    }
    for (name, _) in &cases {
        scene.restored_once(name).await;
    }
    assert_eq!(scene.pinecone.accepted_creates().len(), cases.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_fail_on_a_409_caused_by_its_own_request() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let conflict = FaultKind::Status(StatusAnswer::new(409).after_effect());
    scene
        .pinecone
        .inject(Fault::new(Route::CreateIndexFromBackup, conflict).times(1));
    // The policy does not allow adoption, so only the restore's own request can explain the index.
    scene
        .create("doubled", json!({"adoptionPolicy": "Never"}))
        .await;
    scene.restored_once("doubled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lags_drops_or_repeats_rows_does_not_prove_absence() {
    // The list lags for less than the patience.
    let scene = Scene::new()
        .await
        .with_env("INDEX_RESTORE_CATCH_UP_PATIENCE", "6s");
    let _operator = scene.start().await;
    let inject = |route, kind, name: &str| {
        let fault = Fault::new(route, kind);
        let fault = if name.is_empty() {
            fault
        } else {
            fault.mentioning(name)
        };
        scene.pinecone.inject(fault);
    };
    let lag = FaultKind::ListLag(Duration::from_secs(4));
    inject(Route::ListRestoreJobs, lag, "");
    inject(Route::ListRestoreJobs, FaultKind::ListRepeat, "");
    inject(Route::ListRestoreJobs, FaultKind::NullCreatedAt, "");
    inject(
        Route::CreateIndexFromBackup,
        FaultKind::LoseAnswer,
        "lagging",
    );
    scene.create("lagging", json!({})).await;
    let object = scene.until("lagging", "ConfirmingSubmission").await;
    assert_eq!(
        conditions(&object),
        ["Ready=Unknown", "Reconciling=True", "Succeeded=Unknown"]
    );
    scene.restored_once("lagging").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resubmits_a_request_that_certainly_never_arrived() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let drop = Fault::new(Route::CreateIndexFromBackup, FaultKind::DropBefore).times(1);
    scene.pinecone.inject(drop);
    scene.create("dropped", json!({})).await;
    scene.until("dropped", "ConfirmingSubmission").await;
    let object = scene.restored_once("dropped").await;
    assert_eq!(object.status.unwrap().submission.unwrap().attempt, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn recovers_automatically_from_an_outage_of_pinecone() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene
        .pinecone
        .inject(Fault::new(Route::CreateIndexFromBackup, FaultKind::status(500)).times(2));
    scene.create("outage", json!({})).await;
    scene.restored_once("outage").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_an_index_without_a_job_only_if_it_names_its_backup() {
    let scene = Scene::new().await;
    let _operator = scene.start_with(&["--give-up-patience=3s"]).await;
    let hidden = Fault::new(Route::ListRestoreJobs, FaultKind::ListDrop(None));
    let hidden = scene.pinecone.inject(hidden);
    scene
        .pinecone
        .inject(Fault::new(Route::CreateIndexFromBackup, FaultKind::LoseAnswer).times(1));
    scene.create("unlisted", json!({})).await;
    if shows_source() {
        let status = status(&scene.until("unlisted", "Restored").await);
        assert_eq!(status.restore_job_id, None);
        let outcome = status.submission.unwrap().outcome;
        assert_eq!(outcome, SubmissionOutcome::Accepted);
        assert_eq!(scene.accepted("unlisted").len(), 1);
        return;
    }
    let object = scene.until("unlisted", "SubmissionUnconfirmed").await;
    assert_eq!(
        conditions(&object),
        ["Ready=Unknown", "Stalled=True", "Succeeded=Unknown"]
    );
    assert!(
        ready(&object).2.contains("Check in Pinecone"),
        "{:?}",
        ready(&object)
    );
    scene.pinecone.clear_fault(hidden);
    scene.restored_once("unlisted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tolerates_clock_skew() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let lost = Fault::new(Route::CreateIndexFromBackup, FaultKind::LoseAnswer);
    scene.pinecone.inject(lost);
    for (name, hours) in [("behind", -2), ("ahead", 2)] {
        let skew = jiff::SignedDuration::from_hours(hours);
        scene.pinecone.set_clock_skew(skew);
        // Only Pinecone's clock distinguishes it from an earlier restore.
        scene.create(name, json!({"adoptionPolicy": "Never"})).await;
        scene.restored_once(name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_a_restore_that_failed_before_it_was_found() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let create = Route::CreateIndexFromBackup;
    scene.pinecone.set_restore_duration(Duration::ZERO);
    scene
        .pinecone
        .inject(Fault::new(create, FaultKind::LoseAnswer));
    scene
        .pinecone
        .inject(Fault::new(create, FaultKind::JobFails));
    scene.create("failed", json!({})).await;
    let object = scene.until("failed", "RestoreFailed").await;
    assert_eq!(conditions(&object)[1], "Stalled=True");
    scene.check_recorded_once(&object);
}
