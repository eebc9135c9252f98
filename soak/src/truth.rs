//! What each restore has to say in the end, from what exists in Pinecone.

use std::collections::HashMap;

use pinecone_emulator::{IndexSnapshot, JobSnapshot};

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
            let place = (project(object).to_owned(), object.spec.index_name.clone());
            let expected = pinecone.expected(&known, &place, &object.spec.backup_id);
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
    /// The reasons that are true; none where it has to come to more yet.
    fn expected(&self, known: &Known, place: &(String, String), backup: &str) -> Vec<&'static str> {
        let Some(index) = self.indexes.get(place) else {
            return match known.deleted.contains(place) {
                true => vec!["IndexDeleted"],
                false => vec![],
            };
        };
        let mut made = known.accepted.get(place).into_iter().flatten();
        let made = made.find(|create| create.index_id == index.id);
        let Some(create) = made.filter(|create| create.backup_id == backup) else {
            return vec!["IndexAlreadyExists"];
        };
        let job = self.jobs.get(&create.restore_job_id);
        end(job, index)
    }
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
