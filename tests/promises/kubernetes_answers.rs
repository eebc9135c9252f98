//! What the API server may answer to a claim and to the record of the IDs; the
//! other writes, old views and long silences are in `tests/kubernetes_faults`.

use jiff::SignedDuration;
use pinecone_emulator::{
    Fault as PineconeFault, FaultKind, Request, RetryAfter, Route, StatusAnswer,
};
use serde_json::json;
use testkit::api_answers::{Write, prompt, run};
use testkit::proxied::Proxied;
use testkit::scene::status;
use testkit::{DEADLINE, Fault, Reply, Rule, Treatment, eventually};

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

/// The pass is repeated after a write that came to nothing, and must not ask Pinecone
/// before the time that it named.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_does_not_shorten_the_pause_that_pinecone_asked_for() {
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
        assert_eq!(armed.hits(), 1, "the report was not met by {code}");
        let requests = proxied.scene.pinecone.requests();
        let of_index = |r: &&Request| r.route == Route::DescribeIndex && r.path.contains(&name);
        let asked: Vec<_> = requests.iter().filter(of_index).collect();
        assert_eq!(asked[0].status, Some(503));
        let waited = asked[1].time.duration_since(asked[0].time);
        assert!(
            waited >= SignedDuration::from_secs(2),
            "{code}: asked again after {waited:#}"
        );
    }
}
