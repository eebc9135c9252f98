//! What each restore has to say in the end, from what exists in Pinecone.

use std::collections::HashMap;

use index_restore_operator::api::{IndexRestore, SubmissionOutcome};
use pinecone_emulator::{AcceptedCreate, IndexSnapshot, JobSnapshot};

use crate::history::project;
use crate::oracle::{Known, Oracle};
use crate::rules::{is_settled, reason};
use crate::storm::projects;

/// A restore that does not say what is true.
pub struct Wrong {
    pub life: String,
    pub detail: String,
}

/// Pinecone, as it is.
struct Pinecone {
    indexes: HashMap<(String, String), IndexSnapshot>,
    jobs: HashMap<String, JobSnapshot>,
}

impl Oracle {
    /// The living restores that do not say what is true, or not yet.
    pub fn wrong(&self) -> Vec<Wrong> {
        let pinecone = self.pinecone();
        let known = self.lock();
        let mut wrong = Vec::new();
        for (life, biography) in &known.lives {
            let Some(object) = biography.latest().filter(|_| biography.gone.is_none()) else {
                continue;
            };
            let expected = pinecone.expected(&known, object, &biography.accepted);
            let told = reason(object);
            if !is_settled(object) || !expected.contains(&told) {
                let detail = format!("it says {told:?}, and is to say one of {expected:?}");
                wrong.push(Wrong {
                    life: life.clone(),
                    detail,
                });
            }
        }
        wrong
    }

    fn pinecone(&self) -> Pinecone {
        let control = self.control();
        let mut pinecone = Pinecone {
            indexes: HashMap::new(),
            jobs: HashMap::new(),
        };
        for name in projects() {
            for index in control.indexes(&name) {
                let place = (name.clone(), index.name.clone());
                pinecone.indexes.insert(place, index);
            }
            let jobs = control.restore_jobs(&name).into_iter();
            pinecone.jobs.extend(jobs.map(|job| (job.id.clone(), job)));
        }
        pinecone
    }
}

impl Pinecone {
    /// The reasons that are true of an object with those creates of its own; none where it
    /// has to come to more yet.
    fn expected(
        &self,
        known: &Known,
        object: &IndexRestore,
        accepted: &[AcceptedCreate],
    ) -> Vec<&'static str> {
        let place = (project(object).to_owned(), object.spec.index_name.clone());
        let Some(index) = self.indexes.get(&place) else {
            return match known.deleted.contains(&place) {
                true => vec!["IndexDeleted"],
                false => vec![],
            };
        };
        let mut made = known.accepted.get(&place).into_iter().flatten();
        let made = made.find(|create| create.index_id == index.id);
        let Some(create) = made.filter(|create| create.backup_id == object.spec.backup_id) else {
            return match is_unanswered(object, accepted) {
                true => vec!["IndexAlreadyExists", "SubmissionUnconfirmed"],
                false => vec!["IndexAlreadyExists"],
            };
        };
        let job = self.jobs.get(&create.restore_job_id);
        end(job, index)
    }
}

/// Whether its request came to nothing, and it never learnt so: whose the index of that name is,
/// it cannot know then, and asks a person.
fn is_unanswered(object: &IndexRestore, accepted: &[AcceptedCreate]) -> bool {
    let status = object.status.as_ref();
    let claim = status.and_then(|status| status.submission.as_ref());
    let is_open = claim.is_some_and(|claim| claim.outcome == SubmissionOutcome::Open);
    is_open && accepted.is_empty()
}

fn end(job: Option<&JobSnapshot>, index: &IndexSnapshot) -> Vec<&'static str> {
    match job.map(|job| job.status.as_str()) {
        Some("Failed") => vec!["RestoreFailed"],
        Some("Cancelled") => vec!["RestoreCancelled"],
        _ if index.state == "InitializationFailed" => vec!["IndexFailed"],
        Some("Completed") if index.ready => vec!["Restored", "Adopted"],
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::tests::{claimed, object};

    #[test]
    fn only_who_was_told_nothing_and_has_nothing_need_not_know_whose_an_index_is() {
        let unanswered = |outcome, accepted: &[_]| {
            let object = object(claimed("n", outcome, None));
            is_unanswered(&object, accepted)
        };
        assert!(unanswered("Open", &[]));
        for told in ["Taken", "Refused"] {
            assert!(!unanswered(told, &[]), "{told}");
        }
        let made = serde_json::from_value(json!({
            "seq": 1, "time": "2026-01-01T00:00:00Z", "project": "p", "backup_id": "b",
            "index_name": "i", "restore_job_id": "j", "index_id": "x",
        }));
        assert!(!unanswered("Open", &[made.unwrap()]));
    }
}
