//! The operator's release binary: the static one of the image where it can be linked, else that of this machine's libc.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use testkit::binary::{build_as_released, package_variables};
use tokio::process::Command;

const MUSL: &str = "x86_64-unknown-linux-musl";
const NAME: &str = "index-restore-operator";

pub struct Binary {
    pub path: PathBuf,
    /// Such as `release, static musl`.
    pub description: &'static str,
}

impl Binary {
    /// Builds it, which takes some five minutes on two cores, unless a path is given.
    pub async fn provide(path: Option<&Path>) -> Result<Self> {
        let (path, description) = match path {
            Some(path) => (path.to_owned(), "given by --operator"),
            None if can_link_musl().await => {
                eprintln!("building the operator, release, {MUSL}");
                (build_musl().await?, "release, static musl")
            }
            None => {
                eprintln!("building the operator, release, for this machine's libc");
                let built = build_as_released(env!("CARGO_PKG_NAME")).await?;
                (built, "release, glibc")
            }
        };
        Ok(Self { path, description })
    }

    pub fn mib(&self) -> Result<f64> {
        let size = std::fs::metadata(&self.path).context("reading the binary's size")?;
        Ok(size.len() as f64 / 1024.0 / 1024.0)
    }
}

/// Whether Rust's target and the linker of musl-tools are installed.
async fn can_link_musl() -> bool {
    let printed = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", MUSL])
        .output();
    let folder = printed
        .await
        .map(|output| output.stdout)
        .unwrap_or_default();
    let folder = String::from_utf8_lossy(&folder).trim().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has_linker = std::env::split_paths(&path).any(|path| path.join("musl-gcc").is_file());
    has_linker && !folder.is_empty() && Path::new(&folder).is_dir()
}

async fn build_musl() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for name in package_variables() {
        command.env_remove(name);
    }
    let target = root.join("target");
    let status = command
        .args(["build", "--release", "--quiet", "--target", MUSL])
        .args(["--package", NAME, "--bin", NAME, "--target-dir"])
        .arg(&target)
        .current_dir(root)
        .status()
        .await?;
    if !status.success() {
        bail!("building the operator: cargo ended with {status}");
    }
    Ok(target.join(MUSL).join("release").join(NAME))
}
