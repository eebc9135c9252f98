//! The command line. Every flag can also be set by an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, Parser, Subcommand};
use index_restore_operator::pinecone::{ApiVersion, Endpoint};
use index_restore_operator::restore::{CLAIM_LIFE, Intervals, Patience, Rules};
use index_restore_operator::runtime::leader::Timing;
use index_restore_operator::runtime::telemetry::LogFormat;
use jiff::SignedDuration;

/// Restores Pinecone indexes from backups, declaratively and exactly once.
#[derive(Debug, Parser)]
#[command(name = "index-restore-operator", disable_version_flag = true)]
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
pub struct RunArgs {
    /// URL of Pinecone's control plane. It is a flag and not a field of the resource, so that no
    /// author of an IndexRestore can send API keys to another server.
    #[arg(
        long,
        env = "PINECONE_ENDPOINT",
        default_value = "https://api.pinecone.io"
    )]
    pinecone_endpoint: String,

    /// Version of Pinecone's API. 2026-07 is recommended: it shows from which backup an index was
    /// restored. 2025-10 is past its guaranteed support.
    #[arg(
        long,
        env = "PINECONE_API_VERSION",
        default_value = "2025-10",
        value_enum,
        value_name = "VERSION"
    )]
    pinecone_api_version: ApiVersion,

    /// PEM file of certificates to trust in addition to the system's, for a proxy that terminates
    /// TLS. HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY set the proxy itself.
    #[arg(long, env = "PINECONE_CA_FILE", value_name = "FILE")]
    pinecone_ca_file: Option<PathBuf>,

    /// Namespace to watch. Repeat the flag, or separate namespaces by commas. Default: all namespaces.
    #[arg(
        long,
        env = "WATCH_NAMESPACE",
        value_delimiter = ',',
        value_name = "NAMESPACE"
    )]
    watch_namespace: Vec<String>,

    /// Maximum number of concurrent reconciles of the IndexRestores that use one API key.
    #[arg(long, env = "CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,

    /// Timeout of one request to Pinecone, from connecting to the end of the answer; below 175 s. On
    /// shutdown the operator waits for an open create request: the pod's grace period must be longer.
    #[arg(long, env = "REQUEST_TIMEOUT", default_value = "30s", value_parser = duration)]
    request_timeout: Duration,

    /// Most requests per second that one API key makes. 0: none but the limit that Pinecone's answers
    /// with HTTP 429 show.
    #[arg(
        long,
        env = "MAX_REQUESTS_PER_SECOND",
        default_value_t = 0,
        value_name = "NUMBER"
    )]
    max_requests_per_second: u16,

    /// Shortest time between two polls of a restore.
    #[arg(long, env = "POLL_MIN", default_value = "2s", value_parser = duration)]
    poll_min: Duration,

    /// Longest time between two polls of a running restore, which the operator polls every eighth of
    /// its age. Every five times this, the operator checks Stalled restores and lists all
    /// IndexRestores again; every ten times this, it checks finished restores.
    #[arg(long, env = "POLL_MAX", default_value = "60s", value_parser = duration)]
    poll_max: Duration,

    /// Longest gap in the observation of a submission of unknown outcome after which the operator
    /// submits again automatically. After a longer gap, manual action is required. 0: never.
    #[arg(long, env = "MAX_OBSERVATION_GAP", default_value = "600s", value_parser = duration_or_none)]
    max_observation_gap: Duration,

    /// Elect a leader: one replica reconciles, the others stand by. If disabled, every replica
    /// reconciles, which is safe but sends Pinecone more requests.
    #[arg(
        long,
        env = "LEADER_ELECT",
        default_value = "true",
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = ArgAction::Set,
        value_parser = BoolishValueParser::new(),
        value_name = "BOOL"
    )]
    pub leader_elect: bool,

    /// Namespace of the Lease. Default: the pod's, else the kubeconfig's.
    #[arg(long, env = "LEADER_ELECT_NAMESPACE", value_name = "NAMESPACE")]
    pub leader_elect_namespace: Option<String>,

    /// Name of the Lease. Two installations in one namespace need different names.
    #[arg(
        long,
        env = "LEADER_ELECT_LEASE_NAME",
        value_name = "NAME",
        default_value = "index-restore-operator"
    )]
    pub leader_elect_lease_name: String,

    /// How long a standby must see no renewal of the lease before it takes over.
    #[arg(long, env = "LEADER_ELECT_LEASE_DURATION", default_value = "15s", value_parser = duration)]
    leader_elect_lease_duration: Duration,

    /// How long after its last renewal a leader stops reconciling; shorter than the lease duration.
    #[arg(long, env = "LEADER_ELECT_RENEW_DEADLINE", default_value = "10s", value_parser = duration)]
    leader_elect_renew_deadline: Duration,

    /// Time between two renewals of the lease; shorter than the renew deadline. Standbys read the
    /// lease somewhat more often.
    #[arg(long, env = "LEADER_ELECT_RETRY_PERIOD", default_value = "2s", value_parser = duration)]
    leader_elect_retry_period: Duration,

    /// Address of /metrics, /livez and /readyz.
    #[arg(long, env = "LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,

    /// Format of the logs on standard error.
    #[arg(long, env = "LOG_FORMAT", default_value = "text", value_enum)]
    pub log_format: LogFormat,

    /// Level of the logs (error, warn, info, debug, trace), or directives such as info,kube=debug.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub log_level: String,

    #[command(flatten)]
    patience: PatienceArgs,
}

/// The waits that the guarantee depends on. Shorter ones can cause a second index, so they are flags only
/// in builds with the feature `short-patience`, which are for tests.
#[derive(Debug, Args)]
struct PatienceArgs {
    /// How long a submission must have left no trace before the operator submits again.
    #[cfg_attr(feature = "short-patience", arg(long, env = "CONFIRM_PATIENCE", default_value = "180s", value_parser = duration, hide = true))]
    #[cfg_attr(not(feature = "short-patience"), arg(skip = Patience::default().confirm))]
    confirm_patience: Duration,

    /// How long the list of restore jobs may take to show the job of an index that exists.
    #[cfg_attr(feature = "short-patience", arg(long, env = "CATCH_UP_PATIENCE", default_value = "60s", value_parser = duration, hide = true))]
    #[cfg_attr(not(feature = "short-patience"), arg(skip = Patience::default().catch_up))]
    catch_up_patience: Duration,

    /// How long an outcome stays unknown before manual action is required.
    #[cfg_attr(feature = "short-patience", arg(long, env = "GIVE_UP_PATIENCE", default_value = "1h", value_parser = duration, hide = true))]
    #[cfg_attr(not(feature = "short-patience"), arg(skip = Patience::default().give_up))]
    give_up_patience: Duration,

    /// How long a 404 of a restore job counts as an outage of Pinecone's store of jobs.
    #[cfg_attr(feature = "short-patience", arg(long, env = "JOB_OUTAGE_PATIENCE", default_value = "5m", value_parser = duration, hide = true))]
    #[cfg_attr(not(feature = "short-patience"), arg(skip = Patience::default().job_outage))]
    job_outage_patience: Duration,
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

/// A flag's value that is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a duration above zero, such as 500ms, 30s or 2m")]
pub struct InvalidDuration;

impl RunArgs {
    /// Returns the intervals and the patience that the flags set.
    ///
    /// # Errors
    /// If two flags contradict each other; the error names them.
    pub fn rules(&self) -> Result<Rules, FlagError> {
        if self.poll_min > self.poll_max {
            return Err(FlagError::PollMin);
        }
        let patience = &self.patience;
        if self.request_timeout + CLAIM_LIFE >= patience.confirm_patience {
            return Err(FlagError::RequestTimeout {
                longest: patience.confirm_patience.saturating_sub(CLAIM_LIFE),
            });
        }
        Ok(Rules {
            intervals: Intervals {
                poll_min: self.poll_min,
                poll_max: self.poll_max,
            },
            patience: Patience {
                confirm: patience.confirm_patience,
                catch_up: patience.catch_up_patience,
                give_up: patience.give_up_patience,
                job_outage: patience.job_outage_patience,
                max_gap: self.max_observation_gap,
            },
        })
    }

    /// Returns the intervals of leader election.
    ///
    /// # Errors
    /// If two flags contradict each other; the error names them.
    pub fn timing(&self) -> Result<Timing, FlagError> {
        let timing = Timing {
            lease_duration: self.leader_elect_lease_duration,
            renew_deadline: self.leader_elect_renew_deadline,
            retry_period: self.leader_elect_retry_period,
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
        Endpoint {
            url: self.pinecone_endpoint.clone(),
            api_version: self.pinecone_api_version,
            ca_file: self.pinecone_ca_file.clone(),
            request_timeout: self.request_timeout,
            requests_per_second: Some(self.max_requests_per_second)
                .filter(|most| *most > 0)
                .map(f64::from),
        }
    }

    /// Returns whether API keys leave this machine without TLS.
    pub fn sends_keys_in_clear(&self) -> bool {
        let clear = self.pinecone_endpoint.strip_prefix("http://");
        clear.is_some_and(|host| {
            !["127.", "localhost", "[::1]"]
                .iter()
                .any(|own| host.starts_with(own))
        })
    }

    pub fn namespaces(&self) -> Vec<String> {
        let mut namespaces: Vec<_> = self
            .watch_namespace
            .iter()
            .filter(|namespace| !namespace.is_empty())
            .cloned()
            .collect();
        namespaces.sort();
        namespaces.dedup();
        namespaces
    }

    pub fn concurrency(&self) -> u16 {
        self.concurrency
    }
}

/// Parses a duration, or 0.
fn duration_or_none(text: &str) -> Result<Duration, InvalidDuration> {
    match text {
        "0" | "0s" => Ok(Duration::ZERO),
        _ => duration(text),
    }
}

fn duration(text: &str) -> Result<Duration, InvalidDuration> {
    let duration: SignedDuration = text.parse().map_err(|_| InvalidDuration)?;
    Duration::try_from(duration)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or(InvalidDuration)
}

#[cfg(test)]
mod tests;
