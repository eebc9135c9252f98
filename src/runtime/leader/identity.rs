//! The identity of a process in the election, and of the pod in which it runs.

use std::fmt;

use uuid::Uuid;

/// What a process writes as `holderIdentity`. No other process has had it.
#[derive(Clone, Debug)]
pub struct Identity {
    holder: String,
    /// What the identities of all processes of this pod begin with, where the pod's UID is known.
    pod: Option<String>,
}

impl Identity {
    /// Returns the identity by `POD_NAME` and `POD_UID`; without `POD_NAME` by the machine's name.
    pub fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        match (variable("POD_NAME"), variable("POD_UID")) {
            (Some(name), Some(uid)) => Self::in_pod(&name, &uid),
            (Some(name), None) => Self::on_host(&name),
            (None, _) => Self::on_host(&rustix::system::uname().nodename().to_string_lossy()),
        }
    }

    /// Returns the identity of a process whose pod is known by name and UID. A recreated pod may have
    /// the same name, and never has the same UID.
    pub(super) fn in_pod(name: &str, uid: &str) -> Self {
        let pod = format!("{name}_{uid}_");
        Self {
            holder: format!("{pod}{}", Uuid::new_v4()),
            pod: Some(pod),
        }
    }

    pub(super) fn on_host(name: &str) -> Self {
        Self {
            holder: format!("{name}_{}", Uuid::new_v4()),
            pod: None,
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.holder
    }

    /// Returns whether a process of this pod wrote `holder`.
    pub(super) fn has_same_pod(&self, holder: &str) -> bool {
        let pod = self.pod.as_deref();
        pod.is_some_and(|pod| holder.starts_with(pod))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.holder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_its_pod_only_by_name_and_uid() {
        let me = Identity::in_pod("operator-0", "uid-1");
        let same = Identity::in_pod("operator-0", "uid-1");
        assert!(me.has_same_pod(same.as_str()) && me.as_str() != same.as_str());
        for other in [
            Identity::in_pod("operator-0", "uid-2"),
            Identity::in_pod("operator-0", "uid-11"),
            Identity::in_pod("operator-1", "uid-1"),
            Identity::on_host("operator-0"),
        ] {
            assert!(!me.has_same_pod(other.as_str()), "{other}");
        }
        let unknown = Identity::on_host("operator-0");
        for holder in [me.as_str(), Identity::on_host("operator-0").as_str(), ""] {
            assert!(!unknown.has_same_pod(holder), "{holder}");
        }
    }
}
