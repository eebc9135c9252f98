//! The cluster: a real API server with the CRD and the operator's own ServiceAccount, and the operator.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use index_restore_operator::api::IndexRestore;
use kube::api::DeleteParams;
use kube::{Api, Client};
use testkit::installation::{CRD, SHIPPED};
use testkit::{ControlPlane, Operator, OperatorBuilder};

/// Where the demo's resources are.
pub const NAMESPACE: &str = "restores";

const OPERATOR: &str = "index-restore-operator";
const LOG_LINES: usize = 20;

pub struct Cluster {
    pub control_plane: ControlPlane,
    pub client: Client,
    pub restores: Api<IndexRestore>,
    builder: OperatorBuilder,
    operator: Operator,
    /// Of operators that were killed.
    past_log: String,
}

impl Cluster {
    /// Installs what the operator needs, and starts it.
    pub async fn furnish(
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
                // There is one, and nobody wants to wait for a killed one's lease.
                "--leader-elect=false",
            ])
            .args(["--listen", &format!("127.0.0.1:{}", testkit::free_port()?)])
            // What takes minutes in Pinecone takes seconds here.
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
            past_log: String::new(),
        })
    }

    /// Applies a manifest to the demo's namespace.
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

    /// SIGKILL: the operator gets no chance to write anything down.
    pub fn kill_operator(&mut self) -> Result<()> {
        self.operator.kill()?;
        self.past_log.push_str(&self.operator.logs());
        Ok(())
    }

    pub fn start_operator(&mut self) -> Result<()> {
        self.operator = self.builder.start()?;
        Ok(())
    }

    /// # Errors
    /// When the operator has ended by itself.
    pub fn check_operator(&mut self) -> Result<()> {
        match self.operator.exited()? {
            Some(status) => bail!("the operator ended by itself: {status}"),
            None => Ok(()),
        }
    }

    /// The end of what the operator has logged.
    pub fn log_tail(&self) -> String {
        let log = format!("{}{}", self.past_log, self.operator.logs());
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// The path of an administrator's kubeconfig.
    pub fn kubeconfig(&self) -> Result<PathBuf> {
        let admin = self.control_plane.admin_kubeconfig();
        self.control_plane.write_kubeconfig(&admin)
    }
}
