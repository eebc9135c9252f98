//! Logs, on standard error, as text or JSON.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Format of the log lines, the value of `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
// clap would print doc comments on the variants in `--help`.
#[allow(missing_docs)]
pub enum LogFormat {
    Text,
    Json,
}

/// Starts logging. `level` is a level such as `info`, or directives such as
/// `info,kube=debug`.
///
/// # Errors
/// If `level` is neither.
pub fn start(format: LogFormat, level: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(level)?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => logs.with_ansi(false).init(),
        LogFormat::Json => logs.json().flatten_event(true).init(),
    }
    Ok(())
}
