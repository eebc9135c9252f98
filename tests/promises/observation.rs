//! The operator resubmits a create of unknown outcome only after an absence that it observed
//! without a gap. After a longer gap, a user has to request it.

use std::time::Duration;

use index_restore_operator::api::{IndexRestore, REQUESTED_AT, SubmissionOutcome};
use kube::api::PostParams;
use pinecone_emulator::{DEFAULT_PROJECT, Fault, FaultKind, Route};
use serde_json::json;
use testkit::judge::ONE_CREATE;
use testkit::judge::life::NOT_ABANDONED;
use testkit::scene::{BACKUP, KEY, Scene, conditions, ready, status};

use crate::leadership::until_leads;

const CREATE: Route = Route::CreateIndexFromBackup;

/// Another replica takes over soon after the leader was killed.
const SHORT_LEASE: [&str; 3] = [
    "--leader-elect-lease-duration=4s",
    "--leader-elect-renew-deadline=3s",
    "--leader-elect-retry-period=500ms",
];

/// Longer than the default of --max-observation-gap.
const OUTAGE: Duration = Duration::from_secs(20 * 60);

/// The number of observations of an unconfirmed submission, one per second, that outlasts the
/// confirm patience of the scene.
const OBSERVATIONS: usize = 12;

/// Starts an outage of Pinecone after it accepted the create, whose answer is lost. During the
/// outage a user deletes the index, and its restore job vanishes with it.
async fn delete_during_outage(scene: &Scene, name: &str, outage: FaultKind) {
    let lost = Fault::new(CREATE, FaultKind::LoseAnswer).times(1);
    scene.pinecone.inject(lost);
    // The outage makes every observation incomplete, so that none shows the index.
    let list = Fault::new(Route::ListRestoreJobs, outage.clone());
    scene.pinecone.inject(list);
    let mut object = scene.restore(name, json!({}));
    object.metadata.annotations =
        Some([(REQUESTED_AT.to_owned(), "at creation".to_owned())].into());
    let params = PostParams::default();
    scene.restores.create(&params, &object).await.unwrap();
    scene.until_accepted(name).await;
    scene.pinecone.inject(Fault::new(Route::Any, outage));
    scene.pinecone.delete_index(DEFAULT_PROJECT, name).unwrap();
    scene.until_asked_again(Route::ListRestoreJobs, 2).await;
    scene.pinecone.advance(OUTAGE);
    scene.pinecone.clear_faults();
}

/// Checks that further observations change nothing and send nothing.
async fn stays_unconfirmed(scene: &Scene, name: &str) {
    scene
        .until_asked_again(Route::ListRestoreJobs, OBSERVATIONS)
        .await;
    let object = scene.get(name).await;
    let unconfirmed = ["Ready=Unknown", "Stalled=True", "Succeeded=Unknown"];
    assert_eq!(conditions(&object), unconfirmed);
    assert_eq!(ready(&object).1, "SubmissionUnconfirmed");
    assert_eq!(scene.posts(), 1);
}

/// Checks that a new request causes exactly one more create and is acknowledged.
async fn is_submitted_once_more(scene: &Scene, name: &str) {
    // A user approves a second create after the index of the first was deleted.
    scene.waive(name, ONE_CREATE);
    scene.waive(name, NOT_ABANDONED);
    scene.request(name, "after the outage").await;
    let object = scene.until(name, "Restored").await;
    let creates = scene.accepted(name);
    assert_eq!(creates.len(), 2, "{creates:?}");
    assert_eq!(scene.posts(), 2);
    let status = status(&object);
    assert_eq!(
        status.restore_job_id,
        Some(creates[1].restore_job_id.clone())
    );
    assert_eq!(status.submission.unwrap().attempt, 2);
    assert_eq!(
        status.last_handled_request.as_deref(),
        Some("after the outage")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn recreates_an_index_deleted_during_an_outage_only_on_request() {
    let scene = Scene::new().await;
    let mut leader = scene.start_with(&SHORT_LEASE).await;
    until_leads(&leader, true).await;
    let mut standby = scene.start_with(&SHORT_LEASE).await;
    delete_during_outage(&scene, "unseen", FaultKind::DropBefore).await;
    let object = scene.until("unseen", "SubmissionUnconfirmed").await;
    let message = ready(&object).2;
    assert!(
        message.contains("was not observed") && message.contains(REQUESTED_AT),
        "{message}"
    );
    let observed = |object| status(object).submission.unwrap().last_observed_time;
    let until = observed(&object);
    assert!(until.is_some());

    leader.process.kill().unwrap();
    until_leads(&standby, true).await;
    stays_unconfirmed(&scene, "unseen").await;
    standby.process.kill().unwrap();
    let restarted = scene.start_with(&SHORT_LEASE).await;
    until_leads(&restarted, true).await;
    stays_unconfirmed(&scene, "unseen").await;
    assert_eq!(observed(&scene.get("unseen").await), until);
    is_submitted_once_more(&scene, "unseen").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ignores_a_request_made_before_the_submission() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    delete_during_outage(&scene, "approved", FaultKind::status(503)).await;
    let object = scene.until("approved", "SubmissionUnconfirmed").await;
    let handled = status(&object).last_handled_request;
    assert_eq!(handled.as_deref(), Some("at creation"));
    stays_unconfirmed(&scene, "approved").await;
    is_submitted_once_more(&scene, "approved").await;
}

/// The index may be the restore's own: its job was not listed while it existed.
#[tokio::test(flavor = "multi_thread")]
async fn recreates_an_index_that_was_observed_and_is_gone_only_on_request() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let lost = Fault::new(CREATE, FaultKind::LoseAnswer).times(1);
    scene.pinecone.inject(lost);
    let unlisted = Fault::new(Route::ListRestoreJobs, FaultKind::ListDrop(None));
    scene.pinecone.inject(unlisted);
    scene.create("seen", json!({})).await;
    let says = |words: &'static str| move |object: &IndexRestore| ready(object).2.contains(words);
    let seen = scene.until_that("seen", says("no restore job for it is listed"));
    seen.await.unwrap();
    scene
        .pinecone
        .delete_index(DEFAULT_PROJECT, "seen")
        .unwrap();
    let gone = scene.until_that("seen", says("was there after the submission and is gone"));
    gone.await.unwrap();
    // It takes the same confirm patience as a request that never arrived.
    scene.until("seen", "SubmissionUnconfirmed").await;
    stays_unconfirmed(&scene, "seen").await;
    assert_eq!(scene.posts(), 1);
    is_submitted_once_more(&scene, "seen").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resubmits_a_lost_create_only_on_request_if_no_gap_is_allowed() {
    let scene = Scene::new()
        .await
        .with_env("INDEX_RESTORE_MAX_OBSERVATION_GAP", "0");
    let _operator = scene.start().await;
    let dropped = Fault::new(CREATE, FaultKind::DropBefore).times(1);
    scene.pinecone.inject(dropped);
    scene.create("manual", json!({})).await;
    let object = scene.until("manual", "SubmissionUnconfirmed").await;
    let message = ready(&object).2;
    assert!(
        message.contains("never submits again automatically"),
        "{message}"
    );
    stays_unconfirmed(&scene, "manual").await;
    scene.request("manual", "now").await;
    let object = scene.restored_once("manual").await;
    assert_eq!(scene.posts(), 2);
    assert_eq!(status(&object).last_handled_request.as_deref(), Some("now"));
}

/// Delivers the first create request of the index name, which the network delayed.
async fn deliver_late(scene: &Scene, name: &str) {
    let requests = scene.pinecone.requests();
    let held = requests.into_iter().find(|request| {
        let body = request.body.as_ref();
        request.route == CREATE && body.is_some_and(|body| body["name"] == name)
    });
    // Formatted with spaces, so that the fault for later requests does not match it.
    let body = serde_json::to_string_pretty(&held.unwrap().body).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/backups/{BACKUP}/create-index", scene.emulator_url());
    let post = client.post(url).header("Api-Key", KEY).body(body);
    let post = post.header("Content-Type", "application/json");
    assert_eq!(post.send().await.unwrap().status(), 202);
}

/// The spec stays immutable although the last attempt was rejected: the previous one may still take
/// effect, and no object would record its index.
#[tokio::test(flavor = "multi_thread")]
async fn records_an_abandoned_request_that_takes_effect_later() {
    let scene = Scene::new().await;
    let operator = scene.start().await;
    let cases = [
        ("quota", 403, "QuotaExceeded"),
        ("invalid", 400, "InvalidRequest"),
    ];
    for (name, refusal, _) in cases {
        let body = format!("\"name\":\"{name}\"");
        let held = Fault::new(CREATE, FaultKind::DropBefore).times(1);
        scene.pinecone.inject(held.mentioning(&body));
        let refused = Fault::new(CREATE, FaultKind::status(refusal));
        scene.pinecone.inject(refused.mentioning(&body));
        scene.create(name, json!({})).await;
    }
    for (name, _, reason) in cases {
        let object = scene.until(name, reason).await;
        assert_eq!(status(&object).submission.unwrap().attempt, 2);
        let message = ready(&object).2;
        let is_told = message.contains("delete this IndexRestore and apply another");
        assert!(is_told || reason != "InvalidRequest", "{message}");
        let edit = json!({"spec": {"indexName": "elsewhere"}});
        let error = scene.patch(name, edit).await.unwrap_err().to_string();
        assert!(error.contains("create another IndexRestore"), "{error}");

        deliver_late(&scene, name).await;
        let object = scene.restored_once(name).await;
        let outcome = status(&object).submission.unwrap().outcome;
        assert_eq!(
            outcome,
            SubmissionOutcome::Accepted,
            "{}",
            operator.process.logs()
        );
    }
}
