use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::ask;

/// Starts the program on a free port. It is killed when the test ends.
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
    let url = line.expect("a URL in time").unwrap().expect("a URL");
    (child, url)
}

#[tokio::test]
async fn creates_the_example_seed_before_it_prints_the_url() {
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
async fn logs_no_api_key_and_stops_on_sigterm() {
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
async fn flags_list_jobs_of_deleted_indexes_and_the_oldest_first() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seed.json");
    let job = |id: &str| format!(r#"{{"id":"{id}","backup_id":"b","index_name":"gone"}}"#);
    let seed = format!(
        r#"{{"projects":[{{"name":"p","restore_jobs":[{},{}]}}]}}"#,
        job("1"),
        job("2")
    );
    std::fs::write(&path, seed).unwrap();
    let args = ["--seed", path.to_str().unwrap(), "--api-key", "k"];
    let ids = async |url: &str| {
        let page = ask(url, "GET", "/restore-jobs", "k", "").await.json();
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| row["restore_job_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (_child, url) = start(&args, &[]).await;
    assert!(ids(&url).await.is_empty());
    let env = [("PINECONE_EMULATOR_OLDEST_FIRST", "true")];
    let args = [
        &args[..],
        &["--keep-jobs-of-deleted-indexes", "--unique-hosts"],
    ]
    .concat();
    let (_child, url) = start(&args, &env).await;
    assert_eq!(ids(&url).await, ["1", "2"]);
}

#[tokio::test]
async fn rejects_an_invalid_seed_file() {
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
