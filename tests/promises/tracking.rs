//! The operator tracks a restore to its end, and its index after that.

use std::time::Duration;

use pinecone_emulator::{DEFAULT_PROJECT, Fault, FaultKind, JobOutcome, Route};
use serde_json::json;
use testkit::scene::{Running, Scene, conditions, ready, shows_source, status};
use testkit::{DEADLINE, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_restore_is_stalled_and_never_repeated() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    for (name, kind, reason) in [
        ("fails", FaultKind::JobFails, "RestoreFailed"),
        ("cancelled", FaultKind::JobCancelled, "RestoreCancelled"),
        (
            "uninitialized",
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
async fn does_not_report_ready_before_the_job_completes() {
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
    // Several polls, some of them of the index.
    eventually("the index was observed twice", DEADLINE, async || {
        let observed = scene.pinecone.requests().into_iter();
        let observed = observed
            .filter(|request| request.route == Route::DescribeIndex && request.status == Some(200));
        Ok((observed.count() >= 2).then_some(()))
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
async fn does_not_report_ready_before_the_index_is_ready() {
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
async fn a_temporary_404_for_the_job_is_not_a_failure() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let hidden = Fault::new(Route::DescribeRestoreJob, FaultKind::JobNotFound).times(4);
    let hidden = scene.pinecone.inject(hidden);
    scene.create("hidden", json!({})).await;
    scene.restored_once("hidden").await;
    assert_eq!(scene.pinecone.fault_hits(hidden), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_polls_do_not_flap_the_status() {
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
    let reported = status(&after).conditions;
    assert!(
        reported
            .iter()
            .all(|condition| condition.reason == "Restored")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_a_deleted_index_and_does_not_recreate_it() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("deleted", json!({})).await;
    let restored = scene.restored_once("deleted").await;
    // The shared list was read while the index existed.
    scene.until_asked(Route::ListIndexes, 1).await;
    scene
        .pinecone
        .delete_index(DEFAULT_PROJECT, "deleted")
        .unwrap();
    scene.until("deleted", "IndexDeleted").await;
    // Further observations change nothing.
    let requests = scene.asked(Route::DescribeIndex);
    scene.until_asked(Route::DescribeIndex, requests + 1).await;
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
async fn a_list_that_drops_an_index_does_not_prove_its_deletion() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let dropped = FaultKind::ListDrop(None);
    scene
        .pinecone
        .inject(Fault::new(Route::ListIndexes, dropped));
    scene.create("unlisted", json!({})).await;
    let before = scene.restored_once("unlisted").await;
    // Two more periods.
    let lists = scene.asked(Route::ListIndexes);
    scene.until_asked(Route::ListIndexes, lists + 2).await;
    let after = scene.get("unlisted").await;
    assert_eq!(
        before.metadata.resource_version,
        after.metadata.resource_version
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_an_index_that_is_deleted_during_its_restore() {
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
    // A list that is no newer than a restore proves nothing about it: the operator requests its index.
    scene.until_asked_again(Route::ListIndexes, 2).await;
    scene.pinecone.clear_requests();
    scene.until_asked(Route::ListIndexes, 3).await;
    let all = scene.pinecone.requests();
    let of = |route| all.iter().filter(|request| request.route == route).count();
    let (indexes, jobs) = (of(Route::ListIndexes), of(Route::ListRestoreJobs));
    assert_eq!(
        indexes + jobs,
        all.len(),
        "there are no other requests: {all:?}"
    );
    // The operator lists the jobs only if the indexes do not name their backups. The journal may
    // begin or end between the two lists of a period.
    let is_shared = match shows_source() {
        true => jobs == 0,
        false => jobs.abs_diff(indexes) <= 1,
    };
    assert!(is_shared, "{indexes}, {jobs}");
}

/// The operator reads the list once per period, and a restore may be younger than the list.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_older_than_the_restore_does_not_prove_that_its_index_is_gone() {
    let (scene, _operator) = with_list_of(&["reader", "recreated"]).await;

    scene.delete("recreated").await;
    let deleted = scene.pinecone.delete_index(DEFAULT_PROJECT, "recreated");
    deleted.unwrap();
    scene.create("recreated", json!({})).await;
    let before = scene.until("recreated", "Restored").await;
    let asked = || scene.asked(Route::DescribeIndex);
    let requests = asked();
    touch(&scene, "recreated").await;
    eventually("the index is observed", DEADLINE, async || {
        let reported = ready(&scene.get("recreated").await);
        Ok((asked() > requests || reported != ready(&before)).then_some(()))
    })
    .await
    .unwrap();
    let after = scene.get("recreated").await;
    assert_eq!(ready(&after), ready(&before));
    assert_eq!(
        scene.accepted("recreated").len(),
        2,
        "one restore for each of the two objects"
    );
}

/// Another process, or this one in an earlier term, may have observed the deletion after this list
/// was read.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_older_than_the_status_does_not_prove_that_the_index_is_back() {
    let (scene, _operator) = with_list_of(&["gone"]).await;
    let requests = scene.asked(Route::DescribeIndex);

    let deleted = scene.pinecone.delete_index(DEFAULT_PROJECT, "gone");
    deleted.unwrap();
    scene
        .overwrite_status("gone", |status| {
            let status = status.as_mut().unwrap();
            // A list of the same second as the last confirmation would not count.
            status.last_confirmed_time = None;
            let ready = status
                .conditions
                .iter_mut()
                .find(|condition| condition.type_ == "Ready");
            let ready = ready.unwrap();
            ready.status = "False".into();
            ready.reason = "IndexDeleted".into();
        })
        .await;
    eventually("the index is observed", DEADLINE, async || {
        let reported = ready(&scene.get("gone").await);
        let is_observed = scene.asked(Route::DescribeIndex) > requests;
        Ok((is_observed || reported.1 != "IndexDeleted").then_some(()))
    })
    .await
    .unwrap();
    scene.until("gone", "IndexDeleted").await;
    assert_eq!(scene.asked(Route::ListIndexes), 1);
}

/// Pinecone shows no job of a deleted index, so a job that is missing says nothing about an index that a
/// list of the period shows.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_without_its_job_is_not_believed_of_an_older_list() {
    // Otherwise the index names its backup, and no job is asked for.
    if shows_source() {
        return;
    }
    let scene = Scene::new().await;
    let dropped = FaultKind::ListDrop(None);
    scene
        .pinecone
        .inject(Fault::new(Route::ListRestoreJobs, dropped));
    let _operator = list_of(&scene, &["gone"]).await;
    let deleted = scene.pinecone.delete_index(DEFAULT_PROJECT, "gone");
    deleted.unwrap();
    // A list of the same second as the last confirmation would not count.
    scene
        .overwrite_status("gone", |status| {
            status.as_mut().unwrap().last_confirmed_time = None;
        })
        .await;
    scene.until("gone", "IndexDeleted").await;
    assert_eq!(scene.asked(Route::ListIndexes), 1);
}

/// A scene with an operator that restores these indexes and has read the list of its period with them.
async fn with_list_of(names: &[&str]) -> (Scene, Running) {
    let scene = Scene::new().await;
    let operator = list_of(&scene, names).await;
    (scene, operator)
}

/// Starts that operator.
async fn list_of(scene: &Scene, names: &[&str]) -> Running {
    // The period is longer than an hour, so the test ends within it.
    let operator = scene.start_with(&["--poll-max=10m"]).await;
    for name in names {
        scene.create(name, json!({})).await;
        scene.restored_once(name).await;
    }
    touch(scene, names[0]).await;
    // A list that is requested but not answered yet would show later changes.
    eventually("the list was answered", DEADLINE, async || {
        let requests = scene.pinecone.requests();
        let mut lists = requests
            .iter()
            .filter(|request| request.route == Route::ListIndexes);
        Ok(lists.any(|list| list.status == Some(200)).then_some(()))
    })
    .await
    .unwrap();
    operator
}

/// Changes a label, which triggers a reconcile and has no other effect.
async fn touch(scene: &Scene, name: &str) {
    let label = json!({"metadata": {"labels": {"touched": "yes"}}});
    scene.patch(name, label).await.unwrap();
}
