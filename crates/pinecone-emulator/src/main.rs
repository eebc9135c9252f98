//! The program `pinecone-emulator`: an in-memory emulator of Pinecone's control plane.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use pinecone_emulator::{
    Config, DEFAULT_API_KEY, DEFAULT_PROJECT, Emulator, Habits, Project, RowOrder, Seed,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// An in-memory emulator of Pinecone's control plane for backups, restore jobs and indexes
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Args {
    /// Address to listen on; port 0 selects a free port
    #[arg(
        long,
        env = "PINECONE_EMULATOR_LISTEN",
        default_value = "127.0.0.1:5080",
        value_name = "ADDRESS:PORT"
    )]
    listen: SocketAddr,
    /// JSON file with the initial projects, backups, indexes, restore jobs and faults
    #[arg(long, env = "PINECONE_EMULATOR_SEED", value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Duration of a restore in seconds, or "never": until an admin path finishes it
    #[arg(long, env = "PINECONE_EMULATOR_RESTORE_SECONDS", default_value = "5", value_name = "N", value_parser = restore)]
    restore_seconds: Restore,
    /// Valid API key of the first project; repeat the flag, or separate keys by commas in the environment
    /// [default without a seed file: emulator-key]
    #[arg(
        long = "api-key",
        env = "PINECONE_EMULATOR_API_KEY",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "K"
    )]
    api_keys: Vec<String>,
    /// List the restore jobs of deleted indexes, which Pinecone omits
    #[arg(long, env = "PINECONE_EMULATOR_KEEP_JOBS_OF_DELETED_INDEXES")]
    keep_jobs_of_deleted_indexes: bool,
    /// List the oldest restore jobs and backups first
    #[arg(long, env = "PINECONE_EMULATOR_OLDEST_FIRST")]
    oldest_first: bool,
    /// Give every index a unique host, instead of one derived from its name and project
    #[arg(long, env = "PINECONE_EMULATOR_UNIQUE_HOSTS")]
    unique_hosts: bool,
    /// Log on standard error: a level, or directives such as info,hyper=debug
    #[arg(
        long,
        env = "PINECONE_EMULATOR_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    log: String,
}

impl Args {
    fn habits(&self) -> Habits {
        Habits {
            keeps_jobs_of_deleted_indexes: self.keep_jobs_of_deleted_indexes,
            row_order: if self.oldest_first {
                RowOrder::OldestFirst
            } else {
                RowOrder::NewestFirst
            },
            unique_hosts: self.unique_hosts,
        }
    }
}

#[derive(Clone, Copy)]
struct Restore(Option<Duration>);

fn restore(text: &str) -> Result<Restore, String> {
    if text == "never" {
        return Ok(Restore(None));
    }
    let seconds: f64 = text
        .parse()
        .map_err(|_| "must be a number of seconds or \"never\"".to_owned())?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    Ok(Restore(Some(duration)))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let targets: Targets = args.log.parse().context("--log is not a valid filter")?;
    tracing_subscriber::registry()
        .with(targets)
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .init();
    // Before the URL is printed: a process that reads the URL may send a signal immediately.
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;

    let emulator = start(&args).await?;
    println!("{}", emulator.url());
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    emulator.stop().await;
    Ok(())
}

async fn start(args: &Args) -> anyhow::Result<Emulator> {
    let mut seed = match &args.seed {
        Some(path) => read(path)?,
        None => Seed::default(),
    };
    let second = Duration::from_secs(1);
    let mut config = Config {
        listen: args.listen,
        restore: args.restore_seconds.0,
        backup: second,
        index_creation: second,
        termination: second,
        projects: Vec::new(),
        habits: args.habits(),
    };
    if let Some(first) = seed.projects.first_mut() {
        first.api_keys.extend(args.api_keys.iter().cloned());
    } else {
        let mut project = Project::new(DEFAULT_PROJECT, DEFAULT_API_KEY);
        if !args.api_keys.is_empty() {
            project.api_keys.clone_from(&args.api_keys);
        }
        config.projects.push(project);
    }
    Emulator::start_seeded(config, seed)
        .await
        .with_context(|| format!("cannot start on {}", args.listen))
}

fn read(path: &Path) -> anyhow::Result<Seed> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("{} is not a valid seed file", path.display()))
}
