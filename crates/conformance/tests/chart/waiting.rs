//! `helm install --wait` for a release with an IndexRestore. Helm 3 waits for built-in kinds only; Helm 4 uses kstatus.

use std::time::Duration;

use pinecone_emulator::JobOutcome;

use crate::cluster::{Cluster, OPERATOR};
use crate::tools::{HELM_3, HELM_4, Tool, text_of};

const RESTORES: &str = "crates/conformance/tests/chart/restores";
const MISSING: &str = "backupId=00000000-0000-4000-8000-000000000000";

async fn cluster_with_the_chart() -> Cluster {
    let cluster = Cluster::start().await;
    let helm = Tool::new(&HELM_3).await.kubeconfig(&cluster.admin);
    let release = [OPERATOR, crate::lifecycle::CHART, "--namespace", OPERATOR];
    helm.run(&[&["install", "--create-namespace"][..], &release].concat())
        .await;
    cluster.create_secret("default").await;
    cluster
}

fn install<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["install", name, RESTORES, "--wait"][..], more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_4_waits_until_the_restore_ends_and_fails_if_it_fails() {
    let cluster = cluster_with_the_chart().await;
    let helm = Tool::new(&HELM_4).await.kubeconfig(&cluster.admin);

    // No operator has observed the new object.
    let fresh = helm.run_failing(&install("fresh", &["--timeout=3s"])).await;
    assert!(
        fresh.contains("InProgress") || fresh.contains("deadline"),
        "{fresh}"
    );

    let _operator = cluster.operator(OPERATOR, OPERATOR).await;
    cluster.until("default", "fresh", "Restored").await;

    cluster
        .pinecone
        .set_restore_duration(Duration::from_secs(86_400));
    let mut running = helm.command(helm.program());
    let mut running = running
        .args(install("running", &["--timeout=5m"]))
        .spawn()
        .unwrap();
    let object = cluster.until("default", "running", "Restoring").await;
    assert_eq!(
        running.try_wait().unwrap(),
        None,
        "Helm waits while the restore runs"
    );
    let job = object.status.unwrap().restore_job_id.unwrap();
    cluster
        .pinecone
        .finish_job(&job, JobOutcome::Completed)
        .unwrap();
    assert!(running.wait().await.unwrap().success());
    let restored = cluster.restores("default").get("running").await.unwrap();
    assert_eq!(
        crate::cluster::reason(&restored).as_deref(),
        Some("Restored")
    );

    // Helm fails long before its timeout.
    let failed = install("failed", &["--timeout=10m", "--set", MISSING]);
    let failed = tokio::time::timeout(Duration::from_secs(120), helm.try_run(&failed)).await;
    let failed = failed.expect("Helm fails when the restore fails, not at its timeout");
    assert!(
        !failed.status.success() && text_of(&failed).contains("Failed"),
        "{}",
        text_of(&failed)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_3_does_not_wait_for_a_restore() {
    let cluster = cluster_with_the_chart().await;
    let helm = Tool::new(&HELM_3).await.kubeconfig(&cluster.admin);
    helm.run(&install("fresh", &[])).await;
    let _operator = cluster.operator(OPERATOR, OPERATOR).await;
    cluster.until("default", "fresh", "Restored").await;
    cluster
        .pinecone
        .set_restore_duration(Duration::from_secs(86_400));
    helm.run(&install("running", &[])).await;
    cluster.until("default", "running", "Restoring").await;
    helm.run(&install("failed", &["--set", MISSING])).await;
    cluster.until("default", "failed", "BackupNotFound").await;
    let upgrade = [
        "upgrade",
        "failed",
        RESTORES,
        "--wait",
        "--set",
        MISSING,
        "--set",
        "note=upgraded",
    ];
    helm.run(&upgrade).await;
}
