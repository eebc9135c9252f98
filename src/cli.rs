//! The command line. Every flag of `run` can also be set by an environment variable.

mod flags;
mod values;

use std::ffi::{OsStr, OsString};
use std::sync::LazyLock;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum as _};
use index_restore_operator::REVISION;
use index_restore_operator::pinecone::Endpoint;
use index_restore_operator::restore::{CLAIM_LIFE, Intervals, Patience, Rules};
use index_restore_operator::runtime::leader::Timing;
use index_restore_operator::runtime::telemetry::LogFormat;

pub use flags::LOG_FORMAT;
use flags::{LeaderArgs, PatienceArgs, PineconeArgs, PollArgs, ServeArgs, WatchArgs};

/// Version and source revision, such as `0.1.0 (1a2b3c4)`.
pub static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} ({REVISION})", env!("CARGO_PKG_VERSION")));

const EXIT_CODES: &str = "\
Exit codes:
  0  stopped by SIGTERM or SIGINT, or printed what was requested
  1  failed at run time, for example because no Kubernetes API server answers
  2  wrong command, flag, environment variable, or file that a flag names";

/// Restores Pinecone indexes from backups, declaratively and exactly once.
#[derive(Debug, Parser)]
#[command(name = "index-restore-operator", version = VERSION.as_str(), after_long_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch IndexRestores and restore them.
    Run(Box<RunArgs>),
    /// Print the CustomResourceDefinition of this version as YAML.
    Crd,
    /// Print the version and the source revision.
    Version,
}

#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub struct RunArgs {
    #[command(flatten)]
    pinecone: PineconeArgs,
    #[command(flatten)]
    watching: WatchArgs,
    #[command(flatten)]
    polling: PollArgs,
    #[command(flatten)]
    pub election: LeaderArgs,
    #[command(flatten)]
    pub serving: ServeArgs,
    #[command(flatten)]
    patience: PatienceArgs,
}

/// A conflict between two flags.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    #[error("--poll-min must not be longer than --poll-max")]
    PollMin,
    #[error(
        "--request-timeout must be shorter than {} s: a request must end before its submission counts as lost",
        .longest.as_secs()
    )]
    RequestTimeout { longest: Duration },
    #[error(
        "--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline, or two replicas could lead at the same time"
    )]
    LeaseDuration,
    #[error(
        "--leader-elect-renew-deadline must be longer than --leader-elect-retry-period, or a leader could not renew in time"
    )]
    RenewDeadline,
}

impl RunArgs {
    /// Returns the intervals and the patience that the flags set.
    ///
    /// # Errors
    /// If two flags contradict each other; the error names them.
    pub fn rules(&self) -> Result<Rules, FlagError> {
        let polling = &self.polling;
        if polling.poll_min > polling.poll_max {
            return Err(FlagError::PollMin);
        }
        let patience = &self.patience;
        if self.pinecone.request_timeout + CLAIM_LIFE >= patience.confirm_patience {
            return Err(FlagError::RequestTimeout {
                longest: patience.confirm_patience.saturating_sub(CLAIM_LIFE),
            });
        }
        Ok(Rules {
            intervals: Intervals {
                poll_min: polling.poll_min,
                poll_max: polling.poll_max,
            },
            patience: Patience {
                confirm: patience.confirm_patience,
                catch_up: patience.catch_up_patience,
                give_up: patience.give_up_patience,
                job_outage: patience.job_outage_patience,
                max_gap: polling.max_observation_gap,
            },
        })
    }

    /// Returns the intervals of leader election.
    ///
    /// # Errors
    /// If two flags contradict each other; the error names them.
    pub fn timing(&self) -> Result<Timing, FlagError> {
        let timing = Timing {
            lease_duration: self.election.leader_elect_lease_duration,
            renew_deadline: self.election.leader_elect_renew_deadline,
            retry_period: self.election.leader_elect_retry_period,
        };
        if timing.lease_duration <= timing.renew_deadline {
            return Err(FlagError::LeaseDuration);
        }
        if timing.renew_deadline <= timing.retry_period {
            return Err(FlagError::RenewDeadline);
        }
        Ok(timing)
    }

    pub fn endpoint(&self) -> Endpoint {
        let pinecone = &self.pinecone;
        Endpoint {
            url: pinecone.pinecone_endpoint.clone(),
            api_version: pinecone.pinecone_api_version,
            ca_file: pinecone.pinecone_ca_file.clone(),
            request_timeout: pinecone.request_timeout,
            requests_per_second: Some(pinecone.max_requests_per_second)
                .filter(|most| *most > 0)
                .map(f64::from),
        }
    }

    /// Returns whether API keys leave this machine without TLS.
    pub fn sends_keys_in_clear(&self) -> bool {
        let clear = self.pinecone.pinecone_endpoint.strip_prefix("http://");
        clear.is_some_and(|host| {
            !["127.", "localhost", "[::1]"]
                .iter()
                .any(|own| host.starts_with(own))
        })
    }

    /// Returns the namespaces to watch, sorted; none means all.
    pub fn namespaces(&self) -> Vec<String> {
        let given = self.watching.watch_namespace.iter();
        let mut namespaces: Vec<_> = given.filter(|name| !name.is_empty()).cloned().collect();
        namespaces.sort();
        namespaces.dedup();
        namespaces
    }

    pub fn concurrency(&self) -> u16 {
        self.watching.concurrency
    }
}

/// Returns the format of the log that a command line which cannot be parsed requests; none if it does
/// not request to run. `variable` is the value of the environment variable [`LOG_FORMAT`].
pub fn log_format(words: &[OsString], variable: Option<&OsStr>) -> Option<LogFormat> {
    let mut flags = words.iter().enumerate().filter_map(|(place, word)| {
        match word.to_str()?.strip_prefix("--log-format")? {
            "" => words.get(place + 1)?.to_str(),
            value => value.strip_prefix('='),
        }
    });
    let given = flags.next_back().or_else(|| variable?.to_str());
    let format = given.and_then(|name| LogFormat::from_str(name, false).ok());
    let is_run = words.get(1).is_some_and(|word| word == "run");
    is_run.then_some(format.unwrap_or(LogFormat::Text))
}

/// Returns what clap rejects and its tips, in one line and without the usage.
pub fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim);
    let lines = lines.take_while(|line| !line.starts_with("Usage:"));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let line = lines.collect::<Vec<_>>().join(" ");
    let line = line.replace(" tip: ", "; tip: ");
    line.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests;
