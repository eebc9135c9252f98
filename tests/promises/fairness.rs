//! No tenant waits for another: one API key, Secret, hanging request or namespace does not delay
//! the restores of others.

use std::sync::Arc;
use std::time::Duration;

use index_restore_operator::api::SubmissionOutcome;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use pinecone_emulator::{
    BackupSeed, Fault as PineconeFault, FaultKind, Project, RequestLimit, Route,
};
use serde_json::json;
use testkit::proxied::Proxied;
use testkit::scene::{BACKUP, PATIENT, Running, Scene, ready};
use testkit::{Armed, DEADLINE, Fault, Reply, Rule, eventually};

/// Adds a tenant: a project with a key, the backup and a Secret of its own name.
async fn tenant(scene: &Scene, name: &str) {
    let key = format!("pcsk_{name}");
    let project = Project::new(name, &key);
    scene.pinecone.add_project(project).unwrap();
    let backup = BackupSeed::new("nightly", "products").id(BACKUP);
    scene.pinecone.add_backup(name, backup).unwrap();
    scene.put_secret(name, "api-key", &key).await;
}

async fn create(scene: &Scene, secret: &str, names: &[String]) {
    for name in names {
        let reference = json!({"apiKeySecretRef": {"name": secret}});
        scene.create(name, reference).await;
    }
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}-{n}")).collect()
}

async fn are(scene: &Scene, names: &[String], reason: &str) {
    for name in names {
        scene.until(name, reason).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_restores_with_a_rejected_key_do_not_delay_other_keys() {
    let scene = Scene::new().await;
    scene.put_secret("wrong", "api-key", "pcsk_wrong").await;
    tenant(&scene, "right").await;
    let wrong = names("wrong", 600);
    create(&scene, "wrong", &wrong).await;
    let _operator = scene.start().await;
    are(&scene, &wrong, "InvalidApiKey").await;
    let right = names("right", 10);
    create(&scene, "right", &right).await;
    are(&scene, &right, "Restored").await;
}

/// One request for the list is open, and no other restore waits for it or sends another.
#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_list_of_one_key_delays_no_other_key_and_is_sent_once() {
    let scene = Scene::new().await;
    for name in ["hanging", "fine"] {
        tenant(&scene, name).await;
    }
    let operator = scene.start_with(&["--poll-max=1s"]).await;
    let finished = names("finished", 20);
    create(&scene, "hanging", &finished).await;
    are(&scene, &finished, "Restored").await;
    let hang = FaultKind::DelayAnswer(Duration::from_secs(600));
    let hang = PineconeFault::new(Route::ListIndexes, hang).in_project("hanging");
    let hang = scene.pinecone.inject(hang);
    let hits = || scene.pinecone.fault_hits(hang);
    eventually("the list is requested", DEADLINE, async || {
        Ok((hits() > 0).then_some(()))
    })
    .await
    .unwrap();
    let fine = names("fine", 5);
    create(&scene, "fine", &fine).await;
    are(&scene, &fine, "Restored").await;
    assert_eq!(hits(), 1, "{}", operator.process.logs());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_is_read_once_for_all_restores_that_name_it() {
    let proxied = Proxied::new().await;
    let scene = &proxied.scene;
    let _operator = scene.start().await;
    let lacking = names("lacking", 60);
    create(scene, "absent", &lacking).await;
    are(scene, &lacking, "SecretNotFound").await;
    let journal = proxied.proxy.journal();
    let reads = journal.iter().filter(|seen| seen.call.name == "absent");
    let reads = reads.count();
    assert!(reads <= 8, "{reads} reads of the Secret");
    tenant(scene, "absent").await;
    are(scene, &lacking[..3], "Restored").await;
    let secrets: Api<Secret> = Api::namespaced(scene.client.clone(), &scene.namespace);
    assert!(secrets.get_opt("absent").await.unwrap().is_some());
}

/// Makes the API server refuse the records of restores named `refused…`, until it is lifted.
fn refuse_records(proxied: &Proxied) -> Arc<Armed> {
    let refused = Fault::reply(Reply::Code(422));
    proxied.proxy.arm(Rule::new(refused, |call| {
        let is_record = call.body["status"]["submission"]["outcome"] == "Accepted";
        call.writes_status_of("indexrestores") && call.name.starts_with("refused") && is_record
    }))
}

/// The places of one key, and one more.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_the_api_server_refuses_do_not_delay_other_restores() {
    let proxied = Proxied::new().await;
    let refused = refuse_records(&proxied);
    let _operator = proxied.scene.start().await;
    let lost = names("refused", 10);
    create(&proxied.scene, "pinecone", &lost).await;
    for name in &lost {
        proxied.scene.until_accepted(name).await;
    }
    proxied.scene.create("fine", json!({})).await;
    proxied.restored_once("fine").await;
    refused.lift();
    for name in &lost {
        proxied.restored_once(name).await;
    }
}

/// The record is retried by the process that sent the request, and it ends all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_does_not_wait_for_a_record_without_end() {
    let proxied = Proxied::new().await;
    let refused = refuse_records(&proxied);
    let mut operator = proxied.scene.start().await;
    proxied.scene.create("refused", json!({})).await;
    proxied.scene.until_accepted("refused").await;
    operator.process.terminate().unwrap();
    let exit = operator.process.wait_exit(DEADLINE).await.unwrap();
    assert!(exit.success(), "{}", operator.process.logs());
    refused.lift();
    let _next = proxied.scene.start().await;
    proxied.restored_once("refused").await;
}

async fn readyz(operator: &Running) -> (u16, String) {
    operator.get("/readyz").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_without_its_role_does_not_stop_the_others_and_recovers() {
    let proxied = Proxied::new().await;
    let other = Scene::new().await;
    other.visits(&proxied.scene);
    let key = testkit::scene::KEY;
    other.put_secret("pinecone", "api-key", key).await;
    for lacking in [other.namespace.clone(), proxied.scene.namespace.clone()] {
        let of = lacking.clone();
        let forbidden = Rule::new(Fault::reply(Reply::Code(403)), move |call| {
            call.resource == "indexrestores" && call.namespace == of && call.name.is_empty()
        });
        let forbidden = proxied.proxy.arm(forbidden);
        let both = format!("{},{}", other.namespace, proxied.scene.namespace);
        let operator = proxied
            .scene
            .start_with(&["--watch-namespace", &both])
            .await;
        let (served, lacks) = match lacking == other.namespace {
            true => (&proxied.scene, &other),
            false => (&other, &proxied.scene),
        };
        let (name, late) = (
            format!("in-{}", served.namespace),
            format!("late-{}", lacks.namespace),
        );
        served.create(&name, json!({})).await;
        served.until(&name, "Restored").await;
        let (code, text) = readyz(&operator).await;
        assert!(code == 200 && text.contains(&lacking), "{code} {text}");
        let (_, metrics) = operator.get("/metrics").await.unwrap();
        assert!(
            metrics.contains("indexrestore_forbidden_namespaces 1\n"),
            "{metrics}"
        );
        assert!(operator.process.logs().contains("cannot be watched"));
        forbidden.lift();
        lacks.create(&late, json!({})).await;
        let object = lacks.until(&late, "Restored").await;
        assert_eq!(ready(&object).0, "True");
        assert_eq!(readyz(&operator).await, (200, "ok".to_owned()));
    }
}

/// As many status writes as the operator makes at a time are not answered, for as long as it waits for
/// them. A claim that comes then is not written until they are over, and must not be too old after that.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_waits_for_a_slow_api_server_is_not_too_old() {
    const CALLS: usize = 32;
    let proxied = Proxied::new().await;
    let scene = &proxied.scene;
    let silent = Fault::reply(Reply::Silence);
    let hanging = proxied.proxy.arm(Rule::new(silent, |call| {
        call.writes_status_of("indexrestores") && call.name.starts_with("hangs")
    }));
    let _operator = scene.start_with(&PATIENT).await;
    // Its claim is due when all calls hang, and the Secret, which is another call, was read before.
    let late = FaultKind::DelayAnswer(Duration::from_secs(8));
    scene
        .pinecone
        .inject(PineconeFault::new(Route::DescribeIndex, late).mentioning("waits"));
    let hang: Vec<_> = (0..CALLS / 8)
        .map(|n| (format!("tenant-{n}"), names(&format!("hangs-{n}"), 8)))
        .collect();
    for (secret, _) in &hang {
        tenant(scene, secret).await;
    }
    scene.create("waits", json!({})).await;
    scene.until_asked(Route::DescribeIndex, 1).await;
    for (secret, names) in &hang {
        create(scene, secret, names).await;
    }
    scene.until_accepted("waits").await;
    hanging.lift();
    proxied.restored_once("waits").await;
    let versions = scene.history().versions("waits").into_iter();
    let mut outcomes = versions.filter_map(|version| Some(version.status?.submission?.outcome));
    assert!(outcomes.all(|outcome| outcome != SubmissionOutcome::Unsent));
    for name in hang.iter().flat_map(|(_, names)| names) {
        proxied.restored_once(name).await;
    }
}

/// Pinecone allows ten requests a second, and answers 429 beyond, with and without Retry-After.
#[tokio::test(flavor = "multi_thread")]
async fn adapts_to_the_rate_that_pinecone_allows() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    for (name, retry_after) in [("bare", None), ("asking", Some(1))] {
        tenant(&scene, name).await;
        let limit = RequestLimit {
            per_second: 10.0,
            retry_after,
        };
        scene.pinecone.limit_requests(name, Some(limit)).unwrap();
        let limited = names(name, 60);
        create(&scene, name, &limited).await;
        are(&scene, &limited, "Restored").await;
        let requests = scene.pinecone.requests();
        let own = requests
            .iter()
            .filter(|r| r.project.as_deref() == Some(name));
        let (all, refused) = own.fold((0, 0), |(all, refused), request| {
            (all + 1, refused + usize::from(request.status == Some(429)))
        });
        assert!(
            refused * 10 <= all,
            "{name}: {refused} of {all} requests were answered 429"
        );
    }
}

/// The places of the key are taken, by requests that take long.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_waits_for_its_key_says_so() {
    let scene = Scene::new().await;
    let _operator = scene.start_with(&PATIENT).await;
    let slow = FaultKind::DelayAnswer(Duration::from_secs(15));
    let slow = scene
        .pinecone
        .inject(PineconeFault::new(Route::DescribeBackup, slow));
    let all = names("many", 24);
    create(&scene, "pinecone", &all).await;
    let waits = scene.until_that(&all[23], |object| {
        ready(object)
            .2
            .contains("use the API key in Secret \"pinecone\"")
    });
    assert_eq!(ready(&waits.await.unwrap()).1, "Pending");
    // As many as there are places: each passes its turn on.
    let (deleted, kept): (Vec<_>, Vec<_>) = (all[8..16].to_vec(), [&all[..8], &all[16..]].concat());
    for name in &deleted {
        scene.delete(name).await;
    }
    scene.pinecone.clear_fault(slow);
    are(&scene, &kept, "Restored").await;
}
