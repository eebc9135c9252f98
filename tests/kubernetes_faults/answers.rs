//! Every write of a restore, answered in every way.

use serde_json::json;
use testkit::api_answers::{Answer, Write, lasting, prompt, run};
use testkit::judge::records::{OWN_IDS, RECORDED};
use testkit::judge::rules::{ATTEMPTS, CLAIM_STAYS};
use testkit::proxied::{Proxied, posts};
use testkit::scene::{ready, status};
use testkit::{DEADLINE, Fault, Rule, eventually};

/// Of the Lease, so that many can follow one another.
const TIMING: [&str; 4] = [
    "--leader-elect=true",
    "--leader-elect-lease-duration=3s",
    "--leader-elect-renew-deadline=2s",
    "--leader-elect-retry-period=300ms",
];

fn all() -> Vec<Answer> {
    let mut answers = prompt();
    answers.extend(lasting());
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn reports() {
    assert_eq!(run(Write::Report, &all()).await, 29);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims() {
    assert_eq!(run(Write::Claim, &all()).await, 29);
}

#[tokio::test(flavor = "multi_thread")]
async fn records() {
    assert_eq!(run(Write::Record, &all()).await, 29);
}

#[tokio::test(flavor = "multi_thread")]
async fn ends() {
    assert_eq!(run(Write::Finish, &all()).await, 29);
}

#[tokio::test(flavor = "multi_thread")]
async fn events() {
    assert_eq!(run(Write::Event, &all()).await, 29);
}

#[tokio::test(flavor = "multi_thread")]
async fn renewals_of_the_lease() {
    let proxied = Proxied::new().await;
    let operator = proxied.scene.start_with(&TIMING).await;
    let answers = all();
    for (n, answer) in answers.iter().enumerate() {
        let rule = Rule::new(answer.fault.clone(), |call| {
            call.method == "PUT" && call.resource == "leases"
        });
        let armed = proxied.proxy.arm(rule.times(answer.times));
        let met = eventually("the lease is being renewed", DEADLINE, async || {
            Ok((armed.hits() > 0).then_some(()))
        });
        met.await.unwrap();
        let name = format!("l{n:02}-{}", answer.label);
        proxied.scene.create(&name, json!({})).await;
        proxied.restored_once(&name).await;
        armed.lift();
    }
    eventually("it leads", DEADLINE, async || {
        let (_, text) = operator.get("/metrics").await?;
        Ok(text.contains("indexrestore_leader 1\n").then_some(()))
    })
    .await
    .unwrap();
    println!("Lease: {} cells, each followed by a restore", answers.len());
}

/// An old CRD: what it drops is not stored, and the answer says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_dropped_sends_nothing() {
    let proxied = Proxied::new().await;
    let _operator = proxied.scene.start().await;
    let armed = proxied.drop_claims();
    let names: Vec<String> = (0..4).map(|n| format!("old-{n}")).collect();
    for name in &names {
        proxied.scene.create(name, json!({})).await;
    }
    for name in &names {
        let object = proxied.until(name, "CRDOutdated").await;
        assert_eq!(status(&object).submission, None);
    }
    // It looks again now and then, and must not send then either.
    let before = armed.hits();
    eventually("it has tried again", DEADLINE, async || {
        Ok((armed.hits() >= before + 4).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(proxied.scene.posts(), 0);
    armed.lift();
    for name in &names {
        let object = proxied.restored_once(name).await;
        assert_eq!(proxied.check_claimed(&object).await, 1);
    }
    println!("pruned claim: {} cells, nothing sent", names.len());
}

/// The CRD is replaced by an old one while the request is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_dropped_creates_nothing_again() {
    let proxied = Proxied::new().await;
    let _operator = proxied.scene.start().await;
    // What the old CRD drops, nobody has recorded.
    for rule in [ATTEMPTS, CLAIM_STAYS, OWN_IDS] {
        proxied.scene.waive("submission", rule);
    }
    proxied.scene.waive("job", RECORDED);
    let cases = [
        ("submission", "/status/submission"),
        ("job", "/status/restoreJobId"),
        ("restore", "/status/restore"),
    ];
    let mut rules = Vec::new();
    for (name, pointer) in cases {
        rules.push(
            proxied
                .proxy
                .arm(Rule::new(Fault::prune(pointer), move |call| {
                    Write::Record.concerns(call, name) || Write::Finish.concerns(call, name)
                })),
        );
        proxied.scene.create(name, json!({})).await;
    }
    for ((name, _), rule) in cases.iter().zip(&rules) {
        eventually("it was dropped", DEADLINE, async || {
            Ok((rule.hits() > 1).then_some(()))
        })
        .await
        .unwrap_or_else(|error| panic!("{name}: {error:#}"));
        rule.lift();
    }
    for (name, _) in cases {
        let object = proxied.scene.until_that(name, |object| {
            ["Restored", "Adopted"].contains(&ready(object).1.as_str())
        });
        let object = object
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:#}"));
        proxied.scene.check_recorded_once(&object);
        assert_eq!(posts(&proxied.scene, name).len(), 1);
    }
    println!("pruned record: {} cells, each restored once", cases.len());
}
