//! An empty control plane, an emulator, and operators that run with the arguments of the installed Deployment and a token of its
//! ServiceAccount. No kubelet runs: the operator is a child process.

use std::path::PathBuf;
use std::time::Duration;

use index_restore_operator::api::IndexRestore;
use index_restore_operator::api::conditions::find;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::ListParams;
use kube::{Api, Client};
use pinecone_emulator::{BackupSeed, Config, Control, DEFAULT_PROJECT, Emulator, Project};
use testkit::{ControlPlane, DEADLINE, Operator, binary, eventually, free_port, wait_for};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use crate::tools::{Tool, read};

pub const KEY: &str = "pcsk_canary_of_the_chart";
pub const BACKUP: &str = "670e8400-e29b-41d4-a716-446655440000";
/// Name and namespace of the release in the documentation.
pub const OPERATOR: &str = "index-restore-operator";

/// Limits the control planes that run at a time, because each one uses a whole core while it starts.
static STARTS: Semaphore = Semaphore::const_new(2);

pub struct Cluster {
    pub control_plane: ControlPlane,
    pub client: Client,
    /// Kubeconfig of the cluster administrator.
    pub admin: PathBuf,
    pub pinecone: Control,
    emulator: Emulator,
    _permit: SemaphorePermit<'static>,
}

impl Cluster {
    pub async fn start() -> Self {
        let permit = STARTS.acquire().await.unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let control_plane = ControlPlane::start().await.unwrap();
        let admin = control_plane.admin_kubeconfig();
        let emulator = Emulator::start(Config {
            projects: vec![Project::new(DEFAULT_PROJECT, KEY)],
            restore: Some(Duration::from_millis(300)),
            ..Config::default()
        })
        .await
        .unwrap();
        let pinecone = emulator.control();
        let backup = BackupSeed::new("nightly", "products").id(BACKUP);
        pinecone.add_backup(DEFAULT_PROJECT, backup).unwrap();
        Self {
            client: control_plane.client().await.unwrap(),
            admin: control_plane.write_kubeconfig(&admin).unwrap(),
            control_plane,
            pinecone,
            emulator,
            _permit: permit,
        }
    }

    pub async fn kubectl(&self) -> Tool {
        Tool::kubectl().await.kubeconfig(&self.admin)
    }

    pub fn pinecone_url(&self) -> String {
        self.emulator.url()
    }

    /// Adds the project and the backup of the chart's emulator.
    pub fn add_the_charts_project(&self) {
        let project = Project::new("emulator", "emulator-key");
        self.pinecone.add_project(project).unwrap();
        let backup = BackupSeed::new("nightly", "products").id(BACKUP);
        self.pinecone.add_backup("emulator", backup).unwrap();
    }

    pub async fn create_namespace(&self, name: &str) {
        let manifest = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}");
        self.control_plane.apply(&manifest).await.unwrap();
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces.get(name).await.unwrap();
    }

    /// Creates the Secret of the samples with the emulator's key.
    pub async fn create_secret(&self, namespace: &str) {
        let secret = read("deploy/samples/secret.yaml").replace("your-pinecone-api-key", KEY);
        let applied = self.control_plane.apply_in(namespace, &secret).await;
        applied.unwrap();
    }

    /// Starts the operator of a Deployment, and waits until it has observed all IndexRestores.
    pub async fn operator(&self, namespace: &str, name: &str) -> Operator {
        let operator = self.launch(namespace, name).await;
        eventually("the operator is ready", DEADLINE, async || {
            let logs = operator.logs();
            anyhow::ensure!(logs.contains("cache synced"), logs);
            Ok(Some(()))
        })
        .await
        .unwrap();
        operator
    }

    /// Starts the operator of a Deployment without waiting. Only `--listen`, the endpoint and the poll intervals differ from the Deployment.
    pub async fn launch(&self, namespace: &str, name: &str) -> Operator {
        static BINARY: OnceCell<PathBuf> = OnceCell::const_new();
        let binary =
            BINARY.get_or_init(async || binary::build(env!("CARGO_PKG_NAME")).await.unwrap());
        eventually("IndexRestores are served", DEADLINE, async || {
            let limit = ListParams::default().limit(1);
            let all: Api<IndexRestore> = Api::all(self.client.clone());
            Ok(Some(all.list(&limit).await?))
        })
        .await
        .unwrap();
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), namespace);
        let deployment = deployments.get(name).await.unwrap();
        let pod = deployment.spec.template.spec.unwrap();
        let account = pod.service_account_name.unwrap();
        let kubeconfig = self
            .control_plane
            .service_account_kubeconfig(namespace, &account)
            .await
            .unwrap();
        let own = [
            format!("--listen=127.0.0.1:{}", free_port().unwrap()),
            format!("--pinecone-endpoint={}", self.emulator.url()),
            "--poll-min=100ms".into(),
            "--poll-max=1s".into(),
        ];
        let container = &pod.containers[0];
        let variables = container.env.iter().flatten();
        let set = variables.filter_map(|it| Some((it.name.clone(), it.value.clone()?)));
        let mut arguments = container.args.clone().unwrap();
        arguments.retain(|argument| {
            let flag = |text: &str| text.split('=').next().unwrap().to_owned();
            own.iter().all(|other| flag(other) != flag(argument))
        });
        let kubeconfig = self.control_plane.write_kubeconfig(&kubeconfig).unwrap();
        let mut builder = Operator::builder(binary.await).kubeconfig(&kubeconfig);
        for (name, value) in set {
            builder = builder.env(name, value);
        }
        builder.args(arguments).args(own).start().unwrap()
    }

    pub fn restores(&self, namespace: &str) -> Api<IndexRestore> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Waits until the Ready condition has the reason for the current generation.
    pub async fn until(&self, namespace: &str, name: &str, reason: &str) -> IndexRestore {
        let restores = self.restores(namespace);
        let found = wait_for(&restores, name, DEADLINE, |object| {
            object.is_some_and(|object| self::reason(object).as_deref() == Some(reason))
        });
        found
            .await
            .unwrap_or_else(|error| panic!("{name} is not {reason}: {error:#}"))
            .unwrap()
    }

    /// The number of creates that Pinecone accepted for the index name.
    pub fn creates(&self, index_name: &str) -> usize {
        let creates = self.pinecone.accepted_creates();
        creates
            .iter()
            .filter(|create| create.index_name == index_name)
            .count()
    }
}

/// The reason of the Ready condition, if it describes the current generation.
pub fn reason(object: &IndexRestore) -> Option<String> {
    let status = object.status.as_ref()?;
    if status.observed_generation != object.metadata.generation {
        return None;
    }
    Some(find(&status.conditions, "Ready")?.reason.clone())
}

/// The manifest of an IndexRestore of the cluster's backup.
pub fn restore(name: &str, index_name: &str) -> String {
    format!(
        "apiVersion: restore.pinecone.io/v1alpha1
kind: IndexRestore
metadata: {{name: {name}}}
spec: {{backupId: {BACKUP}, indexName: {index_name}, apiKeySecretRef: {{name: pinecone}}}}
"
    )
}
