//! `cargo demo`: restores indexes with the real operator and a real API server, against the emulator of Pinecone. Everything
//! runs on loopback, and stops with the demo.

mod account;
mod cluster;
mod performance;
mod screen;
mod stories;
mod table;
mod verdict;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use testkit::ApiVersion;
use tokio::signal::unix::{SignalKind, signal};

use performance::Performance;
use screen::Screen;

/// Restores Pinecone indexes from backups by applying the manifests of deploy/samples, and checks the results
///
/// A real etcd and kube-apiserver run on loopback, Pinecone is emulated, and the operator is built from this checkout. The first
/// run takes about ten minutes, because it builds etcd and kube-apiserver from source (with Go; or set KUBEBUILDER_ASSETS to use
/// existing binaries); further runs take less than a minute. The exit code is 0 only if all checks passed. At the end, all
/// processes are stopped and all files removed.
#[derive(Debug, Parser)]
#[command(name = "cargo demo")]
struct Arguments {
    /// Keep everything running until Ctrl-C, and print a kubeconfig and commands to try
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    api: ApiVersion,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut screen = Screen::new();
    demo(&arguments, &mut screen).await.unwrap_or_else(|error| {
        eprintln!("\nThe demo failed: {error:#}");
        ExitCode::FAILURE
    })
}

async fn demo(arguments: &Arguments, screen: &mut Screen) -> Result<ExitCode> {
    // A signal drops the demo, and with it everything that it started.
    let (mut performance, code) = tokio::select! {
        result = perform(screen, &arguments.api.version) => result?,
        result = stop_signal() => return result.map(|()| ExitCode::from(130)),
    };
    if arguments.keep {
        performance.keep()?;
        stop_signal().await?;
        performance.screen.say("");
        performance
            .screen
            .say("Stopping all processes and removing all files.");
    }
    Ok(code)
}

async fn perform<'a>(
    screen: &'a mut Screen,
    api_version: &str,
) -> Result<(Performance<'a>, ExitCode)> {
    let mut performance = Performance::prepare(screen, api_version).await?;
    let outcome = match performance.run().await {
        Ok(()) => performance.verdict().await,
        Err(error) => Err(error),
    };
    let code = match outcome {
        Ok(true) => return Ok((performance, ExitCode::SUCCESS)),
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            performance.screen.keep_table();
            performance.screen.heading("Verdict");
            performance.screen.failure(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    };
    performance.show_log();
    Ok((performance, code))
}

async fn stop_signal() -> Result<()> {
    let waiting = "waiting for signals";
    let mut interrupt = signal(SignalKind::interrupt()).context(waiting)?;
    let mut terminate = signal(SignalKind::terminate()).context(waiting)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
