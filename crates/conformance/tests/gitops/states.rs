//! An IndexRestore in every state, created with a running operator.

use std::collections::BTreeMap;
use std::time::Duration;

use index_restore_operator::api::{IndexRestore, Reason, SubmissionOutcome, crd};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, Patch, PatchParams};
use pinecone_emulator::{
    BackupSeed, BackupStatus, DEFAULT_PROJECT, Fault, FaultKind, IndexSeed, JobSeed, Route,
};
use serde_json::{Value, json};
use testkit::installation::{authorize, forbid_secrets};
use testkit::scene::{BACKUP, KEY, Scene, api_version, ready, status};
use tokio::sync::OnceCell;

use crate::with_operator;

/// States without a reason: the operator has not observed the object or its current spec, or the object is being deleted.
pub const UNOBSERVED: &str = "Unobserved";
pub const EDITED: &str = "Edited";
pub const DELETING: &str = "Deleting";

/// One object for each state, as the API server returned it.
pub type States = BTreeMap<String, Value>;

/// The version of Pinecone's API in the committed test data: the operator's default.
const DEFAULT_VERSION: &str = "2025-10";

/// The states, created once.
pub async fn states() -> &'static States {
    static STATES: OnceCell<States> = OnceCell::const_new();
    let version = api_version();
    match version == DEFAULT_VERSION {
        true => default_states().await,
        false => STATES.get_or_init(|| states_with(&version)).await,
    }
}

/// The states with the default version of Pinecone's API, created once.
pub async fn default_states() -> &'static States {
    static STATES: OnceCell<States> = OnceCell::const_new();
    STATES.get_or_init(|| states_with(DEFAULT_VERSION)).await
}

async fn states_with(version: &str) -> States {
    with_operator().await;
    let mut states = operator_states(version).await;
    states.extend(patience_states().await);
    states.extend(states_of_the_installation().await);
    states
}

/// The states that a running operator reports with default patiences.
async fn operator_states(version: &str) -> States {
    let scene = Scene::new()
        .await
        .with_env("INDEX_RESTORE_PINECONE_API_VERSION", version);
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
        // While a rejected restore is retried, its status still shows the previous rejection.
        let object = scene.until_that(&name, |object| {
            let submission = status(object).submission;
            let is_open = submission.is_some_and(|made| made.outcome == SubmissionOutcome::Open);
            // Its first message, about the lost answer, does not last.
            let is_final = match reason {
                Reason::ConfirmingSubmission => ready(object).2.contains("is listed"),
                _ => !is_open,
            };
            ready(object).1 == reason.as_str() && is_final
        });
        states.insert(reason.as_str().into(), with_type(object.await.unwrap()));
    }
    scene.pinecone.set_restore_duration(None);
    scene.create("restoring", json!({})).await;
    let object = scene.until("restoring", "Restoring").await;
    states.insert(Reason::Restoring.as_str().into(), with_type(object));
    drop(operator);
    unobserved_states(&scene, &mut states).await;
    states
}

/// The spec of the object with the reason; `None` for reasons that need another operator or more time.
fn spec(reason: Reason) -> Option<Value> {
    Some(match reason {
        Reason::Restoring
        | Reason::SubmissionUnconfirmed
        | Reason::RestoreJobNotFound
        | Reason::SecretForbidden
        | Reason::CrdOutdated => return None,
        Reason::SecretNotFound => json!({"apiKeySecretRef": {"name": "absent"}}),
        Reason::InvalidSecret => json!({"apiKeySecretRef": {"name": "pinecone", "key": "absent"}}),
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

/// Prepares the backups, indexes and faults in Pinecone.
async fn prepare(scene: &Scene) {
    scene.put_secret("wrong", "api-key", "pcsk_unknown").await;
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
    // An index that Pinecone is still deleting.
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

/// The states that the API server returns while no operator runs.
async fn unobserved_states(scene: &Scene, states: &mut States) {
    let fresh = scene.create("unobserved", json!({})).await;
    states.insert(UNOBSERVED.into(), with_type(fresh));

    let merge = |patch: Value| async move {
        let params = PatchParams::default();
        let patch = Patch::Merge(patch);
        let patched = scene.restores.patch("restored", &params, &patch).await;
        patched.unwrap()
    };
    let edited = merge(json!({"spec": {"adoptionPolicy": "Never"}})).await;
    states.insert(EDITED.into(), with_type(edited));

    merge(json!({"metadata": {"finalizers": ["example.com/hold"]}})).await;
    let params = DeleteParams::default();
    scene.restores.delete("restored", &params).await.unwrap();
    let deleting = scene.get("restored").await;
    states.insert(DELETING.into(), with_type(deleting));
    merge(json!({"metadata": {"finalizers": null}})).await;
}

/// The states that the operator reports after an hour, here after seconds. They occur with 2025-10
/// only: in later versions the index itself names its backup.
async fn patience_states() -> States {
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
        states.insert(reason.as_str().into(), with_type(object));
    }
    states
}

/// The states with a CRD that lacks the claim, and with a role that lacks the Secrets, on their own
/// control plane.
async fn states_of_the_installation() -> States {
    let control_plane = testkit::ControlPlane::start().await.unwrap();
    let kubeconfig = authorize(&control_plane).await;
    let definition = without(crd(), "submission");
    let definition = serde_json::to_string(&definition).unwrap();
    control_plane.apply(&definition).await.unwrap();
    let scene = Scene::on(&control_plane, &kubeconfig).await;
    let _operator = scene.start().await;
    let mut states = States::new();
    for reason in [Reason::CrdOutdated, Reason::SecretForbidden] {
        if reason == Reason::SecretForbidden {
            forbid_secrets(&scene.client).await;
        }
        // Each names its own Secret: what was read of one counts for a while.
        scene.put_secret(&name(reason), "api-key", KEY).await;
        let spec = json!({"apiKeySecretRef": {"name": name(reason)}});
        scene.create(&name(reason), spec).await;
        let object = scene.until(&name(reason), reason.as_str()).await;
        states.insert(reason.as_str().into(), with_type(object));
    }
    states
}

/// The CRD without the given field of the status, and without the validation rules that use it.
fn without(mut crd: CustomResourceDefinition, field: &str) -> CustomResourceDefinition {
    let schema = crd.spec.versions[0].schema.as_mut().unwrap();
    let root = schema.open_api_v3_schema.as_mut().unwrap();
    root.x_kubernetes_validations = None;
    let status = root.properties.as_mut().unwrap().get_mut("status").unwrap();
    status.properties.as_mut().unwrap().remove(field).unwrap();
    crd
}

fn with_type(object: IndexRestore) -> Value {
    let mut object = serde_json::to_value(object).unwrap();
    object["apiVersion"] = json!("restore.pinecone.io/v1alpha1");
    object["kind"] = json!("IndexRestore");
    object
}
