//! How the process ends: its last line and its exit code, which `--help` and the reference list.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use index_restore_operator::runtime::api_server;
use index_restore_operator::runtime::telemetry::{LogFormat, log_failure};

use crate::cli;

/// Something failed at run time.
const FAILED: u8 = 1;

/// A flag, an environment variable, or a file that a flag names is wrong. clap uses the same code.
const MISUSED: u8 = 2;

/// Logs why the operator stopped.
pub fn failed(format: LogFormat, error: &anyhow::Error) -> ExitCode {
    log_failure(format, &with_causes(error));
    ExitCode::from(FAILED)
}

/// Logs which flag is wrong.
pub fn misconfigured(format: LogFormat, error: &anyhow::Error) -> ExitCode {
    log_failure(format, &with_causes(error));
    ExitCode::from(MISUSED)
}

/// Prints the help or the version if they were requested, else what clap rejects: as a line of the log
/// if the operator was to run, otherwise as clap does.
pub fn misused(error: &clap::Error) -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let variable = std::env::var_os(cli::LOG_FORMAT);
    let format = cli::log_format(&words, variable.as_deref());
    match format.filter(|_| error.use_stderr()) {
        Some(format) => log_failure(format, &cli::one_line(error)),
        None => drop(error.print()),
    }
    match error.use_stderr() {
        true => ExitCode::from(MISUSED),
        false => ExitCode::SUCCESS,
    }
}

/// Prints to standard output. A reader that closes it early, such as `head`, has what it wants.
pub fn printed(text: &str) -> ExitCode {
    let mut output = std::io::stdout().lock();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let failure = anyhow::Error::from(error).context("standard output cannot be written");
            failed(LogFormat::Text, &failure)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Returns the error and its causes, without causes that the text before them already has. An answer of
/// the API server is its message alone.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let answer = cause.downcast_ref().and_then(api_server::Error::answer);
        let words = answer.map_or_else(|| cause.to_string(), ToOwned::to_owned);
        if text.is_empty() {
            text = words;
        } else if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        if answer.is_some() {
            break;
        }
    }
    text
}
