//! What each restore has to say in the end, from what exists in Pinecone.

use std::collections::{HashMap, HashSet};

use index_restore_operator::api::{DeletionProtection, IndexRestore, SubmissionOutcome};
use jiff::{SignedDuration, Timestamp};
use pinecone_emulator::{AcceptedCreate, IndexSnapshot, JobSnapshot};

use crate::history::{Biography, project};
use crate::installation::MAX_GAP;
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
    /// Whether an index names the backup it was restored from.
    shows_source: bool,
    indexes: HashMap<(String, String), IndexSnapshot>,
    jobs: HashMap<String, JobSnapshot>,
    /// The jobs that can be read in the list.
    listed: HashSet<String>,
}

/// Rows on a page of restore jobs.
const PAGE: usize = 100;

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
            let expected = pinecone.expected(&known, object, biography);
            let told = reason(object);
            // Every key works, so that each restored index is confirmed.
            let status = object.status.as_ref();
            let is_unconfirmed = status.is_some_and(|status| status.unconfirmed_since.is_some());
            if !is_settled(object) || !expected.contains(&told) || is_unconfirmed {
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
    fn expected(
        &self,
        known: &Known,
        object: &IndexRestore,
        life: &Biography,
    ) -> Vec<&'static str> {
        let accepted = &life.accepted;
        let place = (project(object).to_owned(), object.spec.index_name.clone());
        let Some(index) = self.indexes.get(&place) else {
            return match known.deleted.contains(&place) {
                true => vec!["IndexDeleted"],
                false if is_unobserved(object, accepted) => vec!["SubmissionUnconfirmed"],
                false => vec![],
            };
        };
        if known.recreated.contains(&place) {
            return match self.shows_source {
                true => vec!["IndexDeleted"],
                false => vec!["RestoreJobNotFound"],
            };
        }
        let mut made = known.accepted.get(&place).into_iter().flatten();
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

/// Whether its request came to nothing, and it never learnt so: whose the index of that name is,
/// it cannot know then, and asks a person.
fn is_unanswered(object: &IndexRestore, accepted: &[AcceptedCreate]) -> bool {
    let status = object.status.as_ref();
    let claim = status.and_then(|status| status.submission.as_ref());
    let is_open = claim.is_some_and(|claim| claim.outcome == SubmissionOutcome::Open);
    is_open && accepted.is_empty()
}

/// Whether its request came to nothing, and nobody looked for it for so long that a person has
/// to say so.
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
