//! The flags of `run`, by the headings of `--help`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use index_restore_operator::pinecone::ApiVersion;
use index_restore_operator::runtime::telemetry::{LogFormat, LogLevel};

use super::values::{duration, duration_or_none, lease_name, namespace};

/// Environment variable of `--log-format`, which is needed before the command line is parsed.
pub const LOG_FORMAT: &str = "INDEX_RESTORE_LOG_FORMAT";

#[derive(Debug, Args)]
#[command(next_help_heading = "Pinecone")]
pub struct PineconeArgs {
    /// URL of Pinecone's control plane.
    ///
    /// It is a flag and not a field of the resource, so that no author of an IndexRestore can send API
    /// keys to another server.
    #[arg(
        long,
        env = "INDEX_RESTORE_PINECONE_ENDPOINT",
        default_value = "https://api.pinecone.io",
        value_name = "URL"
    )]
    pub pinecone_endpoint: String,

    /// Version of Pinecone's API.
    ///
    /// 2026-07 is recommended: it shows from which backup an index was restored. 2025-10 is past its
    /// guaranteed support.
    #[arg(
        long,
        env = "INDEX_RESTORE_PINECONE_API_VERSION",
        default_value = "2025-10",
        value_enum,
        value_name = "VERSION"
    )]
    pub pinecone_api_version: ApiVersion,

    /// PEM file of certificates to trust in addition to the system's.
    ///
    /// It is for a proxy that terminates TLS. HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY set the
    /// proxy itself.
    #[arg(long, env = "INDEX_RESTORE_PINECONE_CA_FILE", value_name = "FILE")]
    pub pinecone_ca_file: Option<PathBuf>,

    /// Timeout of one request to Pinecone, from connecting to the end of the answer; below 175 s.
    ///
    /// On shutdown the operator waits for an open create request: the pod's grace period must be longer.
    #[arg(
        long,
        env = "INDEX_RESTORE_REQUEST_TIMEOUT",
        default_value = "30s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub request_timeout: Duration,

    /// Most requests per second that one API key makes; 0: no fixed limit.
    ///
    /// Without a fixed limit, the operator adapts to the limit that Pinecone's answers with HTTP 429 show.
    #[arg(
        long,
        env = "INDEX_RESTORE_MAX_REQUESTS_PER_SECOND",
        default_value_t = 0,
        value_name = "NUMBER"
    )]
    pub max_requests_per_second: u16,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Watching")]
pub struct WatchArgs {
    /// Namespace to watch. Repeat the flag, or separate namespaces by commas. Default: all namespaces.
    #[arg(
        long,
        env = "INDEX_RESTORE_WATCH_NAMESPACE",
        value_delimiter = ',',
        value_parser = namespace,
        value_name = "NAMESPACE"
    )]
    pub watch_namespace: Vec<String>,

    /// Maximum number of concurrent reconciles of the IndexRestores that use one API key.
    #[arg(
        long,
        env = "INDEX_RESTORE_CONCURRENCY",
        default_value_t = 8,
        value_parser = clap::value_parser!(u16).range(1..),
        value_name = "NUMBER"
    )]
    pub concurrency: u16,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Polling")]
pub struct PollArgs {
    /// Shortest time between two polls of a restore.
    #[arg(
        long,
        env = "INDEX_RESTORE_POLL_MIN",
        default_value = "2s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub poll_min: Duration,

    /// Longest time between two polls of a running restore.
    ///
    /// The operator polls a restore every eighth of its age. Every five times this flag, it checks
    /// Stalled restores and lists all IndexRestores again; every ten times, it checks finished restores.
    #[arg(
        long,
        env = "INDEX_RESTORE_POLL_MAX",
        default_value = "60s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub poll_max: Duration,

    /// Longest gap in the observation of a submission of unknown outcome after which the operator
    /// submits again automatically; 0: never.
    ///
    /// After a longer gap, manual action is required.
    #[arg(
        long,
        env = "INDEX_RESTORE_MAX_OBSERVATION_GAP",
        default_value = "600s",
        value_parser = duration_or_none,
        value_name = "DURATION"
    )]
    pub max_observation_gap: Duration,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Leader election")]
pub struct LeaderArgs {
    /// Elect a leader: one replica reconciles, the others stand by.
    ///
    /// If disabled, every replica reconciles, which is safe but sends Pinecone more requests.
    #[arg(
        long,
        env = "INDEX_RESTORE_LEADER_ELECT",
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
    #[arg(
        long,
        env = "INDEX_RESTORE_LEADER_ELECT_NAMESPACE",
        value_parser = namespace,
        value_name = "NAMESPACE"
    )]
    pub leader_elect_namespace: Option<String>,

    /// Name of the Lease.
    ///
    /// Two installations in one namespace need different names.
    #[arg(
        long,
        env = "INDEX_RESTORE_LEADER_ELECT_LEASE_NAME",
        default_value = "index-restore-operator",
        value_parser = lease_name,
        value_name = "NAME"
    )]
    pub leader_elect_lease_name: String,

    /// How long a standby must see no renewal of the lease before it takes over.
    #[arg(
        long,
        env = "INDEX_RESTORE_LEADER_ELECT_LEASE_DURATION",
        default_value = "15s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub leader_elect_lease_duration: Duration,

    /// How long after its last renewal a leader stops reconciling; shorter than the lease duration.
    #[arg(
        long,
        env = "INDEX_RESTORE_LEADER_ELECT_RENEW_DEADLINE",
        default_value = "10s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub leader_elect_renew_deadline: Duration,

    /// Time between two renewals of the lease; shorter than the renew deadline.
    ///
    /// Standbys read the lease somewhat more often.
    #[arg(
        long,
        env = "INDEX_RESTORE_LEADER_ELECT_RETRY_PERIOD",
        default_value = "2s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub leader_elect_retry_period: Duration,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Serving and logging")]
pub struct ServeArgs {
    /// Address of /metrics, /livez and /readyz.
    #[arg(
        long,
        env = "INDEX_RESTORE_LISTEN",
        default_value = "0.0.0.0:8080",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,

    /// Format of the logs on standard error.
    #[arg(
        long,
        env = LOG_FORMAT,
        default_value = "text",
        value_enum,
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,

    /// Level of the logs (error, warn, info, debug, trace), or directives such as info,kube=debug.
    #[arg(
        long,
        env = "INDEX_RESTORE_LOG_LEVEL",
        default_value = "info",
        value_name = "LEVEL"
    )]
    pub log_level: LogLevel,
}

/// The waits that the guarantee depends on. Shorter ones can cause a second index, so they are flags only
/// in builds with the feature `short-patience`, which are for tests.
#[derive(Debug, Args)]
pub struct PatienceArgs {
    /// How long a submission must have left no trace before the operator submits again.
    #[cfg_attr(feature = "short-patience", arg(long, env = "INDEX_RESTORE_CONFIRM_PATIENCE", default_value = "180s", value_parser = duration, hide = true))]
    #[cfg_attr(not(feature = "short-patience"), arg(skip = index_restore_operator::restore::Patience::default().confirm))]
    pub confirm_patience: Duration,

    /// How long the list of restore jobs may take to show the job of an index that exists.
    #[cfg_attr(feature = "short-patience", arg(long, env = "INDEX_RESTORE_CATCH_UP_PATIENCE", default_value = "60s", value_parser = duration, hide = true))]
    #[cfg_attr(not(feature = "short-patience"), arg(skip = index_restore_operator::restore::Patience::default().catch_up))]
    pub catch_up_patience: Duration,

    /// How long an outcome stays unknown before manual action is required.
    #[cfg_attr(feature = "short-patience", arg(long, env = "INDEX_RESTORE_GIVE_UP_PATIENCE", default_value = "1h", value_parser = duration, hide = true))]
    #[cfg_attr(not(feature = "short-patience"), arg(skip = index_restore_operator::restore::Patience::default().give_up))]
    pub give_up_patience: Duration,

    /// How long a 404 of a restore job counts as an outage of Pinecone's store of jobs.
    #[cfg_attr(feature = "short-patience", arg(long, env = "INDEX_RESTORE_JOB_OUTAGE_PATIENCE", default_value = "5m", value_parser = duration, hide = true))]
    #[cfg_attr(not(feature = "short-patience"), arg(skip = index_restore_operator::restore::Patience::default().job_outage))]
    pub job_outage_patience: Duration,
}
