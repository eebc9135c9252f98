//! Runs the commands of the chart's NOTES, unchanged.

use pinecone_emulator::{BackupSeed, DEFAULT_PROJECT};
use testkit::{DEADLINE, Program};

use crate::cluster::{BACKUP, Cluster, KEY, OPERATOR};
use crate::guide::{follow_with, run_deployment};
use crate::lifecycle::CHART;
use crate::tools::{HELM_3, HELM_4, Tool};

/// The paragraphs that are commands, which may not be indented: a here-document would not end.
fn commands(notes: &str) -> Vec<String> {
    let is_command = |paragraph: &&str| {
        let first = paragraph.trim_start_matches('\n').split(' ').next();
        matches!(first, Some("kubectl" | "until"))
    };
    let paragraphs = notes.split("\n\n").filter(is_command);
    paragraphs.map(ToOwned::to_owned).collect()
}

/// Installs the chart and runs what its NOTES say; returns the output of the commands.
async fn run_the_notes(cluster: &Cluster, program: &'static Program, values: &str) -> String {
    for namespace in ["team-a", "team-b"] {
        cluster.create_namespace(namespace).await;
    }
    let helm = Tool::new(program).await.kubeconfig(&cluster.admin);
    let release = [OPERATOR, CHART, "--namespace", OPERATOR];
    let more = ["--create-namespace", "--set", values];
    let output = helm
        .run(&[&["install"][..], &release, &more].concat())
        .await;
    let (_, notes) = output.split_once("NOTES:\n").unwrap();
    let commands = commands(notes);
    let is_emulated = values.contains("emulator.enabled=true");
    assert_eq!(commands.len(), if is_emulated { 3 } else { 4 }, "{notes}");

    let mut operator = None;
    run_deployment(cluster, &mut operator).await;
    let run = follow_with(cluster, None, &commands, &mut operator);
    let ended = tokio::time::timeout(DEADLINE, run).await;
    ended.unwrap_or_else(|_| panic!("the commands do not end: {notes}"))
}

async fn restores_with_the_notes(program: &'static Program, values: &str, namespace: &str) {
    let cluster = Cluster::start().await;
    let named = BackupSeed::new("named", "products").id("your-backup-id");
    cluster.pinecone.add_backup(DEFAULT_PROJECT, named).unwrap();
    let output = run_the_notes(&cluster, program, values).await;
    assert!(output.contains("Ready"), "{output}");
    cluster.until(namespace, "products", "Restored").await;
    assert_eq!(cluster.creates("products-restored"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notes_restore_an_index() {
    restores_with_the_notes(&HELM_3, "replicaCount=1", OPERATOR).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notes_name_a_secret_that_the_admission_policy_admits() {
    let values =
        "admissionPolicies.namedSecrets.enabled=true,admissionPolicies.namedSecrets.prefix=vectors";
    restores_with_the_notes(&HELM_4, values, OPERATOR).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notes_restore_an_index_in_a_watched_namespace() {
    let values = "watchNamespaces={team-b,team-a},rbac.secretNames={vectors,pinecone}";
    restores_with_the_notes(&HELM_4, values, "team-b").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notes_restore_an_index_of_the_emulator() {
    let values = format!("emulator.enabled=true,emulator.apiKey={KEY},emulator.backupId={BACKUP}");
    restores_with_the_notes(&HELM_4, &values, OPERATOR).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notes_restore_an_index_of_the_emulator_in_a_watched_namespace() {
    let values = format!(
        "emulator.enabled=true,emulator.apiKey={KEY},emulator.secretName=demo,watchNamespaces={{team-a}},pinecone.apiVersion=2026-07"
    );
    restores_with_the_notes(&HELM_3, &values, "team-a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_as_in_the_notes_ends_when_the_restore_is_stalled() {
    let cluster = Cluster::start().await;
    let output = run_the_notes(&cluster, &HELM_4, "replicaCount=1").await;
    assert!(output.contains("Stalled"), "{output}");
    assert!(output.contains("BackupNotFound"), "{output}");
    cluster.until(OPERATOR, "products", "BackupNotFound").await;
}
