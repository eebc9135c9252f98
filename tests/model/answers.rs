//! What a reconcile read, as the product's own observations.

use index_restore_operator::pinecone::FailureKind;
use index_restore_operator::restore::observation::{Check, Poll, Preflight, Search};
use index_restore_operator::restore::{Observation, Question, Situation, Stage};
use jiff::Timestamp;

use crate::environment::Design;
use crate::product::Product;
use crate::translation::{expanded_backup, expanded_index, failure, timestamp};
use crate::world::{Index, Listing, Object, Progress, Row, Time};

/// The product's question, without what its stage knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    Nothing,
    MaySubmit { jobs: bool },
    FindOurs,
    Follow { index: bool },
    StillThere { by_list: bool },
}

impl From<Option<Question<'_>>> for Query {
    fn from(question: Option<Question<'_>>) -> Self {
        match question {
            None => Self::Nothing,
            Some(Question::MaySubmit { jobs }) => Self::MaySubmit { jobs },
            Some(Question::FindOurs(_)) => Self::FindOurs,
            Some(Question::Follow { index, .. }) => Self::Follow { index },
            Some(Question::StillThere { by_list, .. }) => Self::StillThere { by_list },
        }
    }
}

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
    /// The product's observation for what was read at the given time.
    pub fn observation<'a>(
        &self,
        object: &Object,
        situation: &'a Situation,
        seen: Seen,
        now: Timestamp,
    ) -> Observation<'a> {
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
        match (seen, &situation.stage) {
            (Seen::Nothing, _) => Observation::NotNeeded,
            (Seen::Outage, _) => outage(situation, now),
            (
                Seen::MaySubmit {
                    index,
                    jobs,
                    backup: found,
                    date,
                },
                Stage::Unclaimed { .. },
            ) => Observation::MaySubmit(Preflight {
                index: read_index(&index),
                jobs: jobs.map(|jobs| Ok(jobs.expanded(situation, now))),
                backup: found.map(backup),
                date: Some(timestamp(date)),
            }),
            (
                Seen::FindOurs {
                    index,
                    jobs,
                    backup: found,
                },
                Stage::Claimed(claim),
            ) => {
                let search = Search {
                    index: read_index(&index),
                    jobs: Ok(jobs.expanded(situation, now)),
                    backup: found.map(backup),
                    ended: now,
                };
                Observation::FindOurs(claim, search)
            }
            (Seen::Follow { job, index }, Stage::Submitted(submitted)) => {
                let poll = Poll {
                    job: Ok(job.as_ref().map(Row::expanded)),
                    index: index.as_ref().map(read_index),
                };
                Observation::Follow(submitted, poll)
            }
            (
                Seen::StillThere {
                    index,
                    job,
                    backup: found,
                },
                Stage::Finished(submitted),
            ) => {
                let check = Check {
                    index: read_index(&index),
                    job: job.map(|is_shown| Ok(is_shown.then_some(()))),
                    backup: found.map(|is_shown| Ok(is_shown.then(|| backup(true).unwrap()))),
                };
                Observation::StillThere(submitted, check)
            }
            (seen, stage) => panic!("{seen:?} does not answer {stage:?}"),
        }
    }
}

fn outage(situation: &Situation, now: Timestamp) -> Observation<'_> {
    let down = || failure(FailureKind::Unavailable);
    match &situation.stage {
        Stage::Unclaimed { .. } => Observation::MaySubmit(Preflight {
            index: Err(down()),
            jobs: None,
            backup: None,
            date: None,
        }),
        Stage::Claimed(claim) => {
            let search = Search {
                index: Err(down()),
                jobs: Err(down()),
                backup: None,
                ended: now,
            };
            Observation::FindOurs(claim, search)
        }
        Stage::Submitted(submitted) => {
            let poll = Poll {
                job: Err(down()),
                index: None,
            };
            Observation::Follow(submitted, poll)
        }
        Stage::Finished(submitted) => Observation::StillThere(submitted, Err(down()).into()),
        Stage::Rejected | Stage::Failed => Observation::NotNeeded,
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
