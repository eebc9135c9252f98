//! The command line, without a cluster: help, versions, wrong flags and exit codes.

use std::ffi::OsString;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The operator with no environment: no cluster can be found.
fn operator(words: &[&str]) -> Command {
    let mut command = Command::new(testkit::binary::operator());
    command.args(words).env_clear().stdin(Stdio::null());
    command.env("KUBECONFIG", "/nowhere");
    command
}

/// Runs the operator, which must end by itself.
fn run(words: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = operator(words);
    command.args(["--listen=127.0.0.1:0"]);
    command.envs(environment.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Panics unless the process ended with that code, and said why in one line with those words.
fn check_line(output: &Output, code: i32, words: &str) {
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{words}: {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("ERROR") && error.contains(words), "{error}");
    assert!(output.stdout.is_empty());
}

const NO_CLUSTER: &str = "no Kubernetes API server";

#[test]
fn prints_its_name_version_and_revision() {
    for word in ["version", "--version", "-V"] {
        let output = operator(&[word]).output().unwrap();
        let line = text(&output.stdout);
        let version = concat!("index-restore-operator ", env!("CARGO_PKG_VERSION"), " (");
        assert!(line.starts_with(version), "{word}: {line}");
        assert!(line.ends_with(")\n"), "{word}: {line}");
        assert!(output.status.success());
    }
}

#[test]
fn checks_every_flag_before_it_connects_to_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        format!("--pinecone-ca-file={}", path.display())
    };
    let empty = file("empty.pem", "");
    let prose = file("prose.pem", "not a certificate");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = file("broken.pem", broken);
    for (flag, named) in [
        ("--pinecone-endpoint=nonsense", "--pinecone-endpoint"),
        ("--pinecone-endpoint=ftp://pinecone", "--pinecone-endpoint"),
        (
            "--pinecone-api-version=2031-01",
            "2025-10, 2026-04, 2026-07",
        ),
        ("--pinecone-ca-file=/nowhere.pem", "--pinecone-ca-file"),
        ("--pinecone-ca-file=/", "--pinecone-ca-file"),
        (&empty, "--pinecone-ca-file"),
        (&prose, "--pinecone-ca-file"),
        (&broken, "--pinecone-ca-file"),
        (
            "--request-timeout=175s",
            "--request-timeout must be shorter than 175 s",
        ),
        ("--max-requests-per-second=-1", "--max-requests-per-second"),
        ("--watch-namespace=a,B", "--watch-namespace"),
        ("--concurrency=0", "--concurrency"),
        ("--poll-min=5", "--poll-min"),
        ("--poll-min=2m", "--poll-max"),
        ("--max-observation-gap=soon", "--max-observation-gap"),
        ("--leader-elect=perhaps", "--leader-elect"),
        ("--leader-elect-namespace=A", "--leader-elect-namespace"),
        ("--leader-elect-lease-name=A", "--leader-elect-lease-name"),
        (
            "--leader-elect-lease-duration=10s",
            "--leader-elect-renew-deadline",
        ),
        (
            "--leader-elect-renew-deadline=15s",
            "--leader-elect-lease-duration",
        ),
        (
            "--leader-elect-retry-period=10s",
            "--leader-elect-renew-deadline",
        ),
        ("--log-level=inof", "--log-level"),
        ("--log-level=kube=loud", "--log-level"),
        ("--pol-min=2s", "a similar argument exists: '--poll-min'"),
    ] {
        check_line(&run(&["run", flag], &[]), 2, named);
    }
}

#[test]
fn a_failure_is_one_line_in_the_format_of_the_logs() {
    let environment = [("RUST_BACKTRACE", "1"), ("RUST_LIB_BACKTRACE", "1")];
    for (flag, code, words) in [
        ("--log-level=off", 1, NO_CLUSTER),
        ("--poll-min=2m", 2, "--poll-min must not be longer"),
        ("--poll-min=5", 2, "--poll-min"),
        ("--nonsense", 2, "--nonsense"),
    ] {
        check_line(&run(&["run", flag], &environment), code, words);
        let output = run(&["run", flag, "--log-format=json"], &environment);
        check_line(&output, code, words);
        let line: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(line["level"], "ERROR");
        assert!(line["message"].as_str().unwrap().contains(words), "{line}");
    }
}

#[test]
fn an_address_in_use_is_a_failure_at_run_time() {
    let used = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let flag = format!("--listen={}", used.local_addr().unwrap());
    let output = operator(&["run", &flag]).output().unwrap();
    check_line(&output, 1, "cannot be used; set a free address");
}

#[test]
fn ends_with_2_for_an_unknown_command_and_shows_the_usage() {
    for words in [&["rum"][..], &[], &["crd", "--nonsense"]] {
        let output = operator(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(text(&output.stderr).contains("Usage:"), "{words:?}");
    }
}

#[test]
fn reads_only_environment_variables_with_its_prefix() {
    let names = [
        "PINECONE_ENDPOINT",
        "PINECONE_API_VERSION",
        "PINECONE_CA_FILE",
        "WATCH_NAMESPACE",
        "CONCURRENCY",
        "REQUEST_TIMEOUT",
        "MAX_REQUESTS_PER_SECOND",
        "POLL_MIN",
        "POLL_MAX",
        "MAX_OBSERVATION_GAP",
        "LEADER_ELECT",
        "LEADER_ELECT_NAMESPACE",
        "LEADER_ELECT_LEASE_NAME",
        "LEADER_ELECT_LEASE_DURATION",
        "LEADER_ELECT_RENEW_DEADLINE",
        "LEADER_ELECT_RETRY_PERIOD",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "LISTEN",
    ];
    // No flag accepts this value.
    const WRONG: &str = "/No Where";
    let generic = names.map(|name| (name, WRONG));
    check_line(&run(&["run"], &generic), 1, NO_CLUSTER);
    for name in names {
        let prefixed = format!("INDEX_RESTORE_{name}");
        let mut command = operator(&["run"]);
        let output = command.env(prefixed, WRONG).output().unwrap();
        let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
        check_line(&output, 2, &flag);
    }
}

#[test]
fn the_help_groups_the_flags_and_fits_the_terminal() {
    for (width, help) in [
        ("80", "--help"),
        ("80", "-h"),
        ("100", "--help"),
        ("100", "-h"),
    ] {
        let mut command = operator(&["run", help]);
        let output = command.env("COLUMNS", width).output().unwrap();
        let page = text(&output.stdout);
        let columns: usize = width.parse().unwrap();
        for line in page.lines() {
            assert!(line.chars().count() <= columns, "{width}: {line}");
        }
        // A shorter limit would waste the terminal.
        assert!(page.lines().any(|line| line.len() > columns - 10), "{page}");
        let headings = "Pinecone: Watching: Polling: Leader election: Serving and logging:";
        let shown: Vec<_> = page
            .lines()
            .filter(|line| headings.contains(line))
            .collect();
        let shown: Vec<_> = shown.into_iter().filter(|line| !line.is_empty()).collect();
        assert_eq!(shown.join(" "), headings, "{page}");
    }
    for words in [&["--help"][..], &["run", "--help"]] {
        let page = text(&operator(words).output().unwrap().stdout);
        for code in ["Exit codes:", "\n  0  ", "\n  1  ", "\n  2  "] {
            assert!(page.contains(code), "{code:?}: {page}");
        }
    }
}

#[test]
fn a_reader_that_wants_only_the_first_lines_of_the_crd_causes_no_failure() {
    let mut command = operator(&["crd"]);
    let mut shell = Command::new("/bin/sh");
    let program: OsString = command.get_program().to_owned();
    // The reader is gone before the operator writes.
    let script = r#"{ sleep 0.2; "$0" crd; echo "code $?" >&2; } | true"#;
    let output = shell.args(["-c", script]).arg(program).output().unwrap();
    assert_eq!(text(&output.stderr), "code 0\n");
    let whole = command.output().unwrap();
    assert!(whole.status.success());
    assert_eq!(
        text(&whole.stdout),
        include_str!("../../crds/indexrestores.yaml")
    );
}
