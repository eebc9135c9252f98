//! What each restore must report at the end, from what exists in Pinecone.

use std::collections::{HashMap, HashSet};

use index_restore_operator::api::{DeletionProtection, IndexRestore, SubmissionOutcome};
use jiff::{SignedDuration, Timestamp};
use pinecone_emulator::{AcceptedCreate, IndexSnapshot, JobSnapshot};

use testkit::judge::{Judge, Life, is_settled, reason};

use crate::installation::MAX_GAP;
use crate::observer::Observer;
use crate::storm::projects;
use crate::tags::project;

/// A restore that does not report the actual state.
pub struct Wrong {
    pub life: String,
    pub detail: String,
}

/// Pinecone, as it is.
struct Pinecone {
    /// Whether an index names the backup it was restored from.
    shows_source: bool,
    indexes: HashMap<(String, String), IndexSnapshot>,
    jobs: HashMap<String, JobSnapshot>,
    /// The jobs that can be read in the list.
    listed: HashSet<String>,
}

/// Rows on a page of restore jobs.
const PAGE: usize = 100;

impl Observer {
    /// The existing restores that do not report the actual state, or not yet.
    pub fn wrong(&self) -> Vec<Wrong> {
        let pinecone = self.pinecone();
        let known = self.lock();
        let mut wrong = Vec::new();
        for (key, life, object) in known.living() {
            let expected = pinecone.expected(&known.judge, object, life);
            let reported = reason(object);
            // Every key works, so that each restored index is confirmed.
            let status = object.status.as_ref();
            let is_unconfirmed = status.is_some_and(|status| status.unconfirmed_since.is_some());
            if !is_settled(object) || !expected.contains(&reported) || is_unconfirmed {
                let detail = format!("it reports {reported:?}, expected is one of {expected:?}");
                wrong.push(Wrong {
                    life: key.clone(),
                    detail,
                });
            }
        }
        wrong
    }

    fn pinecone(&self) -> Pinecone {
        let control = self.control();
        let mut pinecone = Pinecone {
            shows_source: self.shows_source,
            indexes: HashMap::new(),
            jobs: HashMap::new(),
            listed: self.listed_jobs(),
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

    /// How many pages the lists of jobs of all projects have at most.
    pub fn pages_of_jobs(&self) -> usize {
        let jobs = projects().map(|name| self.control().restore_jobs(&name).len());
        jobs.map(|jobs| jobs / PAGE + 1).sum()
    }

    /// The restore jobs that the list shows: newest first, without those of deleted indexes, and
    /// the page that gets shorter by them is the last.
    pub fn listed_jobs(&self) -> HashSet<String> {
        let mut listed = HashSet::new();
        for name in projects() {
            let indexes = self.control().indexes(&name);
            let indexes: HashSet<_> = indexes.iter().map(|index| index.id.as_str()).collect();
            let mut jobs = self.control().restore_jobs(&name);
            jobs.reverse();
            for page in jobs.chunks(PAGE) {
                let shown = page
                    .iter()
                    .filter(|job| indexes.contains(job.index_id.as_str()));
                let before = listed.len();
                listed.extend(shown.map(|job| job.id.clone()));
                if listed.len() - before < PAGE {
                    break;
                }
            }
        }
        listed
    }
}

impl Pinecone {
    /// The reasons that are true of an object of that life; none where it has to come to more yet.
    fn expected(&self, judge: &Judge, object: &IndexRestore, life: &Life) -> Vec<&'static str> {
        let accepted = &life.accepted;
        let place = (project(object).to_owned(), object.spec.index_name.clone());
        let Some(index) = self.indexes.get(&place) else {
            return match is_one_of(&judge.facts.deleted, &place.1) {
                true => vec!["IndexDeleted"],
                false if is_unobserved(object, accepted) => vec!["SubmissionUnconfirmed"],
                false => vec![],
            };
        };
        if is_one_of(&judge.facts.recreated, &place.1) {
            return match self.shows_source {
                true => vec!["IndexDeleted"],
                false => vec!["RestoreJobNotFound"],
            };
        }
        let mut made = judge.accepted.get(&place.1).into_iter().flatten();
        let made = made.find(|create| create.index_id == index.id);
        let Some(create) = made.filter(|create| create.backup_id == object.spec.backup_id) else {
            return match is_unanswered(object, accepted) {
                true => vec!["IndexAlreadyExists", "SubmissionUnconfirmed"],
                false => vec!["IndexAlreadyExists"],
            };
        };
        let job = self.jobs.get(&create.restore_job_id);
        let status = object.status.as_ref();
        let recorded = status.and_then(|status| status.restore_job_id.as_ref());
        if recorded == Some(&create.restore_job_id) || !(accepted.is_empty() || life.wiped) {
            return end(object, job, index);
        }
        // An earlier restore, as far as it can know.
        let is_listed = self.listed.contains(&create.restore_job_id);
        match job.map(|job| job.status.as_str()) {
            Some("Failed" | "Cancelled") => vec!["IndexAlreadyExists"],
            _ if !self.shows_source && !is_listed => vec!["IndexAlreadyExists"],
            _ => end(object, job, index),
        }
    }
}

fn is_one_of(names: &Option<HashSet<String>>, name: &str) -> bool {
    names.as_ref().is_some_and(|names| names.contains(name))
}

/// Whether its request had no effect, and it never received this answer: it cannot determine the
/// origin of the index of that name then, and requires manual action.
fn is_unanswered(object: &IndexRestore, accepted: &[AcceptedCreate]) -> bool {
    let status = object.status.as_ref();
    let claim = status.and_then(|status| status.submission.as_ref());
    let is_open = claim.is_some_and(|claim| claim.outcome == SubmissionOutcome::Open);
    is_open && accepted.is_empty()
}

/// Whether its request had no effect, and was not observed for so long that manual action is
/// required.
fn is_unobserved(object: &IndexRestore, accepted: &[AcceptedCreate]) -> bool {
    let status = object.status.as_ref();
    let claim = status.and_then(|status| status.submission.as_ref());
    let observed = claim.and_then(|claim| claim.last_observed_time.as_ref());
    let gap = SignedDuration::try_from(MAX_GAP).unwrap_or(SignedDuration::MAX);
    accepted.is_empty()
        && claim.is_some_and(|claim| claim.outcome == SubmissionOutcome::Open)
        && observed.is_some_and(|time| Timestamp::now().duration_since(time.0) > gap)
}

/// Whether an adopted index lacks the protection that the object wants.
fn is_unprotected(object: &IndexRestore, index: &IndexSnapshot) -> bool {
    let status = object.status.as_ref();
    let claim = status.and_then(|status| status.submission.as_ref());
    claim.is_some_and(|claim| claim.outcome == SubmissionOutcome::Adopted)
        && object.spec.deletion_protection == DeletionProtection::Enabled
        && !index.deletion_protection
}

fn end(
    object: &IndexRestore,
    job: Option<&JobSnapshot>,
    index: &IndexSnapshot,
) -> Vec<&'static str> {
    match job.map(|job| job.status.as_str()) {
        Some("Failed") => vec!["RestoreFailed"],
        Some("Cancelled") => vec!["RestoreCancelled"],
        _ if index.state == "InitializationFailed" => vec!["IndexFailed"],
        Some("Completed") if index.ready && is_unprotected(object, index) => {
            vec!["DeletionProtectionMismatch"]
        }
        Some("Completed") if index.ready => vec!["Restored", "Adopted"],
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_restore_without_answer_and_index_cannot_determine_an_origin() {
        let unanswered = |outcome, accepted: &[_]| {
            let object = serde_json::from_value(json!({
                "apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestore",
                "metadata": {"name": "a", "uid": "u"},
                "spec": {"backupId": "b", "indexName": "i", "apiKeySecretRef": {"name": "s"}},
                "status": {"submission": {"uid": "u", "attempt": 1, "nonce": "n",
                    "startTime": "2026-01-01T00:00:00Z", "generation": 1, "backupId": "b",
                    "indexName": "i", "outcome": outcome}},
            }))
            .unwrap();
            is_unanswered(&object, accepted)
        };
        assert!(unanswered("Open", &[]));
        for outcome in ["Taken", "Refused"] {
            assert!(!unanswered(outcome, &[]), "{outcome}");
        }
        let made = serde_json::from_value(json!({
            "seq": 1, "time": "2026-01-01T00:00:00Z", "project": "p", "backup_id": "b",
            "index_name": "i", "restore_job_id": "j", "index_id": "x",
        }));
        assert!(!unanswered("Open", &[made.unwrap()]));
    }
}
