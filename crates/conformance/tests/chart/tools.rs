//! The third-party tools, built from the modules in `crates/conformance/tools`.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tempfile::TempDir;
use testkit::Program;
use tokio::process::Command;

/// The Kubernetes version for which Helm 3 and the tools based on it render, as in their releases; the default is 1.20.
const KUBERNETES: &str = "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36";

macro_rules! program {
    ($folder:literal, $name:literal, $version:literal, $package:literal) => {
        Program {
            name: $name,
            version: $version,
            package: $package,
            go_mod: include_str!(concat!("../../tools/", $folder, "/go.mod")),
            go_sum: include_str!(concat!("../../tools/", $folder, "/go.sum")),
            stamp: KUBERNETES,
            patience: "about two minutes",
        }
    };
}

pub static HELM_3: Program = program!("helm3", "helm", "v3.22.0", "helm.sh/helm/v3/cmd/helm");
pub static HELM_4: Program = program!("helm4", "helm", "v4.3.1", "helm.sh/helm/v4/cmd/helm");
pub static KUBECONFORM: Program = program!(
    "kubeconform",
    "kubeconform",
    "v0.8.0",
    "github.com/yannh/kubeconform/cmd/kubeconform"
);
pub static UNITTEST: Program = program!(
    "helm-unittest",
    "helm-unittest",
    "v1.1.2",
    "github.com/helm-unittest/helm-unittest/cmd/helm-unittest"
);
pub static HELM_DOCS: Program = program!(
    "helm-docs",
    "helm-docs",
    "v1.14.2",
    "github.com/norwoodj/helm-docs/cmd/helm-docs"
);

/// A tool with its own home directory, so that the machine's configuration does not affect it.
pub struct Tool {
    program: PathBuf,
    home: TempDir,
    kubeconfig: Option<PathBuf>,
}

impl Tool {
    pub async fn new(program: &'static Program) -> Self {
        let built = tokio::task::spawn_blocking(|| testkit::tool(program));
        Self::at(built.await.unwrap().unwrap())
    }

    pub async fn kubectl() -> Self {
        let built = tokio::task::spawn_blocking(testkit::kubectl);
        Self::at(built.await.unwrap().unwrap())
    }

    fn at(program: PathBuf) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self {
            program,
            home,
            kubeconfig: None,
        }
    }

    pub fn kubeconfig(mut self, path: &Path) -> Self {
        self.kubeconfig = Some(path.to_owned());
        self
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A command with the environment of the tool, without arguments.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .envs(self.kubeconfig.iter().map(|path| ("KUBECONFIG", path)))
            .current_dir(root())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs the tool in the repository's root.
    pub async fn try_run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(&self.program);
        command.args(arguments).output().await.unwrap()
    }

    /// Runs the tool, which must succeed, and returns its standard output.
    pub async fn run(&self, arguments: &[&str]) -> String {
        let output = self.try_run(arguments).await;
        assert!(
            output.status.success(),
            "{} {arguments:?}: {}",
            self.program.display(),
            text_of(&output)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the tool, which must fail, and returns its output.
    pub async fn run_failing(&self, arguments: &[&str]) -> String {
        let output = self.try_run(arguments).await;
        assert!(
            !output.status.success(),
            "{arguments:?} succeeded: {}",
            text_of(&output)
        );
        text_of(&output)
    }
}

pub fn text_of(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The sorted paths of the files in a folder, relative to the root.
pub fn files(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| format!("{folder}/{name}"))
        .collect();
    names.sort();
    names
}
