//! `index-restore-operator run | crd | version`

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cli;
mod exit;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use clap::Parser as _;
use index_restore_operator::REVISION;
use index_restore_operator::api::{self, IndexRestore};
use index_restore_operator::caches::{ApiKeyCache, IndexListCache};
use index_restore_operator::controller::{Context, Memory, Watches, apis, run_maintenance};
use index_restore_operator::pinecone::{self, RequestMetrics};
use index_restore_operator::restore::Rules;
use index_restore_operator::restore::metrics::Metrics;
use index_restore_operator::runtime::api_server::with_deadline;
use index_restore_operator::runtime::events::Events;
use index_restore_operator::runtime::leader::{Elector, Identity, Leadership, LeaseConfig, Timing};
use index_restore_operator::runtime::metrics::{self, LeaderGauge};
use index_restore_operator::runtime::readiness::Readiness;
use index_restore_operator::runtime::serve::{Served, serve};
use index_restore_operator::runtime::telemetry::{self, LogFormat};
use kube::Client;
use kube::api::ListParams;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use cli::{Cli, Command, RunArgs};

/// How long the shutdown waits for outcomes that the API server does not let us record.
const LAST_RECORDS: Duration = Duration::from_secs(15);

/// How long the shutdown waits for the last events.
const LAST_EVENTS: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::misused(&error),
    };
    match cli.command {
        Command::Run(args) => start(&args),
        Command::Crd => match api::crd_yaml() {
            Ok(yaml) => exit::printed(&yaml),
            Err(error) => exit::failed(LogFormat::Text, &error.into()),
        },
        Command::Version => exit::printed(&format!("index-restore-operator {}\n", *cli::VERSION)),
    }
}

/// Checks all flags before it asks for a cluster, and returns how the process ends.
fn start(args: &RunArgs) -> ExitCode {
    let format = args.serving.log_format;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = match Settings::of(args) {
        Ok(settings) => settings,
        Err(error) => return exit::misconfigured(format, &error),
    };
    telemetry::start(format, args.serving.log_level.clone());
    let ran = runtime()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(args, settings)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::failed(format, &error),
    }
}

/// What the flags set, once they are checked.
struct Settings {
    rules: Rules,
    timing: Timing,
    pinecone: pinecone::Client,
    registry: Registry,
}

impl Settings {
    fn of(args: &RunArgs) -> Result<Self> {
        let mut registry = metrics::registry("indexrestore", env!("CARGO_PKG_VERSION"), REVISION);
        let requests = RequestMetrics::register(&mut registry);
        Ok(Self {
            rules: args.rules()?,
            timing: args.timing()?,
            pinecone: pinecone::Client::new(&args.endpoint(), requests)?,
            registry,
        })
    }
}

/// One thread: nearly all the work is waiting, and a second thread would mostly wake the first.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

async fn run(args: &RunArgs, settings: Settings) -> Result<()> {
    #[cfg(feature = "failpoints")]
    index_restore_operator::runtime::failpoint::arm()?;
    let shutdown = shutdown_on_signal()?;
    let listen = args.serving.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("--listen {listen} cannot be used; set a free address"))?;
    let client = Client::try_default().await.context(
        "no Kubernetes API server: neither a kubeconfig nor a service account is usable; set KUBECONFIG, or run in a pod with a ServiceAccount",
    )?;
    check_crd(&client, &args.namespaces()).await?;
    let timing = settings.timing;
    let (context, registry) = context(args, client.clone(), settings, shutdown.clone());
    let context = Arc::new(context);
    let election = election(args, timing, client, Arc::clone(&context.leadership)).await?;
    let watches = Watches::new(&context);
    let served = Served {
        registry: Arc::new(registry),
        readiness: Arc::clone(&context.readiness),
    };
    let records = context.records.clone();
    let events = Arc::clone(&context.events);
    let maintenance = run_maintenance(context, watches.scopes.clone());
    let endpoints = tokio::spawn(serve(listener, served, shutdown.clone()));
    log_start(args);
    // The lease is released last: until then, reconciles may still record outcomes.
    let done = CancellationToken::new();
    let election = tokio::spawn(run_election(election, done.clone()));
    tokio::join!(watches.run(), maintenance);
    last_records(&records).await;
    done.cancel();
    election.await?;
    events.finish(LAST_EVENTS).await;
    shutdown.cancel();
    endpoints.await??;
    tracing::info!("stopped");
    Ok(())
}

fn log_start(args: &RunArgs) {
    let endpoint = args.endpoint();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        revision = REVISION,
        endpoint = endpoint.url,
        api_version = %endpoint.api_version,
        namespaces = watched(args),
        "starting"
    );
    if endpoint.api_version.is_past_support() {
        tracing::warn!(
            "Pinecone API version {} is past its guaranteed support; set --pinecone-api-version=2026-07",
            endpoint.api_version
        );
    }
    if args.sends_keys_in_clear() {
        tracing::warn!("--pinecone-endpoint is not https: API keys are sent unencrypted");
    }
}

/// Names the watched namespaces in the log.
fn watched(args: &RunArgs) -> String {
    match args.namespaces() {
        all if all.is_empty() => "all namespaces".to_owned(),
        some => some.join(", "),
    }
}

/// Waits for the outcomes that are still to be recorded, for a time.
async fn last_records(records: &TaskTracker) {
    records.close();
    let recorded = tokio::time::timeout(LAST_RECORDS, records.wait());
    if recorded.await.is_err() {
        let count = records.len();
        tracing::error!("{count} outcomes could not be recorded; their IDs are in the log");
    }
}

/// Returns what the controller needs, and the registry with all its metrics.
fn context(
    args: &RunArgs,
    client: Client,
    settings: Settings,
    shutdown: CancellationToken,
) -> (Context, Registry) {
    let (rules, mut registry) = (settings.rules, settings.registry);
    let context = Context {
        pinecone: settings.pinecone,
        api_keys: ApiKeyCache::new(client.clone()),
        index_lists: IndexListCache::new(rules.intervals.slow_period()),
        rules,
        events: Arc::new(Events::start::<IndexRestore>(client.clone())),
        records: TaskTracker::new(),
        readiness: Arc::new(Readiness::register(&mut registry, scopes(args))),
        shutdown,
        leadership: Leadership::new(LeaderGauge::register(&mut registry)),
        concurrency: args.concurrency(),
        memory: Memory::default(),
        metrics: Metrics::register(&mut registry),
        client,
        namespaces: args.namespaces(),
    };
    (context, registry)
}

/// Returns the elector, or none if leader election is disabled: then this process leads.
async fn election(
    args: &RunArgs,
    timing: Timing,
    client: Client,
    leadership: Arc<Leadership>,
) -> Result<Option<Elector>> {
    if !args.election.leader_elect {
        leadership.lead_always();
        return Ok(None);
    }
    let config = LeaseConfig {
        namespace: lease_namespace(args, &client),
        name: args.election.leader_elect_lease_name.clone(),
        identity: Identity::from_environment(),
        timing,
    };
    let namespace = config.namespace.clone();
    tracing::info!(
        namespace,
        lease = config.name,
        identity = %config.identity,
        "starting leader election"
    );
    let mut elector = Elector::new(client, config, leadership);
    match elector.check().await {
        Err(error) if error.is_forbidden() => Err(anyhow!(error).context(format!(
            "the operator may not read the Lease for leader election in namespace {namespace}; apply the roles in deploy/base/rbac.yaml, set --leader-elect-namespace, or run one replica with --leader-elect=false"
        ))),
        Err(error) => {
            tracing::warn!(%error, "reading the lease failed; retrying in the background");
            Ok(Some(elector))
        }
        Ok(()) => Ok(Some(elector)),
    }
}

fn lease_namespace(args: &RunArgs, client: &Client) -> String {
    const OWN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
    let set = args.election.leader_elect_namespace.clone();
    set.or_else(|| std::fs::read_to_string(OWN).ok())
        .map(|namespace| namespace.trim().to_owned())
        .filter(|namespace| !namespace.is_empty())
        .unwrap_or_else(|| client.default_namespace().to_owned())
}

async fn run_election(election: Option<Elector>, done: CancellationToken) {
    match election {
        Some(elector) => elector.run(done).await,
        None => done.cancelled().await,
    }
}

/// Names the watched scopes for people.
fn scopes(args: &RunArgs) -> Vec<String> {
    match args.namespaces() {
        all if all.is_empty() => vec!["(all)".to_owned()],
        some => some,
    }
}

/// Returns a token that SIGTERM or SIGINT cancels. The process ends once open requests are finished
/// and recorded.
fn shutdown_on_signal() -> Result<CancellationToken> {
    let token = CancellationToken::new();
    let (mut term, mut int) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let cancel = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("shutting down: finishing open requests, submitting nothing new");
        cancel.cancel();
    });
    Ok(token)
}

/// Fails early, with the remedy, where the watch could never succeed in any namespace.
async fn check_crd(client: &Client, namespaces: &[String]) -> Result<()> {
    let mut forbidden = None;
    for api in apis::<IndexRestore>(client, namespaces) {
        let params = ListParams::default().limit(1);
        match with_deadline("list IndexRestores", api.list(&params)).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_not_found() => {
                return Err(anyhow!(error).context(
                    "the CustomResourceDefinition indexrestores.restore.pinecone.io is not installed; apply it: index-restore-operator crd | kubectl apply --server-side -f -",
                ));
            }
            Err(error) if error.is_forbidden() => forbidden = Some(error),
            Err(error) => return Err(anyhow!(error).context("listing IndexRestores failed")),
        }
    }
    forbidden.map_or(Ok(()), |error| {
        Err(anyhow!(error).context(
            "the operator may not list IndexRestores; apply the roles in deploy/base/rbac.yaml, or set --watch-namespace to the namespaces that its roles allow",
        ))
    })
}
