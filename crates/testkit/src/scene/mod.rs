//! One test's world: a namespace, an emulator, and operators.

// A step that fails must fail the test at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod pinecone;
mod restores;
mod running;
mod status;
mod witness;

use std::path::Path;
use std::time::Duration;

use index_restore_operator::api::IndexRestore;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use kube::{Api, Client};
use pinecone_emulator::{BackupSeed, Config, Control, DEFAULT_PROJECT, Emulator, Project};

use crate::binary::operator;
use crate::control_plane::ControlPlane;
use crate::history::History;
use crate::installation::{roles_of_the_election, shared};
use crate::judge::{Trial, Violation};
use crate::operator::{Operator, OperatorBuilder};

pub use crate::api_version::{api_version, shows_source};
pub use running::Running;
pub use status::{conditions, ready, status};
use witness::Witness;

/// The API key of every test; the tests of secrecy look for it everywhere.
pub const KEY: &str = "pcsk_canary_5f1e7c";
/// ID of the backup that every scene has: ready, of the index `products`, with the tag `team=search`.
pub const BACKUP: &str = "670e8400-e29b-41d4-a716-446655440000";

/// Flags for tests in which Pinecone answers late and the operator must wait.
pub const PATIENT: [&str; 2] = ["--request-timeout=20s", "--confirm-patience=30s"];

/// A namespace with the Secret `pinecone` and the Role of the election, an emulator with one project, and how its operators are
/// started. The waits of the operators are short.
///
/// Every version of its IndexRestores is recorded. When the scene ends, the [judge](crate::judge) panics if a rule was broken.
pub struct Scene {
    /// Dropped first: it judges the scene.
    witness: Witness,
    /// Name of the namespace, unique to the scene.
    pub namespace: String,
    /// Client with the permissions of a cluster administrator.
    pub client: Client,
    /// The IndexRestores of the namespace.
    pub restores: Api<IndexRestore>,
    /// Stops when it is dropped.
    emulator: Emulator,
    /// What the emulator was asked and has, and the faults that it injects.
    pub pinecone: Control,
    builder: OperatorBuilder,
}

impl Scene {
    /// A namespace with the Secret, and a project with one ready backup.
    pub async fn new() -> Self {
        let (control_plane, kubeconfig) = shared().await;
        Self::on(control_plane, &kubeconfig).await
    }

    /// Like [`Scene::new`], on that control plane, with the kubeconfig of its operators.
    pub async fn on(control_plane: &ControlPlane, kubeconfig: &Path) -> Self {
        let client = control_plane.client().await.unwrap();
        let namespace = control_plane.namespace("restores").await.unwrap();
        let emulator = Emulator::start(Config {
            projects: vec![Project::new(DEFAULT_PROJECT, KEY)],
            restore: Some(Duration::from_millis(300)),
            ..Config::default()
        })
        .await
        .unwrap();
        let pinecone = emulator.control();
        let backup = BackupSeed::new("nightly", "products")
            .id(BACKUP)
            .tag("team", "search");
        pinecone.add_backup(DEFAULT_PROJECT, backup).unwrap();
        let builder = Operator::builder(operator())
            .kubeconfig(kubeconfig)
            .arg("run")
            .env("INDEX_RESTORE_LOG_LEVEL", "debug")
            .env("INDEX_RESTORE_WATCH_NAMESPACE", &namespace)
            .env("INDEX_RESTORE_LEADER_ELECT_NAMESPACE", &namespace)
            .env("INDEX_RESTORE_PINECONE_ENDPOINT", emulator.url())
            .env("INDEX_RESTORE_REQUEST_TIMEOUT", "2s")
            .env("INDEX_RESTORE_POLL_MIN", "100ms")
            .env("INDEX_RESTORE_POLL_MAX", "1s")
            .env("INDEX_RESTORE_CONFIRM_PATIENCE", "8s")
            .env("INDEX_RESTORE_CATCH_UP_PATIENCE", "1s")
            .env("INDEX_RESTORE_JOB_OUTAGE_PATIENCE", "3s")
            .env("INDEX_RESTORE_PINECONE_API_VERSION", api_version());
        let restores = Api::namespaced(client.clone(), &namespace);
        let events = Api::namespaced(client.clone(), &namespace);
        let witness = Witness::of(&restores, events, pinecone.clone());
        let scene = Self {
            witness: witness.await.unwrap(),
            restores,
            namespace,
            client,
            emulator,
            pinecone,
            builder,
        };
        let roles = roles_of_the_election();
        control_plane
            .apply_in(&scene.namespace, &roles)
            .await
            .unwrap();
        scene.put_secret("pinecone", "api-key", KEY).await;
        scene
    }

    /// Where several operators shall work at once, or one follow a killed one at once.
    pub fn without_election(mut self) -> Self {
        self.builder = self.builder.env("INDEX_RESTORE_LEADER_ELECT", "false");
        self
    }

    /// Sets an environment variable of the operators.
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.env(name, value);
        self
    }

    /// Every version of the scene's IndexRestores.
    pub fn history(&self) -> &History {
        &self.witness.history
    }

    /// Excuses the object of that name from a rule that the test breaks on purpose.
    pub fn waive(&self, name: &str, rule: &'static str) {
        self.witness.waive(name, rule);
    }

    /// Excuses the scene from every rule: where etcd loses versions, none about successive versions can hold.
    pub fn excuse(&self) {
        self.witness.excuse();
    }

    /// States that operators restore this scene's objects in the Pinecone of `host`, which judges both at its end.
    pub fn visits(&self, host: &Self) {
        self.witness.visit(&host.witness);
    }

    /// Returns all that was recorded, for the judge.
    ///
    /// # Errors
    /// When the record is not complete.
    pub async fn trial(&self) -> anyhow::Result<Trial> {
        self.witness.trial().await
    }

    /// Returns the rules that were broken so far, other than those that are waived.
    ///
    /// # Errors
    /// When the record is not complete.
    pub async fn violations(&self) -> anyhow::Result<Vec<Violation>> {
        self.witness.violations().await
    }

    /// Where the emulator listens, such as `http://127.0.0.1:41234`.
    pub fn emulator_url(&self) -> String {
        self.emulator.url()
    }

    /// Creates the Secret, with one entry, in place of one of that name. Panics if the API server refuses.
    pub async fn put_secret(&self, name: &str, key: &str, value: &str) {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(name.into()),
                ..ObjectMeta::default()
            },
            string_data: Some([(key.to_owned(), value.to_owned())].into()),
            ..Secret::default()
        };
        let _ = secrets.delete(name, &DeleteParams::default()).await;
        secrets
            .create(&PostParams::default(), &secret)
            .await
            .unwrap();
    }
}
