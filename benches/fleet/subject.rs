//! What is measured, as a child process: the floor, or the operator, with its default flags unless a row needs others.

use std::time::Duration;

use anyhow::{Context as _, Error, Result, anyhow};
use testkit::{DEADLINE, Operator, eventually, free_port};

use crate::cluster::Cluster;
use crate::floor::WATCHING;
use crate::results::Side;
use crate::rows::Session;

/// Until a start is over: an object that is created right after /readyz and the lease waits about two seconds.
const SETTLE: Duration = Duration::from_secs(3);

/// How often the process is checked.
const CHECK: Duration = Duration::from_secs(1);

/// Longer than the default `--request-timeout`.
const STOP_WITHIN: Duration = Duration::from_secs(40);

pub struct Subject {
    process: Operator,
    /// Where the operator serves its endpoints.
    address: Option<String>,
}

impl Subject {
    /// Starts it and waits until it is idle, and restores whatever appears.
    pub async fn start(side: Side, session: &Session, cluster: &Cluster) -> Result<Self> {
        let subject = match side {
            Side::Floor => Self::start_floor(cluster)?,
            Side::Operator => Self::start_operator(session, cluster)?,
        };
        subject.settled().await
    }

    /// The same for the operator with these flags besides.
    pub async fn start_with(session: &Session, cluster: &Cluster, flags: &[&str]) -> Result<Self> {
        let subject = Self::spawn_operator(session, cluster, flags)?;
        subject.settled().await
    }

    async fn settled(mut self) -> Result<Self> {
        if let Err(error) = self.until_working().await {
            return Err(error).context(self.log_tail());
        }
        tokio::time::sleep(SETTLE).await;
        Ok(self)
    }

    fn start_floor(cluster: &Cluster) -> Result<Self> {
        let process = Operator::builder(std::env::current_exe()?)
            .kubeconfig(&cluster.kubeconfig)
            .args(["floor", "--pinecone", &cluster.pinecone.url])
            .start()?;
        Ok(Self {
            process,
            address: None,
        })
    }

    /// Starts the operator and waits for nothing.
    pub fn start_operator(session: &Session, cluster: &Cluster) -> Result<Self> {
        Self::spawn_operator(session, cluster, &[])
    }

    fn spawn_operator(session: &Session, cluster: &Cluster, flags: &[&str]) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let process = Operator::builder(&session.binary.path)
            .kubeconfig(&cluster.kubeconfig)
            .args(["run", "--pinecone-endpoint", &cluster.pinecone.url])
            .args(["--pinecone-api-version", &session.api_version])
            .args(["--listen", &address])
            // As in the Deployment.
            .arg("--log-format=json")
            .args(flags)
            .start()?;
        Ok(Self {
            process,
            address: Some(address),
        })
    }

    async fn until_working(&mut self) -> Result<()> {
        if self.address.is_none() {
            let is_watching = async || Ok(self.process.logs().contains(WATCHING).then_some(()));
            return eventually("the floor watches", DEADLINE, is_watching).await;
        }
        self.until_ready().await?;
        eventually("the operator leads", DEADLINE, async || {
            let metrics = self.get("/metrics").await?.1;
            let leads = metrics.lines().any(|line| line == "indexrestore_leader 1");
            Ok(leads.then_some(()))
        })
        .await
    }

    /// Waits until /readyz of the operator answers 200.
    pub async fn until_ready(&self) -> Result<()> {
        eventually("the operator is ready", DEADLINE, async || {
            Ok((self.get("/readyz").await?.0 == 200).then_some(()))
        })
        .await
    }

    async fn get(&self, path: &str) -> Result<(u16, String)> {
        let address = self
            .address
            .as_deref()
            .context("the floor has no endpoints")?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let answer = client.get(format!("http://{address}{path}")).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Waits until it ends by itself, which it should not.
    pub async fn ended(&mut self) -> Error {
        loop {
            match self.process.exited() {
                Ok(None) => tokio::time::sleep(CHECK).await,
                Ok(Some(status)) => return anyhow!("the process ended with {status}"),
                Err(error) => return error,
            }
        }
    }

    /// Ends it as a kubelet does, so that the next one can lead at once.
    pub async fn stop(mut self) -> Result<()> {
        self.process.terminate()?;
        self.process.wait_exit(STOP_WITHIN).await.map(drop)
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        let log = self.process.logs();
        let lines: Vec<&str> = log.lines().collect();
        let tail = &lines[lines.len().saturating_sub(10)..];
        format!("the last lines of its log:\n{}", tail.join("\n"))
    }
}
