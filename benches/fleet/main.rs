//! `cargo bench --bench fleet`: how long the operator takes for hundreds to thousands of restores, and what it costs. A real etcd and
//! kube-apiserver, the release binary, and an emulated Pinecone run as processes of their own. The yardstick is the floor
//! ([`floor`]), a loop that sends only the requests that no operator can do without. See `docs/performance.md`.

mod audit;
mod binary;
mod cluster;
mod docs;
mod floor;
mod limit_use;
mod machine;
mod picture;
mod pinecone;
mod polls;
mod results;
mod rows;
mod subject;
mod table;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use testkit::ApiVersion;

use crate::binary::Binary;
use crate::results::{Comparison, Report, comparisons};
use crate::rows::{Plan, Session};

/// Measures the operator with hundreds to thousands of restores. All rows in three rounds take about 80 minutes on two cores.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench fleet --")]
struct Arguments {
    /// Measure one round of small rows, in under three minutes, to check that the bench works
    #[arg(long)]
    quick: bool,
    /// Measure only this row; repeat it for several
    #[arg(long, value_name = "ROW", value_parser = rows::names())]
    only: Vec<String>,
    /// Rounds of each row that has several; the tables show medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Write all values to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Rewrite the tables and pictures of docs/performance.md with the measured rows
    #[arg(long)]
    docs: bool,
    /// Fail if a ratio to the floor is more than 20 % above the one in this file
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// The operator's binary; without it, the release binary is built from this checkout
    #[arg(long, value_name = "FILE")]
    operator: Option<PathBuf>,
    #[command(flatten)]
    api: ApiVersion,
    /// Cargo passes it to every bench
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    child: Option<Child>,
}

/// What the bench starts as a process of its own.
#[derive(Debug, Subcommand)]
enum Child {
    /// Run the floor
    #[command(hide = true)]
    Floor(floor::Arguments),
    /// Run the emulator
    #[command(hide = true)]
    Emulator(pinecone::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.child {
        Some(Child::Floor(floor)) => floor::run(floor).await,
        Some(Child::Emulator(emulator)) => pinecone::serve(emulator).await,
        // Cargo runs benches without `--bench` as tests: there is nothing to test.
        None if !arguments.bench && arguments.operator.is_none() => Ok(()),
        None => tokio::select! {
            outcome = bench(&arguments) => outcome,
            _ = tokio::signal::ctrl_c() => return ExitCode::from(130),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the bench failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn bench(arguments: &Arguments) -> Result<()> {
    // Before the long measuring, not after it.
    let before = arguments.against.as_deref().map(read).transpose()?;
    let session = Session {
        binary: Binary::provide(arguments.operator.as_deref()).await?,
        api_version: arguments.api.version.clone(),
        rounds: if arguments.quick { 1 } else { arguments.rounds },
    };
    let mut report = Report::default();
    for plan in rows::selected(arguments.quick, &arguments.only) {
        report.put(measure(&session, plan).await?);
        // What was measured is kept, whatever happens to the next row.
        if let Some(path) = &arguments.json {
            write(path, &report)?;
        }
        if arguments.docs {
            docs::update(&report)?;
        }
    }
    println!("{}", table::figures(&report));
    match before {
        Some(before) => compare(&report, &before),
        None => Ok(()),
    }
}

async fn measure(session: &Session, plan: &Plan) -> Result<results::Row> {
    eprintln!("{}: {}", plan.name, plan.title());
    let row = plan.measure(session).await;
    let row = row.with_context(|| format!("measuring {}", plan.name))?;
    eprintln!("{}", table::figures(&Report::of(row.clone())));
    Ok(row)
}

fn compare(report: &Report, before: &Report) -> Result<()> {
    let all = comparisons(report, before);
    if all.is_empty() {
        bail!("the earlier report has no ratio of the measured rows");
    }
    let worse: Vec<&Comparison> = all.iter().filter(|one| one.is_regression()).collect();
    for comparison in &worse {
        eprintln!("regression: {comparison}");
    }
    match worse.len() {
        0 => Ok(()),
        count => bail!(
            "{count} of {} ratios are more than 20 % above those of the earlier report",
            all.len()
        ),
    }
}

fn read(path: &Path) -> Result<Report> {
    let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))
}

fn write(path: &Path, report: &Report) -> Result<()> {
    let text = serde_json::to_string_pretty(report)? + "\n";
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
