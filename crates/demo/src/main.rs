//! `cargo demo`: the operator's main job on a real API server, against an emulated Pinecone. Everything runs on loopback and ends
//! with the demo.

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

/// Restores Pinecone indexes from backups by applying the manifests of deploy/samples, and checks what became of them.
///
/// A real etcd and kube-apiserver run on loopback, Pinecone is emulated, and the operator is built from this checkout. The first
/// time takes some ten minutes, because etcd and kube-apiserver are built from source (Go is needed, or KUBEBUILDER_ASSETS);
/// afterwards less than a minute. Exits with 0 only if everything came out as promised. Nothing is left behind.
#[derive(Debug, Parser)]
#[command(name = "cargo demo")]
struct Arguments {
    /// Leave everything running afterwards, and print a kubeconfig and commands to try, until ctrl-c
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
    // Whichever ends first, the other is dropped, and with it all that was started.
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
            .say("Stopping everything and removing it.");
    }
    Ok(code)
}

async fn perform<'a>(
    screen: &'a mut Screen,
    api_version: &str,
) -> Result<(Performance<'a>, ExitCode)> {
    let mut performance = Performance::prepare(screen, api_version).await?;
    let outcome = match performance.play().await {
        Ok(()) => performance.verdict().await,
        Err(error) => Err(error),
    };
    let code = match outcome {
        Ok(true) => return Ok((performance, ExitCode::SUCCESS)),
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            performance.screen.settle();
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
