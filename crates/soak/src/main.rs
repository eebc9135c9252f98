//! `cargo soak`: hundreds of restores under random faults and kills. Everything runs on loopback,
//! Pinecone is emulated, and the judge reads Pinecone's journal and etcd's history alone.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod etcd;
mod gauge;
mod installation;
mod life;
mod observer;
mod people;
mod population;
mod replicas;
mod report;
mod rest;
mod run;
mod schedule;
mod screen;
mod storm;
mod summary;
mod tags;
mod truth;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use rand::RngExt as _;
use testkit::ApiVersion;

/// Two replicas of the operator under random faults: every ten seconds a fault, every thirty a SIGKILL. Ends with 0 only if no
/// rule was broken.
#[derive(Debug, Parser)]
#[command(name = "cargo soak")]
pub struct Arguments {
    /// Minutes of faults; settling and resting come on top
    #[arg(default_value_t = 5.0)]
    minutes: f64,
    /// Of the faults and lives; the same seed gives the same again
    #[arg(long)]
    seed: Option<u64>,
    /// IndexRestores that live at a time
    #[arg(long, default_value_t = 500)]
    resources: u32,
    /// IndexRestores that are deleted and followed by others, a second
    #[arg(long, default_value_t = 3.0)]
    churn: f64,
    /// Replicas of the operator
    #[arg(long, default_value_t = 2)]
    replicas: usize,
    /// Turn leader election off: all replicas work at the same time
    #[arg(long)]
    rivals: bool,
    #[command(flatten)]
    api: ApiVersion,
    /// The operator's binary; without it, it is built from this checkout
    #[arg(long, value_name = "FILE")]
    operator: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seed = arguments
        .seed
        .unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    println!("seed {seed}: {}", replay(&arguments, seed));
    let outcome = tokio::select! {
        outcome = run::run(&arguments, seed) => outcome,
        _ = tokio::signal::ctrl_c() => return ExitCode::from(130),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            println!("to do the same again: {}", replay(&arguments, seed));
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("the soak failed: {error:#}");
            println!("to do the same again: {}", replay(&arguments, seed));
            ExitCode::FAILURE
        }
    }
}

/// The command that gives the same schedule.
fn replay(arguments: &Arguments, seed: u64) -> String {
    let mut more = if arguments.rivals { " --rivals" } else { "" }.to_owned();
    if let Some(operator) = &arguments.operator {
        more += &format!(" --operator {}", operator.display());
    }
    format!(
        "cargo soak {} --seed {seed} --resources {} --churn {} --replicas {} --api-version {}{more}",
        arguments.minutes,
        arguments.resources,
        arguments.churn,
        arguments.replicas,
        arguments.api.version
    )
}
