//! What the commands of the pages do when a reader makes a mistake: forgets a variable, or mistypes the API key.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use testkit::DEADLINE;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::cluster::{Cluster, OPERATOR, restore};
use crate::guide::{blocks, shell};
use crate::lifecycle::CHART;
use crate::notes;
use crate::tools::{HELM_4, Tool, read};

/// The pages from which a reader restores an index, and the chart's NOTES, each with its blocks of commands.
async fn pages() -> Vec<(&'static str, Vec<String>)> {
    let pages = ["README.md", "docs/install.md", "docs/quickstart.md"];
    let mut all: Vec<_> = pages.map(|page| (page, blocks(&read(page)))).into();
    let helm = Tool::new(&HELM_4).await;
    let render = ["install", OPERATOR, CHART, "--namespace", OPERATOR];
    let render = [&render[..], &["--dry-run=client"]].concat();
    let output = helm.run(&render).await;
    let (_, text) = output.split_once("NOTES:\n").unwrap();
    all.push(("NOTES.txt", notes::commands(text)));
    all
}

/// Runs a block with programs that only say that they ran; returns its standard output and standard error.
async fn run_in_vain(block: &str, unset: &str) -> (String, String) {
    let programs = tempfile::tempdir().unwrap();
    for name in ["curl", "kubectl"] {
        let path = programs.path().join(name);
        std::fs::write(&path, "#!/bin/bash\necho \"$0 $*\"\n").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let output = Command::new("/bin/bash")
        .args(["-c", block])
        .env_clear()
        .env("PATH", programs.path())
        .env("PINECONE_API_KEY", "given")
        .env("BACKUP_ID", "given")
        .env_remove(unset)
        .output()
        .await
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn no_command_runs_without_the_variable_that_it_uses() {
    for (page, blocks) in pages().await {
        let mut checked = 0;
        for block in blocks {
            // The Secret is created before the command that uses BACKUP_ID.
            for (variable, command) in [("PINECONE_API_KEY", "/"), ("BACKUP_ID", "apply")] {
                if !block.contains(variable) {
                    continue;
                }
                checked += 1;
                let (output, errors) = run_in_vain(&block, variable).await;
                let expected = format!("{variable}: set it first");
                assert!(errors.contains(&expected), "{page}: {block}\n{errors}");
                assert!(!output.contains(command), "{page}: {block}\n{output}");
            }
        }
        assert!(checked > 0, "{page}");
    }
}

/// The loops that wait for a restore.
fn loops(blocks: &[String]) -> Vec<&str> {
    let starts = blocks.iter().filter_map(|block| {
        let start = block.find("until kubectl")?;
        let length = block[start..].find("done\n")? + "done".len();
        Some(&block[start..start + length])
    });
    starts.collect()
}

struct Waiting {
    text: String,
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Waiting {
    fn start(mut shell: Command, text: String) -> Self {
        let mut process = shell.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self {
            text,
            process,
            lines,
        }
    }

    /// Reads its output until a line has the word.
    async fn until(&mut self, word: &str) {
        let found = timeout(DEADLINE, async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if line.contains(word) {
                    return true;
                }
            }
            false
        });
        assert_eq!(found.await, Ok(true), "{word}: {}", self.text);
    }
}

async fn apply_key(cluster: &Cluster, key: &str) {
    let secret = read("deploy/samples/secret.yaml").replace("your-pinecone-api-key", key);
    for namespace in ["default", OPERATOR] {
        let applied = cluster.control_plane.apply_in(namespace, &secret).await;
        applied.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_loop_shows_a_wrong_api_key_and_ends_once_it_is_corrected() {
    let cluster = Cluster::start().await;
    let helm = Tool::new(&HELM_4).await.kubeconfig(&cluster.admin);
    let install = ["install", OPERATOR, CHART, "--namespace", OPERATOR];
    helm.run(&[&install[..], &["--create-namespace"]].concat())
        .await;
    let _operator = cluster.operator(OPERATOR, OPERATOR).await;
    apply_key(&cluster, "mistyped").await;
    for (namespace, name) in [
        ("default", "products"),
        (OPERATOR, "products"),
        (OPERATOR, "plain"),
    ] {
        let manifest = restore(name, &format!("{name}-of-{namespace}"));
        let applied = cluster.control_plane.apply_in(namespace, &manifest).await;
        applied.unwrap();
    }

    let kubectl = cluster.kubectl().await;
    let mut all = Vec::new();
    for (page, blocks) in pages().await {
        let loops = loops(&blocks);
        assert!(!loops.is_empty(), "{page}");
        for text in loops {
            let shell = shell(&kubectl, &cluster, None, text);
            all.push(Waiting::start(shell, format!("{page}: {text}")));
        }
    }
    for waiting in &mut all {
        waiting.until("InvalidApiKey").await;
    }
    apply_key(&cluster, crate::cluster::KEY).await;
    for waiting in &mut all {
        waiting.until("Ready").await;
        let ended = timeout(DEADLINE, waiting.process.wait()).await;
        assert!(ended.unwrap().unwrap().success(), "{}", waiting.text);
    }
}
