//! A restore is followed to its end, and its index long after.

use std::time::Duration;

use pinecone_emulator::{DEFAULT_PROJECT, Fault, FaultKind, JobOutcome, Route};
use serde_json::json;
use testkit::scene::{Running, Scene, conditions, ready, shows_source, status};
use testkit::{DEADLINE, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_fails_is_stalled_and_never_repeated() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    for (name, kind, reason) in [
        ("fails", FaultKind::JobFails, "RestoreFailed"),
        ("cancelled", FaultKind::JobCancelled, "RestoreCancelled"),
        (
            "unmade",
            FaultKind::IndexInitializationFailed,
            "IndexFailed",
        ),
    ] {
        scene
            .pinecone
            .inject(Fault::new(Route::CreateIndexFromBackup, kind).mentioning(name));
        scene.create(name, json!({})).await;
        let object = scene.until(name, reason).await;
        assert_eq!(
            conditions(&object),
            ["Ready=False", "Stalled=True", "Succeeded=False"]
        );
        assert!(ready(&object).2.contains(name), "{:?}", ready(&object));
        scene.check_recorded_once(&object);
    }
    assert_eq!(scene.pinecone.accepted_creates().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_ready_before_its_data_is_not_ready() {
    let scene = Scene::new().await;
    scene.pinecone.set_restore_duration(None);
    let _operator = scene.start().await;
    scene.pinecone.inject(Fault::new(
        Route::CreateIndexFromBackup,
        FaultKind::IndexReadyEarly,
    ));
    scene.create("early", json!({})).await;
    scene.until("early", "Restoring").await;
    let index = &scene.pinecone.indexes(DEFAULT_PROJECT)[0];
    assert!(index.ready, "the index is ready before its job is done");
    // Some polls, the index among them.
    eventually("the index was looked at", DEADLINE, async || {
        let looked = scene.pinecone.requests().into_iter();
        let looked = looked
            .filter(|request| request.route == Route::DescribeIndex && request.status == Some(200));
        Ok((looked.count() >= 2).then_some(()))
    })
    .await
    .unwrap();
    let object = scene.get("early").await;
    assert_eq!(
        conditions(&object),
        ["Ready=False", "Reconciling=True", "Succeeded=Unknown"]
    );
    let job = status(&object).restore_job_id.unwrap();
    scene
        .pinecone
        .finish_job(&job, JobOutcome::Completed)
        .unwrap();
    scene.restored_once("early").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_job_whose_index_is_not_ready_yet_is_not_ready() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let later = FaultKind::IndexNotReadyAfter(Duration::from_secs(2));
    scene
        .pinecone
        .inject(Fault::new(Route::CreateIndexFromBackup, later));
    scene.create("later", json!({})).await;
    let object = scene.until("later", "IndexNotReady").await;
    assert_eq!(
        conditions(&object),
        ["Ready=False", "Reconciling=True", "Succeeded=Unknown"]
    );
    assert_eq!(status(&object).index_host, None);
    scene.restored_once("later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_not_shown_for_a_while_is_no_failure() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let hidden = Fault::new(Route::DescribeRestoreJob, FaultKind::JobNotFound).times(4);
    let hidden = scene.pinecone.inject(hidden);
    scene.create("hidden", json!({})).await;
    scene.restored_once("hidden").await;
    assert_eq!(scene.pinecone.fault_hits(hidden), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_that_fail_do_not_flap_the_status() {
    let scene = Scene::new().await;
    scene.pinecone.set_restore_duration(None);
    let _operator = scene.start().await;
    scene.create("steady", json!({})).await;
    let before = scene.until("steady", "Restoring").await;
    let bad = Fault::new(Route::DescribeRestoreJob, FaultKind::status(503)).times(2);
    let bad = scene.pinecone.inject(bad);
    eventually("two polls failed", DEADLINE, async || {
        Ok((scene.pinecone.fault_hits(bad) == 2).then_some(()))
    })
    .await
    .unwrap();
    let job = status(&before).restore_job_id.unwrap();
    scene
        .pinecone
        .finish_job(&job, JobOutcome::Completed)
        .unwrap();
    let after = scene.restored_once("steady").await;
    let told = status(&after).conditions;
    assert!(told.iter().all(|condition| condition.reason == "Restored"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_deleted_later_is_reported_and_not_made_again() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("deleted", json!({})).await;
    let restored = scene.restored_once("deleted").await;
    // The shared list was read while the index was there.
    scene.until_asked(Route::ListIndexes, 1).await;
    scene
        .pinecone
        .delete_index(DEFAULT_PROJECT, "deleted")
        .unwrap();
    scene.until("deleted", "IndexDeleted").await;
    // Further looks change nothing.
    let looks = scene.asked(Route::DescribeIndex);
    scene.until_asked(Route::DescribeIndex, looks + 1).await;
    let object = scene.get("deleted").await;
    assert_eq!(
        conditions(&object),
        ["Ready=False", "Stalled=True", "Succeeded=True"]
    );
    assert_eq!(
        status(&object).restore_job_id,
        status(&restored).restore_job_id
    );
    assert_eq!(scene.posts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_drops_an_index_is_no_proof_that_it_is_gone() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let dropped = FaultKind::ListDrop(None);
    scene
        .pinecone
        .inject(Fault::new(Route::ListIndexes, dropped));
    scene.create("unlisted", json!({})).await;
    let before = scene.restored_once("unlisted").await;
    // Through two periods.
    let lists = scene.asked(Route::ListIndexes);
    scene.until_asked(Route::ListIndexes, lists + 2).await;
    let after = scene.get("unlisted").await;
    assert_eq!(
        before.metadata.resource_version,
        after.metadata.resource_version
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_deleted_while_it_is_restored_is_reported() {
    let scene = Scene::new().await;
    scene.pinecone.set_restore_duration(None);
    let _operator = scene.start().await;
    scene.create("cut-short", json!({})).await;
    scene.until("cut-short", "Restoring").await;
    scene
        .pinecone
        .delete_index(DEFAULT_PROJECT, "cut-short")
        .unwrap();
    let object = scene.until("cut-short", "IndexDeleted").await;
    assert_eq!(
        conditions(&object),
        ["Ready=False", "Stalled=True", "Succeeded=False"]
    );
    assert_eq!(scene.accepted("cut-short").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_restores_share_their_lists() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let names: Vec<_> = (0..6).map(|n| format!("shared-{n}")).collect();
    for name in &names {
        scene.create(name, json!({})).await;
    }
    for name in &names {
        scene.restored_once(name).await;
    }
    // A list that is no newer than a restore shows nothing of it: its index is asked for itself.
    scene.until_asked_again(Route::ListIndexes, 2).await;
    scene.pinecone.clear_requests();
    scene.until_asked(Route::ListIndexes, 3).await;
    let all = scene.pinecone.requests();
    let of = |route| all.iter().filter(|request| request.route == route).count();
    let (indexes, jobs) = (of(Route::ListIndexes), of(Route::ListRestoreJobs));
    assert_eq!(indexes + jobs, all.len(), "nothing else is asked: {all:?}");
    // The jobs show which index came from which backup, where the index does not.
    // Either end of the journal may fall between the two lists of a period.
    let is_shared = match shows_source() {
        true => jobs == 0,
        false => jobs.abs_diff(indexes) <= 1,
    };
    assert!(is_shared, "{indexes}, {jobs}");
}

/// The list is read once a period, and a restore may be younger than that list.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_older_than_the_restore_does_not_tell_that_its_index_is_gone() {
    let (scene, _operator) = with_list_of(&["reader", "anew"]).await;

    scene.delete("anew").await;
    let deleted = scene.pinecone.delete_index(DEFAULT_PROJECT, "anew");
    deleted.unwrap();
    scene.create("anew", json!({})).await;
    let before = scene.until("anew", "Restored").await;
    let asked = || scene.asked(Route::DescribeIndex);
    let looks = asked();
    touch(&scene, "anew").await;
    eventually("it is looked at", DEADLINE, async || {
        let told = ready(&scene.get("anew").await);
        Ok((asked() > looks || told != ready(&before)).then_some(()))
    })
    .await
    .unwrap();
    let after = scene.get("anew").await;
    assert_eq!(ready(&after), ready(&before));
    assert_eq!(
        scene.accepted("anew").len(),
        2,
        "two resources, two restores"
    );
}

/// Another process, or this one in an earlier term, may have seen later than its list that the
/// index is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_older_than_the_status_does_not_tell_that_the_index_is_back() {
    let (scene, _operator) = with_list_of(&["gone"]).await;
    let looks = scene.asked(Route::DescribeIndex);

    let deleted = scene.pinecone.delete_index(DEFAULT_PROJECT, "gone");
    deleted.unwrap();
    scene
        .overwrite_status("gone", |status| {
            let status = status.as_mut().unwrap();
            // The list may be of the second in which the index was confirmed, and then counts for nothing.
            status.last_confirmed_time = None;
            let ready = status
                .conditions
                .iter_mut()
                .find(|told| told.type_ == "Ready");
            let ready = ready.unwrap();
            ready.status = "False".into();
            ready.reason = "IndexDeleted".into();
        })
        .await;
    eventually("it is looked at", DEADLINE, async || {
        let told = ready(&scene.get("gone").await);
        let looked = scene.asked(Route::DescribeIndex) > looks;
        Ok((looked || told.1 != "IndexDeleted").then_some(()))
    })
    .await
    .unwrap();
    scene.until("gone", "IndexDeleted").await;
    assert_eq!(scene.asked(Route::ListIndexes), 1);
}

/// An operator that restored these, and has read the list with them for its period.
async fn with_list_of(names: &[&str]) -> (Scene, Running) {
    let scene = Scene::new().await;
    // The period is more than an hour: whatever happens in a test happens within one.
    let operator = scene.start_with(&["--poll-max=10m"]).await;
    for name in names {
        scene.create(name, json!({})).await;
        scene.restored_once(name).await;
    }
    touch(&scene, names[0]).await;
    // A list that is asked for, and not answered yet, would show what happens next.
    eventually("the list is answered", DEADLINE, async || {
        let requests = scene.pinecone.requests();
        let mut lists = requests
            .iter()
            .filter(|request| request.route == Route::ListIndexes);
        Ok(lists.any(|list| list.status == Some(200)).then_some(()))
    })
    .await
    .unwrap();
    (scene, operator)
}

/// A change that wakes the operator and means nothing.
async fn touch(scene: &Scene, name: &str) {
    let label = json!({"metadata": {"labels": {"touched": "yes"}}});
    scene.patch(name, label).await.unwrap();
}
