//! Runs the commands of the chart's NOTES, unchanged.

use pinecone_emulator::DEFAULT_PROJECT;
use testkit::Program;

use crate::cluster::{BACKUP, Cluster, KEY, OPERATOR};
use crate::guide::{follow_to_end, run_deployment};
use crate::lifecycle::CHART;
use crate::tools::{HELM_3, HELM_4, Tool};

/// The paragraphs that are commands, which may not be indented: a here-document would not end.
pub fn commands(notes: &str) -> Vec<String> {
    let is_command = |paragraph: &&str| {
        let first = paragraph.trim_start_matches('\n').split(' ').next();
        matches!(first, Some("kubectl" | "until" | "curl"))
    };
    let paragraphs = notes.split("\n\n").filter(is_command);
    paragraphs.map(ToOwned::to_owned).collect()
}

/// Installs the chart and runs what its NOTES say; returns the output of the commands.
async fn run_the_notes(cluster: &Cluster, program: &'static Program, values: &str) -> String {
    for namespace in ["team-a", "team-b", "elsewhere"] {
        cluster.create_namespace(namespace).await;
    }
    let helm = Tool::new(program).await.kubeconfig(&cluster.admin);
    let is_emulated = values.contains("emulator.enabled=true");
    let endpoint = match is_emulated {
        true => String::new(),
        false => format!("pinecone.endpoint={}", cluster.pinecone_url()),
    };
    let release = [OPERATOR, CHART, "--namespace", OPERATOR];
    let more = ["--create-namespace", "--set", values, "--set", &endpoint];
    let output = helm
        .run(&[&["install"][..], &release, &more].concat())
        .await;
    let (_, notes) = output.split_once("NOTES:\n").unwrap();
    let commands = commands(notes);
    let has_definition = !values.contains("crds.enabled=false");
    let expected = if is_emulated { 3 } else { 5 } + usize::from(!has_definition);
    assert_eq!(commands.len(), expected, "{notes}");

    let mut operator = None;
    // Without the definition, the operator starts after the first command.
    if has_definition {
        run_deployment(cluster, &mut operator).await;
    }
    follow_to_end(cluster, None, &commands, &mut operator).await
}

async fn restores_with_the_notes(program: &'static Program, values: &str, namespace: &str) {
    let cluster = Cluster::start().await;
    let output = run_the_notes(&cluster, program, values).await;
    assert!(output.contains("Ready"), "{output}");
    let has_listed = output.contains(&format!("\"backup_id\":\"{BACKUP}\""));
    let is_emulated = values.contains("emulator.enabled=true");
    assert_eq!(has_listed, !is_emulated, "{output}");
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
async fn the_notes_install_a_definition_that_the_release_does_not_install() {
    restores_with_the_notes(&HELM_3, "crds.enabled=false", OPERATOR).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notes_restore_an_index_with_another_name_of_the_operator() {
    let values = "fullnameOverride=restorer,pinecone.apiVersion=2026-07";
    restores_with_the_notes(&HELM_4, values, OPERATOR).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notes_restore_an_index_in_another_namespace_of_the_operator() {
    restores_with_the_notes(&HELM_3, "namespaceOverride=elsewhere", "elsewhere").await;
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
    let deleted = cluster.pinecone.remove_backup(DEFAULT_PROJECT, BACKUP);
    deleted.unwrap();
    let output = run_the_notes(&cluster, &HELM_4, "replicaCount=1").await;
    assert!(output.contains("Stalled"), "{output}");
    assert!(output.contains("BackupNotFound"), "{output}");
    cluster.until(OPERATOR, "products", "BackupNotFound").await;
}
