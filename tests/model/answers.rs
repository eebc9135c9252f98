//! What a pass read, as the product's own answers.

use index_restore_operator::pinecone::FailureKind;
use index_restore_operator::restore::answer::{Answer, Preflight, Search};
use index_restore_operator::restore::{Situation, Stage};

use crate::environment::Design;
use crate::product::Product;
use crate::translation::{expanded_backup, expanded_index, failure, timestamp};
use crate::world::{Index, Listing, Object, Row, Time};

/// What one pass read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    Nothing,
    /// Pinecone did not answer.
    Outage,
    MaySubmit {
        index: Option<Index>,
        jobs: Option<Listing>,
        /// Whether the backup was found, where it was asked for, and when.
        backup: Option<bool>,
        date: Time,
    },
    FindOurs {
        index: Option<Index>,
        jobs: Listing,
        backup: Option<bool>,
    },
    Follow {
        job: Option<Row>,
        index: Option<Option<Index>>,
    },
    StillThere(Option<Index>),
}

impl Product {
    pub fn answer(&self, object: &Object, situation: &Situation, seen: Seen) -> Answer {
        let look = |index: &Option<Index>| Ok(index.as_ref().map(expanded_index));
        let backup = |found: bool| match found || self.environment.design == Design::NoWitness {
            true => Ok(expanded_backup(
                object.own().map_or(object.backup, |s| s.backup),
            )),
            false => Err(failure(FailureKind::NotFound)),
        };
        match seen {
            Seen::Nothing => Answer::Nothing,
            Seen::Outage => outage(situation),
            Seen::MaySubmit {
                index,
                jobs,
                backup: found,
                date,
            } => Answer::MaySubmit(Preflight {
                index: look(&index),
                history: jobs.map(|jobs| Ok(jobs.expanded())),
                backup: found.map(backup),
                date: Some(timestamp(date)),
            }),
            Seen::FindOurs {
                index,
                jobs,
                backup: found,
            } => Answer::FindOurs(Search {
                index: look(&index),
                history: Ok(jobs.expanded()),
                backup: found.map(backup),
            }),
            Seen::Follow { job, index } => Answer::Follow {
                job: Ok(job.as_ref().map(Row::expanded)),
                index: index.as_ref().map(look),
            },
            Seen::StillThere(index) => Answer::StillThere(look(&index)),
        }
    }
}

fn outage(situation: &Situation) -> Answer {
    let down = || failure(FailureKind::Unavailable);
    match situation.stage {
        Stage::Unclaimed { .. } => Answer::MaySubmit(Preflight {
            index: Err(down()),
            history: None,
            backup: None,
            date: None,
        }),
        Stage::Claimed(_) => Answer::FindOurs(Search {
            index: Err(down()),
            history: Err(down()),
            backup: None,
        }),
        Stage::Submitted(_) => Answer::Follow {
            job: Err(down()),
            index: None,
        },
        Stage::Finished(_) => Answer::StillThere(Err(down())),
        Stage::Rejected | Stage::Failed => Answer::Nothing,
    }
}
