use std::ops::Range;
use std::time::Duration;

use super::answer::{Answer, History, Search};
use super::history::Trace;
use super::stage::{Situation, Stage};
use crate::clock::BootTime;

/// What this process saw of one restore, look after look. It is kept in memory
/// only: a restart loses it, and then waits longer before it believes anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    subject: Option<Subject>,
    since: Option<BootTime>,
    looks: u32,
    index_seen: bool,
    failures: u32,
    refusals: u32,
    polls: u32,
}

/// What is missing. Another subject starts the count afresh.
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

    /// How many complete looks in a row missed it that began at least `catch_up`
    /// after the first one that did: before that, the list's lag explains it.
    pub fn looks(&self) -> u32 {
        self.looks
    }

    /// Whether an index of the claim's name was seen since the claim.
    pub fn index_seen(&self) -> bool {
        self.index_seen
    }

    /// How many looks in a row failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// How many create requests in a row Pinecone refused.
    pub fn refusals(&self) -> u32 {
        self.refusals
    }

    /// Takes in what became of a create request.
    pub fn learn_posted(&mut self, is_refused: bool) {
        self.refusals = match is_refused {
            true => self.refusals.saturating_add(1),
            false => 0,
        };
    }

    /// How often the job was asked for.
    pub fn polls(&self) -> u32 {
        self.polls
    }

    /// Takes in one answer, and when it was asked for and had. A look that failed
    /// neither proves nor disproves. `catch_up` is how long the list may lag.
    pub fn learn(
        &mut self,
        situation: &Situation,
        answer: &Answer,
        looked: Range<BootTime>,
        catch_up: Duration,
    ) {
        self.failures = match answer.is_incomplete() {
            true => self.failures.saturating_add(1),
            false => 0,
        };
        if matches!(answer, Answer::Follow { .. }) {
            self.polls = self.polls.wrapping_add(1);
        }
        match missing(situation, answer) {
            Missing::Unknown => {}
            // Found, but perhaps not recorded: the write may lose against another.
            Missing::NotNow => {
                self.since = Some(looked.end);
                self.looks = 0;
            }
            Missing::Nothing => {
                self.subject = None;
                self.since = None;
                self.looks = 0;
            }
            Missing::This(subject) => self.count(subject, looked, catch_up),
        }
    }

    fn count(&mut self, subject: Subject, looked: Range<BootTime>, catch_up: Duration) {
        match &subject {
            Subject::Claim { index, nonce } => {
                let same =
                    matches!(&self.subject, Some(Subject::Claim { nonce: n, .. }) if n == nonce);
                self.index_seen = *index || (same && self.index_seen);
            }
            _ => self.index_seen = false,
        }
        if self.subject.as_ref() != Some(&subject) {
            self.subject = Some(subject);
            self.since = Some(looked.end);
            self.looks = 0;
        }
        if self.age(looked.start) >= catch_up {
            self.looks = self.looks.saturating_add(1);
        }
    }
}

enum Missing {
    /// The look was not complete.
    Unknown,
    /// It is listed in this look.
    NotNow,
    Nothing,
    This(Subject),
}

fn missing(situation: &Situation, answer: &Answer) -> Missing {
    match answer {
        Answer::Nothing | Answer::NoKey(_) => Missing::Unknown,
        Answer::MaySubmit(seen) => match (&seen.index, &seen.history) {
            (_, Some(Ok(history))) if is_listed(situation, history) => Missing::NotNow,
            (Ok(Some(_)), Some(Ok(history))) if history.is_complete => {
                Missing::This(Subject::Origin {
                    backup_id: situation.backup_id.clone(),
                    index_name: situation.index_name.clone(),
                })
            }
            (Ok(None), _) => Missing::Nothing,
            _ => Missing::Unknown,
        },
        Answer::FindOurs(seen) => match (&situation.stage, &seen.index) {
            _ if seen
                .history
                .as_ref()
                .is_ok_and(|history| is_listed(situation, history)) =>
            {
                Missing::NotNow
            }
            (Stage::Claimed(claim), Ok(index)) if is_whole(seen) => Missing::This(Subject::Claim {
                nonce: claim.nonce.clone(),
                index: index.is_some(),
            }),
            _ => Missing::Unknown,
        },
        Answer::Follow { job, index } => match (job, index) {
            (Ok(None), Some(Ok(index))) => Missing::This(Subject::Job {
                index: index.is_some(),
            }),
            (Ok(Some(_)), Some(Ok(None))) => Missing::This(Subject::Index),
            (Ok(Some(_)), _) => Missing::Nothing,
            _ => Missing::Unknown,
        },
        Answer::StillThere(_) => Missing::Nothing,
    }
}

fn is_listed(situation: &Situation, history: &History) -> bool {
    matches!(situation.trace(&history.jobs), Trace::Ours(_))
}

/// Whether this look would have shown what it looked for: the list came to its
/// end, and the key is one of the backup's project.
fn is_whole(seen: &Search) -> bool {
    let is_complete = seen
        .history
        .as_ref()
        .is_ok_and(|history| history.is_complete);
    is_complete && matches!(seen.backup, Some(Ok(_)))
}
