//! The API server drops a claim, shows a stale object, or rejects a report. Every answer to every
//! write, other stale views and long outages are in `tests/kubernetes_faults`.

use jiff::SignedDuration;
use pinecone_emulator::{
    Fault as PineconeFault, FaultKind, Request, RetryAfter, Route, StatusAnswer,
};
use serde_json::json;
use testkit::proxied::Proxied;
use testkit::scene::status;
use testkit::{DEADLINE, Fault, Reply, Rule, Treatment, eventually};

/// The API server drops the field, as with an outdated CRD; a real one is in `operation`.
#[tokio::test(flavor = "multi_thread")]
async fn sends_nothing_while_the_crd_drops_the_claim() {
    let proxied = Proxied::new().await;
    let _operator = proxied.scene.start().await;
    let armed = proxied.drop_claims();
    proxied.scene.create("dropped", json!({})).await;
    let object = proxied.until("dropped", "CRDOutdated").await;
    assert_eq!(status(&object).submission, None);
    assert_eq!(proxied.scene.posts(), 0);
    armed.lift();
    let object = proxied.restored_once("dropped").await;
    assert_eq!(proxied.check_claimed(&object).await, 1);
}

/// The object is deleted and recreated while the watch of the operator is frozen.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_on_a_stale_object_is_rejected() {
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
    eventually("the claim got a conflict", DEADLINE, async || {
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

/// A failed write repeats the reconcile, which must not send a request to Pinecone before the
/// Retry-After is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_status_write_does_not_shorten_retry_after() {
    let proxied = Proxied::new().await;
    let _operator = proxied.scene.start().await;
    for code in [409, 500] {
        let name = format!("paused-{code}");
        let answer = StatusAnswer::new(503).retry_after(RetryAfter::Seconds(2));
        let fault = PineconeFault::new(Route::DescribeIndex, FaultKind::Status(answer));
        let pinecone = &proxied.scene.pinecone;
        pinecone.inject(fault.times(1).mentioning(&name));
        let concerned = name.clone();
        let rule = Rule::new(Fault::reply(Reply::Code(code)), move |call| {
            call.writes_status_of("indexrestores") && call.name == concerned
        });
        let armed = proxied.proxy.arm(rule.times(1));
        proxied.scene.create(&name, json!({})).await;
        proxied.restored_once(&name).await;
        assert_eq!(armed.hits(), 1, "the status write did not get {code}");
        let requests = proxied.scene.pinecone.requests();
        let of_index = |r: &&Request| r.route == Route::DescribeIndex && r.path.contains(&name);
        let asked: Vec<_> = requests.iter().filter(of_index).collect();
        assert_eq!(asked[0].status, Some(503));
        let waited = asked[1].time.duration_since(asked[0].time);
        assert!(
            waited >= SignedDuration::from_secs(2),
            "{code}: next request after {waited:#}"
        );
    }
}
