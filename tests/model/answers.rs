//! What a reconcile read, as the product's own answers.

use index_restore_operator::pinecone::FailureKind;
use index_restore_operator::restore::answer::{Answer, Check, Preflight, Search};
use index_restore_operator::restore::{Situation, Stage};
use jiff::Timestamp;

use crate::environment::Design;
use crate::product::Product;
use crate::translation::{expanded_backup, expanded_index, failure, timestamp};
use crate::world::{Index, Listing, Object, Progress, Row, Time};

/// What one reconcile read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    Nothing,
    /// Pinecone did not answer.
    Outage,
    MaySubmit {
        index: Option<Index>,
        jobs: Option<Listing>,
        /// Whether the backup was found, if it was requested, and when.
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
    StillThere {
        index: Option<Index>,
        /// Whether the job and the backup were shown, if they were requested.
        job: Option<bool>,
        backup: Option<bool>,
    },
}

impl Product {
    /// The product's answer for what was read at the given time.
    pub fn answer(
        &self,
        object: &Object,
        situation: &Situation,
        seen: Seen,
        now: Timestamp,
    ) -> Answer {
        let seen = self.environment.design.misread(object, seen);
        let shows_source = self.environment.shows_source;
        let read_index = |index: &Option<Index>| {
            let index = index.as_ref();
            Ok(index.map(|index| expanded_index(index, shows_source)))
        };
        let backup = |found: bool| match found || self.environment.design == Design::NoWitness {
            true => Ok(expanded_backup(
                object.own().map_or(object.backup, |s| s.backup),
            )),
            false => Err(failure(FailureKind::NotFound)),
        };
        match seen {
            Seen::Nothing => Answer::Nothing,
            Seen::Outage => outage(situation, now),
            Seen::MaySubmit {
                index,
                jobs,
                backup: found,
                date,
            } => Answer::MaySubmit(Preflight {
                index: read_index(&index),
                jobs: jobs.map(|jobs| Ok(jobs.expanded(situation, now))),
                backup: found.map(backup),
                date: Some(timestamp(date)),
            }),
            Seen::FindOurs {
                index,
                jobs,
                backup: found,
            } => Answer::FindOurs(Search {
                index: read_index(&index),
                jobs: Ok(jobs.expanded(situation, now)),
                backup: found.map(backup),
                ended: now,
            }),
            Seen::Follow { job, index } => Answer::Follow {
                job: Ok(job.as_ref().map(Row::expanded)),
                index: index.as_ref().map(read_index),
            },
            Seen::StillThere {
                index,
                job,
                backup: found,
            } => Answer::StillThere(Check {
                index: read_index(&index),
                job: job.map(|is_shown| Ok(is_shown.then_some(()))),
                backup: found.map(|is_shown| Ok(is_shown.then(|| backup(true).unwrap()))),
            }),
        }
    }
}

fn outage(situation: &Situation, now: Timestamp) -> Answer {
    let down = || failure(FailureKind::Unavailable);
    match situation.stage {
        Stage::Unclaimed { .. } => Answer::MaySubmit(Preflight {
            index: Err(down()),
            jobs: None,
            backup: None,
            date: None,
        }),
        Stage::Claimed(_) => Answer::FindOurs(Search {
            index: Err(down()),
            jobs: Err(down()),
            backup: None,
            ended: now,
        }),
        Stage::Submitted(_) => Answer::Follow {
            job: Err(down()),
            index: None,
        },
        Stage::Finished(_) => Answer::StillThere(Err(down()).into()),
        Stage::Rejected | Stage::Failed => Answer::Nothing,
    }
}

impl Design {
    /// How a weakened design interprets what was read.
    fn misread(self, object: &Object, mut seen: Seen) -> Seen {
        match (self, &mut seen) {
            (
                Self::CompleteListBelieved,
                Seen::MaySubmit {
                    index: Some(index),
                    jobs: Some(jobs),
                    ..
                }
                | Seen::FindOurs {
                    index: Some(index),
                    jobs,
                    ..
                },
            ) if jobs.rows == Listing::default().rows => index.job = None,
            (Self::HostIsIdentity, Seen::StillThere { index, job, .. }) => {
                let is_there = index.is_some_and(|index| Some(index.project) == object.host);
                *job = job.map(|is_shown| is_shown || is_there);
            }
            (
                Self::FailedJobAdopted,
                Seen::MaySubmit {
                    jobs: Some(jobs), ..
                }
                | Seen::FindOurs { jobs, .. },
            ) => {
                let rows = jobs.rows.iter_mut().flatten();
                for row in rows.chain(&mut jobs.confirmed) {
                    row.state = Progress::Completed;
                }
            }
            _ => {}
        }
        seen
    }
}
