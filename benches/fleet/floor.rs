//! The floor: the requests that no operator can do without, as fast as they can be sent.
//!
//! For each object a status PUT that claims it, the POST that restores it, a status PUT that records the answer, and one more when the
//! restore is over, which is known here without asking. There is no rate limit, no leader, no event, no check and no recovery.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures::TryStreamExt as _;
use index_restore_operator::api::{IndexRestore, IndexRestoreStatus, SubmissionOutcome};
use index_restore_operator::restore::submission::first_attempt;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::api::PostParams;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use crate::pinecone::{RESTORE, api_key};

/// What it prints once it has listed the objects.
pub const WATCHING: &str = "watching";

/// Restores that it works on at a time.
const CONCURRENCY: usize = 64;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// URL of Pinecone's control plane
    #[arg(long)]
    pinecone: String,
}

struct Floor {
    client: Client,
    http: reqwest::Client,
    pinecone: String,
    slots: Semaphore,
}

#[derive(Deserialize)]
struct Accepted {
    restore_job_id: String,
    index_id: String,
}

/// Restores every object that it sees, until the process is killed.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let floor = Arc::new(Floor {
        client: Client::try_default().await?,
        http: reqwest::Client::builder().no_proxy().build()?,
        pinecone: arguments.pinecone.clone(),
        slots: Semaphore::new(CONCURRENCY),
    });
    let objects: Api<IndexRestore> = Api::all(floor.client.clone());
    let mut events = pin!(watcher(objects, watcher::Config::default()));
    let mut seen = HashSet::new();
    while let Some(event) = events.try_next().await? {
        match event {
            Event::InitDone => println!("{WATCHING}"),
            Event::Apply(object) | Event::InitApply(object) => {
                if seen.insert(object.uid()) {
                    tokio::spawn(Arc::clone(&floor).restore_or_exit(object));
                }
            }
            Event::Init | Event::Delete(_) => {}
        }
    }
    Ok(())
}

impl Floor {
    /// A floor that leaves out a restore measures nothing.
    async fn restore_or_exit(self: Arc<Self>, object: IndexRestore) {
        if let Err(error) = self.restore(object).await {
            eprintln!("the floor failed: {error:#}");
            std::process::exit(1);
        }
    }

    async fn restore(&self, mut object: IndexRestore) -> Result<()> {
        let slot = self.slots.acquire().await?;
        let claim = first_attempt(&object, "floor", SubmissionOutcome::Open, Timestamp::now());
        self.write(&mut object, "Submitting", |status| {
            status.submission = Some(claim);
        })
        .await?;
        let accepted = self.submit(&object).await?;
        let end = Instant::now() + RESTORE;
        self.write(&mut object, "Restoring", |status| {
            status.restore_job_id = Some(accepted.restore_job_id);
            status.index_id = Some(accepted.index_id);
            if let Some(submission) = &mut status.submission {
                submission.outcome = SubmissionOutcome::Accepted;
            }
        })
        .await?;
        drop(slot);
        sleep_until(end).await;
        let _slot = self.slots.acquire().await?;
        self.write(&mut object, "Restored", |status| {
            status.index_host = Some("index.svc.example".to_owned());
        })
        .await
    }

    async fn submit(&self, object: &IndexRestore) -> Result<Accepted> {
        let url = format!(
            "{}/backups/{}/create-index",
            self.pinecone, object.spec.backup_id
        );
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        let request = self.http.post(url).header("Api-Key", api_key(namespace));
        let answer = request.json(&json!({"name": object.spec.index_name}));
        let answer = answer.send().await?.error_for_status()?;
        answer.json().await.context("reading Pinecone's answer")
    }

    /// Writes the changed status, and keeps the object's new version.
    async fn write(
        &self,
        object: &mut IndexRestore,
        reason: &str,
        change: impl FnOnce(&mut IndexRestoreStatus),
    ) -> Result<()> {
        let status = object.status.get_or_insert_default();
        change(status);
        status.observed_generation = object.metadata.generation;
        status.conditions = vec![condition(reason)];
        let namespace = object.namespace().unwrap_or_default();
        let objects: Api<IndexRestore> = Api::namespaced(self.client.clone(), &namespace);
        let params = PostParams::default();
        *object = objects
            .replace_status(&object.name_any(), &params, object)
            .await
            .with_context(|| format!("writing {reason}"))?;
        Ok(())
    }
}

fn condition(reason: &str) -> Condition {
    let is_ready = reason == "Restored";
    Condition {
        type_: "Ready".to_owned(),
        status: if is_ready { "True" } else { "False" }.to_owned(),
        reason: reason.to_owned(),
        message: "Written by the floor of the fleet bench".to_owned(),
        last_transition_time: Time(Timestamp::now()),
        observed_generation: Some(1),
    }
}
