//! What Pinecone answers, and its pairing with the stage that asked.

use super::*;
use crate::caches::KeyProblem;
use crate::restore::observation::Poll;
use crate::restore::{Observation, Question, ask};

/// An answer to the question of some stage.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Nothing,
    NoKey(KeyProblem),
    MaySubmit(Preflight),
    FindOurs(Search),
    Follow {
        job: Lookup<RestoreJob>,
        index: Option<Lookup<Index>>,
    },
    StillThere(Check),
}

impl Answer {
    /// The observation that a stage has by this answer. A stage that asks nothing gets none.
    pub fn to<'a>(&self, situation: &'a Situation, evidence: &Evidence) -> Observation<'a> {
        let Some(question) = ask(situation, evidence) else {
            return Observation::NotNeeded;
        };
        match (question, self.clone()) {
            (question, Self::NoKey(problem)) => Observation::NoKey(question, problem),
            (Question::MaySubmit { .. }, Self::MaySubmit(seen)) => Observation::MaySubmit(seen),
            (Question::FindOurs(claim), Self::FindOurs(seen)) => Observation::FindOurs(claim, seen),
            (Question::Follow { submitted, .. }, Self::Follow { job, index }) => {
                Observation::Follow(submitted, Poll { job, index })
            }
            (Question::StillThere { submitted, .. }, Self::StillThere(seen)) => {
                Observation::StillThere(submitted, seen)
            }
            (question, answer) => panic!("{answer:?} does not answer {question:?}"),
        }
    }
}

/// The question of an object's stage, without what the stage knows.
pub fn question(object: &IndexRestore, evidence: &Evidence) -> &'static str {
    let situation = Situation::of(object);
    match ask(&situation, evidence) {
        None => "none",
        Some(Question::MaySubmit { jobs: false }) => "may it be submitted",
        Some(Question::MaySubmit { jobs: true }) => "may it be submitted, with jobs",
        Some(Question::FindOurs(_)) => "what is the outcome",
        Some(Question::Follow { index: false, .. }) => "how far is the job",
        Some(Question::Follow { index: true, .. }) => "how far is the job, with index",
        Some(Question::StillThere { by_list: true, .. }) => "is the index there, by list",
        Some(Question::StillThere { by_list: false, .. }) => "is the index there",
    }
}
