//! Logs, on standard error, as text or JSON.

use clap::ValueEnum;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Format of the log lines, the value of `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
// clap would print doc comments on the variants in `--help`.
#[allow(missing_docs)]
pub enum LogFormat {
    Text,
    Json,
}

/// kube enters a span of its own for each reconcile, and enters all of them whenever one continues.
/// It says no more than ours.
const WITHOUT_KUBES_SPAN: &str = "kube_runtime::controller=off";

/// Starts logging. `level` is a level such as `info`, or directives such as
/// `info,kube=debug`.
///
/// # Errors
/// If `level` is neither.
pub fn start(format: LogFormat, level: &str) -> Result<(), ParseError> {
    let targets: Targets = format!("{WITHOUT_KUBES_SPAN},{level}").parse()?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let logs = tracing_subscriber::registry().with(targets);
    match format {
        LogFormat::Text => logs.with(lines.with_ansi(false)).init(),
        LogFormat::Json => logs.with(lines.json().flatten_event(true)).init(),
    }
    Ok(())
}
