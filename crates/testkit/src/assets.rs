//! Finding the control plane's programs: those given by `KUBEBUILDER_ASSETS`, the cached ones, or a build from source.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::build;

/// The version of kube-apiserver and kubectl that is built from source when none is given.
pub const KUBERNETES_VERSION: &str = "v1.36.3";

/// A program with the pinned Go module that it is built from.
#[derive(Debug)]
pub struct Program {
    /// The name of its file.
    pub name: &'static str,
    /// The version that the module pins, with its `v`.
    pub version: &'static str,
    /// What is built.
    pub package: &'static str,
    /// The text of its `go.mod`.
    pub go_mod: &'static str,
    /// The text of its `go.sum`.
    pub go_sum: &'static str,
    /// What its releases are linked with beside that, as `-ldflags`.
    pub stamp: &'static str,
    /// How long building it takes, in words, for whoever waits.
    pub patience: &'static str,
}

pub(crate) const ETCD: Program = Program {
    name: "etcd",
    version: "v3.6.8",
    package: "go.etcd.io/etcd/server/v3",
    go_mod: include_str!("../control-plane/etcd/go.mod"),
    go_sum: include_str!("../control-plane/etcd/go.sum"),
    stamp: "",
    patience: "about half a minute",
};

pub(crate) const KUBE_APISERVER: Program = Program {
    name: "kube-apiserver",
    version: KUBERNETES_VERSION,
    package: "k8s.io/kubernetes/cmd/kube-apiserver",
    go_mod: include_str!("../control-plane/kube-apiserver/go.mod"),
    go_sum: include_str!("../control-plane/kube-apiserver/go.sum"),
    stamp: "",
    patience: "about five minutes",
};

pub(crate) const KUBECTL: Program = Program {
    name: "kubectl",
    version: KUBERNETES_VERSION,
    package: "k8s.io/kubernetes/cmd/kubectl",
    go_mod: include_str!("../control-plane/kubectl/go.mod"),
    go_sum: include_str!("../control-plane/kubectl/go.sum"),
    stamp: "",
    patience: "about two minutes",
};

/// The path of a real kubectl, found or built like the control plane. Blocks the thread, for minutes when it has to be built.
///
/// # Errors
/// When it is neither found nor can be built; the message says what helps.
pub fn kubectl() -> Result<PathBuf> {
    find(&KUBECTL)
}

/// The path of a foreign tool, built from its pinned module at first use and kept in the cache folder `tools`. Blocks the thread, for
/// minutes when it has to be built.
///
/// # Errors
/// When it can't be built; the message has what `go` said.
pub fn tool(program: &Program) -> Result<PathBuf> {
    let Program { name, version, .. } = program;
    let folder = cache_root()?
        .join("tools")
        .join(format!("{name}-{version}-{}", digest(&[program])));
    let path = folder.join(name);
    if !path.is_file() {
        build_once(program, &folder, &path)
            .with_context(|| format!("there is no {name} {version} in {}", folder.display()))?;
    }
    Ok(path)
}

/// The path of the program. Blocks the thread, for minutes when it has to be built.
pub(crate) fn find(program: &Program) -> Result<PathBuf> {
    if let Some(folder) = non_empty("KUBEBUILDER_ASSETS") {
        return given(program, &folder);
    }
    let folder = cache_folder()?;
    let path = folder.join(file_name(program));
    if path.is_file() {
        return Ok(path);
    }
    build_once(program, &folder, &path).with_context(|| remedies(program, &folder))?;
    Ok(path)
}

/// The folder is named by the programs of [`KUBERNETES_VERSION`]; those of other versions, by what they are built from.
fn file_name(program: &Program) -> String {
    if [&ETCD, &KUBE_APISERVER, &KUBECTL]
        .map(|usual| usual.go_mod)
        .contains(&program.go_mod)
    {
        return program.name.to_owned();
    }
    let Program { name, version, .. } = program;
    format!("{name}-{version}-{}", digest(&[program]))
}

fn given(program: &Program, folder: &Path) -> Result<PathBuf> {
    let path = folder.join(program.name);
    if !path.is_file() {
        bail!(
            "KUBEBUILDER_ASSETS is {}, where there is no {}: point it to a folder that has it, or unset it to use a cached build",
            folder.display(),
            program.name,
        );
    }
    Ok(path)
}

/// Builds under a lock that other processes respect too, so that parallel tests build once.
fn build_once(program: &Program, folder: &Path, path: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("making the cache folder {}", folder.display()))?;
    let lock_path = folder.join("lock");
    let lock =
        File::create(&lock_path).with_context(|| format!("opening {}", lock_path.display()))?;
    if lock.try_lock().is_err() {
        eprintln!(
            "waiting for another process that builds in {}",
            folder.display()
        );
        lock.lock()
            .with_context(|| format!("locking {}", lock_path.display()))?;
    }
    if path.is_file() {
        return Ok(());
    }
    build::build(program, folder, path)
}

/// Named by what the programs are built from, so that a change of the pinned modules never meets an old build. The Go version is
/// not part of it: the cache serves machines without Go as well.
fn cache_folder() -> Result<PathBuf> {
    let digest = digest(&[&ETCD, &KUBE_APISERVER, &KUBECTL]);
    let name = format!("{KUBERNETES_VERSION}-{digest}");
    Ok(cache_root()?.join("control-plane").join(name))
}

/// Of what the programs are built from, and for which machine.
fn digest(programs: &[&Program]) -> String {
    let mut hasher = DefaultHasher::new();
    for program in programs {
        (program.go_mod, program.go_sum, build::arguments(program)).hash(&mut hasher);
    }
    (std::env::consts::OS, std::env::consts::ARCH).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Where everything is kept that was built once.
///
/// # Errors
/// When no environment variable names it; the message names those that do.
pub fn cache_root() -> Result<PathBuf> {
    let root = match (
        non_empty("INDEX_RESTORE_CACHE"),
        non_empty("XDG_CACHE_HOME"),
        non_empty("HOME"),
    ) {
        (Some(cache), _, _) => cache,
        (None, Some(caches), _) => caches.join("index-restore-operator"),
        (None, None, Some(home)) => home.join(".cache/index-restore-operator"),
        (None, None, None) => bail!("no folder for the cache: set INDEX_RESTORE_CACHE or HOME"),
    };
    std::path::absolute(&root).with_context(|| format!("the cache folder {}", root.display()))
}

fn non_empty(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

fn remedies(program: &Program, folder: &Path) -> String {
    let Program { name, version, .. } = program;
    let go = build::go_version(program);
    format!(
        "there is no {name} to run, which tests and demo need ({version}). One of these helps:\n\
         - install Go {go} or newer, which {name} {version} requires, and have `go` in PATH; Go 1.21 or newer fetches that by \
         itself unless GOTOOLCHAIN=local: {name} is then built from pinned sources, once\n\
         - set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver of Kubernetes {minor}, for example with the official \
         release: export KUBEBUILDER_ASSETS=\"$(setup-envtest use -p path {minor}.x)\"\n\
         - copy the folder {folder} from a machine that has built it (INDEX_RESTORE_CACHE moves the cache)\n\
         What went wrong",
        minor = minor(crate::kubernetes::kubernetes_version().unwrap_or(KUBERNETES_VERSION)),
        folder = folder.display(),
    )
}

/// `1.36` of `v1.36.3`.
fn minor(version: &str) -> &str {
    let number = version.trim_start_matches('v');
    number.rsplit_once('.').map_or(number, |(minor, _)| minor)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::kubernetes::{NEWEST, OLDEST};

    #[test]
    fn versions_are_those_of_the_pinned_modules() {
        for program in [ETCD, KUBE_APISERVER, KUBECTL, OLDEST, NEWEST] {
            let module = program.package.split("/cmd/").next().unwrap();
            let pinned = format!("{module} {}", program.version);
            assert!(program.go_mod.contains(&pinned), "{pinned}");
            assert!(
                program
                    .go_mod
                    .contains(&format!("tool {}", program.package))
            );
        }
    }

    #[test]
    fn every_remedy_is_named() {
        let text = remedies(&KUBE_APISERVER, Path::new("/cache"));
        for remedy in [
            "Go 1.26.0",
            "KUBEBUILDER_ASSETS",
            "setup-envtest use -p path 1.36.x",
            "/cache",
            "v1.36.3",
        ] {
            assert!(text.contains(remedy), "{remedy} in {text}");
        }
    }
}
