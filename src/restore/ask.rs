//! The question that has to be answered before a restore can be decided. Pure.

use super::evidence::Evidence;
use super::situation::{Situation, Stage};
use crate::api::Reason;

/// While a job is pending, every so many polls look at its index as well: an
/// index can fail before its job says so.
const INDEX_EVERY: u32 = 4;

/// What is said of a restored index that is not as it was, or may not be.
const UNHEALTHY: [Reason; 4] = [
    Reason::IndexDeleted,
    Reason::RestoreJobNotFound,
    Reason::IndexFailed,
    Reason::IndexNotReady,
];

/// What has to be read before anything can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Nothing.
    Nothing,
    /// Is the name free and the backup ready? If the name is taken: by whom?
    /// `jobs` asks for the restore jobs even where the name is free.
    MaySubmit {
        /// Set after an attempt of unknown outcome, which may still take effect.
        jobs: bool,
    },
    /// What is the outcome of the open submission?
    FindOurs,
    /// How far is the job? `index` asks for the index while the job is pending.
    Follow {
        /// Set for every fourth poll; an ended or missing job has its index read anyway.
        index: bool,
    },
    /// Is the restored index still there? `by_list` lets one list answer for all
    /// indexes of a key.
    StillThere {
        /// Not set while the status reports the index as unhealthy: the list may be older.
        by_list: bool,
    },
}

/// Returns the question that this situation raises: [`Question::Nothing`] where only a change of
/// the object can change the decision.
pub fn ask(situation: &Situation, evidence: &Evidence) -> Question {
    match &situation.stage {
        Stage::Unclaimed { .. } if situation.deleting => Question::Nothing,
        Stage::Unclaimed { .. } => Question::MaySubmit {
            jobs: situation.is_frozen,
        },
        Stage::Rejected | Stage::Failed => Question::Nothing,
        Stage::Claimed(_) => Question::FindOurs,
        Stage::Submitted(_) => Question::Follow {
            index: evidence.polls() % INDEX_EVERY == INDEX_EVERY - 1,
        },
        // The list may be of before the index was found unhealthy: by another process, or
        // in an earlier term of this one.
        Stage::Finished(_) => Question::StillThere {
            by_list: !situation.shows(&UNHEALTHY),
        },
    }
}
