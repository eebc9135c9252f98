//! The indexes that this run created or may have created, and their deletion.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::client::{Call, Client, REQUEST_TIMEOUT, Reply};
use crate::pause::Pause;

/// How long an index may take to appear after a create whose outcome is unknown.
const LATE_EFFECT: Duration = Duration::from_secs(60);

/// The names in this run's creates. A name goes in before its request is sent.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<BTreeMap<String, Entry>>);

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// Creates in flight.
    in_flight: u32,
    /// When a create of this name last ended without a clear answer.
    unclear_since: Option<Instant>,
}

impl Ledger {
    /// Sends one create from a backup, once. The request runs to its end even if the caller is cancelled.
    ///
    /// # Errors
    /// If there is no whole answer; the index may exist then.
    pub async fn create(
        self: &Arc<Self>,
        client: &Client,
        backup: &str,
        name: &str,
    ) -> Result<Reply> {
        let call = Call::post(
            &["backups", backup, "create-index"],
            json!({ "name": name }),
        );
        self.lock().entry(name.to_owned()).or_default().in_flight += 1;
        let (ledger, client, name) = (Arc::clone(self), client.clone(), name.to_owned());
        let sent = tokio::spawn(async move {
            let outcome = client.send(call).await;
            let is_clear = outcome
                .as_ref()
                .is_ok_and(|reply| reply.is_success() || reply.error().is_some());
            let mut entries = ledger.lock();
            let entry = entries.entry(name).or_default();
            entry.in_flight = entry.in_flight.saturating_sub(1);
            if !is_clear || outcome.as_ref().is_ok_and(|reply| reply.status >= 500) {
                entry.unclear_since = Some(Instant::now());
            }
            outcome
        });
        sent.await.context("The create was aborted")?
    }

    /// The names in this run's creates.
    pub fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Deletes the index of that name and waits until Pinecone no longer shows it.
    ///
    /// # Errors
    /// If it is still there after `patience`, with Pinecone's last answer.
    pub async fn remove(&self, client: &Client, name: &str, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        let mut pause = Pause::new();
        let mut last = "no answer".to_owned();
        while Instant::now() < deadline {
            match client.send(Call::get(&["indexes", name])).await {
                Ok(reply) if reply.is_error(404) && !self.may_appear(name) => return Ok(()),
                Ok(reply) if reply.is_success() => {
                    // The unclear create took effect, and a name has only one index.
                    self.lock()
                        .entry(name.to_owned())
                        .or_default()
                        .unclear_since = None;
                    last = match reply.json["status"]["state"].as_str() {
                        Some("Terminating") => "the index is Terminating".to_owned(),
                        _ => delete(client, name).await,
                    };
                }
                Ok(reply) => last = reply.brief(),
                Err(error) => last = format!("{error:#}"),
            }
            pause.wait().await;
        }
        bail!("{last}")
    }

    /// Whether a create of that name may still take effect.
    fn may_appear(&self, name: &str) -> bool {
        let entry = self.lock().get(name).copied().unwrap_or_default();
        entry.in_flight > 0
            || entry
                .unclear_since
                .is_some_and(|since| since.elapsed() < LATE_EFFECT)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One attempt to delete; describes the outcome.
async fn delete(client: &Client, name: &str) -> String {
    let path = ["indexes", name];
    let reply = match client.send(Call::delete(&path)).await {
        Ok(reply) => reply,
        Err(error) => return format!("DELETE: {error:#}"),
    };
    if reply.status == 403 {
        // The index may inherit deletion protection from the backup, contrary to the assumption.
        let body = json!({ "deletion_protection": "disabled" });
        let _ = client.send(Call::patch(&path, body)).await;
    }
    format!("DELETE: {}", reply.brief())
}

/// An index that could not be deleted.
#[derive(Clone, Debug)]
pub struct Leftover {
    /// Its name.
    pub name: String,
    /// Pinecone's last answer.
    pub reason: String,
}

/// How long the cleanup tries for each index: a create in flight, its late effect, and the deletion.
pub const PATIENCE: Duration =
    Duration::from_secs(REQUEST_TIMEOUT.as_secs() + LATE_EFFECT.as_secs() + 120);

/// Deletes all indexes of this run; returns those that are left.
pub async fn clean_up(
    ledger: &Ledger,
    client: &Client,
    cancelled: impl Future<Output = ()>,
) -> Vec<Leftover> {
    let mut left: Vec<Leftover> = Vec::new();
    let mut names = ledger.names();
    let work = async {
        while let Some(name) = names.first().cloned() {
            if let Err(error) = ledger.remove(client, &name, PATIENCE).await {
                let reason = format!("{error:#}");
                left.push(Leftover { name, reason });
            }
            names.remove(0);
        }
    };
    tokio::select! {
        () = work => {}
        () = cancelled => {}
    }
    let skipped = names.into_iter().map(|name| Leftover {
        name,
        reason: "the cleanup was interrupted".to_owned(),
    });
    left.extend(skipped);
    left
}
