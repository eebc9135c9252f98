//! Error states, each with its fix: the fix alone brings the restore to its end, with
//! one create, and with the status of a restore that met no error.

use anyhow::{Result, anyhow};
use futures::future::join_all;
use index_restore_operator::api::IndexRestore;
use kube::api::DeleteParams;
use pinecone_emulator::{BackupStatus, Fault, FaultKind, IndexSeed, JobSeed, Project, Route};
use serde_json::{Value, json};
use testkit::scene::status;

use crate::consistency;
use crate::differential;
use crate::ground::{Ground, stage};
use crate::health;
use crate::tally::{Oracle, Tally};

const PHASE: &str = "errors and fixes";
const CREATE: Route = Route::CreateIndexFromBackup;

/// Each error state: its name, the reason it shows, and the reason after its fix.
const ERRORS: [(&str, &str, &str); 25] = [
    ("key-refused", "InvalidApiKey", "Restored"),
    ("key-unusable", "InvalidSecret", "Restored"),
    ("key-empty", "InvalidSecret", "Restored"),
    ("secret-missing", "SecretNotFound", "Restored"),
    ("secret-misnamed", "SecretNotFound", "Restored"),
    ("secret-key-misnamed", "InvalidSecret", "Restored"),
    ("secret-other-key", "InvalidSecret", "Restored"),
    ("other-project", "BackupNotFound", "Restored"),
    ("backup-missing", "BackupNotFound", "Restored"),
    ("backup-mistyped", "BackupNotFound", "Restored"),
    ("backup-unready", "BackupNotReady", "Restored"),
    ("backup-failed", "BackupFailed", "Restored"),
    ("name-taken", "IndexAlreadyExists", "Restored"),
    ("name-taken-renamed", "IndexAlreadyExists", "Restored"),
    ("never-adopted", "IndexAlreadyExists", "Adopted"),
    ("quota", "QuotaExceeded", "Restored"),
    ("permission", "PermissionDenied", "Restored"),
    ("payment", "PaymentRequired", "Restored"),
    ("invalid", "InvalidRequest", "Restored"),
    ("rate", "RateLimited", "Restored"),
    ("outage-reads", "ApiUnavailable", "Restored"),
    ("outage-create", "ConfirmingSubmission", "Restored"),
    ("answer-lost", "ConfirmingSubmission", "Restored"),
    ("job-fails", "RestoreFailed", "Restored"),
    ("index-deleted", "IndexDeleted", "Restored"),
];

pub async fn run(schema: &Value, tally: &Tally) {
    let (scene, operator) = stage().await;
    let runs = ERRORS.iter().map(|(name, error, end)| {
        let scene = &scene;
        async move {
            let ground = Ground::new(scene, name).await;
            let outcome = one(&ground, error, end, schema, tally).await;
            tally.judge(Oracle::Recovery, name, outcome);
        }
    });
    join_all(runs).await;
    health::check(&scene, &operator, 0, tally).await;
}

async fn one(
    ground: &Ground<'_>,
    error: &str,
    end: &str,
    schema: &Value,
    tally: &Tally,
) -> Result<()> {
    let name = ground.name.as_str();
    let mut spec = ground.spec(name);
    tally.operation(PHASE);
    break_it(ground, &mut spec).await;
    ground.create(name, &spec, false).await?;
    if name == "index-deleted" {
        ground.until(name, &["Restored"]).await?;
        delete_index(ground);
    }
    ground.until(name, &[error]).await?;
    tally.operation(PHASE);
    // The fix of a restore that ended is another resource: so many creates it takes.
    let creates = match name {
        "job-fails" | "index-deleted" => 2,
        "never-adopted" => 0,
        _ => 1,
    };
    mend(ground).await?;
    let object = ground.until(name, &[end]).await?;
    let accepted = ground.creates();
    let judgement = (accepted == creates).then_some(());
    let judgement =
        judgement.ok_or_else(|| anyhow!("{accepted} creates were accepted, not {creates}"));
    tally.judge(Oracle::Health, name, judgement);
    if creates == 1 {
        let judgement = consistency::recorded(ground, schema, &object);
        tally.judge(Oracle::Consistency, name, judgement);
    }
    if end == "Restored" {
        compare_with_fresh(ground, &object, tally).await?;
    }
    Ok(())
}

async fn compare_with_fresh(
    ground: &Ground<'_>,
    object: &IndexRestore,
    tally: &Tally,
) -> Result<()> {
    let name = format!("{}-fresh", ground.name);
    let mut spec = serde_json::to_value(&object.spec).unwrap();
    spec["indexName"] = json!(name);
    ground.create(&name, &spec, false).await?;
    let fresh = ground.until(&name, &["Restored"]).await?;
    let mut object = object.clone();
    let submission = object.status.as_mut().and_then(|s| s.submission.as_mut());
    // The one error that costs an attempt.
    if let Some(submission) = submission.filter(|_| ground.name == "outage-create") {
        submission.attempt -= 1;
    }
    let judgement = differential::same(&object, &fresh);
    tally.judge(Oracle::Differential, &ground.name, judgement);
    Ok(())
}

fn delete_index(ground: &Ground<'_>) {
    let pinecone = &ground.scene.pinecone;
    pinecone.delete_index(&ground.name, &ground.name).unwrap();
}

fn inject(ground: &Ground<'_>, route: Route, kind: FaultKind) {
    let fault = Fault::new(route, kind).mentioning(mark(ground));
    ground.scene.pinecone.inject(fault);
}

/// In the paths that name its backups.
fn mark(ground: &Ground<'_>) -> String {
    format!("{}.", ground.name)
}

async fn break_it(ground: &Ground<'_>, spec: &mut Value) {
    let reference = |field: &str| format!("/apiKeySecretRef/{field}");
    spec["apiKeySecretRef"]["key"] = json!("api-key");
    spec["adoptionPolicy"] = json!("IfSameBackup");
    let wrong = match ground.name.as_str() {
        "secret-missing" => (reference("name"), "comes.late"),
        "secret-misnamed" => (reference("name"), "mistyped"),
        "secret-key-misnamed" => (reference("key"), "mistyped"),
        "backup-missing" => ("/backupId".to_owned(), "comes-late"),
        "backup-mistyped" => ("/backupId".to_owned(), "mistyped"),
        "never-adopted" => ("/adoptionPolicy".to_owned(), "Never"),
        "key-refused" => return ground.put_keys("api-key", "pcsk_canary_wrong").await,
        "key-unusable" => return ground.put_keys("api-key", "pcsk_canary\nlines").await,
        "key-empty" => return ground.put_keys("api-key", " ").await,
        "secret-other-key" => return ground.put_keys("token", &ground.api_key()).await,
        "other-project" => {
            let stranger = Project::new("stranger", "pcsk_canary_stranger");
            ground.scene.pinecone.add_project(stranger).unwrap();
            return ground.put_keys("api-key", "pcsk_canary_stranger").await;
        }
        _ => return break_pinecone(ground),
    };
    let (field, value) = wrong;
    *spec.pointer_mut(&field).unwrap() = json!(value);
    break_pinecone(ground);
}

fn break_pinecone(ground: &Ground<'_>) {
    let pinecone = &ground.scene.pinecone;
    let status = |route, status| inject(ground, route, FaultKind::status(status));
    match ground.name.as_str() {
        "backup-unready" => ground.set_backups(BackupStatus::Initializing),
        "backup-failed" => {
            let failed = BackupStatus::InitializationFailed;
            let [one, _] = ground.backups();
            let set = pinecone.set_backup_status(&ground.name, &one, failed);
            set.unwrap();
        }
        "name-taken" | "name-taken-renamed" => add_index(ground),
        "never-adopted" => {
            let index = IndexSeed::new(&ground.name).restored_from(&ground.backups()[0]);
            pinecone.add_index(&ground.name, index).unwrap();
            let long_ago = pinecone.now() - jiff::SignedDuration::from_hours(48);
            let job = JobSeed::new(&ground.backups()[0], &ground.name).created_at(long_ago);
            pinecone.add_restore_job(&ground.name, job).unwrap();
        }
        "quota" => ground.set_quota(0),
        "permission" => status(Route::DescribeBackup, 403),
        "outage-reads" => status(Route::DescribeBackup, 503),
        "payment" => status(CREATE, 402),
        "invalid" => status(CREATE, 400),
        "rate" => status(CREATE, 429),
        "outage-create" => status(CREATE, 500),
        "answer-lost" => {
            inject(ground, CREATE, FaultKind::LoseAnswer);
            pinecone.inject(unreadable(ground));
        }
        "job-fails" => {
            let fails = Fault::new(CREATE, FaultKind::JobFails).times(1);
            pinecone.inject(fails.mentioning(mark(ground)));
        }
        _ => {}
    }
}

fn add_index(ground: &Ground<'_>) {
    let index = IndexSeed::new(&ground.name);
    let pinecone = &ground.scene.pinecone;
    pinecone.add_index(&ground.name, index).unwrap();
}

/// A list of jobs that cannot be read. One that lacks the job would not hold the state where
/// indexes name their backups.
pub fn unreadable(ground: &Ground<'_>) -> Fault {
    let list = Fault::new(Route::ListRestoreJobs, FaultKind::status(500));
    list.in_project(&ground.name)
}

/// Takes the ground's faults away.
fn clear_faults(ground: &Ground<'_>) {
    let pinecone = &ground.scene.pinecone;
    for (id, fault, _) in pinecone.faults() {
        let is_own = fault.project.as_ref() == Some(&ground.name);
        if is_own || fault.mentions == Some(mark(ground)) {
            pinecone.clear_fault(id);
        }
    }
}

async fn mend(ground: &Ground<'_>) -> Result<()> {
    let name = ground.name.as_str();
    let (key, [one, two]) = (ground.api_key(), ground.backups());
    let secret = &ground.secrets()[1];
    let edit = |field: &'static str, value: Value| {
        ground.edit(name, move |spec| {
            *spec.pointer_mut(field).unwrap() = value.clone();
        })
    };
    match name {
        "secret-missing" => {
            let data = [("api-key".to_owned(), key)];
            let put = ground.put_secret("comes.late", data.into()).await;
            put.map_err(anyhow::Error::from)?;
        }
        "secret-misnamed" => drop(edit("/apiKeySecretRef/name", json!(secret)).await?),
        "secret-key-misnamed" => drop(edit("/apiKeySecretRef/key", json!("spare")).await?),
        "key-refused" | "key-unusable" | "key-empty" | "secret-other-key" | "other-project" => {
            ground.mend_keys().await;
        }
        "backup-missing" => ground.add_backup("comes-late", BackupStatus::Ready),
        "backup-mistyped" => drop(edit("/backupId", json!(one)).await?),
        "backup-failed" => drop(edit("/backupId", json!(two)).await?),
        "backup-unready" => ground.set_backups(BackupStatus::Ready),
        "name-taken" => delete_index(ground),
        "name-taken-renamed" => drop(edit("/indexName", json!("renamed")).await?),
        "never-adopted" => drop(edit("/adoptionPolicy", json!("IfSameBackup")).await?),
        "quota" => ground.set_quota(1_000),
        "invalid" => {
            clear_faults(ground);
            drop(edit("/indexName", json!("corrected")).await?);
        }
        "job-fails" | "index-deleted" => again(ground).await?,
        _ => clear_faults(ground),
    }
    Ok(())
}

/// As the message asks: the index is deleted, and the resource recreated.
async fn again(ground: &Ground<'_>) -> Result<()> {
    let name = ground.name.as_str();
    // Never automatically: it is reconciled once more, and nothing is sent.
    let creates = ground.creates();
    let spec = ground.get(name).await?["spec"].clone();
    if name == "job-fails" {
        delete_index(ground);
    }
    let restores = &ground.scene.restores;
    let deleted = restores.delete(name, &DeleteParams::default()).await;
    deleted.map_err(anyhow::Error::from)?;
    if creates != 1 {
        return Err(anyhow!("{creates} creates before the fix"));
    }
    ground.create(name, &spec, false).await?;
    let new = |object: &IndexRestore| status(object).submission.is_some();
    let made = ground.until_that(name, new).await;
    made.map(drop)
}
