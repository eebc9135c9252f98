//! What one process has learnt about a restore from its observations. Pure.

use std::ops::Range;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::intervals::Patience;
use super::jobs::{JobMatch, RestoreJobs};
use super::observation::{Check, Observation, Poll, Preflight, Search};
use super::situation::Situation;
use crate::api::Submission;
use crate::pinecone::RestoreJob;
use crate::runtime::clock::BootTime;

/// What this process saw of one restore, observation after observation. It is kept in memory
/// only: a restart loses it, and then waits longer before it believes anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    subject: Option<Subject>,
    since: Option<BootTime>,
    observations: u32,
    /// The claim's nonce, if its index or its restore job was seen since.
    seen: Option<String>,
    failures: u32,
    refusals: u32,
    unsent: u32,
    polls: u32,
    /// The claim's nonce, and until when it was observed without too long a gap.
    observed: Option<(String, Timestamp)>,
    /// The newest restore job of this backup and name that an observation showed.
    known_job: Option<Box<RestoreJob>>,
    /// When checks of the restored index began to fail.
    failing_since: Option<BootTime>,
    /// When the last check of the restored index began that was complete.
    confirmed: Option<BootTime>,
}

/// What is missing. Another subject resets the count.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    /// No trace of this claim, with or without an index of its name.
    Claim { nonce: String, index: bool },
    /// No proof of where the index of this name came from.
    Origin {
        backup_id: String,
        index_name: String,
    },
    /// The job is not shown, with or without its index.
    Job { index: bool },
    /// The job is complete and its index is not shown.
    Index,
}

impl Evidence {
    /// For how long the same thing has been missing.
    pub fn age(&self, now: BootTime) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// How many complete observations in a row missed it that began at least `catch_up`
    /// after the first one that did: before that, the list's lag explains it.
    pub fn observations(&self) -> u32 {
        self.observations
    }

    /// Whether an index of the claim's name, or its restore job, was seen since the claim.
    pub fn has_seen(&self, claim: &Submission) -> bool {
        self.seen.as_ref() == Some(&claim.nonce)
    }

    /// How many observations in a row failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// How many create requests in a row Pinecone refused.
    pub fn refusals(&self) -> u32 {
        self.refusals
    }

    /// How many claims in a row were too old to be used.
    pub fn unsent(&self) -> u32 {
        self.unsent
    }

    /// Learns that a claim was too old to be used.
    pub fn learn_unsent(&mut self) {
        self.unsent = self.unsent.saturating_add(1);
    }

    /// Learns the outcome of a create request: counts a refusal, and resets the count otherwise.
    pub fn learn_posted(&mut self, is_refused: bool) {
        self.unsent = 0;
        self.refusals = match is_refused {
            true => self.refusals.saturating_add(1),
            false => 0,
        };
    }

    /// How often the job was polled. Wraps around.
    pub fn polls(&self) -> u32 {
        self.polls
    }

    /// Until when the outcome of the claim was observed without a gap longer than the
    /// maximum: what the status says, or what this process saw since.
    pub fn observed_until(&self, claim: &Submission) -> Timestamp {
        let recorded = claim.observed_until();
        let own = self.observed.as_ref();
        own.filter(|(nonce, _)| *nonce == claim.nonce)
            .map_or(recorded, |(_, until)| recorded.max(*until))
    }

    /// A restore job of this backup and name that an observation showed, or one that is worth
    /// asking for: a list that lacks it now proves nothing against it.
    pub fn known_job(&self, situation: &Situation) -> Option<&RestoreJob> {
        self.known_job.as_deref().filter(|job| {
            job.backup_id == situation.backup_id && job.target_index_name == situation.index_name
        })
    }

    /// Since when checks of the restored index fail.
    pub fn failing_since(&self) -> Option<BootTime> {
        self.failing_since
    }

    /// When the last successful check of the restored index began.
    pub fn confirmed(&self) -> Option<BootTime> {
        self.confirmed
    }

    /// Learns from one observation; `during` is from before the first read to after the last. An
    /// observation that failed neither proves nor disproves.
    pub fn learn(
        &mut self,
        situation: &Situation,
        observation: &Observation<'_>,
        during: Range<BootTime>,
        patience: Patience,
    ) {
        self.count_failures(observation, &during);
        if matches!(observation, Observation::Follow(..)) {
            self.polls = self.polls.wrapping_add(1);
        }
        self.remember_job(situation, observation);
        if let Observation::FindOurs(claim, seen) = observation {
            self.observe(claim, seen, during.end.since(during.start), patience);
            let is_listed = seen
                .jobs
                .as_ref()
                .is_ok_and(|jobs| is_listed(situation, jobs));
            if is_listed || matches!(seen.index, Ok(Some(_))) {
                self.seen = Some(claim.nonce.clone());
            }
        }
        let catch_up = patience.catch_up;
        match missing(situation, observation) {
            Missing::Unknown => {}
            // Found, but perhaps not recorded: the write may lose against another.
            Missing::NotNow => {
                self.since = Some(during.end);
                self.observations = 0;
            }
            Missing::Nothing => {
                if matches!(observation, Observation::StillThere(..)) {
                    self.confirmed = Some(during.start);
                }
                self.subject = None;
                self.since = None;
                self.observations = 0;
            }
            Missing::This(subject) => self.count(subject, during, catch_up),
        }
    }

    fn count_failures(&mut self, observation: &Observation<'_>, during: &Range<BootTime>) {
        if observation.is_incomplete() {
            self.failures = self.failures.saturating_add(1);
            self.failing_since.get_or_insert(during.start);
            return;
        }
        self.failures = 0;
        self.failing_since = None;
    }

    fn remember_job(&mut self, situation: &Situation, observation: &Observation<'_>) {
        let (Observation::MaySubmit(Preflight {
            jobs: Some(Ok(jobs)),
            ..
        })
        | Observation::FindOurs(_, Search { jobs: Ok(jobs), .. })) = observation
        else {
            return;
        };
        if let JobMatch::Ours(job) | JobMatch::Earlier(job) = situation.find_job(jobs) {
            self.known_job = Some(Box::new(job));
        }
    }

    /// A complete observation that comes in time moves on the time until which the claim was
    /// observed, to the observation's beginning. One that comes too late never does: what
    /// happened in between left no trace.
    fn observe(&mut self, claim: &Submission, seen: &Search, took: Duration, patience: Patience) {
        if seen.index.is_err() || !is_whole(seen) {
            return;
        }
        let until = self.observed_until(claim);
        if is_gap(until, seen.ended, patience.max_gap) {
            return;
        }
        let took = SignedDuration::try_from(took).unwrap_or(SignedDuration::MAX);
        let began = seen.ended.checked_sub(took).unwrap_or(until);
        self.observed = Some((claim.nonce.clone(), began.max(until)));
    }

    fn count(&mut self, subject: Subject, during: Range<BootTime>, catch_up: Duration) {
        if self.subject.as_ref() != Some(&subject) {
            self.subject = Some(subject);
            self.since = Some(during.end);
            self.observations = 0;
        }
        if self.age(during.start) >= catch_up {
            self.observations = self.observations.saturating_add(1);
        }
    }
}

enum Missing {
    /// The observation was not complete.
    Unknown,
    /// It is listed in this observation.
    NotNow,
    Nothing,
    This(Subject),
}

fn missing(situation: &Situation, observation: &Observation<'_>) -> Missing {
    match observation {
        Observation::NotNeeded | Observation::NoKey(..) => Missing::Unknown,
        Observation::MaySubmit(seen) => match (&seen.index, &seen.jobs) {
            (_, Some(Ok(jobs))) if is_listed(situation, jobs) => Missing::NotNow,
            (Ok(Some(_)), Some(Ok(jobs))) if jobs.is_complete => Missing::This(Subject::Origin {
                backup_id: situation.backup_id.clone(),
                index_name: situation.index_name.clone(),
            }),
            (Ok(None), _) => Missing::Nothing,
            _ => Missing::Unknown,
        },
        Observation::FindOurs(claim, seen) => match (&seen.jobs, &seen.index) {
            (Ok(jobs), _) if is_listed(situation, jobs) => Missing::NotNow,
            (_, Ok(index)) if is_whole(seen) => Missing::This(Subject::Claim {
                nonce: claim.nonce.clone(),
                index: index.is_some(),
            }),
            _ => Missing::Unknown,
        },
        Observation::Follow(_, Poll { job, index }) => match (job, index) {
            (Ok(None), Some(Ok(index))) => Missing::This(Subject::Job {
                index: index.is_some(),
            }),
            (Ok(Some(_)), Some(Ok(None))) => Missing::This(Subject::Index),
            (Ok(Some(_)), _) => Missing::Nothing,
            _ => Missing::Unknown,
        },
        Observation::StillThere(
            _,
            Check {
                index: Ok(Some(_)),
                job: Some(Ok(None)),
                ..
            },
        ) => Missing::This(Subject::Job { index: true }),
        Observation::StillThere(..) if observation.is_incomplete() => Missing::Unknown,
        Observation::StillThere(..) => Missing::Nothing,
    }
}

/// Whether more than `longest` passed between two observations; none is short enough
/// where `longest` is zero.
pub fn is_gap(from: Timestamp, to: Timestamp, longest: Duration) -> bool {
    let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
    longest.is_zero() || to.duration_since(from) > longest
}

fn is_listed(situation: &Situation, jobs: &RestoreJobs) -> bool {
    matches!(situation.find_job(jobs), JobMatch::Ours(_))
}

/// Whether this observation proves an absence: the list came to its end, and the key belongs to
/// the backup's project.
fn is_whole(seen: &Search) -> bool {
    let is_complete = seen.jobs.as_ref().is_ok_and(|jobs| jobs.is_complete);
    is_complete && matches!(seen.backup, Some(Ok(_)))
}
