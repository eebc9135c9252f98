//! Runs the commands of the README and of docs/quickstart.md, unchanged.

use pinecone_emulator::DEFAULT_PROJECT;
use testkit::{Operator, Program};

use crate::cluster::{BACKUP, Cluster, OPERATOR};
use crate::guide::{commands_of, follow_to_end, run_deployment};
use crate::tools::{HELM_3, HELM_4, read};

const README: &str = "README.md";
const QUICK_START: &str = "docs/quickstart.md";

/// Runs the commands under a heading, which must end, and returns their output.
async fn run(
    cluster: &Cluster,
    helm: &'static Program,
    (page, heading): (&str, &str),
    operator: &mut Option<Operator>,
) -> String {
    let commands = commands_of(page, heading);
    follow_to_end(cluster, Some(helm), &commands, operator).await
}

async fn install_as_in_the_readme(cluster: &Cluster, helm: &'static Program) -> String {
    let mut operator = None;
    run(cluster, helm, (README, "Install"), &mut operator).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_restores_an_index() {
    let cluster = Cluster::start().await;
    let output = install_as_in_the_readme(&cluster, &HELM_3).await;
    assert!(output.contains("Ready"), "{output}");
    cluster.until("default", "products", "Restored").await;
    assert_eq!(cluster.creates("products-restored"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_as_in_the_readme_ends_when_the_restore_is_stalled() {
    let cluster = Cluster::start().await;
    let deleted = cluster.pinecone.remove_backup(DEFAULT_PROJECT, BACKUP);
    deleted.unwrap();
    let output = install_as_in_the_readme(&cluster, &HELM_4).await;
    assert!(output.contains("Stalled"), "{output}");
    assert!(output.contains("BackupNotFound"), "{output}");
}

/// Commands with a prompt are not run: none of them may need the cluster or the chart.
#[test]
fn the_readme_shows_no_commands_of_a_cluster_that_are_not_run() {
    let readme = read(README);
    let shown = readme.lines().filter(|line| line.starts_with("$ "));
    let unchecked: Vec<_> = shown.filter(|line| !line.starts_with("$ cargo ")).collect();
    assert_eq!(unchecked, [""; 0]);
}

async fn quick_start_with(helm: &'static Program) {
    let cluster = Cluster::start().await;
    cluster.add_the_charts_project();
    let mut operator = None;
    let mut outputs = Vec::new();
    for heading in [
        "Install with the emulator",
        "Restore an index",
        "Apply again",
        "Use your Pinecone project",
    ] {
        let section = (QUICK_START, heading);
        outputs.push(run(&cluster, helm, section, &mut operator).await);
    }
    assert!(outputs[0].contains("THIS IS NOT PINECONE"), "{outputs:?}");
    for expected in ["Ready", "Restoring", "Restored"] {
        assert!(outputs[1].contains(expected), "{expected}: {outputs:?}");
    }
    assert!(outputs[2].contains("Adopted"), "{outputs:?}");
    assert!(outputs[3].contains(BACKUP), "{outputs:?}");
    assert_eq!(cluster.creates("products-restored"), 1);

    let section = (QUICK_START, "Clean up");
    let output = run(&cluster, helm, section, &mut operator).await;
    assert!(output.contains("uninstalled"), "{output}");
    run_deployment(&cluster, &mut operator).await;
    assert!(operator.is_none(), "nothing is left of {OPERATOR}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_works_with_helm_3() {
    quick_start_with(&HELM_3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_works_with_helm_4() {
    quick_start_with(&HELM_4).await;
}
