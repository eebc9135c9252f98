//! The hosts of indexes.

use super::{Restored, Session};
use crate::assumption::Verdict;

impl Session {
    /// L3b.
    pub(super) fn check_project_hosts(&self, one: &Restored, other: &Restored) {
        let ids = (project_id(one), project_id(other));
        let holds = ids.0.is_some() && ids.0 == ids.1;
        let evidence = format!("{} and {}.", one.host(), other.host());
        self.findings.record("L3b", Verdict::of(holds), evidence);
    }

    /// L3a.
    pub(super) fn check_recreated_host(&self, previous: &Restored, recreated: &Restored) {
        let holds = previous.host() == recreated.host();
        let evidence = format!("{} before, {} after.", previous.host(), recreated.host());
        self.findings.record("L3a", Verdict::of(holds), evidence);
    }
}

/// What follows the index name and a dash in the first label of a host.
fn project_id(restored: &Restored) -> Option<&str> {
    let label = restored.host().split('.').next()?;
    let id = label.strip_prefix(&restored.name)?.strip_prefix('-')?;
    Some(id).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_project_id_in_the_host() {
        let restored = |host: &str| Restored {
            name: "a-1".to_owned(),
            job_id: String::new(),
            index: serde_json::json!({ "host": host }),
        };
        let good = restored("a-1-abc1234.svc.aped.pinecone.io");
        assert_eq!(project_id(&good), Some("abc1234"));
        for host in ["", "a-1.svc.x", "a-1-.svc.x", "b-1-abc1234.svc.x"] {
            assert_eq!(project_id(&restored(host)), None, "{host}");
        }
    }
}
