//! The API key appears only in the Secret and in the request header.

use index_restore_operator::api::IndexRestore;
use k8s_openapi::api::core::v1::Event as CoreEvent;
use kube::Api;
use kube::api::ListParams;
use pinecone_emulator::{AnswerBody, Fault, FaultKind, Route, StatusAnswer};
use serde_json::{Value, json};
use testkit::scene::{BACKUP, KEY, Running, Scene, ready};

/// A careless server that repeats the key in its error.
fn echo() -> FaultKind {
    let body = AnswerBody::Text(format!("no such key: {KEY}"));
    FaultKind::Status(StatusAnswer::new(401).body(body))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_key_appears_in_no_log_event_status_or_metric() {
    let scene = Scene::new().await;
    let mut operator = scene
        .start_with(&["--log-level=trace", "--log-format=json"])
        .await;
    let create = Route::CreateIndexFromBackup;
    scene
        .pinecone
        .inject(Fault::new(create, echo()).mentioning("echoed").times(1));
    scene.pinecone.inject(
        Fault::new(Route::DescribeIndex, echo())
            .mentioning("read-echoed")
            .times(1),
    );
    scene
        .pinecone
        .inject(Fault::new(create, FaultKind::LoseAnswer).mentioning("lost"));
    for name in ["echoed", "read-echoed", "lost", "good"] {
        scene.create(name, json!({})).await;
    }
    for name in ["echoed", "read-echoed", "lost", "good"] {
        scene.restored_once(name).await;
    }
    let places = all_output(&scene, &mut operator).await;
    // The search must be able to find something, or it proves nothing.
    let logs = &places[0].1;
    assert!(logs.iter().any(|line| strings(line).contains(&"good")));
    check(&places);
}

/// A job as Pinecone shows it; `id` and `status` may contain JSON escapes.
fn job(id: &str, status: &str) -> FaultKind {
    let body = format!(
        r#"{{"restore_job_id":"{id}","backup_id":"{BACKUP}","target_index_name":"i","target_index_id":"i","status":"{status}"}}"#
    );
    FaultKind::Status(StatusAnswer::new(200).body(AnswerBody::Text(body)))
}

/// Rejections that echo the key in headers, or encoded in the body, with control characters.
fn encoded_echoes() -> [(&'static str, StatusAnswer); 5] {
    let refused = || StatusAnswer::new(401);
    let text = |body: &str| refused().body(AnswerBody::Text(body.into()));
    let own = r#"{"status":401,"error":{"code":"\u0070csk_canary_5f1e7c","message":"no \u0070csk_canary_5f1e7c\u001b[2J\u009b\u202e\u2028!"}}"#;
    let request_id = "x-pinecone-request-id";
    [
        ("own-id", refused().header(request_id, KEY)),
        (
            "other-id",
            // The first header is not valid text, so the operator uses the second.
            refused()
                .header(request_id, "\u{e9}")
                .header("x-request-id", format!("{KEY}-1")),
        ),
        ("escaped", text(own)),
        (
            "percent",
            text("no key pcsk%5Fcanary%5f5f1e7c\u{9b}\u{202e}"),
        ),
        ("foreign", text(r#"{"\u0070csk_canary_5f1e7c":"\u001b"}"#)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn encoded_keys_and_control_characters_appear_nowhere() {
    let scene = Scene::new().await;
    scene.pinecone.set_restore_duration(None);
    let mut operator = scene
        .start_with(&["--log-level=trace", "--log-format=json"])
        .await;
    let echoes = encoded_echoes();
    for (name, answer) in echoes.clone() {
        let fault = Fault::new(Route::CreateIndexFromBackup, FaultKind::Status(answer));
        scene.pinecone.inject(fault.mentioning(name).times(1));
    }
    let ids = r#"{"restore_job_id":"\u0070csk_canary_5f1e7c","index_id":"i\u001b\u202e"}"#;
    let ids = StatusAnswer::new(202).body(AnswerBody::Text(ids.into()));
    let ids = FaultKind::Status(ids.after_effect());
    let ids = Fault::new(Route::CreateIndexFromBackup, ids).mentioning("accepted");
    scene.pinecone.inject(ids);
    let mut names: Vec<_> = echoes.iter().map(|(name, _)| *name).collect();
    names.extend(["accepted", "job-id", "job-status"]);
    for name in &names {
        scene.create(name, json!({})).await;
    }
    for name in &names {
        scene.until(name, "Restoring").await;
    }
    let job_of = |name| scene.accepted(name)[0].restore_job_id.clone();
    let describe = |name, answer| {
        let fault = Fault::new(Route::DescribeRestoreJob, answer);
        scene.pinecone.inject(fault.mentioning(job_of(name)))
    };
    let id = describe("job-id", job("\\u0070csk_canary_5f1e7c\\u001b", "Pending"));
    let words = "Pending pcsk_canary\\u005f5f1e7c\\u001b[2J\\u202e";
    let status = describe("job-status", job("j", words));
    scene.until("job-id", "ApiUnavailable").await;
    let shown = |object: &IndexRestore| ready(object).2.contains("Pending [REDACTED]");
    scene.until_that("job-status", shown).await.unwrap();
    let places = all_output(&scene, &mut operator).await;
    for (place, strings) in &places[..2] {
        let text = json!(strings).to_string();
        assert!(text.contains("[REDACTED]"), "no answer is in {place}");
    }
    check(&places);

    scene.pinecone.clear_fault(id);
    scene.pinecone.clear_fault(status);
    let _operator = scene.start().await;
    for name in &names {
        let outcome = pinecone_emulator::JobOutcome::Completed;
        scene.pinecone.finish_job(&job_of(name), outcome).unwrap();
    }
    for name in &names {
        scene.restored_once(name).await;
    }
}

type Place = (&'static str, Vec<Value>);

/// Everything that the operator wrote, after it has stopped.
async fn all_output(scene: &Scene, operator: &mut Running) -> Vec<Place> {
    let metrics = operator.get("/metrics").await.unwrap().1;
    assert!(metrics.contains("indexrestore_"));
    operator.process.terminate().unwrap();
    operator.process.wait_exit(testkit::DEADLINE).await.unwrap();
    let restores = scene.restores.list(&ListParams::default()).await.unwrap();
    let core: Api<CoreEvent> = Api::namespaced(scene.client.clone(), &scene.namespace);
    let core = core.list(&ListParams::default()).await.unwrap();
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| json!(line));
    let logs = operator.process.logs();
    vec![
        ("the logs", logs.lines().map(line).collect()),
        ("a status", vec![json!(restores.items)]),
        ("an event", vec![json!(scene.events().await)]),
        ("a core event", vec![json!(core.items)]),
        ("the metrics", metrics.lines().map(line).collect()),
    ]
}

fn check(places: &[Place]) {
    // These characters of the key are the same in every encoding.
    let is_key = |text: &str| text.contains("canary") || text.contains("5f1e7c");
    let acts = |c: char| c.is_control() || "\u{2028}\u{2029}\u{202e}".contains(c);
    for (place, values) in places {
        assert!(!values.is_empty(), "{place} is empty");
        for value in values {
            // The trace logs of libraries contain line breaks of their own.
            let target = value["target"].as_str().unwrap_or("index_restore_operator");
            let breaks = !target.starts_with("index_restore_operator");
            for text in strings(value) {
                assert!(!is_key(text), "the key is in {place}: {text}");
                let acts = text.contains(|c| acts(c) && !(breaks && c == '\n'));
                assert!(!acts, "a control character is in {place}: {text:?}");
            }
        }
    }
}

/// All strings in a JSON value, decoded.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(members) => members.values().flat_map(strings).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => vec![],
    }
}
