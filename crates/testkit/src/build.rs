//! Building a program of the control plane with `go` from its pinned module.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::assets::Program;
use crate::process::Process;
use crate::reaper::reaper;

const PROGRESS_EVERY: Duration = Duration::from_secs(15);

/// The oldest Go that the pinned module accepts.
pub(crate) fn go_version(program: &Program) -> &'static str {
    program
        .go_mod
        .lines()
        .find_map(|line| line.strip_prefix("go "))
        .unwrap_or("1.26")
}

/// The arguments of `go`, but for the output's path. Without the version, kube-apiserver believes to be v0.0.0 and turns features off.
pub(crate) fn arguments(program: &Program) -> Vec<String> {
    let mut stamp = format!("-s -w {}", program.stamp).trim_end().to_owned();
    if program.package.starts_with("k8s.io/kubernetes/") {
        let mut parts = program.version.trim_start_matches('v').split('.');
        let (major, minor) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        for (name, value) in [
            ("gitVersion", program.version),
            ("gitMajor", major),
            ("gitMinor", minor),
            ("gitTreeState", "clean"),
        ] {
            stamp.push_str(&format!(" -X k8s.io/component-base/version.{name}={value}"));
        }
    }
    [
        "build",
        "-trimpath",
        "-mod=readonly",
        "-buildvcs=false",
        "-ldflags",
        &stamp,
        program.package,
    ]
    .map(String::from)
    .to_vec()
}

/// Builds the program in a scratch folder beside `path`, then moves it there at once, so that no reader sees a part of it.
pub(crate) fn build(program: &Program, folder: &Path, path: &Path) -> Result<()> {
    let go = find_go()?;
    let scratch = tempfile::Builder::new()
        .prefix("build-")
        .tempdir_in(folder)?;
    reaper()?.remove_at_end(scratch.path())?;
    std::fs::write(scratch.path().join("go.mod"), program.go_mod)?;
    std::fs::write(scratch.path().join("go.sum"), program.go_sum)?;

    let Program { name, version, .. } = program;
    eprintln!(
        "building {name} {version} from source, {} the first time",
        program.patience
    );
    let output = scratch.path().join(name);
    let mut process = Process::spawn(
        "go build",
        &go,
        &scratch.path().join("build.log"),
        |command| {
            let mut arguments = arguments(program);
            arguments.splice(1..1, ["-o".to_owned(), output.display().to_string()]);
            command
                .args(arguments)
                .current_dir(scratch.path())
                .envs(std::env::vars_os())
                .envs([("CGO_ENABLED", "0"), ("GOWORK", "off")])
                .env("GOTMPDIR", scratch.path())
                .env_remove("GOOS")
                .env_remove("GOARCH");
        },
    )?;
    let started = Instant::now();
    let mut shown = started;
    let status = process.wait_blocking(|| {
        if shown.elapsed() >= PROGRESS_EVERY {
            shown = Instant::now();
            eprintln!(
                "building {name} {version}: {} s",
                started.elapsed().as_secs()
            );
        }
    })?;
    if !status.success() {
        bail!("go build ended with {status}\n{}", process.log_tail());
    }
    std::fs::rename(&output, path)
        .with_context(|| format!("moving {} to {}", output.display(), path.display()))?;
    eprintln!(
        "built {name} {version} in {} s: {}",
        started.elapsed().as_secs(),
        path.display()
    );
    Ok(())
}

fn find_go() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let go = std::env::split_paths(&path)
        .map(|folder| folder.join("go"))
        .find(|go| go.is_file());
    go.context("there is no `go` in PATH to build it with")
}
