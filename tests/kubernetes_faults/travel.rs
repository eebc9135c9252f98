//! A cache that shows what was: its claims lose, and nothing is sent.

use http::Method;
use index_restore_operator::api::IndexRestore;
use pinecone_emulator::{BackupSeed, DEFAULT_PROJECT};
use serde_json::{Value, json};
use testkit::proxied::{Proxied, posts};
use testkit::{DEADLINE, Treatment, eventually};

/// What a list said when these objects were like that.
fn list(versions: &[IndexRestore]) -> Value {
    let oldest = versions.iter().map(|version| {
        let version = version.metadata.resource_version.as_deref().unwrap();
        version.parse::<u64>().unwrap()
    });
    json!({
        "apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestoreList",
        "metadata": {"resourceVersion": oldest.min().unwrap().to_string()},
        "items": versions,
    })
}

/// How many writes to those objects the API server answered with that code.
fn writes(proxied: &Proxied, name: &str, code: u16) -> usize {
    let journal = proxied.proxy.journal();
    let writes = journal.iter().filter(|seen| {
        seen.call.method == Method::PUT && seen.call.name == name && seen.code == code
    });
    writes.count()
}

/// Restored, seen created, reported, claimed and recorded; and the same with an
/// index that somebody deleted since, so that the name is free to a stale eye.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_starts_one_to_four_writes_behind_sends_nothing() {
    let proxied = Proxied::new().await;
    let mut first = proxied.scene.start().await;
    let mut shown = Vec::new();
    for n in 0..8 {
        let name = format!("behind-{n}");
        proxied.create_with_report(&name, &format!("b{n}-")).await;
        let object = proxied.restored_once(&name).await;
        let versions = proxied.scene.history().up_to(&object).await.unwrap();
        assert!(versions.len() >= 5, "{versions:#?}");
        shown.push(versions[n % 4].clone());
    }
    first.process.kill().unwrap();
    for n in 4..8 {
        let pinecone = &proxied.scene.pinecone;
        let name = format!("behind-{n}");
        pinecone.delete_index(DEFAULT_PROJECT, &name).unwrap();
    }
    let posted = proxied.scene.posts();
    proxied.proxy.show(Some(list(&shown)));
    proxied.proxy.treat(|_| Treatment::Hold);
    let _second = proxied.scene.start().await;
    for n in 0..8 {
        let name = format!("behind-{n}");
        eventually("a write lost", DEADLINE, async || {
            Ok((writes(&proxied, &name, 409) > 0).then_some(()))
        })
        .await
        .unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
    assert_eq!(proxied.scene.posts(), posted);
    proxied.thaw();
    proxied.proxy.expire_watches();
    for n in 0..8 {
        let reason = if n < 4 { "Restored" } else { "IndexDeleted" };
        let object = proxied.until(&format!("behind-{n}"), reason).await;
        proxied.scene.check_recorded_once(&object);
        assert_eq!(proxied.check_claimed(&object).await, 1);
    }
    println!("time travel: 8 cells, each sent once");
}

/// Both replicas see the restores wait for their backup; one of them goes on
/// seeing that.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_sees_only_the_past_loses_every_claim() {
    let proxied = Proxied::new().await;
    let names: Vec<String> = (0..8).map(|n| format!("past-{n}")).collect();
    let _first = proxied.start_with_late(&names).await;
    let (behind, _second) = proxied.rival().await;
    proxied.until_late(&names).await;
    proxied.freeze(&behind).await;
    let backup = BackupSeed::new("nightly", "products").id("late");
    let pinecone = &proxied.scene.pinecone;
    pinecone.add_backup(DEFAULT_PROJECT, backup).unwrap();
    for name in &names {
        let object = proxied.until(name, "Restored").await;
        proxied.scene.check_recorded_once(&object);
        assert_eq!(posts(&proxied.scene, name).len(), 1);
    }
    eventually("the one in the past has lost", DEADLINE, async || {
        Ok(behind
            .journal()
            .iter()
            .any(|seen| seen.code == 409)
            .then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(proxied.scene.posts(), names.len());
    println!("one replica in the past: {} cells", names.len());
}
