//! Logs, on standard error, as text or JSON.

use clap::ValueEnum;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Format of the log lines, the value of `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
// clap would print doc comments on the variants in `--help`.
#[allow(missing_docs)]
pub enum LogFormat {
    Text,
    Json,
}

/// Which log lines are written, the value of `--log-level`.
#[derive(Clone, Debug)]
pub struct LogLevel(Targets);

/// A value of `--log-level` that has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a level (off, error, warn, info, debug, trace), or directives such as info,kube=debug"
)]
pub struct InvalidLogLevel;

/// kube enters a span of its own for each reconcile, and enters all of them whenever one continues.
/// It says no more than ours.
const WITHOUT_KUBES_SPAN: &str = "kube_runtime::controller=off";

impl std::str::FromStr for LogLevel {
    type Err = InvalidLogLevel;

    fn from_str(text: &str) -> Result<Self, InvalidLogLevel> {
        // `Targets` takes a misspelt level for the name of a target, and then logs nothing.
        let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
        if !text
            .split(',')
            .all(|part| part.contains('=') || is_level(part))
        {
            return Err(InvalidLogLevel);
        }
        let targets = format!("{WITHOUT_KUBES_SPAN},{text}").parse();
        targets.map(Self).map_err(|_| InvalidLogLevel)
    }
}

/// Starts logging.
pub fn start(format: LogFormat, level: LogLevel) {
    let logs = tracing_subscriber::registry().with(level.0);
    logs.with(lines(format)).init();
}

/// Logs why the process ends, in one line, whatever the level of the logs and even before they start.
pub fn log_failure(format: LogFormat, failure: &str) {
    let words = failure.split_whitespace().collect::<Vec<_>>().join(" ");
    let logs = tracing_subscriber::registry().with(lines(format));
    tracing::subscriber::with_default(logs, || {
        tracing::error!(target: "index_restore_operator", "{words}");
    });
}

fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        // `span` alone: a list of all spans would repeat its fields in each line.
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true);
            lines.with_span_list(false).boxed()
        }
    }
}
