//! What people do: apply, edit and delete objects, keep Secrets, and manage a Pinecone project.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use index_restore_operator::api::IndexRestore;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use pinecone_emulator::{BackupSeed, Control, Project};
use serde_json::json;
use testkit::judge::CANARY;

pub const PROJECTS: usize = 4;
pub const NAMESPACES: usize = 4;
const ROOM: usize = 1_000_000;

/// For one call; the API server is paused now and then.
const CALL: Duration = Duration::from_secs(10);

/// Those who use the cluster and the Pinecone projects.
pub struct People {
    client: Client,
    pub control: Control,
    /// How many keys each project has had.
    keys: Mutex<[u32; PROJECTS]>,
}

/// A project's name, its backup, and another backup of it.
pub fn project(number: usize) -> String {
    format!("project-{number}")
}

pub fn backup(project: usize) -> String {
    format!("backup-{project}")
}

pub fn other_backup(project: usize) -> String {
    format!("other-backup-{project}")
}

pub fn namespace(number: usize) -> String {
    format!("team-{number}")
}

pub fn secret(project_number: usize) -> String {
    format!("pinecone-{}", project(project_number))
}

impl People {
    pub async fn settle_in(client: Client, control: Control) -> Result<Self> {
        let people = Self {
            client,
            control,
            keys: Mutex::default(),
        };
        let namespaces: Api<Namespace> = Api::all(people.client.clone());
        for number in 0..NAMESPACES {
            let object = Namespace {
                metadata: ObjectMeta {
                    name: Some(namespace(number)),
                    ..ObjectMeta::default()
                },
                ..Namespace::default()
            };
            namespaces.create(&PostParams::default(), &object).await?;
        }
        for number in 0..PROJECTS {
            let mut new = Project::new(project(number), people.key(number));
            new.index_quota = ROOM;
            new.backup_quota = ROOM;
            people.control.add_project(new)?;
            for id in [backup(number), other_backup(number)] {
                people.add_backup(number, &id)?;
            }
            people.put_secrets(number).await?;
        }
        Ok(people)
    }

    pub fn add_backup(&self, number: usize, id: &str) -> Result<()> {
        let seed = BackupSeed::new("nightly", "products").id(id);
        self.control.add_backup(&project(number), seed)?;
        Ok(())
    }

    fn key(&self, number: usize) -> String {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{CANARY}_{number}_{}", keys[number])
    }

    /// The project gets another key and the old one is refused; the Secrets have the old one yet.
    pub fn rotate(&self, number: usize) -> Result<()> {
        let old = self.key(number);
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)[number] += 1;
        self.control
            .add_api_key(&project(number), &self.key(number))?;
        self.control.revoke_api_key(&old);
        Ok(())
    }

    pub fn set_room(&self, number: usize, is_there: bool) -> Result<()> {
        let room = if is_there { ROOM } else { 0 };
        Ok(self.control.set_quotas(&project(number), room, ROOM)?)
    }

    /// Writes the project's key into the Secrets of all namespaces.
    pub async fn put_secrets(&self, number: usize) -> Result<()> {
        let (key, name) = (self.key(number), secret(number));
        let manifest = Patch::Apply(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "stringData": {"api-key": key},
        }));
        let params = PatchParams::apply("soak").force();
        for secrets in self.secrets() {
            insist(|| secrets.patch(&name, &params, &manifest)).await?;
        }
        Ok(())
    }

    pub async fn delete_secrets(&self, number: usize) -> Result<()> {
        let (name, params) = (secret(number), DeleteParams::default());
        for secrets in self.secrets() {
            insist(|| async { gone(secrets.delete(&name, &params).await) }).await?;
        }
        Ok(())
    }

    fn secrets(&self) -> impl Iterator<Item = Api<Secret>> {
        (0..NAMESPACES).map(|place| Api::namespaced(self.client.clone(), &namespace(place)))
    }

    fn restores(&self, namespace: &str) -> Api<IndexRestore> {
        Api::namespaced(self.client.clone(), namespace)
    }

    pub async fn create(&self, object: &IndexRestore) -> Result<()> {
        let api = self.restores(object.metadata.namespace.as_deref().unwrap_or_default());
        let params = PostParams::default();
        insist(|| async {
            match api.create(&params, object).await {
                // An earlier try came through, and its answer did not.
                Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
                result => result.map(drop),
            }
        })
        .await
    }

    pub async fn delete(&self, namespace: &str, name: &str) -> Result<()> {
        let api = self.restores(namespace);
        let params = DeleteParams::default();
        insist(|| async { gone(api.delete(name, &params).await) }).await
    }

    /// Corrects the backup in a spec. Nothing was submitted for it.
    pub async fn correct_backup(&self, namespace: &str, name: &str, backup: &str) -> Result<()> {
        let api = self.restores(namespace);
        let patch = Patch::Merge(json!({"spec": {"backupId": backup}}));
        let params = PatchParams::default();
        insist(|| async { api.patch(name, &params, &patch).await.map(drop) }).await
    }

    /// Labels an object, as tools do; nothing happens if it is gone.
    pub async fn label(&self, namespace: &str, name: &str, value: &str) -> Result<()> {
        let api = self.restores(namespace);
        let patch = Patch::Merge(json!({"metadata": {"labels": {"touched": value}}}));
        let params = PatchParams::default();
        insist(|| async { gone(api.patch(name, &params, &patch).await) }).await
    }

    /// Takes the status of an object away; nothing happens if it is gone.
    pub async fn wipe(&self, namespace: &str, name: &str, uid: &str) -> Result<()> {
        let api = self.restores(namespace);
        let params = PostParams::default();
        insist(|| async {
            for _ in 0..20 {
                let Some(mut object) = api.get_opt(name).await? else {
                    break;
                };
                if object.metadata.uid.as_deref() != Some(uid) {
                    break;
                }
                object.status = None;
                match api.replace_status(name, &params, &object).await {
                    Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {}
                    result => return result.map(drop),
                }
            }
            Ok(())
        })
        .await
    }
}

fn gone<T>(result: kube::Result<T>) -> kube::Result<()> {
    match result {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        result => result.map(drop),
    }
}

/// Repeats a call until it succeeds, or the API server refuses it as invalid.
async fn insist<T, C>(call: impl Fn() -> C) -> Result<T>
where
    C: Future<Output = kube::Result<T>>,
{
    let mut last = None;
    for _ in 0..60 {
        match tokio::time::timeout(CALL, call()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(kube::Error::Api(status))) if matches!(status.code, 400..=422) => {
                bail!("a user's call was refused: {status:?}")
            }
            Ok(Err(error)) => last = Some(error),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    match last {
        Some(error) => Err(error).context("the API server does not come back"),
        None => bail!("the API server does not answer"),
    }
}
