//! Where one restore of the campaign takes place: a project with two backups, two
//! Secrets with its key, and the object, as raw JSON past the types' own checks.

use std::time::Duration;

use anyhow::{Result, anyhow};
use http::{Method, Request};
use index_restore_operator::api::IndexRestore;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::core::ObjectMeta;
use kube::{Api, Error};
use pinecone_emulator::{AcceptedCreate, BackupSeed, BackupStatus, Project};
use serde_json::{Value, json};
use testkit::scene::{Running, Scene, ready, status};

/// A crowded machine is no violation: with hundreds of restores at once, it takes what
/// it takes.
const PATIENCE: Duration = Duration::from_secs(240);

/// Bounds that a crowded machine keeps too.
const UNHURRIED: [&str; 3] = [
    "--concurrency=16",
    "--request-timeout=10s",
    "--confirm-patience=16s",
];

/// A scene, and the one operator in it. It never ends before its phase does.
pub async fn stage() -> (Scene, Running) {
    let scene = Scene::new().await.without_election();
    let operator = scene.start_with(&UNHURRIED).await;
    (scene, operator)
}

pub struct Ground<'a> {
    pub scene: &'a Scene,
    /// Of the project, and of the object unless it has another.
    pub name: String,
}

impl<'a> Ground<'a> {
    pub async fn new(scene: &'a Scene, name: &str) -> Self {
        let ground = Self {
            scene,
            name: name.to_owned(),
        };
        let project = Project {
            index_quota: 1_000,
            ..Project::new(name, ground.api_key())
        };
        scene.pinecone.add_project(project).unwrap();
        for id in ground.backups() {
            ground.add_backup(&id, BackupStatus::Ready);
        }
        ground.mend_keys().await;
        ground
    }

    /// Marked like every key, so that it is found where it must not be.
    pub fn api_key(&self) -> String {
        format!("pcsk_canary_{}", self.name)
    }

    pub fn backups(&self) -> [String; 2] {
        ["one", "two"].map(|which| format!("{}.{which}", self.name))
    }

    pub fn secrets(&self) -> [String; 2] {
        ["one", "two"].map(|which| format!("{}.{which}", self.name))
    }

    pub fn add_backup(&self, id: &str, status: BackupStatus) {
        let seed = BackupSeed::new("nightly", "products").id(id).status(status);
        // One that is there already is as good.
        let _ = self.scene.pinecone.add_backup(&self.name, seed);
    }

    pub fn set_backups(&self, status: BackupStatus) {
        for id in self.backups() {
            let pinecone = &self.scene.pinecone;
            let set = pinecone.set_backup_status(&self.name, &id, status.clone());
            set.unwrap();
        }
    }

    pub fn set_quota(&self, indexes: usize) {
        let pinecone = &self.scene.pinecone;
        pinecone.set_quotas(&self.name, indexes, 1_000).unwrap();
    }

    /// Puts a Secret in the place of one that may be there.
    pub async fn put_secret(
        &self,
        name: &str,
        data: std::collections::BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let client = self.scene.client.clone();
        let secrets: Api<Secret> = Api::namespaced(client, &self.scene.namespace);
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            string_data: Some(data),
            ..Secret::default()
        };
        let params = PostParams::default();
        match secrets.create(&params, &secret).await {
            Err(Error::Api(status)) if status.is_already_exists() => {
                secrets.replace(name, &params, &secret).await.map(drop)
            }
            created => created.map(drop),
        }
    }

    /// The project's key, under both names, in both Secrets.
    pub async fn mend_keys(&self) {
        let both = ["api-key", "spare"].map(|key| (key.to_owned(), self.api_key()));
        for secret in self.secrets() {
            self.put_secret(&secret, both.clone().into()).await.unwrap();
        }
    }

    /// Both Secrets with that entry alone.
    pub async fn put_keys(&self, key: &str, value: &str) {
        for name in self.secrets() {
            let data = [(key.to_owned(), value.to_owned())];
            self.put_secret(&name, data.into()).await.unwrap();
        }
    }

    /// The least that a restore needs, to an index of that name.
    pub fn spec(&self, index_name: &str) -> Value {
        json!({
            "backupId": self.backups()[0],
            "indexName": index_name,
            "apiKeySecretRef": {"name": self.secrets()[0]},
        })
    }

    fn path(&self, name: &str) -> String {
        let namespace = &self.scene.namespace;
        format!("/apis/restore.pinecone.io/v1alpha1/namespaces/{namespace}/indexrestores{name}")
    }

    async fn send(&self, method: Method, path: String, body: &Value) -> Result<Value, Error> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", "application/json")
            .body(serde_json::to_vec(body).unwrap())
            .unwrap();
        self.scene.client.request(request).await
    }

    /// Creates the object: as stored, or the API server's error.
    pub async fn create(&self, name: &str, spec: &Value, strict: bool) -> Result<Value> {
        let body = json!({
            "apiVersion": "restore.pinecone.io/v1alpha1",
            "kind": "IndexRestore",
            "metadata": {"name": name},
            "spec": spec,
        });
        let validation = if strict { "Strict" } else { "Ignore" };
        let path = format!("{}?fieldValidation={validation}", self.path(""));
        let created = self.send(Method::POST, path, &body).await;
        created.map_err(anyhow::Error::from)
    }

    pub async fn get(&self, name: &str) -> Result<Value> {
        let path = self.path(&format!("/{name}"));
        let got = self.send(Method::GET, path, &Value::Null).await;
        got.map_err(anyhow::Error::from)
    }

    /// Changes the spec by PUT, over again where a status was written meanwhile.
    pub async fn edit(&self, name: &str, change: impl Fn(&mut Value)) -> Result<Value> {
        loop {
            let mut object = self.get(name).await?;
            change(&mut object["spec"]);
            let path = self.path(&format!("/{name}?fieldValidation=Ignore"));
            match self.send(Method::PUT, path, &object).await {
                Ok(edited) => return Ok(edited),
                Err(Error::Api(status)) if status.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The same where the restore is refused again and again: while a claim is open, the
    /// spec is frozen, which does not last.
    pub async fn edit_unclaimed(&self, name: &str, change: impl Fn(&mut Value)) -> Result<Value> {
        let end = tokio::time::Instant::now() + testkit::DEADLINE;
        loop {
            let edited = self.edit(name, &change).await;
            let is_frozen = |error: &anyhow::Error| error.to_string().contains("spec: Forbidden");
            if !edited.as_ref().is_err_and(is_frozen) || tokio::time::Instant::now() > end {
                return edited;
            }
        }
    }

    /// Waits until the status speaks of the spec as it is, with one of those reasons.
    pub async fn until(&self, name: &str, reasons: &[&str]) -> Result<IndexRestore> {
        let at_rest = |object: &IndexRestore| {
            let is_observed = status(object).observed_generation == object.metadata.generation;
            is_observed && reasons.contains(&ready(object).1.as_str())
        };
        let reached = self.until_that(name, at_rest).await;
        reached.map_err(|error| anyhow!("it does not become {reasons:?}: {error}"))
    }

    /// Waits until that holds.
    pub async fn until_that(
        &self,
        name: &str,
        mut holds: impl FnMut(&IndexRestore) -> bool,
    ) -> Result<IndexRestore> {
        let restores = &self.scene.restores;
        let found = testkit::wait_for(restores, name, PATIENCE, |object| {
            object.is_some_and(&mut holds)
        });
        let found = found.await.map_err(|error| anyhow!("{error:#}"))?;
        found.ok_or_else(|| anyhow!("it is gone"))
    }

    /// The creates that Pinecone accepted in this project for that index name.
    pub fn accepted(&self, index_name: &str) -> Vec<AcceptedCreate> {
        let mut creates = self.scene.pinecone.accepted_creates();
        creates.retain(|c| c.project == self.name && c.index_name == index_name);
        creates
    }

    /// How many creates Pinecone accepted in this project.
    pub fn creates(&self) -> usize {
        let creates = self.scene.pinecone.accepted_creates().into_iter();
        creates.filter(|create| create.project == self.name).count()
    }
}
