//! What the API server may answer to a claim and to the record of the IDs; the
//! other writes, old views and long silences are in `tests/kubernetes_faults`.

use harness::{DEADLINE, Fault, Rule, Treatment, eventually};
use serde_json::json;

use crate::cells::{Write, prompt, run};
use crate::proxied::Proxied;
use crate::scene::status;

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_answered_in_every_way_sends_one_request() {
    assert_eq!(run(Write::Claim, &prompt()).await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_answered_in_every_way_is_written_once() {
    assert_eq!(run(Write::Record, &prompt()).await, 20);
}

/// As an old CRD does; the real one is in `admission`.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_dropped_sends_nothing_until_the_crd_is_replaced() {
    let proxied = Proxied::new().await;
    let _operator = proxied.scene.start().await;
    let armed = proxied
        .proxy
        .arm(Rule::new(Fault::prune("/status/submission"), |call| {
            call.writes_status_of("indexrestores")
        }));
    proxied.scene.create("dropped", json!({})).await;
    let object = proxied.until("dropped", "CRDOutdated").await;
    assert_eq!(status(&object).submission, None);
    assert_eq!(proxied.scene.posts(), 0);
    armed.lift();
    let object = proxied.restored_once("dropped").await;
    assert_eq!(proxied.check_claimed(&object).await, 1);
}

/// Deleted and made again, and the one replica does not see it.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_on_an_old_view_loses() {
    let proxied = Proxied::new().await;
    proxied
        .scene
        .create("old", json!({"backupId": "late"}))
        .await;
    let _operator = proxied.scene.start().await;
    proxied.until("old", "BackupNotFound").await;
    proxied.freeze(&proxied.proxy).await;
    proxied.scene.delete("old").await;
    proxied
        .scene
        .create("old", json!({"backupId": "late"}))
        .await;
    let backup = pinecone_emulator::BackupSeed::new("nightly", "products").id("late");
    let project = pinecone_emulator::DEFAULT_PROJECT;
    proxied.scene.pinecone.add_backup(project, backup).unwrap();
    eventually("its claim is refused", DEADLINE, async || {
        let journal = proxied.proxy.journal();
        Ok(journal.iter().any(|seen| seen.code == 409).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(proxied.scene.posts(), 0);
    proxied.proxy.show(None);
    proxied.proxy.treat(|_| Treatment::Pass);
    proxied.restored_once("old").await;
}
