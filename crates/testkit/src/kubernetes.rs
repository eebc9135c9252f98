//! The versions of Kubernetes that the tests can run on.

use anyhow::{Result, bail};

use crate::assets::{KUBE_APISERVER, KUBERNETES_VERSION, Program};

const PACKAGE: &str = "k8s.io/kubernetes/cmd/kube-apiserver";

/// The oldest that is supported.
pub(crate) const OLDEST: Program = Program {
    name: "kube-apiserver",
    version: "v1.33.13",
    package: PACKAGE,
    go_mod: include_str!("../control-plane/kube-apiserver-1.33/go.mod"),
    go_sum: include_str!("../control-plane/kube-apiserver-1.33/go.sum"),
    stamp: "",
    patience: "about five minutes",
};

/// The newest that the Kubernetes client of this version knows.
pub(crate) const NEWEST: Program = Program {
    name: "kube-apiserver",
    version: "v1.37.2",
    package: PACKAGE,
    go_mod: include_str!("../control-plane/kube-apiserver-1.37/go.mod"),
    go_sum: include_str!("../control-plane/kube-apiserver-1.37/go.sum"),
    stamp: "",
    patience: "about five minutes",
};

/// The kube-apiserver of the minor version that `INDEX_RESTORE_KUBERNETES` names, such as `1.33`; without it, that of
/// [`KUBERNETES_VERSION`]. `KUBEBUILDER_ASSETS` goes before both.
pub(crate) fn selected() -> Result<&'static Program> {
    by_minor(&std::env::var("INDEX_RESTORE_KUBERNETES").unwrap_or_default())
}

/// The version of Kubernetes, such as `v1.36.3`, that the tests of this process run on, unless `KUBEBUILDER_ASSETS` gives another.
///
/// # Errors
/// When `INDEX_RESTORE_KUBERNETES` names one that can't be built.
pub fn kubernetes_version() -> Result<&'static str> {
    Ok(selected()?.version)
}

fn by_minor(minor: &str) -> Result<&'static Program> {
    if minor.is_empty() {
        return Ok(&KUBE_APISERVER);
    }
    let known = [&OLDEST, &KUBE_APISERVER, &NEWEST];
    let named = known
        .into_iter()
        .find(|program| program.version.starts_with(&format!("v{minor}.")));
    match named {
        Some(program) => Ok(program),
        None => bail!(
            "INDEX_RESTORE_KUBERNETES={minor}: one of 1.33, 1.36, 1.37 can be built; without it, {KUBERNETES_VERSION} is used"
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_minor_version_names_its_program() {
        for (minor, version) in [
            ("", KUBERNETES_VERSION),
            ("1.33", "v1.33.13"),
            ("1.36", KUBERNETES_VERSION),
            ("1.37", "v1.37.2"),
        ] {
            assert_eq!(by_minor(minor).unwrap().version, version);
        }
        let refusal = by_minor("1.3").unwrap_err().to_string();
        for minor in ["1.33", "1.36", "1.37"] {
            assert!(refusal.contains(minor), "{refusal}");
        }
    }
}
