//! A fresh control plane, with the shipped CRD and RBAC, namespaces, Secrets, and an emulator.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use index_restore_operator::api::IndexRestore;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use testkit::ControlPlane;
use testkit::installation::{CRD, SHIPPED};

use crate::machine::Processes;
use crate::pinecone::{Limit, Pinecone, api_key, backup, namespace};

const OPERATOR: &str = "index-restore-operator";
const SECRET: &str = "pinecone";

/// Create requests in flight.
const CREATORS: usize = 32;

pub struct Cluster {
    pub control_plane: ControlPlane,
    pub pinecone: Pinecone,
    pub client: Client,
    /// Kubeconfig of the operator's ServiceAccount.
    pub kubeconfig: PathBuf,
    keys: u32,
}

impl Cluster {
    /// With one namespace and its Secret for each API key.
    pub async fn start(keys: u32) -> Result<Self> {
        Self::start_limited(keys, None).await
    }

    /// With a limit of the requests of the first API key.
    pub async fn start_limited(keys: u32, limit: Option<Limit>) -> Result<Self> {
        let control_plane = ControlPlane::start().await?;
        for manifest in [CRD].into_iter().chain(SHIPPED) {
            control_plane.apply(manifest).await?;
        }
        let account = control_plane
            .service_account_kubeconfig(OPERATOR, OPERATOR)
            .await?;
        let cluster = Self {
            kubeconfig: control_plane.write_kubeconfig(&account)?,
            client: control_plane.client().await?,
            pinecone: Pinecone::start(keys, limit).await?,
            control_plane,
            keys,
        };
        for number in 0..keys {
            cluster.add_namespace(&namespace(number)).await?;
        }
        Ok(cluster)
    }

    async fn add_namespace(&self, name: &str) -> Result<()> {
        let params = PostParams::default();
        let metadata = |name: &str| ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        };
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let created = Namespace {
            metadata: metadata(name),
            ..Namespace::default()
        };
        namespaces.create(&params, &created).await?;
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), name);
        let secret = Secret {
            metadata: metadata(SECRET),
            string_data: Some([("api-key".to_owned(), api_key(name))].into()),
            ..Secret::default()
        };
        secrets.create(&params, &secret).await?;
        Ok(())
    }

    /// Changes the API key in the Secret of a namespace.
    pub async fn set_api_key(&self, key: u32, value: &str) -> Result<()> {
        let patch = Patch::Merge(json!({"stringData": {"api-key": value}}));
        let secrets = self.secrets(key);
        secrets
            .patch(SECRET, &PatchParams::default(), &patch)
            .await?;
        Ok(())
    }

    pub async fn delete_secret(&self, key: u32) -> Result<()> {
        let secrets = self.secrets(key);
        secrets.delete(SECRET, &DeleteParams::default()).await?;
        Ok(())
    }

    fn secrets(&self, key: u32) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &namespace(key))
    }

    /// The IndexRestores of an API key.
    pub fn restores(&self, key: u32) -> Api<IndexRestore> {
        Api::namespaced(self.client.clone(), &namespace(key))
    }

    /// Creates that many IndexRestores, spread over all keys, each with an annotation of that size.
    pub async fn create(&self, objects: u32, annotation: usize) -> Result<()> {
        let filler: Arc<str> = "x".repeat(annotation).into();
        stream::iter(0..objects)
            .map(|number| self.create_one(number, Arc::clone(&filler)))
            .buffer_unordered(CREATORS)
            .try_collect::<()>()
            .await
            .context("creating the IndexRestores")
    }

    /// Creates IndexRestores on one API key.
    pub async fn create_on(&self, key: u32, numbers: Range<u32>) -> Result<()> {
        stream::iter(numbers)
            .map(|number| self.create_named(key, number, Arc::from("")))
            .buffer_unordered(CREATORS)
            .try_collect::<()>()
            .await
            .context("creating the IndexRestores of one API key")
    }

    pub async fn create_one(&self, number: u32, annotation: Arc<str>) -> Result<()> {
        self.create_named(number % self.keys, number, annotation)
            .await
    }

    async fn create_named(&self, key: u32, number: u32, annotation: Arc<str>) -> Result<()> {
        let name = index_name(number);
        let mut metadata = json!({"name": name});
        if !annotation.is_empty() {
            metadata["annotations"] = json!({"bench.example/filler": &*annotation});
        }
        let object: IndexRestore = serde_json::from_value(json!({
            "apiVersion": "restore.pinecone.io/v1alpha1",
            "kind": "IndexRestore",
            "metadata": metadata,
            "spec": {"backupId": backup(key), "indexName": name, "apiKeySecretRef": {"name": SECRET}},
        }))?;
        let restores = self.restores(key);
        restores.create(&PostParams::default(), &object).await?;
        Ok(())
    }

    pub fn processes(&self, subject: u32) -> Processes {
        Processes {
            subject,
            control_plane: self.control_plane.pids(),
            others: vec![self.pinecone.pid(), std::process::id()],
        }
    }
}

/// Name of an IndexRestore and of its index.
pub fn index_name(number: u32) -> String {
    format!("restore-{number:05}")
}
