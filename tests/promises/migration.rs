//! A status that was restored, edited or lost, and the same restore in two clusters: Velero, a
//! second cluster, an edit while no operator runs, an old etcd snapshot.

use std::time::Duration;

use index_restore_operator::api::{IndexRestore, IndexRestoreStatus};
use kube::api::{ObjectMeta, PostParams};
use pinecone_emulator::{BackupSeed, DEFAULT_PROJECT, Fault, FaultKind, Route};
use serde_json::json;
use testkit::installation::{CRD, authorize};
use testkit::scene::{PATIENT, Scene, ready, status};
use testkit::{ControlPlane, DEADLINE, eventually};

const CREATE: Route = Route::CreateIndexFromBackup;

/// Recreates the object as Velero does: with another UID, with Velero's labels and without a status.
async fn recreated_by_velero(scene: &Scene, backed_up: &IndexRestore) -> IndexRestore {
    let name = backed_up.metadata.name.clone();
    let labels = [
        ("velero.io/backup-name", "nightly"),
        ("velero.io/restore-name", "nightly-1"),
    ];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let object = IndexRestore {
        metadata: ObjectMeta {
            name,
            labels: Some(labels.into()),
            ..ObjectMeta::default()
        },
        spec: backed_up.spec.clone(),
        status: None,
    };
    let params = PostParams::default();
    scene.restores.create(&params, &object).await.unwrap()
}

/// Writes the old status as Velero does: after a conflict it reads the object and writes the same status.
async fn velero_writes_status(scene: &Scene, backed_up: &IndexRestore) {
    let name = backed_up.metadata.name.clone().unwrap();
    let overwrite = |status: &mut Option<IndexRestoreStatus>| status.clone_from(&backed_up.status);
    scene.overwrite_status(&name, overwrite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adopts_the_index_of_an_object_restored_by_velero() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    for name in ["bare", "with-status"] {
        scene.create(name, json!({})).await;
        let backed_up = scene.restored_once(name).await;
        scene.delete(name).await;
        let made = recreated_by_velero(&scene, &backed_up).await;
        if name == "with-status" {
            velero_writes_status(&scene, &backed_up).await;
        }
        let uid = made.metadata.uid;
        let own = |object: &IndexRestore| {
            let submission = status(object).submission;
            submission.map(|submission| submission.uid) == uid && ready(object).1 == "Adopted"
        };
        let object = scene.until_that(name, own).await.unwrap();
        assert_ne!(backed_up.metadata.uid, object.metadata.uid);
        scene.check_recorded_once(&object);
    }
    assert_eq!(scene.posts(), 2);
}

/// The index was lost with the cluster, so the operator restores it once more. Velero writes the old
/// status over the claim while the create is in flight.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_status_that_velero_writes_over_a_claim_causes_no_second_create() {
    let scene = Scene::new().await;
    let _operator = scene.start_with(&PATIENT).await;
    let later = Duration::from_secs(2);
    for (name, kind, reason) in [
        ("answered", FaultKind::DelayAnswer(later), "Restored"),
        // Only the overwritten status showed that this job is the restore's own.
        ("unanswered", FaultKind::LoseAnswer, "Adopted"),
    ] {
        scene.create(name, json!({})).await;
        let backed_up = scene.restored_once(name).await;
        scene.delete(name).await;
        scene.pinecone.delete_index(DEFAULT_PROJECT, name).unwrap();
        let hidden = FaultKind::ListDrop(Some(vec![name.into()]));
        let hidden = Fault::new(Route::ListRestoreJobs, hidden);
        let hidden = scene.pinecone.inject(hidden);
        scene
            .pinecone
            .inject(Fault::new(CREATE, kind).mentioning(name).times(1));
        let made = recreated_by_velero(&scene, &backed_up).await;
        eventually("the second create is accepted", DEADLINE, async || {
            Ok((scene.accepted(name).len() == 2).then_some(()))
        })
        .await
        .unwrap();
        velero_writes_status(&scene, &backed_up).await;
        scene.pinecone.clear_fault(hidden);
        let second = scene.accepted(name)[1].restore_job_id.clone();
        let ends = |object: &IndexRestore| {
            status(object).restore_job_id.as_ref() == Some(&second) && ready(object).1 == reason
        };
        let object = scene.until_that(name, ends).await.unwrap();
        assert_eq!(
            status(&object).submission.map(|own| own.uid),
            made.metadata.uid
        );
        assert_eq!(scene.accepted(name).len(), 2, "one for each object");
    }
    assert_eq!(scene.posts(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clusters_on_one_project_restore_each_index_once() {
    let here = Scene::new().await;
    let second = ControlPlane::start().await.unwrap();
    let kubeconfig = authorize(&second).await;
    second.apply(CRD).await.unwrap();
    let there = Scene::on(&second, &kubeconfig).await;
    there.visits(&here);
    let other = BackupSeed::new("other", "articles").id("other");
    here.pinecone.add_backup(DEFAULT_PROJECT, other).unwrap();
    // Both operators observe that the names are free before either sends.
    let slow = Fault::new(
        Route::DescribeBackup,
        FaultKind::Delay(Duration::from_millis(500)),
    );
    let slow = here.pinecone.inject(slow);
    let _here = here.start().await;
    let endpoint = here.emulator_url();
    let _there = there.start_with(&["--pinecone-endpoint", &endpoint]).await;
    let names: Vec<_> = (0..6).map(|n| format!("mirrored-{n}")).collect();
    for name in &names {
        tokio::join!(here.create(name, json!({})), there.create(name, json!({})));
    }
    for name in &names {
        for scene in [&here, &there] {
            let done = |object: &IndexRestore| ready(object).0 == "True";
            let object = scene.until_that(name, done).await.unwrap();
            here.check_recorded_once(&object);
        }
    }
    assert!(
        here.posts() > names.len(),
        "both clusters sent a create for at least one name"
    );
    here.pinecone.clear_fault(slow);

    // A later restore adopts the index, and its deletion keeps the index.
    here.create("later", json!({})).await;
    here.restored_once("later").await;
    there.create("later", json!({})).await;
    let adopted = there.until("later", "Adopted").await;
    here.check_recorded_once(&adopted);
    there.delete("later").await;
    assert_eq!(here.asked(Route::DeleteIndex), 0);

    // An index of the same name from another backup is not adopted.
    let other = json!({"indexName": "later", "backupId": "other"});
    there.create("different", other).await;
    let refused = there.until("different", "IndexAlreadyExists").await;
    assert_eq!(status(&refused).restore_job_id, None);
    assert_eq!(here.pinecone.accepted_creates().len(), names.len() + 1);
}

/// The CRD rejects such an edit. Without that rule, for example with an outdated CRD, the claim
/// still contains the submitted values.
#[tokio::test(flavor = "multi_thread")]
async fn a_spec_edited_between_crash_and_recovery_causes_no_second_index() {
    let scene = Scene::new().await.without_election();
    let mut operator = scene.start().await;
    let silent = FaultKind::DelayAnswer(Duration::from_secs(600));
    scene.pinecone.inject(Fault::new(CREATE, silent).times(1));
    scene.create("edited", json!({})).await;
    scene.until_accepted("edited").await;
    operator.process.kill().unwrap();

    let params = PostParams::default();
    let mut object = scene.get("edited").await;
    object.spec.index_name = "elsewhere".into();
    let refused = scene.restores.replace("edited", &params, &object).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("spec: Forbidden"), "{refused}");
    // To bypass the rule, the claim is removed while the spec is edited.
    let claimed = object.status.clone();
    scene.overwrite_status("edited", |s| *s = None).await;
    object = scene.get("edited").await;
    object.spec.index_name = "elsewhere".into();
    object.spec.backup_id = "another".into();
    let edited = scene.restores.replace("edited", &params, &object).await;
    assert_eq!(edited.unwrap().metadata.generation, Some(2));
    scene
        .overwrite_status("edited", |status| status.clone_from(&claimed))
        .await;

    let _operator = scene.start().await;
    let object = scene.until("edited", "Restored").await;
    let create = &scene.accepted("edited")[0];
    let status = status(&object);
    assert_eq!(status.restore_job_id.as_ref(), Some(&create.restore_job_id));
    assert_eq!(status.index_id.as_ref(), Some(&create.index_id));
    let submission = status.submission.unwrap();
    assert_eq!(submission.index_name, "edited");
    assert_eq!(submission.backup_id, testkit::scene::BACKUP);
    assert_eq!(scene.posts(), 1);
}

/// The objects have the same UIDs, but their statuses lack everything since the snapshot.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_restored_from_an_old_etcd_snapshot_causes_no_second_create() {
    let control_plane = ControlPlane::start().await.unwrap();
    let kubeconfig = authorize(&control_plane).await;
    control_plane.apply(CRD).await.unwrap();
    let scene = Scene::on(&control_plane, &kubeconfig).await;
    let scene = scene.without_election();
    scene.excuse();
    let mut operator = scene.start_with(&PATIENT).await;
    let later = Duration::from_secs(5);
    for (route, kind, name) in [
        (CREATE, FaultKind::DelayAnswer(later), "claimed"),
        (Route::DescribeIndex, FaultKind::Delay(later), "bare"),
    ] {
        let fault = Fault::new(route, kind).mentioning(name).times(1);
        scene.pinecone.inject(fault);
        scene.create(name, json!({})).await;
    }
    scene.until_accepted("claimed").await;
    let saved = control_plane.save().unwrap();
    let before = (
        scene.restored_once("bare").await,
        scene.restored_once("claimed").await,
    );
    operator.process.kill().unwrap();
    control_plane.roll_back(&saved).await.unwrap();
    let (bare, claimed) = (scene.get("bare").await, scene.get("claimed").await);
    assert_eq!(bare.metadata.uid, before.0.metadata.uid);
    assert_eq!(status(&bare).submission, None, "the snapshot has no record");
    assert!(status(&claimed).submission.is_some());
    assert_eq!(status(&claimed).restore_job_id, None);
    let _operator = scene.start().await;
    let object = scene.until("bare", "Adopted").await;
    scene.check_recorded_once(&object);
    scene.restored_once("claimed").await;
    assert_eq!(scene.posts(), 2);
}

/// A newer operator wrote the record: neither the definition nor the operator refuses its word.
#[tokio::test(flavor = "multi_thread")]
async fn continues_after_a_refusal_for_a_reason_of_another_version() {
    let scene = Scene::new().await;
    let quota = Fault::new(CREATE, FaultKind::status(403));
    let quota = scene.pinecone.inject(quota);
    let operator = scene.start().await;
    scene.create("newer", json!({})).await;
    scene.until("newer", "QuotaExceeded").await;
    drop(operator);
    scene
        .overwrite_status("newer", |status| {
            let status = status.as_mut().unwrap();
            status.submission.as_mut().unwrap().reason = Some("ReasonOfTomorrow".into());
        })
        .await;
    scene.pinecone.clear_fault(quota);
    let _operator = scene.start().await;
    scene.restored_once("newer").await;
}
