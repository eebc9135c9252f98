//! Every state that an IndexRestore can be in, brought about on a running operator.

use std::collections::BTreeMap;
use std::time::Duration;

use index_restore_operator::api::{IndexRestore, Reason, SubmissionOutcome, crd};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, Patch, PatchParams};
use pinecone_emulator::{
    BackupSeed, BackupStatus, DEFAULT_PROJECT, Fault, FaultKind, IndexSeed, JobSeed, Route,
};
use serde_json::{Value, json};
use testkit::installation::authorize;
use testkit::scene::{BACKUP, Scene, api_version, ready, status};
use tokio::sync::OnceCell;

use crate::with_operator;

/// States that no reason tells: the operator has not seen the object, or not its present spec, or it is being deleted.
pub const UNOBSERVED: &str = "Unobserved";
pub const EDITED: &str = "Edited";
pub const DELETING: &str = "Deleting";

/// One object for each state, as the API server returned it.
pub type States = BTreeMap<String, Value>;

/// The version of Pinecone's API that the committed test data shows: the operator's default.
const DEFAULT_VERSION: &str = "2025-10";

/// The states, brought about once.
pub async fn states() -> &'static States {
    static STATES: OnceCell<States> = OnceCell::const_new();
    let version = api_version();
    match version == DEFAULT_VERSION {
        true => default_states().await,
        false => STATES.get_or_init(|| states_with(&version)).await,
    }
}

/// The states with the default version of Pinecone's API, brought about once.
pub async fn default_states() -> &'static States {
    static STATES: OnceCell<States> = OnceCell::const_new();
    STATES.get_or_init(|| states_with(DEFAULT_VERSION)).await
}

async fn states_with(version: &str) -> States {
    with_operator().await;
    let mut states = usual(version).await;
    states.extend(given_up().await);
    states.extend(outdated().await);
    states
}

/// How each reason comes about: what is done before, and the fields of the spec that differ.
async fn usual(version: &str) -> States {
    let scene = Scene::new().await.with_env("PINECONE_API_VERSION", version);
    prepare(&scene).await;
    let mut states = States::new();
    let operator = scene.start().await;
    let mut names = Vec::new();
    for reason in Reason::ALL {
        if let Some(spec) = spec(reason) {
            let name = name(reason);
            scene.create(&name, spec).await;
            names.push((name, reason));
        }
    }
    for (name, reason) in names {
        if reason == Reason::IndexDeleted {
            scene.until(&name, "Restored").await;
            let deleted = scene.pinecone.delete_index(DEFAULT_PROJECT, &name);
            deleted.unwrap();
        }
        scene.until(&name, reason.as_str()).await;
        // While a refused restore is tried again, its status shows the refusal before.
        let object = scene.until_that(&name, |object| {
            let submission = status(object).submission;
            let is_open = submission.is_some_and(|made| made.outcome == SubmissionOutcome::Open);
            // What it says first is of the lost answer, and soon over.
            let is_at_rest = match reason {
                Reason::ConfirmingSubmission => ready(object).2.contains("is listed"),
                _ => !is_open,
            };
            ready(object).1 == reason.as_str() && is_at_rest
        });
        states.insert(reason.as_str().into(), told(object.await.unwrap()));
    }
    scene.pinecone.set_restore_duration(None);
    scene.create("restoring", json!({})).await;
    let object = scene.until("restoring", "Restoring").await;
    states.insert(Reason::Restoring.as_str().into(), told(object));
    drop(operator);
    unseen(&scene, &mut states).await;
    states
}

/// The spec of the object that gets that reason; none for those that need an operator or a time of their own.
fn spec(reason: Reason) -> Option<Value> {
    Some(match reason {
        Reason::Restoring
        | Reason::SubmissionUnconfirmed
        | Reason::RestoreJobNotFound
        | Reason::CrdOutdated => return None,
        Reason::SecretNotFound => json!({"apiKeySecretRef": {"name": "absent"}}),
        Reason::InvalidApiKey => json!({"apiKeySecretRef": {"name": "wrong"}}),
        Reason::BackupNotReady => json!({"backupId": "unready"}),
        Reason::BackupNotFound => json!({"backupId": "missing"}),
        Reason::BackupFailed => json!({"backupId": "failed"}),
        Reason::DeletionProtectionMismatch => json!({"deletionProtection": "Enabled"}),
        Reason::Pending
        | Reason::PaymentRequired
        | Reason::PermissionDenied
        | Reason::QuotaExceeded
        | Reason::RateLimited
        | Reason::ApiUnavailable
        | Reason::ConfirmingSubmission
        | Reason::IndexNotReady
        | Reason::InvalidRequest
        | Reason::IndexAlreadyExists
        | Reason::RestoreFailed
        | Reason::RestoreCancelled
        | Reason::IndexFailed
        | Reason::IndexDeleted
        | Reason::Restored
        | Reason::Adopted => json!({}),
    })
}

fn name(reason: Reason) -> String {
    reason.as_str().to_lowercase()
}

/// What Pinecone holds, and how it will answer.
async fn prepare(scene: &Scene) {
    scene.put_secret("wrong", "api-key", "pcsk_of_nobody").await;
    let pinecone = &scene.pinecone;
    let backup = |id: &str, status| {
        let seed = BackupSeed::new("b", "products").id(id).status(status);
        pinecone.add_backup(DEFAULT_PROJECT, seed).unwrap();
    };
    backup("unready", BackupStatus::Initializing);
    backup("failed", BackupStatus::InitializationFailed);
    let index = |reason| {
        let seed = IndexSeed::new(name(reason));
        pinecone.add_index(DEFAULT_PROJECT, seed).unwrap();
    };
    index(Reason::IndexAlreadyExists);
    let made = pinecone.now() - jiff::SignedDuration::from_hours(48);
    for reason in [Reason::Adopted, Reason::DeletionProtectionMismatch] {
        index(reason);
        let job = JobSeed::new(BACKUP, name(reason)).created_at(made);
        pinecone.add_restore_job(DEFAULT_PROJECT, job).unwrap();
    }
    // A name that Pinecone is still freeing.
    index(Reason::Pending);
    pinecone
        .set_index_state(
            DEFAULT_PROJECT,
            &name(Reason::Pending),
            "Terminating",
            false,
        )
        .unwrap();

    let create = Route::CreateIndexFromBackup;
    for (reason, route, kind) in [
        (Reason::PaymentRequired, create, FaultKind::status(402)),
        (Reason::QuotaExceeded, create, FaultKind::status(403)),
        (Reason::InvalidRequest, create, FaultKind::status(400)),
        (Reason::ConfirmingSubmission, create, FaultKind::LoseAnswer),
        (Reason::RestoreFailed, create, FaultKind::JobFails),
        (Reason::RestoreCancelled, create, FaultKind::JobCancelled),
        (
            Reason::IndexFailed,
            create,
            FaultKind::IndexInitializationFailed,
        ),
        (
            Reason::IndexNotReady,
            create,
            FaultKind::IndexNotReadyAfter(Duration::from_secs(3_600)),
        ),
        (
            Reason::PermissionDenied,
            Route::DescribeIndex,
            FaultKind::status(403),
        ),
        (
            Reason::RateLimited,
            Route::DescribeIndex,
            FaultKind::status(429),
        ),
        (
            Reason::ApiUnavailable,
            Route::DescribeIndex,
            FaultKind::status(500),
        ),
    ] {
        pinecone.inject(Fault::new(route, kind).mentioning(name(reason)));
    }
    let unlisted = FaultKind::ListDrop(Some(vec![name(Reason::ConfirmingSubmission)]));
    pinecone.inject(Fault::new(Route::ListRestoreJobs, unlisted));
}

/// What the API server shows while no operator runs.
async fn unseen(scene: &Scene, states: &mut States) {
    let fresh = scene.create("unobserved", json!({})).await;
    states.insert(UNOBSERVED.into(), told(fresh));

    let merge = |patch: Value| async move {
        let params = PatchParams::default();
        let patch = Patch::Merge(patch);
        let patched = scene.restores.patch("restored", &params, &patch).await;
        patched.unwrap()
    };
    let edited = merge(json!({"spec": {"adoptionPolicy": "Never"}})).await;
    states.insert(EDITED.into(), told(edited));

    merge(json!({"metadata": {"finalizers": ["example.com/hold"]}})).await;
    let params = DeleteParams::default();
    scene.restores.delete("restored", &params).await.unwrap();
    let deleting = scene.get("restored").await;
    states.insert(DELETING.into(), told(deleting));
    merge(json!({"metadata": {"finalizers": null}})).await;
}

/// What the operator reports after an hour, here after seconds. Only 2025-10 leads to it: in
/// later versions the index itself names its backup.
async fn given_up() -> States {
    let scene = Scene::new().await;
    let flags = ["--give-up-patience=3s", "--pinecone-api-version=2025-10"];
    let _operator = scene.start_with(&flags).await;
    let inject = |route, kind| scene.pinecone.inject(Fault::new(route, kind));
    let unconfirmed = name(Reason::SubmissionUnconfirmed);
    let unlisted = FaultKind::ListDrop(Some(vec![unconfirmed.clone()]));
    inject(Route::ListRestoreJobs, unlisted);
    inject(Route::DescribeRestoreJob, FaultKind::JobNotFound);
    let lost = Fault::new(Route::CreateIndexFromBackup, FaultKind::LoseAnswer);
    scene.pinecone.inject(lost.mentioning(unconfirmed));
    let mut states = States::new();
    for reason in [Reason::SubmissionUnconfirmed, Reason::RestoreJobNotFound] {
        scene.create(&name(reason), json!({})).await;
        let object = scene.until(&name(reason), reason.as_str()).await;
        states.insert(reason.as_str().into(), told(object));
    }
    states
}

/// A definition that knows nothing of the claim, on a control plane of its own.
async fn outdated() -> States {
    let control_plane = testkit::ControlPlane::start().await.unwrap();
    let kubeconfig = authorize(&control_plane).await;
    let definition = without(crd(), "submission");
    let definition = serde_json::to_string(&definition).unwrap();
    control_plane.apply(&definition).await.unwrap();
    let scene = Scene::on(&control_plane, &kubeconfig).await;
    let _operator = scene.start().await;
    let reason = Reason::CrdOutdated;
    scene.create(&name(reason), json!({})).await;
    let object = scene.until(&name(reason), reason.as_str()).await;
    States::from([(reason.as_str().into(), told(object))])
}

/// The definition without that field of the status, and without the rules that speak of it.
fn without(mut crd: CustomResourceDefinition, field: &str) -> CustomResourceDefinition {
    let schema = crd.spec.versions[0].schema.as_mut().unwrap();
    let root = schema.open_api_v3_schema.as_mut().unwrap();
    root.x_kubernetes_validations = None;
    let status = root.properties.as_mut().unwrap().get_mut("status").unwrap();
    status.properties.as_mut().unwrap().remove(field).unwrap();
    crd
}

fn told(object: IndexRestore) -> Value {
    let mut object = serde_json::to_value(object).unwrap();
    object["apiVersion"] = json!("restore.pinecone.io/v1alpha1");
    object["kind"] = json!("IndexRestore");
    object
}
