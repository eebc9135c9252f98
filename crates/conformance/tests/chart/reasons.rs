//! Runs the commands of docs/reasons.md and docs/why.md with the names of real objects in place of the placeholders.

use index_restore_operator::api::IndexRestore;
use kube::api::DeleteParams;
use pinecone_emulator::{DEFAULT_PROJECT, Fault, FaultKind, Route};
use testkit::{DEADLINE, Operator, wait_for};

use crate::cluster::{BACKUP, Cluster, OPERATOR, restore};
use crate::guide::{commands_of, follow_to_end, follow_with};
use crate::tools::HELM_4;

const REASONS: &str = "docs/reasons.md";
const WHY: &str = "docs/why.md";

/// Runs the commands under a heading of a page, after the definition of the function that they use, and returns their output.
async fn run(
    cluster: &Cluster,
    (page, heading): (&str, &str),
    names: &[(&str, &str)],
    operator: &mut Option<Operator>,
) -> String {
    let function = commands_of(REASONS, "What to type").pop().unwrap();
    let commands = commands_of(page, heading).concat();
    let block = names
        .iter()
        .fold(commands, |block, (name, real)| block.replace(name, real));
    let blocks = [format!("{function}\n{block}")];
    follow_to_end(cluster, None, &blocks, operator).await
}

/// A cluster with the chart and the Secret that the page creates, and its running operator.
async fn installed() -> (Cluster, Option<Operator>) {
    let cluster = Cluster::start().await;
    let mut operator = None;
    let install = "helm install index-restore-operator charts/index-restore-operator \
        --namespace index-restore-operator --create-namespace --set pinecone.apiVersion=2026-07";
    follow_with(&cluster, Some(&HELM_4), &[install.into()], &mut operator).await;
    let create = commands_of(REASONS, "SecretNotFound");
    follow_with(&cluster, None, &create, &mut operator).await;
    assert!(operator.is_some(), "{OPERATOR} runs");
    (cluster, operator)
}

async fn apply(cluster: &Cluster, manifest: &str) {
    let applied = cluster.control_plane.apply_in("default", manifest).await;
    applied.unwrap();
}

/// Restores an index, and returns its host.
async fn restored(cluster: &Cluster, name: &str, index_name: &str) -> String {
    apply(cluster, &restore(name, index_name)).await;
    let restored = cluster.until("default", name, "Restored").await;
    restored.status.unwrap().index_host.unwrap()
}

async fn delete(cluster: &Cluster, name: &str) {
    let restores = cluster.restores("default");
    let deleted = restores.delete(name, &DeleteParams::default()).await;
    deleted.unwrap();
    let gone = |object: Option<&IndexRestore>| object.is_none();
    wait_for(&restores, name, DEADLINE, gone).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_reasons_work_before_an_operator_runs() {
    let cluster = Cluster::start().await;
    for heading in [
        "SecretNotFound",
        "InvalidSecret",
        "InvalidApiKey",
        "CRDOutdated",
    ] {
        follow_with(&cluster, None, &commands_of(REASONS, heading), &mut None).await;
    }
    for (heading, expected) in [
        ("PermissionDenied", "\"indexes\""),
        ("BackupNotFound", BACKUP),
    ] {
        let output = run(&cluster, (REASONS, heading), &[], &mut None).await;
        assert!(output.contains(expected), "{heading}: {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_for_a_restored_index_work() {
    let (cluster, mut operator) = installed().await;
    let host = restored(&cluster, "products", "products-restored").await;
    for (heading, expected) in [
        ("What to type", "is restored and ready"),
        ("SecretForbidden", "yes"),
        ("SubmissionUnconfirmed", "annotated"),
        ("IndexAlreadyExists", BACKUP),
        ("Restored", &host),
    ] {
        let names = [
            ("NAMESPACE", "default"),
            ("INDEX-NAME", "products-restored"),
            ("NAME", "products"),
        ];
        let output = run(&cluster, (REASONS, heading), &names, &mut operator).await;
        assert!(output.contains(expected), "{heading}: {output}");
    }
    assert_eq!(cluster.creates("products-restored"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn enabling_the_deletion_protection_ends_a_mismatch() {
    let (cluster, mut operator) = installed().await;
    restored(&cluster, "products", "products-restored").await;
    delete(&cluster, "products").await;
    let spec = restore("products", "products-restored");
    let spec = spec.replace("backupId:", "deletionProtection: Enabled, backupId:");
    apply(&cluster, &spec).await;
    let mismatch = "DeletionProtectionMismatch";
    cluster.until("default", "products", mismatch).await;
    let names = [("INDEX-NAME", "products-restored")];
    run(&cluster, (REASONS, mismatch), &names, &mut operator).await;
    cluster.until("default", "products", "Adopted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_restore_can_be_repeated() {
    let (cluster, mut operator) = installed().await;
    let fails = Fault::new(Route::CreateIndexFromBackup, FaultKind::JobFails);
    cluster.pinecone.inject(fails.times(1));
    let spec = restore("products", "products-restored");
    apply(&cluster, &spec).await;
    cluster.until("default", "products", "RestoreFailed").await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), spec).unwrap();
    let names = [
        ("restore.yaml", file.path().to_str().unwrap()),
        ("INDEX-NAME", "products-restored"),
        ("NAME", "products"),
    ];
    let section = (REASONS, "RestoreFailed");
    run(&cluster, section, &names, &mut operator).await;
    cluster.until("default", "products", "Restored").await;
    assert_eq!(cluster.creates("products-restored"), 2);
}

/// The index's own host does not exist here: `curl` shows what it would request.
const SHOW_REQUESTS_TO_THE_INDEX: &str = r#"curl() {
  case "$*" in
    *describe_index_stats*) echo "$@" ;;
    *) command curl "$@" ;;
  esac
}"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_a_rehearsal_work() {
    let (cluster, mut operator) = installed().await;
    apply(&cluster, &restore("rehearsal", "products-rehearsal")).await;
    let restored = cluster.until("default", "rehearsal", "Restored").await;
    let host = restored.status.unwrap().index_host.unwrap();
    let shown = format!("{SHOW_REQUESTS_TO_THE_INDEX}\nhost=");
    let section = (WHY, "Rehearse a disaster");
    let output = run(&cluster, section, &[("host=", &shown)], &mut operator).await;
    assert!(output.contains(&format!("//{host}/")), "{output}");
    let year = restored.metadata.creation_timestamp.unwrap().0;
    let year = year.strftime("%Y-").to_string();
    assert!(output.matches(&year).count() >= 2, "two times: {output}");

    run(&cluster, (WHY, "Clean up"), &[], &mut operator).await;
    let left = cluster.pinecone.indexes(DEFAULT_PROJECT);
    let is_deleted = left.iter().all(|index| index.state == "Terminating");
    assert!(is_deleted, "{left:?}");
    let restores = cluster.restores("default");
    assert!(restores.get_opt("rehearsal").await.unwrap().is_none());
}
