//! Pinecone's released clients work against the emulator unchanged.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

#[test]
fn released_python_typescript_and_go_clients_work_unchanged() {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../pinecone-emulator/conformance/run"
    );
    let output = Command::new(script).output().unwrap();
    let log = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{log}");
    let passed = log.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(passed > 170, "only {passed} checks ran:\n{log}");
}
