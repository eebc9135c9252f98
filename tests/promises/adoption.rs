//! Adoption of an index that was restored earlier, and the differences from the spec that are reported.

use std::time::Duration;

use index_restore_operator::api::{IndexRestore, SubmissionOutcome};
use pinecone_emulator::{DEFAULT_PROJECT, Fault, FaultKind, Route};
use serde_json::json;
use testkit::judge::rules::ENDS_STAY;
use testkit::scene::{KEY, Scene, conditions, ready, status};
use testkit::{DEADLINE, eventually};

const CREATE: Route = Route::CreateIndexFromBackup;

/// Enables the deletion protection of an index, as a user does.
async fn protect(scene: &Scene, name: &str) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/indexes/{name}", scene.emulator_url());
    let patch = client.patch(url).header("Api-Key", KEY);
    let body = json!({"deletion_protection": "enabled"}).to_string();
    let patch = patch.header("Content-Type", "application/json").body(body);
    assert_eq!(patch.send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_how_an_adopted_index_differs_and_requires_its_deletion_protection() {
    let scene = Scene::new().await;
    // A user protects the index afterwards.
    scene.waive("differs", ENDS_STAY);
    let _operator = scene.start().await;
    scene.create("differs", json!({})).await;
    scene.restored_once("differs").await;
    scene.delete("differs").await;
    let tags = json!({"team": "ads", "tier": "gold"});
    let spec = json!({"deletionProtection": "Enabled", "tags": tags});
    scene.create("differs", spec).await;

    let object = scene.until("differs", "DeletionProtectionMismatch").await;
    let expected = ["Ready=False", "Stalled=True", "Succeeded=True"];
    assert_eq!(conditions(&object), expected);
    let of_tags = [
        "tag team is \"search\" instead of \"ads\"",
        "tag tier is absent",
    ];
    let of_protection = "deletionProtection is Disabled instead of Enabled";
    let names = |object: &IndexRestore, words: &str| ready(object).2.contains(words);
    assert!(names(&object, of_protection), "{:?}", ready(&object));
    assert!(
        of_tags.iter().all(|words| names(&object, words)),
        "{:?}",
        ready(&object)
    );

    protect(&scene, "differs").await;
    let object = scene.until("differs", "Adopted").await;
    assert_eq!(conditions(&object), ["Ready=True", "Succeeded=True"]);
    assert!(
        of_tags.iter().all(|words| names(&object, words)),
        "{:?}",
        ready(&object)
    );
    assert!(
        !names(&object, "deletionProtection"),
        "{:?}",
        ready(&object)
    );
    scene.check_recorded_once(&object);
    assert_eq!(scene.posts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_adopt_an_earlier_restore_that_failed() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let cases = [
        ("failed", FaultKind::JobFails, "RestoreFailed"),
        ("cancelled", FaultKind::JobCancelled, "RestoreCancelled"),
    ];
    for (name, kind, _) in &cases {
        let fault = Fault::new(CREATE, kind.clone()).mentioning(*name);
        scene.pinecone.inject(fault.times(1));
        scene.create(name, json!({})).await;
    }
    for (name, _, reason) in &cases {
        scene.until(name, reason).await;
        scene.delete(name).await;
        scene.create(name, json!({})).await;
        let object = scene.until(name, "IndexAlreadyExists").await;
        let expected = ["Ready=False", "Stalled=True", "Succeeded=False"];
        assert_eq!(conditions(&object), expected);
        let job = &scene.accepted(name)[0].restore_job_id;
        let message = ready(&object).2;
        assert!(
            message.contains(job) && message.contains("Delete that index"),
            "{message}"
        );
        assert_eq!(status(&object).restore_job_id, None);
    }
    assert_eq!(
        scene.posts(),
        cases.len(),
        "no request was sent for the recreated objects"
    );
    for (name, ..) in &cases {
        let edit = json!({"spec": {"tags": {"team": "ads"}}});
        scene.patch(name, edit).await.unwrap();
        scene.until(name, "IndexAlreadyExists").await;
        scene.pinecone.delete_index(DEFAULT_PROJECT, name).unwrap();
        let object = scene.until(name, "Restored").await;
        let creates = scene.accepted(name);
        assert_eq!(creates.len(), 2, "{creates:?}");
        assert_eq!(
            status(&object).restore_job_id,
            Some(creates[1].restore_job_id.clone())
        );
        assert_eq!(creates[1].tags.as_ref().unwrap()["team"], "ads");
    }
}

/// Waits until both restores of that index are done: the one that submitted it, and the other.
async fn both_of(scene: &Scene, index: &str) -> (IndexRestore, IndexRestore) {
    const DONE: [&str; 3] = ["Restored", "Adopted", "IndexAlreadyExists"];
    eventually("both restores are done", DEADLINE, async || {
        let mut pair = Vec::new();
        for name in ["one", "two"] {
            let object = scene.restores.get(&format!("{index}-{name}")).await?;
            let reason = ready(&object).1;
            anyhow::ensure!(DONE.contains(&reason.as_str()), "{name} is {reason}");
            pair.push(object);
        }
        pair.sort_by_key(|object| ready(object).1 != "Restored");
        let other = pair.pop().zip(pair.pop());
        Ok(other.map(|(other, first)| (first, other)))
    })
    .await
    .unwrap_or_else(|error| panic!("{index}: {error:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_of_two_restores_applied_together_records_the_job_as_its_own() {
    let scene = Scene::new().await;
    // Both operators read Pinecone before either claims, and both claim before either gets an answer.
    for route in [Route::DescribeBackup, CREATE] {
        let slow = FaultKind::Delay(Duration::from_millis(500));
        scene.pinecone.inject(Fault::new(route, slow));
    }
    let lost = Fault::new(CREATE, FaultKind::LoseAnswer);
    scene.pinecone.inject(lost.mentioning("lost"));
    let cases = [
        ("answered", "Never"),
        ("lost", "Never"),
        ("shared", "IfSameBackup"),
    ];
    for (index, policy) in cases {
        for name in ["one", "two"] {
            let spec = json!({"indexName": index, "adoptionPolicy": policy});
            scene.create(&format!("{index}-{name}"), spec).await;
        }
    }
    let _operator = scene.start().await;
    for (index, policy) in cases {
        let (first, other) = both_of(&scene, index).await;
        let outcome = |object| status(object).submission.map(|claim| claim.outcome);
        assert_eq!(
            outcome(&first),
            Some(SubmissionOutcome::Accepted),
            "{index}"
        );
        scene.check_recorded_once(&first);
        if policy == "Never" {
            assert_eq!(ready(&other).1, "IndexAlreadyExists", "{index}");
            assert_ne!(outcome(&other), Some(SubmissionOutcome::Accepted));
            assert_eq!(status(&other).restore_job_id, None);
        } else {
            assert_eq!(outcome(&other), Some(SubmissionOutcome::Adopted), "{index}");
            scene.check_recorded_once(&other);
        }
    }
}
