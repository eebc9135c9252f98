//! How often the Secret is read, by an API server that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use futures::future::join_all;
use serde_json::json;

use super::*;
use crate::runtime::api_server::client_of;

/// The key that the Secret holds, in Base64; `None`: there is no Secret.
type Stored = Arc<Mutex<Option<&'static str>>>;

const FIRST: &str = "Zmlyc3Q=";
const SECOND: &str = "c2Vjb25k";

struct Fake {
    stored: Stored,
    reads: Arc<AtomicU32>,
    cache: ApiKeyCache,
}

impl Fake {
    async fn of(key: Option<&'static str>) -> Self {
        let stored = Stored::new(Mutex::new(key));
        let reads = Arc::new(AtomicU32::new(0));
        let (shared, counted) = (Arc::clone(&stored), Arc::clone(&reads));
        let server = Router::new().fallback(async move || {
            counted.fetch_add(1, Ordering::Relaxed);
            answer(*shared.lock().unwrap())
        });
        Self {
            stored,
            reads,
            cache: ApiKeyCache::new(client_of(server).await),
        }
    }

    async fn get(&self) -> Result<ApiKey, KeyProblem> {
        self.cache.get("n", &reference()).await.unwrap()
    }

    /// Reads with a Pinecone that rejects all keys but the second.
    async fn read(&self) -> bool {
        let second = ApiKey::new(b"second").unwrap().id();
        let read = |key: ApiKey| async move { Ok(key.id() == second) };
        let reference = reference();
        let is_rejected = |is_accepted: &bool| !is_accepted;
        let read = self.cache.read_with("n", &reference, read, is_rejected);
        read.await.unwrap().unwrap().0
    }

    fn reads(&self) -> u32 {
        self.reads.load(Ordering::Relaxed)
    }
}

fn reference() -> ApiKeySecretRef {
    serde_json::from_value(json!({"name": "s"})).unwrap()
}

fn answer(key: Option<&str>) -> Response {
    match key {
        Some(key) => axum::Json(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
            "data": {"api-key": key},
        }))
        .into_response(),
        None => {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                "reason": "NotFound", "code": 404, "message": "not found"});
            (StatusCode::NOT_FOUND, axum::Json(status)).into_response()
        }
    }
}

#[tokio::test]
async fn reads_a_secret_once_for_all_who_ask_together() {
    for key in [Some(FIRST), None] {
        let fake = Fake::of(key).await;
        let found = join_all((0..20).map(|_| fake.get())).await;
        assert!(found.iter().all(|found| found.is_ok() == key.is_some()));
        assert_eq!(fake.reads(), 1, "{key:?}");
    }
}

#[tokio::test]
async fn reads_the_secret_of_a_rejected_key_again_once() {
    let fake = Fake::of(Some(FIRST)).await;
    for _ in 0..10 {
        assert!(!fake.read().await);
    }
    assert_eq!(fake.reads(), 2);
}

#[tokio::test]
async fn picks_up_a_rotated_key_as_soon_as_the_former_is_rejected() {
    let fake = Fake::of(Some(FIRST)).await;
    assert!(fake.get().await.is_ok());
    *fake.stored.lock().unwrap() = Some(SECOND);
    assert!(fake.read().await);
    assert!(fake.read().await);
    assert_eq!(fake.reads(), 2);
}

#[test]
fn a_missing_key_is_read_again_less_and_less_often() {
    let read = BootTime::after_boot(Duration::from_secs(100));
    let expires = |found: Result<ApiKey, KeyProblem>, misses| {
        let entry = Entry {
            read,
            found,
            misses,
            reread: None,
        };
        entry.expires().since(read).as_secs()
    };
    let absent = || Err(KeyProblem::NoSecret("s".into()));
    let waits: Vec<_> = (1..7).map(|misses| expires(absent(), misses)).collect();
    assert_eq!(waits, [2, 4, 8, 16, 20, 20]);
    assert_eq!(expires(Ok(ApiKey::new(b"a").unwrap()), 0), 20);
}
