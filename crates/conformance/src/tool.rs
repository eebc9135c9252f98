//! The Go programs in `tools/`, each a module with pinned dependencies, built at first use and cached.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tools");

/// One of the programs, ready to run.
#[derive(Clone, Debug)]
pub struct Tool(PathBuf);

impl Tool {
    /// Returns the program of `tools/<name>`. Blocks the thread, for minutes if it must be built.
    ///
    /// # Errors
    /// If it cannot be built; the message contains the output of `go`.
    pub fn find(name: &str) -> Result<Self> {
        Self::built(name, &["."])
    }

    /// Returns promtool, which `tools/promtool` pins. Blocks the thread, for minutes if it must be built.
    ///
    /// # Errors
    /// As [`Tool::find`].
    pub fn promtool() -> Result<Self> {
        // Service discovery is a fifth of the packages, and nothing here needs it.
        let package = "github.com/prometheus/prometheus/cmd/promtool";
        Self::built("promtool", &["-tags=remove_all_sd", package])
    }

    fn built(name: &str, package: &[&str]) -> Result<Self> {
        let source = Path::new(TOOLS).join(name);
        let folder = testkit::cache_root()?.join("tools");
        let path = folder.join(format!("{name}-{:016x}", digest(&source)?));
        if !path.is_file() {
            std::fs::create_dir_all(&folder)?;
            let lock = File::create(folder.join("lock"))?;
            lock.lock().context("waiting for another build")?;
            if !path.is_file() {
                build(name, package, &source, &path)?;
            }
        }
        Ok(Self(path))
    }

    /// Runs the program with an input and environment variables in addition to PATH, and parses its output as JSON.
    ///
    /// # Errors
    /// If it fails; the message contains its standard error.
    pub fn run(
        &self,
        arguments: &[&str],
        input: &str,
        variables: &[(&str, &str)],
    ) -> Result<Value> {
        let output = self.output(arguments, input, variables)?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        serde_json::from_slice(&output.stdout).context("parsing the tool's output")
    }

    /// Runs the program with an input and environment variables in addition to PATH. It need not read the input.
    ///
    /// # Errors
    /// If it does not start.
    pub fn output(
        &self,
        arguments: &[&str],
        input: &str,
        variables: &[(&str, &str)],
    ) -> Result<Output> {
        let mut child = Command::new(&self.0)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", self.0.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            match stdin.write_all(input.as_bytes()) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error.into()),
                _ => {}
            }
        }
        Ok(child.wait_with_output()?)
    }
}

/// Builds next to `path` and then moves the program there atomically, so that no process sees a partial file.
fn build(name: &str, package: &[&str], source: &Path, path: &Path) -> Result<()> {
    eprintln!("building {name} from source; this takes minutes the first time");
    let scratch = path.with_extension("new");
    let output = Command::new("go")
        .args(["build", "-trimpath", "-mod=readonly", "-buildvcs=false"])
        .args(["-ldflags", "-s -w", "-o"])
        .arg(&scratch)
        .args(package)
        .current_dir(source)
        .envs([("CGO_ENABLED", "0"), ("GOWORK", "off"), ("GOFLAGS", "")])
        .output()
        .context("starting go")?;
    if !output.status.success() {
        bail!(
            "go build of {name} ended with {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    std::fs::rename(&scratch, path).with_context(|| format!("moving it to {}", path.display()))
}

/// Returns a digest of all sources and the platform, so that a changed tool is rebuilt.
fn digest(source: &Path) -> Result<u64> {
    let listed = std::fs::read_dir(source).with_context(|| format!("{}", source.display()))?;
    let mut files = listed
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        (file.file_name(), std::fs::read(&file)?).hash(&mut hasher);
    }
    (std::env::consts::OS, std::env::consts::ARCH).hash(&mut hasher);
    Ok(hasher.finish())
}
