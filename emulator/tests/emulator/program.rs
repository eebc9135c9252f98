use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::ask;

/// The program on a free port; killed with the test.
async fn start(args: &[&str], env: &[(&str, &str)]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pinecone-emulator"))
        .args(["--listen", "127.0.0.1:0"])
        .args(args)
        .envs(env.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await;
    let url = line.expect("an URL in time").unwrap().expect("an URL");
    (child, url)
}

#[tokio::test]
async fn the_shipped_seed_is_planted_before_the_url_is_printed() {
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/seed.example.json");
    let (_child, url) = start(&["--seed", seed, "--api-key", "mine"], &[]).await;
    for key in ["demo-key", "mine"] {
        let backups = ask(&url, "GET", "/backups", key, "").await.json();
        assert_eq!(backups["data"].as_array().unwrap().len(), 3, "{key}");
    }
    assert_eq!(
        ask(&url, "GET", "/indexes", "emulator-key", "")
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn the_program_logs_no_key_and_ends_on_sigterm() {
    let env = [
        ("PINECONE_EMULATOR_API_KEY", "canary-1,canary-2"),
        ("PINECONE_EMULATOR_LOG", "trace"),
    ];
    let (mut child, url) = start(&["--restore-seconds", "never"], &env).await;
    assert_eq!(
        ask(&url, "GET", "/indexes", "canary-2", "").await.status,
        200
    );
    assert_eq!(
        ask(&url, "GET", "/indexes", "canary-3", "").await.status,
        401
    );
    let mut stderr = child.stderr.take().unwrap();
    let kill = Command::new("kill")
        .arg(child.id().unwrap().to_string())
        .status()
        .await
        .unwrap();
    assert!(kill.success());
    let status = tokio::time::timeout(Duration::from_secs(30), child.wait()).await;
    assert!(status.expect("an end in time").unwrap().success());
    let mut log = String::new();
    stderr.read_to_string(&mut log).await.unwrap();
    assert!(log.contains("answered") && !log.contains("canary"), "{log}");
}

#[tokio::test]
async fn a_seed_that_does_not_fit_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seed.json");
    for text in [
        "{",
        r#"{"projects":[{"name":"a"},{"name":"a"}]}"#,
        r#"{"projects":[{"nam":"a"}]}"#,
    ] {
        std::fs::write(&path, text).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_pinecone-emulator"));
        let run = program
            .args(["--listen", "127.0.0.1:0", "--seed"])
            .arg(&path)
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(Duration::from_secs(30), run)
            .await
            .unwrap()
            .unwrap();
        assert!(!output.status.success(), "{text}");
        assert!(!output.stderr.is_empty());
    }
}
