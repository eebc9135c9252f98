//! `cargo live`: checks the assumptions about Pinecone on a real project, and deletes everything that it created.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod assumption;
mod checks;
mod client;
mod consent;
mod key;
mod ledger;
mod pause;
mod report;
mod screen;
mod stop;

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use jiff::Timestamp;
use uuid::Uuid;

use assumption::Findings;
use checks::{Backup, Session};
use client::Client;
use key::ApiKey;
use ledger::Ledger;
use report::Report;
use screen::{complain, say};
use stop::Stop;

/// The most requests of the checks, and of the cleanup.
const CHECK_REQUESTS: u32 = 3000;
const CLEANUP_REQUESTS: u32 = 500;

/// Checks what the operator assumes of Pinecone against the real service, with your API key and a backup of test data.
///
/// Restores the backup three times into new indexes named live-check-<random>-1 and -2, observes what Pinecone shows, deletes the
/// indexes, and writes a report. Asks before it creates anything. Exits with 0 if all checks ran, whatever they found, and with 1
/// otherwise. See docs/live.md.
#[derive(Debug, Parser)]
#[command(name = "cargo live")]
struct Arguments {
    /// The backup to restore; use a small one of test data
    #[arg(long, value_name = "BACKUP_ID")]
    backup: String,
    /// Pinecone's control plane
    #[arg(long, value_name = "URL", default_value = "https://api.pinecone.io")]
    endpoint: String,
    /// The environment variable that contains the API key
    #[arg(long, value_name = "NAME", default_value = "PINECONE_API_KEY")]
    api_key_env: String,
    /// Start without asking
    #[arg(long)]
    yes: bool,
    /// Where to write the report; an existing file is replaced
    #[arg(long, value_name = "FILE", default_value = "live-report.md")]
    report: PathBuf,
    /// The time limit of the checks; the cleanup comes on top
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    max_minutes: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    // `cargo live -- --backup ID` passes a second `--`, because the alias ends with one.
    let arguments = std::env::args_os().enumerate();
    let arguments = arguments.filter(|(place, word)| !(*place == 1 && word == "--"));
    let arguments = Arguments::parse_from(arguments.map(|(_, word)| word));
    // The only error is that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match live(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether all checks ran and nothing is left.
async fn live(arguments: &Arguments) -> Result<bool> {
    let started = Timestamp::now();
    let key = ApiKey::from_env(&arguments.api_key_env)?;
    let client = Client::new(&arguments.endpoint, key, CHECK_REQUESTS)?;
    let backup = Backup::read(&client, &arguments.backup).await?;
    let random = Uuid::new_v4().simple().to_string();
    let prefix = format!("live-check-{}", random.get(..8).unwrap_or(&random));
    consent::announce(&client.host(), &backup, &prefix, arguments.max_minutes);
    if !arguments.yes {
        consent::ask()?;
    }
    let path = arguments.report.display();
    let mut file =
        File::create(&arguments.report).with_context(|| format!("{path} cannot be written"))?;
    let mut stop = Stop::new()?;

    let (ledger, findings) = (Arc::new(Ledger::default()), Arc::new(Findings::default()));
    let session = Session::new(
        client.clone(),
        backup.clone(),
        prefix,
        Arc::clone(&ledger),
        Arc::clone(&findings),
    );
    let limit = Duration::from_secs(arguments.max_minutes * 60);
    let outcome = run(session, limit, &mut stop).await;
    let leftovers = clean_up(&ledger, &client, &mut stop, &arguments.api_key_env).await;

    let reason = outcome.as_ref().err().map_or_else(
        || "No observation.".to_owned(),
        |reason| format!("The run ended before: {reason}."),
    );
    let report = Report {
        host: client.host(),
        size: consent::size(&backup),
        backup: backup.id,
        started,
        ended: Timestamp::now(),
        outcome,
        findings: findings.complete(&reason),
        leftovers,
    };
    publish(&report, &mut file, &path.to_string())
}

/// Prints the result and writes the report; whether all checks ran and nothing is left.
fn publish(report: &Report, file: &mut File, path: &str) -> Result<bool> {
    say(&format!("\n{}", report.lines()));
    say(&format!("{}. Report: {path}", report.totals()));
    if let Err(reason) = &report.outcome {
        complain(&format!("The run did not complete: {reason}"));
    }
    file.write_all(report.markdown().as_bytes())
        .with_context(|| format!("{path} cannot be written"))?;
    Ok(report.outcome.is_ok() && report.leftovers.is_empty())
}

/// Runs the checks until they end, fail, or are stopped.
async fn run(session: Session, limit: Duration, stop: &mut Stop) -> Result<(), String> {
    // In a task of its own, so that even a panic is followed by the cleanup.
    let mut task = tokio::spawn(session.run());
    let reason = tokio::select! {
        joined = &mut task => {
            return match joined {
                Ok(outcome) => outcome.map_err(|error| format!("{error:#}")),
                Err(_) => Err("a bug in this program (panic)".to_owned()),
            };
        }
        signal = stop.requested() => signal.to_owned(),
        () = tokio::time::sleep(limit) => format!("the time limit of {} minutes", limit.as_secs() / 60),
    };
    task.abort();
    let _ = task.await;
    Err(reason)
}

/// Deletes all indexes of this run; says what could not be deleted, and how to do it by hand.
async fn clean_up(
    ledger: &Ledger,
    client: &Client,
    stop: &mut Stop,
    api_key_env: &str,
) -> Vec<(ledger::Leftover, String)> {
    say("Deleting the indexes of this run …");
    let client = client.with_budget(CLEANUP_REQUESTS);
    let cancelled = async {
        stop.requested().await;
    };
    let leftovers = ledger::clean_up(ledger, &client, cancelled).await;
    let with_command = leftovers.into_iter().map(|leftover| {
        let url = client.index_url(&leftover.name);
        let command = format!(
            "curl -X DELETE -H \"Api-Key: ${api_key_env}\" -H \"X-Pinecone-Api-Version: {}\" {url}",
            client::NEW
        );
        complain(&format!(
            "The index {} may still exist ({}). Delete it by hand:\n  {command}",
            leftover.name, leftover.reason
        ));
        (leftover, command)
    });
    with_command.collect()
}
