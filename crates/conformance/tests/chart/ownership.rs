//! A kept CustomResourceDefinition belongs to the release that installed it. docs/install.md says how another release takes it over.

use testkit::Program;

use crate::cluster::{Cluster, OPERATOR, restore};
use crate::guide::{commands, follow};
use crate::lifecycle::CHART;
use crate::tools::{HELM_3, HELM_4, Tool, read};

const HEADING: &str = "Install again under another name";
/// Name and namespace of the new release under that heading.
const OTHER: &str = "pinecone-restores";

fn install(name: &str) -> [&str; 6] {
    [
        "install",
        name,
        CHART,
        "--namespace",
        name,
        "--create-namespace",
    ]
}

/// The text without line breaks and capitals, in which Helm 3 and Helm 4 differ.
fn words(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

async fn another_release_takes_the_definition_over(program: &'static Program) {
    let cluster = Cluster::start().await;
    let helm = Tool::new(program).await.kubeconfig(&cluster.admin);
    helm.run(&install(OPERATOR)).await;
    cluster.create_secret("default").await;
    let manifest = restore("kept", "kept");
    cluster.control_plane.apply(&manifest).await.unwrap();
    helm.run(&["uninstall", OPERATOR, "--namespace", OPERATOR])
        .await;

    let error = helm.run_failing(&install(OTHER)).await;
    let documented = words(&read("docs/install.md"));
    let error = error.lines().find(|line| line.starts_with("Error:"));
    assert!(documented.contains(&words(error.unwrap())), "{error:?}");

    let blocks = commands(HEADING);
    let [take, annotate] = &blocks[..] else {
        panic!("{blocks:?}")
    };
    follow(&cluster, Some(program), std::slice::from_ref(take)).await;
    let operator = cluster
        .operator(OTHER, &format!("{OTHER}-{OPERATOR}"))
        .await;
    let kept = cluster.until("default", "kept", "Restored").await;
    drop(operator);

    helm.run(&["uninstall", OTHER, "--namespace", OTHER]).await;
    helm.run_failing(&install(OPERATOR)).await;
    let back = annotate.replace(OTHER, OPERATOR);
    follow(&cluster, None, &[back]).await;
    helm.run(&install(OPERATOR)).await;
    let same = cluster.restores("default").get("kept").await.unwrap();
    assert_eq!(
        (same.metadata.uid, same.status),
        (kept.metadata.uid, kept.status)
    );
    assert_eq!(cluster.creates("kept"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_3_installs_another_release_with_a_kept_definition() {
    another_release_takes_the_definition_over(&HELM_3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_4_installs_another_release_with_a_kept_definition() {
    another_release_takes_the_definition_over(&HELM_4).await;
}
