//! The real binary against the emulator: its findings, its cleanup, and that it does not print the key.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use pinecone_emulator::{
    BackupSeed, Config, Control, DEFAULT_PROJECT, Emulator, Fault, FaultKind, Habits, JobOutcome,
    Project, Request, Route, RowOrder,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::{Child, Command};

const KEY: &str = "canary-key-4711";
const BACKUP: &str = "670e8400-e29b-41d4-a716-446655440000";

/// An emulator with a backup, and a place for the report.
struct Stage {
    emulator: Emulator,
    control: Control,
    folder: TempDir,
}

/// The results and output of a run.
struct Ended {
    status: ExitStatus,
    output: String,
    report: String,
}

impl Stage {
    async fn new(habits: Habits) -> Self {
        let short = Duration::from_millis(100);
        let config = Config {
            projects: vec![Project::new(DEFAULT_PROJECT, KEY)],
            restore: Some(short),
            termination: short,
            habits,
            ..Config::default()
        };
        let emulator = Emulator::start(config).await.unwrap();
        let control = emulator.control();
        let backup = BackupSeed {
            id: Some(BACKUP.to_owned()),
            tags: Some([("team".to_owned(), json!("search"))].into()),
            record_count: 100,
            size_bytes: 2048,
            ..BackupSeed::new("nightly", "books")
        };
        control.add_backup(DEFAULT_PROJECT, backup).unwrap();
        Self {
            emulator,
            control,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn start(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_live"))
            // The arguments of `cargo live -- --backup …`.
            .arg("--")
            .args(["--backup", BACKUP, "--endpoint", &self.emulator.url()])
            .args(["--api-key-env", "LIVE_TEST_KEY", "--report"])
            .arg(self.folder.path().join("report.md"))
            .args(arguments)
            .env("LIVE_TEST_KEY", KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    async fn end(&self, child: Child) -> Ended {
        let limit = Duration::from_secs(120);
        let output = tokio::time::timeout(limit, child.wait_with_output());
        let output = output.await.expect("the run has an end").unwrap();
        let text = [output.stdout, output.stderr].concat();
        let ended = Ended {
            status: output.status,
            output: String::from_utf8(text).unwrap(),
            report: std::fs::read_to_string(self.folder.path().join("report.md"))
                .unwrap_or_default(),
        };
        assert!(!ended.output.contains(KEY) && !ended.report.contains(KEY));
        assert_eq!(self.control.indexes(DEFAULT_PROJECT), []);
        ended
    }

    async fn run(&self) -> Ended {
        self.end(self.start(&["--yes"])).await
    }

    /// Waits until the first restore has begun.
    async fn first_create(&self) -> String {
        let limit = Duration::from_secs(60);
        let begun = async {
            loop {
                if let Some(create) = self.control.accepted_creates().first() {
                    return create.restore_job_id.clone();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(limit, begun).await.expect("a create")
    }

    fn creates(&self) -> Vec<Request> {
        let mut requests = self.control.requests();
        requests.retain(|request| request.route == Route::CreateIndexFromBackup);
        requests
    }
}

impl Ended {
    /// The word in the table of the report.
    fn verdict(&self, id: &str) -> &str {
        let prefix = format!("| {id} |");
        let row = self.report.lines().find(|line| line.starts_with(&prefix));
        let cells = row.unwrap_or_else(|| panic!("{id}: {self}")).split('|');
        cells.rev().nth(1).unwrap().trim()
    }

    fn assert(&self, verdict: &str, ids: &[&str]) {
        for id in ids {
            assert_eq!(self.verdict(id), verdict, "{id}: {self}");
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}\n{}", self.status, self.output, self.report)
    }
}

/// Assumptions that the configurable behaviour of the emulator does not change.
const ALWAYS: [&str; 20] = [
    "L2c", "L4a", "L4b", "L5a", "L5b", "L5c", "L6a", "L6b", "L7", "L8a", "L8b", "L9a", "L9b",
    "L10", "L11a", "L11b", "L13", "L14a", "L14b", "L14c",
];

#[tokio::test(flavor = "multi_thread")]
async fn confirms_the_documented_behaviour() {
    let stage = Stage::new(Habits::default()).await;
    let ended = stage.run().await;
    println!("{ended}");
    assert!(ended.status.success(), "{ended}");
    ended.assert("confirmed", &ALWAYS);
    ended.assert("confirmed", &["L1", "L2a", "L2b", "L3a", "L3b"]);
    // The emulator has no data plane.
    ended.assert("not determined", &["L12"]);
    assert!(
        ended
            .output
            .contains("25 confirmed, 0 refuted, 1 not determined"),
        "{ended}"
    );
    let accepted = stage.control.accepted_creates();
    assert_eq!(accepted.len(), 3);
    assert!(
        accepted
            .iter()
            .all(|create| create.index_name.starts_with("live-check-"))
    );
    // In addition to the three restores: an unknown backup, and a name that is taken.
    assert_eq!(stage.creates().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn refutes_assumptions_that_the_service_violates() {
    let stage = Stage::new(Habits {
        keeps_jobs_of_deleted_indexes: true,
        row_order: RowOrder::OldestFirst,
        unique_hosts: true,
    })
    .await;
    let ended = stage.run().await;
    println!("{ended}");
    assert!(ended.status.success(), "{ended}");
    ended.assert("confirmed", &ALWAYS);
    ended.assert("refuted", &["L1", "L2a", "L2b", "L3a", "L3b"]);
    ended.assert("not determined", &["L12"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn creates_nothing_without_consent() {
    let stage = Stage::new(Habits::default()).await;
    let ended = stage.end(stage.start(&[])).await;
    assert_eq!(ended.status.code(), Some(1), "{ended}");
    assert!(ended.output.contains("live-check-"), "{ended}");
    assert!(ended.output.contains("Use --yes"), "{ended}");
    assert_eq!(ended.report, "");
    assert_eq!(stage.creates(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn cleans_up_after_an_interrupt() {
    let stage = Stage::new(Habits::default()).await;
    stage.control.set_restore_duration(None);
    let child = stage.start(&["--yes"]);
    stage.first_create().await;
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = stage.end(child).await;
    assert_eq!(ended.status.code(), Some(1), "{ended}");
    assert!(ended.report.contains("not completed: SIGINT"), "{ended}");
    ended.assert("confirmed", &["L10", "L11a", "L11b"]);
    ended.assert("not determined", &["L1", "L13"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cleans_up_after_a_failed_restore() {
    let stage = Stage::new(Habits::default()).await;
    stage.control.set_restore_duration(None);
    let child = stage.start(&["--yes"]);
    let job = stage.first_create().await;
    stage.control.finish_job(&job, JobOutcome::Failed).unwrap();
    let ended = stage.end(child).await;
    assert_eq!(ended.status.code(), Some(1), "{ended}");
    assert!(ended.report.contains("is Failed"), "{ended}");
    assert_eq!(stage.control.accepted_creates().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_an_index_whose_create_answer_was_lost() {
    let stage = Stage::new(Habits::default()).await;
    let lost = Fault::new(Route::CreateIndexFromBackup, FaultKind::LoseAnswer);
    // The first create is of an unknown backup.
    stage.control.inject(lost.after(1).times(1));
    let ended = stage.run().await;
    assert_eq!(ended.status.code(), Some(1), "{ended}");
    assert_eq!(stage.control.accepted_creates().len(), 1);
    assert_eq!(stage.creates().len(), 2, "a create is never repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn cleans_up_even_if_its_output_is_closed() {
    let stage = Stage::new(Habits::default()).await;
    let mut child = stage.start(&["--yes"]);
    drop((child.stdout.take(), child.stderr.take()));
    let ended = stage.end(child).await;
    assert!(ended.status.success(), "{ended}");
    ended.assert("confirmed", &["L1"]);
}
