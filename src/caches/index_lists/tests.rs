//! What is asked of Pinecone for restored indexes, by the emulator's own journal.

use std::pin::pin;

use futures::poll;
use pinecone_emulator::{
    Config, Control, DEFAULT_API_KEY, DEFAULT_PROJECT, Emulator, IndexSeed, Route,
};

use super::*;
use crate::pinecone::{ApiVersion, Endpoint, RequestMetrics, SourceBackup};

/// A period that no test sees the end of, and one that is over at once.
const LONG: Duration = Duration::from_secs(10_000_000_000);
const SHORT: Duration = Duration::from_nanos(1);

struct Pinecone {
    _emulator: Emulator,
    control: Control,
    client: Client,
    key: ApiKey,
}

/// Two indexes that are ready, and one that never is.
async fn pinecone() -> Pinecone {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let emulator = Emulator::start(Config::default()).await.unwrap();
    let control = emulator.control();
    let scaling = IndexSeed {
        state: Some("ScalingUp".into()),
        ..IndexSeed::new("scaling")
    };
    for seed in [IndexSeed::new("one"), IndexSeed::new("two"), scaling] {
        control.add_index(DEFAULT_PROJECT, seed).unwrap();
    }
    let endpoint = Endpoint {
        url: emulator.url(),
        api_version: ApiVersion::V2025_10,
        ca_file: None,
        request_timeout: Duration::from_secs(10),
        requests_per_second: None,
    };
    Pinecone {
        client: Client::new(&endpoint, RequestMetrics::default()).unwrap(),
        key: key(DEFAULT_API_KEY),
        control,
        _emulator: emulator,
    }
}

fn key(text: &str) -> ApiKey {
    ApiKey::new(text.as_bytes()).unwrap()
}

fn restored_at(last_confirmed: Option<Timestamp>) -> Restored<'static> {
    Restored {
        index_name: "one",
        host: None,
        last_confirmed,
    }
}

impl Pinecone {
    async fn host(&self, name: &str) -> Option<String> {
        let index = self.client.index(&self.key, name).await.unwrap();
        self.control.clear_requests();
        index.host
    }

    async fn listed(
        &self,
        index_lists: &IndexListCache,
        name: &str,
        host: Option<&str>,
    ) -> Option<Index> {
        let (client, key) = (&self.client, &self.key);
        let restored = Restored {
            index_name: name,
            host,
            last_confirmed: None,
        };
        index_lists.index(client, key, restored).await.unwrap()
    }

    /// What was asked since the last time.
    fn asked(&self) -> Vec<Route> {
        let requests = self.control.requests();
        self.control.clear_requests();
        requests.iter().map(|request| request.route).collect()
    }
}

#[tokio::test]
async fn one_list_a_period_answers_for_every_restored_index_of_a_key() {
    let pinecone = pinecone().await;
    let (one, two) = (pinecone.host("one").await, pinecone.host("two").await);
    assert!(one.is_some() && one != two);
    let index_lists = IndexListCache::new(LONG);
    for (name, host) in [("one", &one), ("two", &two), ("one", &one)] {
        let index = pinecone.listed(&index_lists, name, host.as_deref()).await;
        assert_eq!(index.map(|index| index.name).as_deref(), Some(name));
    }
    assert_eq!(pinecone.asked(), [Route::ListIndexes]);
    let index_lists = IndexListCache::new(SHORT);
    for _ in 0..2 {
        pinecone.listed(&index_lists, "one", one.as_deref()).await;
    }
    assert_eq!(pinecone.asked(), [Route::ListIndexes; 2]);
}

/// The list may be as old as the period, and an index may have become ready, gone or
/// been replaced since.
#[tokio::test]
async fn uses_the_list_only_if_it_shows_a_healthy_index() {
    let pinecone = pinecone().await;
    let one = pinecone.host("one").await;
    let scaling = pinecone.host("scaling").await;
    let index_lists = IndexListCache::new(LONG);
    pinecone.listed(&index_lists, "one", one.as_deref()).await;
    assert_eq!(pinecone.asked(), [Route::ListIndexes]);
    for (name, host, is_there) in [
        ("one", Some("another.host"), true),
        ("one", None, true),
        ("scaling", scaling.as_deref(), true),
        ("never", None, false),
    ] {
        let index = pinecone.listed(&index_lists, name, host).await;
        assert_eq!(index.is_some(), is_there, "{name} {host:?}");
        assert_eq!(pinecone.asked(), [Route::DescribeIndex], "{name} {host:?}");
    }
}

/// The status has cut off the fraction of the second in which the restore was complete.
#[test]
fn ignores_a_list_of_the_second_in_which_the_restore_completed() {
    let at = |millis| Timestamp::from_millisecond(millis).unwrap();
    for (read, expected) in [
        (1_999, false),
        (2_000, false),
        (2_900, false),
        (3_000, true),
    ] {
        let restored = restored_at(Some(at(2_000)));
        assert_eq!(is_after(at(read), restored), expected, "{read}");
    }
    assert!(is_after(at(0), restored_at(None)));
}

#[test]
fn an_index_without_a_host_matches_a_record_without_one() {
    let index = Index {
        name: "one".into(),
        host: None,
        health: IndexHealth::Ready,
        word: "Ready".into(),
        source: SourceBackup::NotShown,
        tags: [].into(),
        is_protected: false,
    };
    assert!(is_at(&index, None) && is_at(&index, Some("")));
    assert!(!is_at(&index, Some("host")));
}

#[tokio::test]
async fn drops_the_list_of_an_unused_api_key() {
    let pinecone = pinecone().await;
    let other = key("another");
    for (period, kept) in [(LONG, 2), (SHORT, 1)] {
        let index_lists = IndexListCache::new(period);
        pinecone.listed(&index_lists, "one", None).await;
        index_lists.cell(other.id()).await;
        assert_eq!(index_lists.cells.lock().await.len(), kept, "{period:?}");
    }
    let index_lists = IndexListCache::new(LONG);
    let in_use = index_lists.cell(pinecone.key.id()).await;
    index_lists.cell(other.id()).await;
    assert_eq!(index_lists.cells.lock().await.len(), 2, "somebody reads it");
    drop(in_use);
    index_lists.cell(other.id()).await;
    assert_eq!(index_lists.cells.lock().await.len(), 1, "nobody read it");
}

#[tokio::test]
async fn few_lists_are_read_at_the_same_time() {
    let pinecone = pinecone().await;
    let index_lists = IndexListCache::new(LONG);
    let others = index_lists.reads.acquire_many(MOST_READ as u32);
    let others = others.await.unwrap();
    let mut listed = pin!(pinecone.listed(&index_lists, "one", None));
    for _ in 0..1_000 {
        assert!(poll!(&mut listed).is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(pinecone.asked(), []);
    drop(others);
    listed.await;
    assert_eq!(pinecone.asked()[..1], [Route::ListIndexes]);
}

#[tokio::test]
async fn lists_that_hang_hold_back_others_for_a_short_time_only() {
    let pinecone = pinecone().await;
    let index_lists = IndexListCache::new(LONG);
    let hanging = index_lists.reads.acquire_many(MOST_READ as u32);
    let _hanging = hanging.await.unwrap();
    pinecone.listed(&index_lists, "one", None).await;
    assert_eq!(pinecone.asked()[..1], [Route::ListIndexes]);
}
