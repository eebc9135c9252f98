//! The control plane with the CRD and the shipped roles, and how the operator is started on it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use testkit::installation::{CRD, SHIPPED};
use testkit::{ControlPlane, Operator, OperatorBuilder};

use crate::Arguments;

const OPERATOR: &str = "index-restore-operator";

/// How long an open claim may go unobserved: as in the flags.
pub const MAX_GAP: Duration = Duration::from_secs(60);

/// Ten times `--poll-max`: the period in which each restored index is checked once.
pub const SLOW_PERIOD: Duration = Duration::from_secs(30);

/// What takes minutes in Pinecone takes seconds here. A create that is delayed by up to six
/// seconds, five seconds after its claim, is within the patience still.
const FLAGS: [&str; 13] = [
    "--concurrency=32",
    "--request-timeout=3s",
    "--poll-min=300ms",
    "--poll-max=3s",
    "--confirm-patience=15s",
    "--catch-up-patience=6s",
    // Longer than the store of jobs is away.
    "--job-outage-patience=20s",
    "--max-observation-gap=60s",
    // Within the time for the last restores to settle.
    "--give-up-patience=240s",
    "--leader-elect-lease-duration=5s",
    "--leader-elect-renew-deadline=4s",
    "--leader-elect-retry-period=1s",
    // No request reaches them here.
    "--listen=127.0.0.1:0",
];

/// Installs all that the operator needs; gives its builder.
pub async fn install(
    control_plane: &ControlPlane,
    binary: PathBuf,
    pinecone: &str,
    arguments: &Arguments,
) -> Result<OperatorBuilder> {
    for manifest in [CRD].into_iter().chain(SHIPPED) {
        control_plane.apply(manifest).await?;
    }
    let account = control_plane
        .service_account_kubeconfig(OPERATOR, OPERATOR)
        .await?;
    let builder = Operator::builder(binary)
        .kubeconfig(&control_plane.write_kubeconfig(&account)?)
        .args(["run", "--pinecone-endpoint", pinecone])
        .args(["--pinecone-api-version", &arguments.api.version])
        .args(FLAGS);
    Ok(match arguments.rivals {
        true => builder.arg("--leader-elect=false"),
        false => builder,
    })
}
