//! The API server with the CRD and the operator's ServiceAccount, and the operator.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use index_restore_operator::api::IndexRestore;
use kube::api::DeleteParams;
use kube::{Api, Client};
use testkit::installation::{CRD, SHIPPED};
use testkit::{ControlPlane, Operator, OperatorBuilder};

/// The namespace of the demo's resources.
pub const NAMESPACE: &str = "restores";

const OPERATOR: &str = "index-restore-operator";
const LOG_LINES: usize = 20;

pub struct Cluster {
    pub control_plane: ControlPlane,
    pub client: Client,
    pub restores: Api<IndexRestore>,
    builder: OperatorBuilder,
    operator: Operator,
    /// The log of operators that were killed.
    earlier_log: String,
}

impl Cluster {
    /// Installs the manifests that the operator needs, and starts it.
    pub async fn start(
        control_plane: ControlPlane,
        binary: PathBuf,
        pinecone: &str,
        api_version: &str,
    ) -> Result<Self> {
        let client = control_plane.client().await?;
        for manifest in [CRD].into_iter().chain(SHIPPED) {
            testkit::apply(&client, NAMESPACE, manifest).await?;
        }
        let namespace =
            format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}}}}}");
        testkit::apply(&client, NAMESPACE, &namespace).await?;
        let account = control_plane
            .service_account_kubeconfig(OPERATOR, OPERATOR)
            .await?;
        let builder = Operator::builder(binary)
            .kubeconfig(&control_plane.write_kubeconfig(&account)?)
            .args([
                "run",
                "--log-format",
                "text",
                "--pinecone-endpoint",
                pinecone,
                "--pinecone-api-version",
                api_version,
                // A single replica, which must not wait until the lease of the killed one expires.
                "--leader-elect=false",
            ])
            .args(["--listen", &format!("127.0.0.1:{}", testkit::free_port()?)])
            // The emulator restores in seconds, not in minutes.
            .args([
                "--poll-min",
                "500ms",
                "--poll-max",
                "5s",
                "--catch-up-patience",
                "3s",
            ]);
        Ok(Self {
            restores: Api::namespaced(client.clone(), NAMESPACE),
            control_plane,
            client,
            operator: builder.start()?,
            builder,
            earlier_log: String::new(),
        })
    }

    /// Applies a manifest in the demo's namespace.
    pub async fn apply(&self, manifest: &str) -> Result<()> {
        testkit::apply(&self.client, NAMESPACE, manifest)
            .await
            .map(drop)
    }

    pub async fn delete(&self, name: &str) -> Result<()> {
        let deleted = self.restores.delete(name, &DeleteParams::default()).await;
        deleted
            .map(drop)
            .with_context(|| format!("deleting {name}"))
    }

    /// Sends SIGKILL, so the operator cannot record anything.
    pub fn kill_operator(&mut self) -> Result<()> {
        self.operator.kill()?;
        self.earlier_log.push_str(&self.operator.logs());
        Ok(())
    }

    pub fn start_operator(&mut self) -> Result<()> {
        self.operator = self.builder.start()?;
        Ok(())
    }

    /// Checks that the operator is running.
    ///
    /// # Errors
    /// If the operator has exited.
    pub fn check_operator(&mut self) -> Result<()> {
        match self.operator.exited()? {
            Some(status) => bail!("the operator exited: {status}"),
            None => Ok(()),
        }
    }

    /// Returns the last lines of the operator's log.
    pub fn log_tail(&self) -> String {
        let log = format!("{}{}", self.earlier_log, self.operator.logs());
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// Returns the path of an administrator's kubeconfig.
    pub fn kubeconfig(&self) -> Result<PathBuf> {
        let admin = self.control_plane.admin_kubeconfig();
        self.control_plane.write_kubeconfig(&admin)
    }
}
