//! A release build has no flag and reads no variable that shortens the waits of the protocol.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};

use testkit::binary;

const NAMES: [&str; 4] = ["confirm", "catch-up", "give-up", "job-outage"];

/// Runs the operator without a cluster, so that it fails right after it parsed the command line.
fn run(operator: &Path, flags: &[String], variables: &[String]) -> Output {
    let mut command = Command::new(operator);
    command
        .arg("run")
        .args(flags)
        .env_remove("KUBERNETES_SERVICE_HOST")
        .env("KUBECONFIG", "/nowhere");
    for name in variables {
        command.env(name, "not a duration");
    }
    command.output().unwrap()
}

#[tokio::test]
async fn a_release_build_cannot_shorten_the_waits_of_the_protocol() {
    let package = env!("CARGO_PKG_NAME");
    // The test build comes last, because other tests start the binary in the target directory.
    let released = binary::build_as_released(package).await.unwrap();
    let copy = released.with_extension("released");
    std::fs::copy(&released, &copy).unwrap();
    let for_tests = binary::build(package).await.unwrap();
    for name in NAMES {
        let flags = [format!("--{name}-patience=1s")];
        let variables = [format!(
            "INDEX_RESTORE_{}_PATIENCE",
            name.to_uppercase().replace('-', "_")
        )];
        let says = |operator: &Path, flags: &[String], variables: &[String], words: &str| {
            let output = run(operator, flags, variables);
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success());
            assert!(error.contains(words), "{name}: {error}");
        };
        says(&copy, &flags, &[], "unexpected argument");
        says(&copy, &[], &variables, "no Kubernetes API server");
        // The build with the flags does read the variable.
        says(&for_tests, &[], &variables, "invalid value");
    }
}
