//! What must hold in each state, what counts as settled, and what must not be out
//! of reach.

use index_restore_operator::api::{Reason, SubmissionOutcome};

use crate::answers::Seen;
use crate::world::{Changing, Phase, Plan, Progress, Project, World, Writing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// Pinecone accepts at most one create for the claims of one object.
    OneCreate,
    /// Recorded IDs are of a job of this object's backup.
    RecordsBelong,
    /// The operator neither changes nor drops IDs once they are recorded.
    RecordsStay,
    /// IndexAlreadyExists is never said of an index that came from our own claim.
    NeverDisowned,
    /// "Nothing was created" is never said of a claim that Pinecone had accepted.
    NeverForsaken,
    /// Each POST leaves under a claim that had landed in the API server.
    ClaimFirst,
    /// The recorded host is that of the recorded job's index.
    HostBelongs,
}

impl Property {
    pub const ALL: [Self; 7] = [
        Self::OneCreate,
        Self::RecordsBelong,
        Self::RecordsStay,
        Self::NeverDisowned,
        Self::NeverForsaken,
        Self::ClaimFirst,
        Self::HostBelongs,
    ];

    pub fn holds(self, world: &World) -> bool {
        let wrongs = &world.wrongs;
        match self {
            Self::OneCreate => (1..=world.uid).all(|uid| world.accepted(uid) <= 1),
            Self::RecordsBelong => !wrongs.misrecorded,
            Self::RecordsStay => !wrongs.rewritten,
            Self::NeverDisowned => !wrongs.disowned,
            Self::NeverForsaken => !wrongs.forsaken,
            Self::ClaimFirst => !wrongs.unclaimed_post,
            Self::HostBelongs => !wrongs.wrong_host,
        }
    }
}

impl World {
    /// Judges what a look concluded.
    pub fn judge(&mut self, uid: u8, plan: Plan, seen: Seen) {
        let Plan::Write(writing) = plan else { return };
        let index = match seen {
            Seen::MaySubmit { index, .. } | Seen::FindOurs { index, .. } => index,
            _ => None,
        };
        let maker = index.and_then(|index| self.jobs[usize::from(index.job)]);
        let is_own = maker.is_some_and(|job| job.by == Some(uid));
        self.wrongs.disowned |= is_own && writing.reason == Reason::IndexAlreadyExists;
        self.judge_outcome(uid, writing, false);
    }

    /// Judges what is said of a submission.
    pub fn judge_outcome(&mut self, uid: u8, writing: Writing, was_posted: bool) {
        let says_nothing = match writing.change {
            Changing::Close(SubmissionOutcome::Refused, reason) => {
                reason != Some(Reason::IndexAlreadyExists)
            }
            Changing::Close(..) => true,
            _ => writing.reason == Reason::BackupNotFound,
        };
        let is_taken = writing.reason == Reason::IndexAlreadyExists;
        self.wrongs.disowned |= is_taken && self.is_own_index(uid) && was_posted;
        self.wrongs.forsaken |= says_nothing && self.accepted(uid) > 0;
    }

    /// Whether everything has come to rest in a status that is true.
    pub fn is_settled(&self) -> bool {
        let is_idle = self.controllers.iter().all(|c| c.phase == Phase::Idle);
        is_idle && self.posts.iter().all(Option::is_none) && self.is_told_truly()
    }

    fn is_told_truly(&self) -> bool {
        let Some(object) = self.object else {
            return true;
        };
        let Some(shown) = object.shown.filter(|_| object.observed) else {
            return false;
        };
        let recorded = object.own().and(object.job);
        let is_there = self.index.is_some_and(|index| Some(index.job) == recorded);
        let job = recorded.and_then(|job| self.jobs[usize::from(job)]);
        match shown {
            Reason::Restored | Reason::Adopted => {
                is_there && self.index.is_some_and(|index| index.ready)
            }
            Reason::IndexAlreadyExists => self.index.is_some() && !self.is_own_index(object.uid),
            Reason::IndexDeleted => !is_there || self.key == Project::Other,
            Reason::RestoreFailed => job.is_some_and(|job| job.state == Progress::Failed),
            Reason::SubmissionUnconfirmed => {
                let mut own = self.jobs().filter(|(_, job)| job.by == Some(object.uid));
                own.all(|(_, job)| job.unlisted.is_some()) || self.key == Project::Other
            }
            Reason::BackupNotFound => self.key == Project::Other,
            Reason::RestoreJobNotFound => !is_there || self.key == Project::Other,
            _ => false,
        }
    }
}

/// What a search must have come across, or it proves little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landmark {
    Restored,
    /// An open claim's job was found by looking.
    Recovered,
    /// A claim that was answered with 409 had made the index itself.
    TakenWasOurs,
    /// The job of an abandoned claim turned up.
    AbandonedWasOurs,
    /// The job of a closed claim turned up.
    RecoveredUnclaimed,
    Adopted,
    /// A claim was answered with 409, and the index was another's.
    TakenByOther,
    /// The name was taken before anything was claimed.
    NameTaken,
    Abandoned,
    SecondAttempt,
    Unsent,
    /// The claim's write was not answered, and had landed.
    OwnClaimRecognised,
    /// A rival's write came first.
    ClaimLost,
    RecordedAlready,
    Overtaken,
    Orphaned,
    IndexDeleted,
    Failed,
    JobNotFound,
    Unconfirmed,
}
