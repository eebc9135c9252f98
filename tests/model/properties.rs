//! The properties of every state, the definition of a settled state, and the landmarks that a search
//! must reach.

use index_restore_operator::api::{AdoptionPolicy, Reason, SubmissionOutcome};

use crate::answers::Seen;
use crate::environment::{Environment, Rows};
use crate::world::{Changing, Job, Object, Phase, Plan, Progress, Project, World, Writing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// Pinecone accepts at most one create for the claims of one object, and one more for each request
    /// of a user while a claim was open.
    OneCreate,
    /// Recorded IDs are of a job of this object's backup.
    RecordsBelong,
    /// The operator neither changes nor drops IDs once they are recorded.
    RecordsStay,
    /// IndexAlreadyExists is never reported for an index that came from the object's own claim.
    OwnIndexIsNotForeign,
    /// "Nothing was created" is never reported for a claim that Pinecone accepted, unless a user
    /// requested another submission.
    AcceptedIsNotMissing,
    /// Each POST is sent under a claim that the API server stored.
    ClaimFirst,
    /// The recorded host is one of the backup's project.
    HostBelongs,
    /// An index is reported as ready only if it came from the backup.
    ReadyBelongs,
    /// With a key of its project, an existing restored index is never reported as deleted.
    ExistingIsNotDeleted,
    /// A failed job is never adopted.
    NoFailureAdopted,
    /// Two objects never record one job as their own.
    NeverShared,
}

impl Property {
    pub const ALL: [Self; 11] = [
        Self::OneCreate,
        Self::RecordsBelong,
        Self::RecordsStay,
        Self::OwnIndexIsNotForeign,
        Self::AcceptedIsNotMissing,
        Self::ClaimFirst,
        Self::HostBelongs,
        Self::ReadyBelongs,
        Self::ExistingIsNotDeleted,
        Self::NoFailureAdopted,
        Self::NeverShared,
    ];

    pub fn holds(self, world: &World) -> bool {
        let violations = &world.violations;
        match self {
            Self::OneCreate => {
                let most = 1 + usize::from(world.approvals);
                (1..=world.uid).all(|uid| world.accepted(uid) <= most)
            }
            Self::RecordsBelong => !violations.misrecorded,
            Self::RecordsStay => !violations.rewritten,
            Self::OwnIndexIsNotForeign => !violations.own_index_foreign,
            Self::AcceptedIsNotMissing => !violations.accepted_missing,
            Self::ClaimFirst => !violations.unclaimed_post,
            Self::HostBelongs => !violations.wrong_host,
            Self::ReadyBelongs => !violations.false_ready,
            Self::ExistingIsNotDeleted => !violations.existing_deleted,
            Self::NoFailureAdopted => !violations.adopted_failure,
            Self::NeverShared => !world.is_shared(),
        }
    }
}

impl World {
    /// Checks the decision of an observation.
    pub fn judge(&mut self, object: &Object, plan: Plan, seen: Seen, environment: &Environment) {
        let Plan::Write(writing) = plan else { return };
        let index = match seen {
            Seen::MaySubmit { index, .. }
            | Seen::FindOurs { index, .. }
            | Seen::Follow {
                index: Some(index), ..
            }
            | Seen::StillThere { index, .. } => index,
            Seen::Nothing | Seen::Outage | Seen::Follow { index: None, .. } => None,
        };
        let maker = index.and_then(|index| self.maker(index));
        let is_own = maker.is_some_and(|job| job.by == Some(object.uid));
        let is_adoptable = environment.adoption == AdoptionPolicy::IfSameBackup
            && maker.is_some_and(|job| job.backup == object.backup && job.is_usable());
        match writing.reason {
            Reason::IndexAlreadyExists => {
                self.violations.own_index_foreign |= (is_own || is_adoptable) && !writing.is_unsure;
            }
            Reason::IndexDeleted => {
                let is_there = self.is_there(object, environment);
                self.violations.existing_deleted |= is_there && self.key == Project::Right;
            }
            Reason::Restored | Reason::Adopted if object.shown != Some(writing.reason) => {
                self.violations.false_ready |=
                    index.is_none_or(|index| !index.is_of_backup(object.backup));
            }
            _ => {}
        }
        if let Changing::Record { job, adopted, .. } = writing.change {
            let job = job.and_then(|job| self.jobs[usize::from(job)]);
            self.violations.adopted_failure |= adopted && job.is_some_and(|job| !job.is_usable());
            self.violations.misrecorded |=
                job.is_none() && index.is_none_or(|index| !index.is_of_backup(object.backup));
        }
        self.judge_outcome(object.uid, writing, false);
    }

    fn is_shared(&self) -> bool {
        let own = |object: &Object| {
            let own = object.own();
            let is_own = own.is_some_and(|own| own.outcome == SubmissionOutcome::Accepted);
            object.job.filter(|_| is_own)
        };
        let job = self.object.as_ref().and_then(own);
        job.is_some() && job == self.rival.and_then(|rival| rival.job)
    }

    /// Whether the restored index exists.
    fn is_there(&self, object: &Object, environment: &Environment) -> bool {
        let names_backup = environment.shows_source && object.own().is_some();
        self.index.is_some_and(|index| {
            index.is_of_job(object.job.filter(|_| object.own().is_some()))
                || (names_backup && index.is_of_backup(object.backup))
        })
    }

    /// Checks what is reported about a submission.
    pub fn judge_outcome(&mut self, uid: u8, writing: Writing, was_posted: bool) {
        let says_nothing = match writing.change {
            Changing::Close(SubmissionOutcome::Refused, reason) => {
                reason != Some(Reason::IndexAlreadyExists)
            }
            Changing::Close(..) => true,
            _ => writing.reason == Reason::BackupNotFound,
        };
        let is_taken = writing.reason == Reason::IndexAlreadyExists && !writing.is_unsure;
        self.violations.own_index_foreign |= is_taken && self.is_own_index(uid) && was_posted;
        let is_known = self.approvals == 0 && self.accepted(uid) > 0;
        self.violations.accepted_missing |= says_nothing && is_known;
    }

    /// Whether nothing is in flight and the status is true.
    pub fn is_settled(&self, environment: &Environment) -> bool {
        let is_idle = self.controllers.iter().all(|c| c.phase == Phase::Idle);
        is_idle && self.posts.iter().all(Option::is_none) && self.has_true_status(environment)
    }

    fn has_true_status(&self, environment: &Environment) -> bool {
        let Some(object) = self.object else {
            return true;
        };
        let Some(shown) = object.shown.filter(|_| object.observed) else {
            return false;
        };
        let recorded = object.own().and(object.job);
        let is_there = self.is_there(&object, environment);
        let is_seen = environment.rows != Rows::Hidden;
        let job = recorded.and_then(|job| self.jobs[usize::from(job)]);
        match shown {
            Reason::Restored | Reason::Adopted => {
                is_there && self.index.is_some_and(|index| index.ready)
            }
            Reason::IndexAlreadyExists => {
                let is_own = self.is_own_index(object.uid) && is_seen;
                (self.index.is_some() && !is_own) || self.key == Project::Other
            }
            Reason::IndexDeleted => !is_there || self.key == Project::Other,
            Reason::RestoreFailed => job.is_some_and(|job| job.state == Progress::Failed),
            Reason::SubmissionUnconfirmed => {
                let mut own = self.jobs().filter(|(_, job)| job.by == Some(object.uid));
                let is_live = |id| self.index.is_some_and(|index| index.is_of_job(Some(id)));
                let stays = environment.rows == Rows::Stay;
                let is_listed = |id, job: &Job| job.unlisted.is_none() && (stays || is_live(id));
                !is_seen || own.all(|(id, job)| !is_listed(id, job)) || self.key == Project::Other
            }
            Reason::BackupNotFound => self.key == Project::Other,
            Reason::RestoreJobNotFound => {
                let is_live = self.index.is_some_and(|index| index.is_of_job(recorded));
                !is_live || self.key == Project::Other
            }
            // The index of a failed restore, adopted because its job was not listed.
            Reason::IndexNotReady => {
                let maker = self.index.and_then(|index| self.maker(index));
                is_there && maker.is_some_and(|maker| !maker.is_usable())
            }
            _ => false,
        }
    }
}

/// A state that a search must reach to be meaningful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landmark {
    Restored,
    /// An open claim's job was found by an observation.
    Recovered,
    /// A claim that got a 409 had created the index itself.
    TakenWasOurs,
    /// The job of an abandoned claim was found.
    AbandonedWasOurs,
    /// The job of a closed claim was found.
    RecoveredUnclaimed,
    Adopted,
    /// A claim got a 409, and the index is foreign.
    TakenByOther,
    /// The name was taken before the first claim.
    NameTaken,
    Abandoned,
    SecondAttempt,
    Unsent,
    /// The claim's write got no answer, but was stored.
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
