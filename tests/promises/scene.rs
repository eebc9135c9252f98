//! One test's world: a namespace, an emulator, and operators.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use index_restore_operator::api::conditions::find;
use index_restore_operator::api::{IndexRestore, IndexRestoreStatus, REQUESTED_AT};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use pinecone_emulator::{
    AcceptedCreate, BackupSeed, Config, Control, DEFAULT_PROJECT, Emulator, Project, Route,
};
use serde_json::{Value, json};
use testkit::{ControlPlane, DEADLINE, Operator, OperatorBuilder, eventually, free_port, wait_for};

use crate::installation::{roles_of_the_election, shared};

/// The API key of every test; the tests of secrecy look for it everywhere.
pub const KEY: &str = "pcsk_canary_5f1e7c";
pub const BACKUP: &str = "670e8400-e29b-41d4-a716-446655440000";

/// For answers that come late and must not be given up.
pub const PATIENT: [&str; 2] = ["--request-timeout=20s", "--confirm-patience=30s"];

/// The operator's binary. The environment variable INDEX_RESTORE_OPERATOR names another, such as
/// one built from an earlier commit, to see a test fail. Else Cargo tells it to the tests of
/// the operator's package; others set it first.
pub static OPERATOR: OnceLock<PathBuf> = OnceLock::new();

fn operator() -> &'static Path {
    OPERATOR.get_or_init(|| {
        if let Some(path) = std::env::var_os("INDEX_RESTORE_OPERATOR") {
            return path.into();
        }
        let told = option_env!("CARGO_BIN_EXE_index-restore-operator");
        told.expect("OPERATOR is set").into()
    })
}

/// The version of Pinecone's API that the operators speak: 2025-10, unless the environment
/// names another.
pub fn api_version() -> String {
    std::env::var("INDEX_RESTORE_API_VERSION").unwrap_or_else(|_| "2025-10".into())
}

/// Whether an index names the backup it was restored from.
pub fn shows_source() -> bool {
    api_version() == "2026-07"
}

pub struct Scene {
    pub namespace: String,
    pub client: Client,
    pub restores: Api<IndexRestore>,
    /// Stops when it is dropped.
    emulator: Emulator,
    pub pinecone: Control,
    builder: OperatorBuilder,
}

/// An operator, and where it serves its endpoints.
pub struct Running {
    pub process: Operator,
    pub address: String,
}

impl Scene {
    /// A namespace with the Secret, and a project with one ready backup.
    pub async fn new() -> Self {
        let (control_plane, kubeconfig) = shared().await;
        Self::on(control_plane, &kubeconfig).await
    }

    /// The same on a control plane of one's own.
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
            .env("LOG_LEVEL", "debug")
            .env("WATCH_NAMESPACE", &namespace)
            .env("LEADER_ELECT_NAMESPACE", &namespace)
            .env("PINECONE_ENDPOINT", emulator.url())
            .env("REQUEST_TIMEOUT", "2s")
            .env("POLL_MIN", "100ms")
            .env("POLL_MAX", "1s")
            .env("CONFIRM_PATIENCE", "8s")
            .env("CATCH_UP_PATIENCE", "1s")
            .env("JOB_OUTAGE_PATIENCE", "3s")
            .env("PINECONE_API_VERSION", api_version());
        let scene = Self {
            restores: Api::namespaced(client.clone(), &namespace),
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
        self.builder = self.builder.env("LEADER_ELECT", "false");
        self
    }

    /// Sets an environment variable of the operators.
    #[allow(dead_code)] // Not every test binary that includes this file needs it.
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.env(name, value);
        self
    }

    /// Where the emulator listens, such as `http://127.0.0.1:41234`.
    #[allow(dead_code)] // As above.
    pub fn emulator_url(&self) -> String {
        self.emulator.url()
    }

    /// Starts an operator and waits until it has seen everything. Its waits are
    /// short; flags override them.
    pub async fn start(&self) -> Running {
        self.start_with(&[]).await
    }

    pub async fn start_with(&self, flags: &[&str]) -> Running {
        Self::until_ready(self.launch(flags)).await
    }

    /// Starts one that reaches the API server by another way.
    pub async fn start_by(&self, kubeconfig: &Path, flags: &[&str]) -> Running {
        let builder = self.builder.clone().kubeconfig(kubeconfig);
        Self::until_ready(Self::launch_from(builder, flags)).await
    }

    async fn until_ready(running: Running) -> Running {
        eventually("the operator is ready", DEADLINE, async || {
            Ok((running.get("/readyz").await?.0 == 200).then_some(()))
        })
        .await
        .unwrap_or_else(|error| panic!("{error:#}\n{}", running.process.logs()));
        running
    }

    /// Starts an operator without waiting.
    pub fn launch(&self, flags: &[&str]) -> Running {
        self.launch_with(flags, &[])
    }

    /// The same with further environment variables.
    pub fn launch_with(&self, flags: &[&str], environment: &[(&str, &str)]) -> Running {
        let mut builder = self.builder.clone();
        for (name, value) in environment {
            builder = builder.env(*name, *value);
        }
        Self::launch_from(builder, flags)
    }

    fn launch_from(builder: OperatorBuilder, flags: &[&str]) -> Running {
        let address = format!("127.0.0.1:{}", free_port().unwrap());
        let builder = builder.args(["--listen", &address]).args(flags);
        Running {
            process: builder.start().unwrap(),
            address,
        }
    }

    pub fn restore(&self, name: &str, spec: Value) -> IndexRestore {
        let mut object = json!({
            "apiVersion": "restore.pinecone.io/v1alpha1",
            "kind": "IndexRestore",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"backupId": BACKUP, "indexName": name, "apiKeySecretRef": {"name": "pinecone"}},
        });
        for (key, value) in spec.as_object().cloned().unwrap_or_default() {
            object["spec"][key] = value;
        }
        serde_json::from_value(object).unwrap()
    }

    pub async fn create(&self, name: &str, spec: Value) -> IndexRestore {
        let object = self.restore(name, spec);
        let created = self.restores.create(&PostParams::default(), &object).await;
        created.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Waits until the Ready condition has that reason, for the spec as it is.
    pub async fn until(&self, name: &str, reason: &str) -> IndexRestore {
        self.until_that(name, |object| {
            let is_observed = status(object).observed_generation == object.metadata.generation;
            is_observed && ready(object).1 == reason
        })
        .await
        .unwrap_or_else(|error| panic!("{name} is not {reason}: {error:#}"))
    }

    pub async fn until_that(
        &self,
        name: &str,
        mut holds: impl FnMut(&IndexRestore) -> bool,
    ) -> anyhow::Result<IndexRestore> {
        let found = wait_for(&self.restores, name, DEADLINE, |object| {
            object.is_some_and(&mut holds)
        })
        .await?;
        found.ok_or_else(|| anyhow::anyhow!("{name} does not exist"))
    }

    pub async fn get(&self, name: &str) -> IndexRestore {
        self.restores.get(name).await.unwrap()
    }

    pub async fn delete(&self, name: &str) {
        let params = DeleteParams::default();
        self.restores.delete(name, &params).await.unwrap();
        wait_for(&self.restores, name, DEADLINE, |object| object.is_none())
            .await
            .unwrap();
    }

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

    /// The creates that Pinecone accepted for that index name: the truth about
    /// "exactly once", whatever the operator says of itself.
    pub fn accepted(&self, index_name: &str) -> Vec<AcceptedCreate> {
        let mut creates = self.pinecone.accepted_creates();
        creates.retain(|create| create.index_name == index_name);
        creates
    }

    /// How many create requests Pinecone got. Its 409 hides a second one from the
    /// creates that it accepted.
    pub fn posts(&self) -> usize {
        self.asked(Route::CreateIndexFromBackup)
    }

    /// How many requests of that route Pinecone got.
    pub fn asked(&self, route: Route) -> usize {
        let requests = self.pinecone.requests();
        requests
            .iter()
            .filter(|request| request.route == route)
            .count()
    }

    /// Waits until Pinecone got that many requests of that route.
    pub async fn until_asked(&self, route: Route, times: usize) {
        eventually("Pinecone is asked", DEADLINE, async || {
            Ok((self.asked(route) >= times).then_some(()))
        })
        .await
        .unwrap();
    }

    /// Waits for so many further requests of that route.
    #[allow(dead_code)] // As above.
    pub async fn until_asked_again(&self, route: Route, times: usize) {
        self.until_asked(route, self.asked(route) + times).await;
    }

    /// Waits until Pinecone accepted a create for that index name.
    pub async fn until_accepted(&self, index_name: &str) {
        eventually("Pinecone accepts", DEADLINE, async || {
            Ok((!self.accepted(index_name).is_empty()).then_some(()))
        })
        .await
        .unwrap();
    }

    /// All events of the namespace.
    pub async fn events(&self) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        events.list(&ListParams::default()).await.unwrap().items
    }

    /// Waits for the end of the restore and checks that it was made once, and that
    /// the status tells its IDs.
    pub async fn restored_once(&self, name: &str) -> IndexRestore {
        let object = self.until(name, "Restored").await;
        self.check_recorded_once(&object);
        object
    }

    pub fn check_recorded_once(&self, object: &IndexRestore) {
        let creates = self.accepted(&object.spec.index_name);
        assert_eq!(creates.len(), 1, "{creates:?}");
        let status = status(object);
        assert_eq!(
            status.restore_job_id.as_ref(),
            Some(&creates[0].restore_job_id)
        );
        assert_eq!(status.index_id.as_ref(), Some(&creates[0].index_id));
    }

    /// Merges that into the object, as `kubectl patch` does.
    #[allow(dead_code)] // As above.
    pub async fn patch(&self, name: &str, patch: Value) -> kube::Result<IndexRestore> {
        let patch = Patch::Merge(patch);
        let params = PatchParams::default();
        self.restores.patch(name, &params, &patch).await
    }

    /// Sets the annotation with which a person asks the operator to go on.
    #[allow(dead_code)] // As above.
    pub async fn request(&self, name: &str, token: &str) {
        let patch = json!({"metadata": {"annotations": {REQUESTED_AT: token}}});
        self.patch(name, patch).await.unwrap();
    }

    /// Whether an event has that reason.
    #[allow(dead_code)] // As above.
    pub async fn has_event(&self, reason: &str) -> bool {
        let events = self.events().await;
        events
            .iter()
            .any(|event| event.reason.as_deref() == Some(reason))
    }

    /// Writes the status as no controller would.
    pub async fn overwrite_status(
        &self,
        name: &str,
        edit: impl Fn(&mut Option<IndexRestoreStatus>),
    ) {
        eventually("the status is overwritten", DEADLINE, async || {
            let mut object = self.restores.get(name).await?;
            edit(&mut object.status);
            let params = PostParams::default();
            self.restores.replace_status(name, &params, &object).await?;
            Ok(Some(()))
        })
        .await
        .unwrap();
    }
}

impl Running {
    /// GETs one of the operator's endpoints: the status and the body.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let url = format!("http://{}{path}", self.address);
        let response = reqwest::Client::builder()
            .no_proxy()
            .build()?
            .get(url)
            .send()
            .await?;
        Ok((response.status().as_u16(), response.text().await?))
    }
}

pub fn status(object: &IndexRestore) -> IndexRestoreStatus {
    object.status.clone().unwrap_or_default()
}

/// Status, reason and message of the Ready condition.
pub fn ready(object: &IndexRestore) -> (String, String, String) {
    find(&status(object).conditions, "Ready")
        .map(|ready| {
            (
                ready.status.clone(),
                ready.reason.clone(),
                ready.message.clone(),
            )
        })
        .unwrap_or_default()
}

/// The conditions as `Type=Status`, in order.
pub fn conditions(object: &IndexRestore) -> Vec<String> {
    let conditions = status(object).conditions;
    conditions
        .iter()
        .map(|c| format!("{}={}", c.type_, c.status))
        .collect()
}
