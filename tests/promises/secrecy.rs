//! The API key is nowhere but in the Secret and in the header.

use k8s_openapi::api::core::v1::Event as CoreEvent;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;
use pinecone_emulator::{AnswerBody, Fault, FaultKind, Route, StatusAnswer};
use serde_json::json;

use crate::scene::{KEY, Scene};

/// What a careless server might do: send the key back in its error.
fn echo() -> FaultKind {
    let body = AnswerBody::Text(format!("no such key: {KEY}"));
    FaultKind::Status(StatusAnswer::new(401).body(body))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_key_is_in_no_log_event_status_or_metric() {
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
    let metrics = operator.get("/metrics").await.unwrap().1;
    operator.process.terminate().unwrap();
    operator.process.wait_exit(harness::DEADLINE).await.unwrap();

    let restores = scene.restores.list(&ListParams::default()).await.unwrap();
    let events: Api<Event> = Api::namespaced(scene.client.clone(), &scene.namespace);
    let core: Api<CoreEvent> = Api::namespaced(scene.client.clone(), &scene.namespace);
    let logs = operator.process.logs();
    // The search itself must be able to find something.
    assert!(logs.contains("\"indexrestore\":\"good\"") && metrics.contains("indexrestore_"));
    for (place, text) in [
        ("the logs", logs),
        ("the metrics", metrics),
        ("a status", serde_json::to_string(&restores.items).unwrap()),
        (
            "an event",
            json!(events.list(&ListParams::default()).await.unwrap().items).to_string(),
        ),
        (
            "a core event",
            json!(core.list(&ListParams::default()).await.unwrap().items).to_string(),
        ),
    ] {
        assert!(text.len() > 100, "{place} has nothing to search");
        let hidden = text.contains(KEY) || text.contains("canary");
        assert!(!hidden, "the key is in {place}");
    }
}
