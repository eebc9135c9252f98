//! The operator's binary: where it is, or how it is built beside this very program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;
use tokio::sync::OnceCell;

const NAME: &str = "index-restore-operator";

/// Names another binary for scenes, such as one built from an earlier commit, to see a test fail.
const VARIABLE: &str = "INDEX_RESTORE_OPERATOR";

/// What [`provide`] has built.
static BUILT: OnceCell<PathBuf> = OnceCell::const_new();

/// The binary that scenes start: the one that the environment variable `INDEX_RESTORE_OPERATOR` names, else the one from
/// [`provide`], else the one that Cargo built for the integration tests of the operator's package.
///
/// # Panics
/// If there is none: without it no test can run.
#[allow(clippy::panic)]
pub fn operator() -> &'static Path {
    static OPERATOR: OnceLock<PathBuf> = OnceLock::new();
    OPERATOR.get_or_init(|| {
        let built = || BUILT.get().cloned();
        let named_by_cargo = || std::env::var_os(format!("CARGO_BIN_EXE_{NAME}")).map(PathBuf::from);
        let named = std::env::var_os(VARIABLE).map(PathBuf::from);
        named.or_else(built).or_else(named_by_cargo).unwrap_or_else(|| {
            panic!("no binary of the operator: run this test by `cargo test`, or name one in {VARIABLE}")
        })
    })
}

/// Builds the operator, once, for the scenes of a test binary that is not of the operator's package. `package` as for [`build`].
///
/// # Errors
/// When it does not compile.
pub async fn provide(package: &str) -> Result<()> {
    BUILT.get_or_try_init(|| build(package)).await.map(drop)
}

/// Builds the operator for tests, which can shorten its waits, with the profile and into the target directory of this very program,
/// and returns the binary's path. `package` is the one that this program is of: `env!("CARGO_PKG_NAME")`.
///
/// # Errors
/// When it does not compile; Cargo has said why on stderr.
pub async fn build(package: &str) -> Result<PathBuf> {
    build_with(package, &["--features", "short-patience"]).await
}

/// Builds the operator as [`build`] does, but with the features of a release.
///
/// # Errors
/// When it does not compile; Cargo has said why on stderr.
pub async fn build_as_released(package: &str) -> Result<PathBuf> {
    build_with(package, &[]).await
}

async fn build_with(package: &str, features: &[&str]) -> Result<PathBuf> {
    let (target, profile) = own_build()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    for name in package_variables() {
        command.env_remove(name);
    }
    let output = command
        .args(["build", "--quiet", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        // With that package selected too, cargo chooses the same features for the dependencies and compiles none of them again.
        .args(["--package", NAME, "--package", package, "--bin", NAME])
        .args(features)
        .args(["--profile", &profile, "--target-dir"])
        .arg(&target)
        .arg("--message-format=json-render-diagnostics")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {}", Path::new(&cargo).display()))?
        .wait_with_output()
        .await?;
    if !output.status.success() {
        bail!("building the operator: cargo ended with {}", output.status);
    }
    executable(&String::from_utf8_lossy(&output.stdout))
        .context("building the operator: cargo named no executable")
}

/// What `cargo run` sets for a program of its package. Build scripts see it too, and some (ring's) run again when it differs: the next
/// cargo without it would compile everything once more.
pub fn package_variables() -> impl Iterator<Item = OsString> {
    const PREFIXES: [&str; 4] = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
    ];
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        name.to_str()
            .is_some_and(|name| PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
    })
}

/// Where cargo has put this program: the target directory, and the profile by its name.
fn own_build() -> Result<(PathBuf, String)> {
    let own = std::env::current_exe().context("finding this program's own path")?;
    let folder = own.parent().context("this program is in no folder")?;
    // Tests are one folder deeper.
    let folder = match folder.parent() {
        Some(parent) if folder.ends_with("deps") => parent,
        _ => folder,
    };
    let target = folder
        .parent()
        .context("this program is in no target directory")?;
    // The profile `dev` is the only one whose folder has another name.
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    Ok((target.to_owned(), profile.to_owned()))
}

fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == NAME)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}
