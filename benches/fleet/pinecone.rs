//! The emulated Pinecone, in a process of its own: its CPU time must not count as anybody else's.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use pinecone_emulator::{
    BackupSeed, Config, Emulator, Fault, ProjectSeed, Request, RequestLimit, Seed,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use testkit::{DEADLINE, Operator, eventually, free_port};

/// How long a restore takes.
pub const RESTORE: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Address to listen on
    #[arg(long)]
    listen: SocketAddr,
    /// Projects, each with an API key and a backup
    #[arg(long)]
    keys: u32,
    /// Requests that the first project may make per second, and as many in one burst
    #[arg(long)]
    limit: Option<u32>,
    /// Seconds of the Retry-After of an answer beyond it; without it, it has none
    #[arg(long)]
    retry_after: Option<u32>,
}

/// Of the requests of the first project.
#[derive(Clone, Copy)]
pub struct Limit {
    pub per_second: u32,
    pub retry_after: Option<u32>,
}

/// The API key of a namespace's project.
pub fn api_key(namespace: &str) -> String {
    format!("key-of-{namespace}")
}

/// The namespace that uses that project.
pub fn namespace(number: u32) -> String {
    format!("fleet-{number:03}")
}

/// The backup of that project.
pub fn backup(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

/// Serves until the process is killed.
pub async fn serve(arguments: &Arguments) -> Result<()> {
    let config = Config {
        listen: arguments.listen,
        restore: Some(RESTORE),
        projects: Vec::new(),
        ..Config::default()
    };
    let seed = Seed {
        projects: (0..arguments.keys).map(project).collect(),
        faults: Vec::new(),
    };
    let emulator = Emulator::start_seeded(config, seed).await?;
    if let Some(limit) = arguments.limit {
        let limit = RequestLimit {
            per_second: f64::from(limit),
            retry_after: arguments.retry_after,
        };
        let first = namespace(0);
        emulator.control().limit_requests(&first, Some(limit))?;
    }
    std::future::pending().await
}

fn project(number: u32) -> ProjectSeed {
    let name = namespace(number);
    ProjectSeed {
        api_keys: vec![api_key(&name)],
        name,
        index_quota: 1_000_000,
        backup_quota: 1,
        plan_without_backups: false,
        backups: vec![BackupSeed::new("nightly", "products").id(backup(number))],
        indexes: Vec::new(),
        restore_jobs: Vec::new(),
    }
}

/// A running emulator, stopped on drop.
pub struct Pinecone {
    process: Operator,
    pub url: String,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Injected {
    id: u64,
    #[serde(default)]
    hits: u32,
}

#[derive(Deserialize)]
struct Create {
    time: Timestamp,
    index_name: String,
}

impl Pinecone {
    pub async fn start(keys: u32, limit: Option<Limit>) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut builder = Operator::builder(std::env::current_exe()?)
            .args(["emulator", "--listen", &address])
            .args(["--keys", &keys.to_string()]);
        if let Some(limit) = limit {
            builder = builder.args(["--limit", &limit.per_second.to_string()]);
            if let Some(seconds) = limit.retry_after {
                builder = builder.args(["--retry-after", &seconds.to_string()]);
            }
        }
        let process = builder.start()?;
        let pinecone = Self {
            process,
            url: format!("http://{address}"),
            http: reqwest::Client::builder().no_proxy().build()?,
        };
        eventually("the emulator listens", DEADLINE, async || {
            let health: serde_json::Value = pinecone.get("health").await?;
            Ok((health["status"] == "ok").then_some(()))
        })
        .await?;
        Ok(pinecone)
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let url = format!("{}/_emulator/{path}", self.url);
        let answer = self.http.get(url).send().await?.error_for_status()?;
        answer
            .json()
            .await
            .with_context(|| format!("reading {path}"))
    }

    /// Returns the number of requests so far; the journal forgets early ones, but not their number.
    pub async fn requests(&self) -> Result<u64> {
        let requests: Vec<Request> = self.get("requests").await?;
        Ok(requests.last().map_or(0, |request| request.seq))
    }

    /// Returns the requests of a namespace's project, oldest first.
    pub async fn requests_of(&self, namespace: &str) -> Result<Vec<Request>> {
        let mut requests: Vec<Request> = self.get("requests").await?;
        requests.retain(|request| request.project.as_deref() == Some(namespace));
        Ok(requests)
    }

    /// Injects a fault, and returns its ID.
    pub async fn inject(&self, fault: &Fault) -> Result<u64> {
        let url = format!("{}/_emulator/faults", self.url);
        let answer = self.http.post(url).json(fault).send().await?;
        let injected: Injected = answer.error_for_status()?.json().await?;
        Ok(injected.id)
    }

    /// Returns the number of requests that a fault affected.
    pub async fn hits(&self, fault: u64) -> Result<u32> {
        let faults: Vec<Injected> = self.get("faults").await?;
        let injected = faults.iter().find(|injected| injected.id == fault);
        Ok(injected.map_or(0, |injected| injected.hits))
    }

    /// Returns when each create request was accepted, by the name of its index.
    pub async fn creates(&self) -> Result<HashMap<String, Timestamp>> {
        let creates: Vec<Create> = self.get("accepted-creates").await?;
        let pairs = creates.into_iter();
        Ok(pairs
            .map(|create| (create.index_name, create.time))
            .collect())
    }
}
