//! Checks of the workflows, the Dockerfile and the version: by linters, and by rules of this project.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn run(command: &mut Command) -> Output {
    command
        .current_dir(ROOT)
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn text_of(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|text| String::from_utf8_lossy(text))
        .concat()
}

fn passes(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}\n{}", text_of(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn workflows() -> Vec<PathBuf> {
    let listed = std::fs::read_dir(Path::new(ROOT).join(".github/workflows")).unwrap();
    let mut paths: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 3, "{paths:?}");
    paths
}

/// A virtual environment with the linters of `tools/lint`.
static LINTERS: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    passes(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(folder.path()),
    );
    passes(
        Command::new(folder.path().join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(["--require-hashes", "--requirement"])
            .arg("crates/conformance/tools/lint/requirements.txt"),
    );
    folder
});

fn linter(name: &str) -> Command {
    Command::new(LINTERS.path().join("bin").join(name))
}

fn actionlint() -> Command {
    let mut command = Command::new("go");
    // Go builds actionlint at first use and caches it.
    command.args([
        "-C",
        "crates/conformance/tools/actionlint",
        "tool",
        "actionlint",
    ]);
    command
        .args(["-shellcheck=", "-pyflakes="])
        .env("GOWORK", "off");
    command
}

#[test]
fn actionlint_reports_no_problems() {
    passes(actionlint().args(workflows()));
    // The linter must be able to find a problem.
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yml");
    std::fs::write(
        &broken,
        read(".github/workflows/ci.yml").replace("runs-on:", "run-on:"),
    )
    .unwrap();
    let output = run(actionlint().arg(&broken));
    assert!(text_of(&output).contains("run-on"), "{}", text_of(&output));
}

#[test]
fn zizmor_reports_no_problems() {
    let audit = || {
        let mut command = linter("zizmor");
        command.args(["--offline", "--no-progress", "--persona=pedantic"]);
        command
    };
    passes(audit().args([".github/workflows", ".github/dependabot.yml"]));
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yml");
    let pinned = read(".github/workflows/ci.yml");
    std::fs::write(
        &broken,
        pinned.replace("permissions: {}", "permissions: write-all"),
    )
    .unwrap();
    assert!(text_of(&run(audit().arg(&broken))).contains("excessive-permissions"));
}

#[test]
fn hadolint_reports_no_problems() {
    passes(linter("hadolint").arg("Dockerfile"));
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("Dockerfile");
    std::fs::write(
        &broken,
        read("Dockerfile").replace("# hadolint ignore=", "# "),
    )
    .unwrap();
    assert!(text_of(&run(linter("hadolint").arg(&broken))).contains("DL3008"));
}

#[test]
fn every_action_is_pinned_by_digest_with_its_version_in_a_comment() {
    let mut actions = 0;
    for path in workflows() {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let Some((_, used)) = line.split_once("uses: ") else {
                continue;
            };
            if used.starts_with("./") {
                continue;
            }
            actions += 1;
            let (action, version) = used.split_once(" # ").unwrap_or_else(|| panic!("{line}"));
            let (_, digest) = action.split_once('@').unwrap_or_else(|| panic!("{line}"));
            let is_digest =
                digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_digest, "{}: {line}", path.display());
            assert!(version.starts_with('v'), "{}: {line}", path.display());
        }
    }
    assert!(actions > 20, "{actions}");
}

#[test]
fn each_job_has_only_the_permissions_that_it_declares() {
    for path in workflows() {
        let text = std::fs::read_to_string(&path).unwrap();
        let document: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        let none = serde_json::json!({});
        assert_eq!(document["permissions"], none, "{}", path.display());
        for (name, job) in document["jobs"].as_object().unwrap() {
            let granted = job["permissions"].as_object();
            assert!(granted.is_some(), "{}: {name}", path.display());
            // Only one job of the release may write to the repository.
            let writes = granted.unwrap().get("contents") == Some(&"write".into());
            let may = path.ends_with("release.yml") && name == "release";
            assert!(!writes || may, "{}: {name}", path.display());
        }
    }
}

#[test]
fn the_version_is_the_same_everywhere_and_in_the_changelog() {
    let version = passes(Command::new(".github/release").arg("version"));
    assert_eq!(version.trim(), env!("CARGO_PKG_VERSION"));
    let notes = passes(Command::new(".github/release").args(["notes", version.trim()]));
    assert!(
        notes.contains("### ") && !notes.contains("\n## "),
        "{notes}"
    );
    assert!(
        !run(Command::new(".github/release").args(["notes", "99.0.0"]))
            .status
            .success()
    );
}

#[test]
fn the_image_is_built_with_the_projects_toolchain() {
    let dockerfile = read("Dockerfile");
    let rust = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("ARG RUST_VERSION="))
        .unwrap();
    let pinned = format!("channel = \"{rust}\"");
    assert!(read("rust-toolchain.toml").contains(&pinned), "{pinned}");
}

#[test]
fn the_kubernetes_versions_are_the_same_everywhere() {
    let known = ["1.33", "1.36", "1.37"];
    let matrix = format!("kubernetes: {known:?}");
    assert!(
        read(".github/workflows/ci.yml").contains(&matrix),
        "{matrix}"
    );
    for minor in known {
        let usual = if minor == "1.36" { "" } else { "-" };
        let suffix = if minor == "1.36" { "" } else { minor };
        let module = format!("crates/testkit/control-plane/kube-apiserver{usual}{suffix}/go.mod");
        let pinned = format!("k8s.io/kubernetes v{minor}.");
        assert!(read(&module).contains(&pinned), "{module}: {pinned}");
    }
    for page in ["SECURITY.md", "README.md", "docs/install.md"] {
        assert!(read(page).contains("1.33 to 1.37"), "{page}");
    }
    let chart = read("charts/index-restore-operator/Chart.yaml");
    assert!(chart.contains("kubeVersion: \">=1.33.0-0\""), "{chart}");
}

#[test]
fn the_workflow_runs_each_command_of_ci_run() {
    let workflow = read(".github/workflows/ci.yml");
    let script = read(".ci/run");
    let mut commands = 0;
    for line in script.lines() {
        // Variables, and `twice`, which repeats a failed command, may precede the command.
        let words = line.split_whitespace();
        let words = words.skip_while(|word| *word == "twice" || word.contains('='));
        let command = words.collect::<Vec<_>>().join(" ");
        let is_run = command.starts_with("cargo ") || command.starts_with("tests/");
        // `cargo conformance` includes the links.
        if !is_run
            || command.starts_with("cargo install ")
            || command.ends_with("--test links --locked")
        {
            continue;
        }
        commands += 1;
        let step = format!("run: {command}\n");
        assert!(workflow.contains(&step), "ci.yml does not run: {command}");
    }
    assert!(commands > 15, "{commands}");
}

#[test]
fn a_release_needs_every_proof_with_both_api_versions() {
    let parse = |name: &str| -> serde_json::Value {
        serde_saphyr::from_str(&read(&format!(".github/workflows/{name}.yml"))).unwrap()
    };
    let (release, nightly) = (parse("release"), parse("nightly"));
    for (job, workflow) in [("ci", "ci"), ("proofs", "nightly")] {
        let used = format!("./.github/workflows/{workflow}.yml");
        assert_eq!(release["jobs"][job]["uses"], *used);
        let needs = release["jobs"]["images"]["needs"].as_array().unwrap();
        assert!(needs.contains(&job.into()), "{needs:?}");
    }
    let matrix = &nightly["jobs"]["long"]["strategy"]["matrix"];
    assert_eq!(matrix["version"], serde_json::json!(["2025-10", "2026-07"]));
    let expected = [
        "cargo soak 60",
        "cargo crash-matrix",
        "cargo kubernetes-faults",
        "cargo test --test answers",
        "cargo campaign",
    ];
    assert_eq!(matrix["command"], serde_json::json!(expected));
}
