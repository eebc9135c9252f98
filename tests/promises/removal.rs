//! Deletion of an IndexRestore, or of its namespace, in each state: nothing blocks it, nothing is
//! deleted in Pinecone, and a restore that no object can record is reported.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams};
use pinecone_emulator::{
    BackupSeed, BackupStatus, DEFAULT_PROJECT, Fault, FaultKind, IndexSeed, JobOutcome, Request,
    Route,
};
use serde_json::json;
use testkit::scene::{PATIENT, Running, Scene, status};
use testkit::{DEADLINE, eventually};

const CREATE: Route = Route::CreateIndexFromBackup;

/// The state in which each restore is deleted, its reason after it is reapplied, and the number of
/// creates that Pinecone accepted for both objects together.
const STATES: [(&str, &str, usize); 11] = [
    ("unready-backup", "Restored", 1),
    ("being-observed", "Restored", 1),
    ("on-its-way", "Adopted", 1),
    ("in-flight", "Adopted", 1),
    ("confirming", "Adopted", 1),
    ("restoring", "Adopted", 1),
    ("index-not-ready", "IndexNotReady", 1),
    ("restored", "Adopted", 1),
    ("name-taken", "IndexAlreadyExists", 0),
    // A failed restore is not adopted.
    ("failed", "IndexAlreadyExists", 1),
    // As the status advises: delete and reapply the object to restore the index.
    ("index-deleted", "Restored", 2),
];

/// Restores whose requests are delayed for a limited time: applied last and deleted first.
const DELAYED: [&str; 3] = ["being-observed", "on-its-way", "in-flight"];

async fn apply(scene: &Scene, name: &str) {
    let backup = match name {
        "unready-backup" => "unready",
        _ => testkit::scene::BACKUP,
    };
    scene.create(name, json!({"backupId": backup})).await;
}

fn finish(scene: &Scene, name: &str, outcome: JobOutcome) {
    let job = &scene.accepted(name)[0].restore_job_id;
    scene.pinecone.finish_job(job, outcome).unwrap();
}

/// Prepares the backups, indexes and faults that lead to each state.
fn prepare(scene: &Scene) {
    scene.pinecone.set_restore_duration(None);
    let unready = BackupSeed::new("later", "products").id("unready");
    let unready = unready.status(BackupStatus::Initializing);
    scene.pinecone.add_backup(DEFAULT_PROJECT, unready).unwrap();
    let taken = IndexSeed::new("name-taken");
    scene.pinecone.add_index(DEFAULT_PROJECT, taken).unwrap();
    let delay = Duration::from_secs(5);
    for (route, kind, name) in [
        (
            Route::DescribeIndex,
            FaultKind::Delay(delay),
            "being-observed",
        ),
        (CREATE, FaultKind::Delay(delay), "on-its-way"),
        (CREATE, FaultKind::DelayAnswer(delay), "in-flight"),
        (CREATE, FaultKind::LoseAnswer, "confirming"),
        (
            CREATE,
            FaultKind::IndexNotReadyAfter(Duration::from_secs(3_600)),
            "index-not-ready",
        ),
    ] {
        let fault = Fault::new(route, kind).mentioning(name).times(1);
        scene.pinecone.inject(fault);
    }
    let hidden = FaultKind::ListDrop(Some(vec!["confirming".into()]));
    let hidden = Fault::new(Route::ListRestoreJobs, hidden);
    scene.pinecone.inject(hidden);
}

/// Creates one restore in each state.
async fn create_all(scene: &Scene) {
    let names = STATES.iter().map(|(name, ..)| *name);
    for name in names.filter(|name| !DELAYED.contains(name)) {
        apply(scene, name).await;
    }
    for (name, outcome, reason) in [
        (
            "index-not-ready",
            Some(JobOutcome::Completed),
            "IndexNotReady",
        ),
        ("restored", Some(JobOutcome::Completed), "Restored"),
        ("failed", Some(JobOutcome::Failed), "RestoreFailed"),
        ("unready-backup", None, "BackupNotReady"),
        ("confirming", None, "ConfirmingSubmission"),
        ("restoring", None, "Restoring"),
        ("name-taken", None, "IndexAlreadyExists"),
    ] {
        if let Some(outcome) = outcome {
            scene.until_accepted(name).await;
            finish(scene, name, outcome);
        }
        scene.until(name, reason).await;
    }
    scene.until_accepted("index-deleted").await;
    let project = DEFAULT_PROJECT;
    scene
        .pinecone
        .delete_index(project, "index-deleted")
        .unwrap();
    scene.until("index-deleted", "IndexDeleted").await;
    for name in DELAYED {
        apply(scene, name).await;
    }
    scene.until_accepted("in-flight").await;
    let is_read = |request: &Request| request.path.contains("being-observed");
    let is_create = |request: &Request| {
        let body = request.body.as_ref();
        request.route == CREATE && body.is_some_and(|body| body["name"] == "on-its-way")
    };
    eventually("the delayed requests arrived", DEADLINE, async || {
        let requests = scene.pinecone.requests();
        let arrived = requests.iter().any(is_read) && requests.iter().any(is_create);
        Ok(arrived.then_some(()))
    })
    .await
    .unwrap();
}

fn index_names(scene: &Scene) -> Vec<String> {
    let indexes = scene.pinecone.indexes(DEFAULT_PROJECT).into_iter();
    indexes.map(|index| index.name).collect()
}

/// Waits until both restores that were accepted after the deletion are logged, counted and, if
/// `by_events`, reported by an event.
async fn until_orphans_are_reported(scene: &Scene, operator: &Running, by_events: bool) {
    scene.until_accepted("on-its-way").await;
    let jobs = ["on-its-way", "in-flight"].map(|name| scene.accepted(name)[0].clone());
    eventually("the orphaned restores are reported", DEADLINE, async || {
        let metrics = operator.get("/metrics").await?.1;
        anyhow::ensure!(metrics.contains("indexrestore_orphaned_total 2"), metrics);
        let logs = operator.process.logs();
        let events = scene.events().await;
        for job in jobs.iter().map(|create| create.restore_job_id.as_str()) {
            let is_logged = logs.lines().any(|l| l.contains("ERROR") && l.contains(job));
            anyhow::ensure!(is_logged, "{job} is not logged\n{logs}");
            let is_published =
                |event: &Event| event.note.as_deref().is_some_and(|n| n.contains(job));
            anyhow::ensure!(
                !by_events || events.iter().any(is_published),
                "no event of {job}"
            );
        }
        Ok(Some(()))
    })
    .await
    .unwrap();
}

fn check_nothing_was_removed(scene: &Scene, before: &[String]) {
    let after = index_names(scene);
    assert!(before.iter().all(|name| after.contains(name)), "{after:?}");
    for route in [
        Route::DeleteIndex,
        Route::DeleteBackup,
        Route::ConfigureIndex,
    ] {
        assert_eq!(scene.asked(route), 0, "{route:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_and_reapplying_works_in_each_state() {
    let scene = Scene::new().await;
    prepare(&scene);
    let operator = scene.start_with(&PATIENT).await;
    create_all(&scene).await;
    let before = index_names(&scene);
    let names = STATES.iter().map(|(name, ..)| *name);
    for name in DELAYED
        .into_iter()
        .chain(names.filter(|n| !DELAYED.contains(n)))
    {
        let metadata = scene.get(name).await.metadata;
        assert_eq!(metadata.finalizers, None, "{name} has a finalizer");
        scene.delete(name).await;
    }
    until_orphans_are_reported(&scene, &operator, true).await;
    check_nothing_was_removed(&scene, &before);
    // The outcome was unknown at the deletion: the log has the index name of the request.
    let logs = operator.process.logs();
    let claimed = |line: &str| line.contains("claimed") && line.contains("\"confirming\"");
    assert!(logs.lines().any(claimed), "{logs}");

    scene.pinecone.clear_faults();
    let ready = BackupStatus::Ready;
    let changed = scene
        .pinecone
        .set_backup_status(DEFAULT_PROJECT, "unready", ready);
    changed.unwrap();
    scene.pinecone.set_restore_duration(Duration::ZERO);
    for name in ["on-its-way", "in-flight", "confirming", "restoring"] {
        finish(&scene, name, JobOutcome::Completed);
    }
    for (name, reason, creates) in STATES {
        apply(&scene, name).await;
        let object = scene.until(name, reason).await;
        let accepted = scene.accepted(name);
        assert_eq!(accepted.len(), creates, "{name}: {accepted:?}");
        let job = accepted.last().map(|create| create.restore_job_id.clone());
        let job = job.filter(|_| reason != "IndexAlreadyExists");
        assert_eq!(status(&object).restore_job_id, job, "{name}");
    }
    check_nothing_was_removed(&scene, &before);
}

/// Does the work of the namespace controller, which the control plane does not run.
async fn empty_and_finalize(scene: &Scene) {
    let (client, namespace) = (scene.client.clone(), scene.namespace.as_str());
    let (delete, all) = (DeleteParams::default(), ListParams::default());
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    secrets.delete_collection(&delete, &all).await.unwrap();
    let restores = scene.restores.delete_collection(&delete, &all);
    restores.await.unwrap();
    let events: Api<Event> = Api::namespaced(client.clone(), namespace);
    events.delete_collection(&delete, &all).await.unwrap();
    let left = scene.restores.list(&all).await.unwrap().items;
    assert_eq!(left, [], "the namespace is empty");
    let namespaces: Api<Namespace> = Api::all(client);
    let mut empty = namespaces.get(namespace).await.unwrap();
    empty.spec.get_or_insert_default().finalizers = None;
    let params = PostParams::default();
    let _: Namespace = namespaces
        .replace_subresource("finalize", namespace, &params, &empty)
        .await
        .unwrap();
    let gone = namespaces.get_opt(namespace).await.unwrap();
    assert_eq!(gone, None, "the namespace is deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_namespace_with_a_restore_in_each_state_is_not_blocked() {
    let (doomed, home) = (Scene::new().await, Scene::new().await);
    home.visits(&doomed);
    prepare(&doomed);
    let both = format!("{},{}", doomed.namespace, home.namespace);
    let watched = ["--watch-namespace", &both];
    let elected = ["--leader-elect-namespace", &home.namespace];
    let operator = doomed
        .start_with(&[&watched[..], &elected[..], &PATIENT[..]].concat())
        .await;
    create_all(&doomed).await;
    let before = index_names(&doomed);
    let namespaces: Api<Namespace> = Api::all(doomed.client.clone());
    let params = DeleteParams::default();
    namespaces.delete(&doomed.namespace, &params).await.unwrap();
    let terminating = namespaces.get(&doomed.namespace).await.unwrap().status;
    let phase = terminating.unwrap().phase;
    assert_eq!(phase.as_deref(), Some("Terminating"));
    empty_and_finalize(&doomed).await;
    // The API server rejects new events in a namespace that is being deleted.
    until_orphans_are_reported(&doomed, &operator, false).await;
    check_nothing_was_removed(&doomed, &before);
    let posts = doomed.posts();
    // The operator continues with the other namespaces.
    doomed.pinecone.set_restore_duration(Duration::ZERO);
    home.create("elsewhere", json!({})).await;
    home.until("elsewhere", "Restored").await;
    assert_eq!(doomed.posts(), posts + 1, "nothing else was sent");
    let logs = operator.process.logs();
    let errors = logs.lines().filter(|line| line.contains(" ERROR ")).count();
    assert!(!logs.contains("panicked") && errors == 2, "{logs}");
}
