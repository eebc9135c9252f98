//! The checks, in the order in which they run.

mod hosts;
mod index;
mod jobs;
mod refusals;
mod restore;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::assumption::Findings;
use crate::client::{Call, Client};
use crate::ledger::Ledger;
use crate::screen::say;

/// How long the checks wait for a deleted index to be gone.
const DELETION: Duration = Duration::from_secs(300);

/// The backup that is restored.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Its ID.
    pub id: String,
    /// The backup as Pinecone shows it.
    pub json: Value,
}

impl Backup {
    /// Reads the backup.
    ///
    /// # Errors
    /// If it cannot be read or cannot be restored now.
    pub async fn read(client: &Client, id: &str) -> Result<Self> {
        let reply = client.send(Call::get(&["backups", id])).await?;
        if !reply.is_success() {
            bail!(
                "Pinecone does not show the backup {id}: {}. Check --backup, and that the API key belongs to its project.",
                reply.brief()
            );
        }
        let status = reply.json["status"].as_str().unwrap_or("unknown");
        if status != "Ready" {
            bail!("The backup {id} is {status}. Wait until it is Ready, or choose another.");
        }
        Ok(Self {
            id: id.to_owned(),
            json: reply.json,
        })
    }

    /// The number of records, if Pinecone shows it.
    pub fn records(&self) -> Option<u64> {
        self.json["record_count"].as_u64()
    }

    /// The size in bytes, if Pinecone shows it.
    pub fn bytes(&self) -> Option<u64> {
        self.json["size_bytes"].as_u64()
    }
}

/// The observations of all restores of a run.
#[derive(Debug, Default)]
struct Observed {
    states: BTreeSet<String>,
    lags_of_list: Vec<String>,
    lags_of_job: Vec<String>,
    polls: u32,
    jobs_completed: u32,
}

/// A restore that is complete.
#[derive(Clone, Debug)]
struct Restored {
    name: String,
    job_id: String,
    /// The index as API 2026-07 shows it.
    index: Value,
}

impl Restored {
    fn host(&self) -> &str {
        self.index["host"].as_str().unwrap_or_default()
    }
}

/// The checks of one run.
pub struct Session {
    /// Sends the requests.
    pub client: Client,
    /// What is restored.
    pub backup: Backup,
    /// The part of the index names that belongs to this run.
    pub prefix: String,
    /// What was created.
    pub ledger: Arc<Ledger>,
    /// What was determined.
    pub findings: Arc<Findings>,
    observed: Observed,
}

impl Session {
    /// A new session.
    pub fn new(
        client: Client,
        backup: Backup,
        prefix: String,
        ledger: Arc<Ledger>,
        findings: Arc<Findings>,
    ) -> Self {
        Self {
            client,
            backup,
            prefix,
            ledger,
            findings,
            observed: Observed::default(),
        }
    }

    /// Runs all checks: three restores, one after the other, into two names.
    ///
    /// # Errors
    /// If the checks cannot continue. The findings until then are recorded.
    pub async fn run(mut self) -> Result<()> {
        self.check_refusals().await.context("checking refusals")?;

        say(&format!("Restoring into {} …", self.name(1)));
        let first = self.restore(1).await.context("the first restore")?;
        self.check_index(&first).await.context("the first index")?;
        self.check_stats(&first).await;

        say(&format!("Restoring into {} …", self.name(2)));
        let second = self.restore(2).await.context("the second restore")?;
        self.check_order(&first, &second)
            .await
            .context("the list of restore jobs")?;
        self.check_project_hosts(&first, &second);

        say(&format!("Deleting {} …", second.name));
        self.ledger
            .remove(&self.client, &second.name, DELETION)
            .await
            .context("deleting the second index")?;
        self.check_deleted(&second, "right after the deletion")
            .await
            .context("the job of a deleted index")?;

        say(&format!("Restoring into {} again …", self.name(2)));
        let third = self.restore(2).await.context("the third restore")?;
        self.check_recreated_host(&second, &third);
        self.check_deleted(&second, "after the name was reused")
            .await
            .context("the job of a deleted index")?;
        self.check_page(&first, &second, &third)
            .await
            .context("a page with the job of a deleted index")
    }

    fn name(&self, number: u32) -> String {
        format!("{}-{number}", self.prefix)
    }
}
