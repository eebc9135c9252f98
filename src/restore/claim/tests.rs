//! The claim against a made-up API server: what each answer to the write means,
//! and that an old claim sends nothing.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use pinecone_emulator::{BackupSeed, Config, DEFAULT_API_KEY, DEFAULT_PROJECT, Emulator};
use serde_json::{Value, json};

use super::*;
use crate::pinecone::{ApiVersion, Endpoint, RequestMetrics};
use crate::runtime::api_server::{client_of, turn};
use crate::runtime::leader::Leadership;

/// What the API server does with the PUT, and what a GET shows after it.
#[derive(Clone)]
struct Fake {
    put: fn(Value) -> (u16, Value),
    get: fn(Value) -> Value,
    seen: Arc<Mutex<Vec<(Method, Value)>>>,
}

async fn answer(State(fake): State<Fake>, method: Method, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    fake.seen
        .lock()
        .unwrap()
        .push((method.clone(), body.clone()));
    let put = fake
        .seen
        .lock()
        .unwrap()
        .iter()
        .rev()
        .find_map(|(method, body)| (method == Method::PUT).then(|| body.clone()));
    let (status, body) = match method {
        Method::PUT => (fake.put)(body),
        _ => (200, (fake.get)(put.unwrap_or_default())),
    };
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

fn object() -> IndexRestore {
    serde_json::from_value(json!({
        "apiVersion": "restore.pinecone.io/v1alpha1",
        "kind": "IndexRestore",
        "metadata": {"name": "r", "namespace": "n", "uid": "u-1", "generation": 3, "resourceVersion": "7"},
        "spec": {"backupId": "b", "indexName": "index", "apiKeySecretRef": {"name": "pinecone"}},
    }))
    .unwrap()
}

async fn take(
    put: fn(Value) -> (u16, Value),
    get: fn(Value) -> Value,
) -> (ClaimOutcome, Vec<(Method, Value)>) {
    let (outcome, seen) = attempt(put, get).await;
    (outcome.unwrap(), seen)
}

async fn attempt(
    put: fn(Value) -> (u16, Value),
    get: fn(Value) -> Value,
) -> (Result<ClaimOutcome, Error>, Vec<(Method, Value)>) {
    let fake = Fake {
        put,
        get,
        seen: Arc::default(),
    };
    let server = Router::new().fallback(answer).with_state(fake.clone());
    let client = client_of(server).await;
    let request = ClaimRequest {
        nonce: "mine".into(),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let api = Api::namespaced(client, "n");
    let outcome = Claim::acquire(turn().await, &api, &object(), &request).await;
    let seen = fake.seen.lock().unwrap().clone();
    (outcome, seen)
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason, "reason": reason, "code": code})
}

fn echo(body: Value) -> (u16, Value) {
    (200, body)
}

fn conflict(_: Value) -> (u16, Value) {
    (409, status(409, "Conflict"))
}

fn forbidden(_: Value) -> (u16, Value) {
    (403, status(403, "Forbidden"))
}

fn pruned(mut body: Value) -> (u16, Value) {
    body["status"].as_object_mut().unwrap().remove("submission");
    (200, body)
}

fn rivals(mut body: Value) -> Value {
    body["status"]["submission"]["nonce"] = json!("theirs");
    body
}

fn same(body: Value) -> Value {
    body
}

#[tokio::test]
async fn wins_a_claim_only_by_a_write_that_shows_it() {
    let (won, seen) = take(echo, same).await;
    assert!(matches!(won, ClaimOutcome::Won(_)));
    assert_eq!(
        seen.len(),
        1,
        "one write and no read: the version is the one that was seen"
    );
    assert_eq!(seen[0].0, Method::PUT);
    assert_eq!(seen[0].1["metadata"]["resourceVersion"], "7");
    assert!(
        matches!(take(pruned, same).await.0, ClaimOutcome::Pruned(_)),
        "an old CRD"
    );
    assert!(
        matches!(take(conflict, rivals).await.0, ClaimOutcome::Lost),
        "a rival was first"
    );
    assert!(
        matches!(take(conflict, same).await.0, ClaimOutcome::Won(_)),
        "our own write, repeated"
    );
}

/// Even where what is read afterwards would show the claim.
#[tokio::test]
async fn does_not_claim_with_a_write_that_is_refused() {
    let (refused, seen) = attempt(forbidden, same).await;
    assert!(refused.is_err_and(|error| error.is_forbidden()));
    assert_eq!(seen.len(), 1, "nothing is read");
}

#[tokio::test]
async fn sends_only_soon_after_the_claim_and_while_leading() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let emulator = Emulator::start(Config::default()).await.unwrap();
    let control = emulator.control();
    let backup = BackupSeed::new("b", "products").id("b");
    control.add_backup(DEFAULT_PROJECT, backup).unwrap();
    let endpoint = Endpoint {
        url: emulator.url(),
        api_version: ApiVersion::V2025_10,
        ca_file: None,
        request_timeout: Duration::from_secs(2),
        requests_per_second: None,
    };
    let pinecone = Client::new(&endpoint, RequestMetrics::default()).unwrap();
    let key = ApiKey::new(DEFAULT_API_KEY.as_bytes()).unwrap();
    let leadership = Leadership::new(Default::default());
    leadership.lead_always();
    let term = leadership.term(BootTime::now()).unwrap();
    let sends = async |began, term| {
        let object = object();
        let used = Claim { object, began }.send(&pinecone, &key, term).await;
        matches!(used.result, SendResult::Posted(_))
    };
    // Begun when the machine started: longer ago than any claim lives.
    let old = BootTime::after_boot(Duration::ZERO);
    assert!(!sends(old, &term).await, "too old");
    assert!(control.requests().is_empty(), "nothing was sent");
    assert!(sends(BootTime::now(), &term).await);
    assert_eq!(control.accepted_creates().len(), 1);
    leadership.update(None, BootTime::now());
    assert!(!sends(BootTime::now(), &term).await, "not leading");
    assert_eq!(control.requests().len(), 1);
}
