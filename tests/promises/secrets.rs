//! API keys from Secrets, which may be created later or change at any time.

use pinecone_emulator::{
    BackupSeed, DEFAULT_PROJECT, Fault, FaultKind, Project, RetryAfter, Route, StatusAnswer,
};
use serde_json::json;
use testkit::judge::records::DELETED;
use testkit::judge::rules::ENDS_STAY;
use testkit::scene::{BACKUP, KEY, Running, Scene, conditions, ready};
use testkit::{DEADLINE, eventually};

fn reference(name: &str, key: &str) -> serde_json::Value {
    json!({"apiKeySecretRef": {"name": name, "key": key}})
}

#[tokio::test(flavor = "multi_thread")]
async fn picks_up_a_secret_that_is_created_later() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("late", reference("vault", "token")).await;
    let object = scene.until("late", "SecretNotFound").await;
    assert_eq!(
        conditions(&object),
        ["Ready=False", "Reconciling=True", "Succeeded=Unknown"]
    );
    assert!(
        ready(&object).2.contains("\"vault\""),
        "{:?}",
        ready(&object)
    );
    scene.put_secret("vault", "other", KEY).await;
    scene
        .until_that("late", |object| ready(object).2.contains("\"token\""))
        .await
        .unwrap();
    scene.put_secret("vault", "token", KEY).await;
    scene.restored_once("late").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_why_a_key_is_unusable_without_showing_it() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    for (name, value, why) in [
        ("empty", " \n", "empty"),
        ("broken", "pcsk_canary_5f1e7c\nmore", "HTTP header"),
    ] {
        scene.put_secret(name, "api-key", value).await;
        scene.create(name, reference(name, "api-key")).await;
        let message = ready(&scene.until(name, "InvalidSecret").await).2;
        assert!(
            message.contains(why) && !message.contains("canary"),
            "{message}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_key_with_a_trailing_line_break() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene
        .put_secret("from-file", "api-key", &format!("{KEY}\n"))
        .await;
    scene
        .create("from-file", reference("from-file", "api-key"))
        .await;
    scene.restored_once("from-file").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_a_rejected_key_until_the_secret_is_corrected() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.put_secret("wrong", "api-key", "pcsk_wrong").await;
    scene.create("wrong", reference("wrong", "api-key")).await;
    let object = scene.until("wrong", "InvalidApiKey").await;
    assert_eq!(conditions(&object)[1], "Reconciling=True");
    scene.put_secret("wrong", "api-key", KEY).await;
    scene.restored_once("wrong").await;
}

/// Adds a new key, puts it into the Secret and revokes the previous one.
async fn rotate(scene: &Scene) {
    scene
        .pinecone
        .add_api_key(DEFAULT_PROJECT, "pcsk_new")
        .unwrap();
    scene.put_secret("pinecone", "api-key", "pcsk_new").await;
    assert!(scene.pinecone.revoke_api_key(KEY));
}

/// A scene whose key was rotated while its restore `rotated` runs.
async fn rotated_while_restoring() -> (Scene, Running) {
    let scene = Scene::new().await;
    scene.pinecone.set_restore_duration(None);
    let operator = scene.start().await;
    scene.create("rotated", json!({})).await;
    scene.until("rotated", "Restoring").await;
    rotate(&scene).await;
    (scene, operator)
}

#[tokio::test(flavor = "multi_thread")]
async fn picks_up_a_rotated_key_while_a_restore_runs() {
    let (scene, _operator) = rotated_while_restoring().await;
    scene.complete_jobs();
    scene.restored_once("rotated").await;
}

/// Waiting does not help against a rejected key, another key does.
#[tokio::test(flavor = "multi_thread")]
async fn picks_up_a_rotated_key_despite_retry_after_on_the_401() {
    let scene = Scene::new().await;
    let operator = scene.start().await;
    let refused = StatusAnswer::new(401).retry_after(RetryAfter::Seconds(3_600));
    let refused = Fault::new(Route::DescribeIndex, FaultKind::Status(refused));
    let refused = scene.pinecone.inject(refused);
    scene.create("refused", json!({})).await;
    scene.until("refused", "InvalidApiKey").await;
    rotate(&scene).await;
    // From here on the emulator itself rejects the old key, without Retry-After.
    scene.pinecone.clear_fault(refused);
    let restored = scene.until_that("refused", |object| ready(object).1 == "Restored");
    restored
        .await
        .unwrap_or_else(|error| panic!("{error:#}\n{}", operator.process.logs()));
    scene.restored_once("refused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_projects_key_never_causes_a_second_create() {
    let scene = Scene::new().await;
    // With the key of another project, the index seems to be deleted.
    scene.waive("swapped", DELETED);
    scene.waive("swapped", ENDS_STAY);
    let other = Project::new("other", "pcsk_other");
    scene.pinecone.add_project(other).unwrap();
    let operator = scene.start().await;
    let lost = Fault::new(Route::CreateIndexFromBackup, FaultKind::LoseAnswer).times(1);
    let hidden = Fault::new(Route::ListRestoreJobs, FaultKind::ListDrop(None));
    scene.pinecone.inject(lost);
    let hidden = scene.pinecone.inject(hidden);
    scene.create("swapped", json!({})).await;
    scene.until("swapped", "ConfirmingSubmission").await;
    scene.put_secret("pinecone", "api-key", "pcsk_other").await;
    scene.pinecone.clear_fault(hidden);
    scene
        .until_that("swapped", |object| {
            ready(object).2.contains("another project")
        })
        .await
        .unwrap_or_else(|error| panic!("{error:#}\n{}", operator.process.logs()));
    scene.put_secret("pinecone", "api-key", KEY).await;
    scene.restored_once("swapped").await;
    assert_eq!(scene.pinecone.accepted_creates().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_restore_uses_the_project_of_its_own_key() {
    let scene = Scene::new().await;
    scene
        .pinecone
        .add_project(Project::new("other", "pcsk_other"))
        .unwrap();
    let backup = BackupSeed::new("nightly", "products").id("theirs");
    scene.pinecone.add_backup("other", backup).unwrap();
    let _operator = scene.start().await;
    scene.put_secret("theirs", "api-key", "pcsk_other").await;
    scene
        .create("shared-name", json!({"backupId": BACKUP}))
        .await;
    let mut spec = reference("theirs", "api-key");
    spec["backupId"] = json!("theirs");
    spec["indexName"] = json!("shared-name");
    scene.create("theirs", spec).await;
    scene.until("shared-name", "Restored").await;
    scene.until("theirs", "Restored").await;
    let creates = scene.accepted("shared-name");
    let mut projects: Vec<_> = creates
        .iter()
        .map(|create| create.project.as_str())
        .collect();
    projects.sort_unstable();
    assert_eq!(projects, [DEFAULT_PROJECT, "other"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_the_secret_again_as_soon_as_the_key_is_rejected() {
    let (scene, _operator) = rotated_while_restoring().await;
    let answered = |status| {
        let requests = scene.pinecone.requests();
        let all = requests.iter().map(|request| request.status);
        all.filter(|answer| *answer == Some(status)).count()
    };
    eventually("the old key was rejected", DEADLINE, async || {
        Ok((answered(401) > 0).then_some(()))
    })
    .await
    .unwrap();
    let before = answered(200);
    eventually("the new key is used", DEADLINE, async || {
        Ok((answered(200) > before + 1).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(answered(401), 1, "the rejected key is not used again");
    assert_eq!(ready(&scene.get("rotated").await).1, "Restoring");
    let mut events = scene.events().await.into_iter();
    let refused = events.any(|event| event.reason.as_deref() == Some("InvalidApiKey"));
    assert!(!refused, "the Secret had a valid key all the time");
}

/// Secrets of the same name in two namespaces contain different keys.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_the_same_name_in_two_namespaces_are_separate() {
    let (ours, theirs) = (Scene::new().await, Scene::new().await);
    theirs.visits(&ours);
    ours.pinecone
        .add_project(Project::new("other", "pcsk_other"))
        .unwrap();
    let backup = BackupSeed::new("nightly", "products").id(BACKUP);
    ours.pinecone.add_backup("other", backup).unwrap();
    theirs.put_secret("pinecone", "api-key", "pcsk_other").await;
    let both = format!("{},{}", ours.namespace, theirs.namespace);
    let _operator = ours.start_with(&["--watch-namespace", &both]).await;
    ours.create("mine", json!({})).await;
    ours.until("mine", "Restored").await;
    theirs.create("yours", json!({})).await;
    theirs.until("yours", "Restored").await;
    assert_eq!(ours.accepted("mine")[0].project, DEFAULT_PROJECT);
    assert_eq!(ours.accepted("yours")[0].project, "other");
}
