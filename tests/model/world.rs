//! One state of everything: small, comparable, and canonical, so that states which
//! differ in nothing that matters are one.

use index_restore_operator::api::{Reason, SubmissionOutcome};

use crate::environment::Budget;
pub use crate::process::{
    Changing, Controller, Glimpse, JOBS, Listing, Mind, Phase, Plan, Rival, Row, Writing,
};

/// A point in Pinecone's time. Only the order counts; equal points are within the
/// margin of the clocks.
pub type Time = u8;

/// Evidence of an age beyond all patience.
pub const HOUR: u8 = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backup {
    A,
    B,
}

/// The state of a restore job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    Pending,
    Completed,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Project {
    Right,
    Other,
}

/// `status.submission`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Submission {
    pub uid: u8,
    pub attempt: u8,
    pub nonce: u8,
    pub start: Time,
    /// How many ticks ago `lastObservedTime` is; one more than a gap stands for all more.
    pub unobserved: u8,
    pub index_seen: bool,
    pub backup: Backup,
    pub outcome: SubmissionOutcome,
    pub reason: Option<Reason>,
}

impl Submission {
    /// Whether its outcome is not known.
    pub fn is_open(&self) -> bool {
        matches!(
            self.outcome,
            SubmissionOutcome::Open | SubmissionOutcome::Taken
        )
    }
}

/// The resource, as far as decisions depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    pub uid: u8,
    pub backup: Backup,
    /// The person's request in the annotation, and the one that was acted on; 0 is none.
    pub request: u8,
    pub handled: u8,
    pub observed: bool,
    pub submission: Option<Submission>,
    pub job: Option<u8>,
    pub state: Option<Progress>,
    /// The recorded host: it names the project and nothing else.
    pub host: Option<Project>,
    /// Whether checks of the restored index fail.
    pub unconfirmed: bool,
    pub shown: Option<Reason>,
}

impl Object {
    pub fn fresh(uid: u8, backup: Backup) -> Self {
        Self {
            uid,
            backup,
            request: 0,
            handled: 0,
            observed: false,
            submission: None,
            job: None,
            state: None,
            host: None,
            unconfirmed: false,
            shown: None,
        }
    }

    /// The submission, if it was made for this object.
    pub fn own(&self) -> Option<&Submission> {
        self.submission.as_ref().filter(|s| s.uid == self.uid)
    }
}

/// The object as somebody read it, and whether that is its latest version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    pub object: Object,
    pub current: bool,
}

/// A restore job, and the index that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// The uid of the object whose claim it came from; none for other clusters.
    pub by: Option<u8>,
    pub backup: Backup,
    pub created: Time,
    pub state: Progress,
    /// `None` once it is listed.
    pub unlisted: Option<u8>,
}

impl Job {
    /// Whether it may be anybody's result.
    pub fn is_usable(&self) -> bool {
        self.state != Progress::Failed
    }
}

/// The index that has the name now. A restored one is ready once its job is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Index {
    /// The restore job and its backup; none for an index that was created empty.
    pub job: Option<(u8, Backup)>,
    pub ready: bool,
    pub project: Project,
}

impl Index {
    /// What an application creates.
    pub fn empty(project: Project) -> Self {
        Self {
            job: None,
            ready: true,
            project,
        }
    }

    pub fn is_of_job(&self, id: Option<u8>) -> bool {
        self.job.is_some_and(|(job, _)| Some(job) == id)
    }

    pub fn is_of_backup(&self, backup: Backup) -> bool {
        self.job.is_some_and(|(_, source)| source == backup)
    }
}

/// A create request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Post {
    /// Who waits for its answer.
    pub from: Option<u8>,
    pub uid: u8,
    pub is_other_backup: bool,
    pub is_other_project: bool,
    pub age: u8,
}

/// A status write that its sender gave up, and that the API server has yet to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LatePut {
    pub content: Object,
    pub current: bool,
}

/// What happened and must not have; kept so that each state tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Wrongs {
    /// A POST left without a claim that had landed.
    pub unclaimed_post: bool,
    /// Recorded IDs were changed or dropped by the operator.
    pub rewritten: bool,
    /// The operator said "taken by something else" of the index of its own claim.
    pub disowned: bool,
    /// The operator said "nothing was created" of a claim that Pinecone had accepted.
    pub forsaken: bool,
    /// The operator wrote IDs of a job of another backup.
    pub misrecorded: bool,
    /// The operator wrote the host of another project.
    pub wrong_host: bool,
    /// The operator said "ready" anew of an index that is not from the backup.
    pub false_ready: bool,
    /// The operator said "deleted" of the index that it restored.
    pub mislaid: bool,
    /// The operator adopted a job that had failed.
    pub adopted_failure: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub object: Option<Object>,
    /// The uid of the present or latest object.
    pub uid: u8,
    /// Its former status, where it was deleted: somebody may put it back.
    pub backup_copy: Option<Object>,
    pub late: Option<LatePut>,
    pub controllers: [Controller; 2],
    pub key: Project,
    pub jobs: [Option<Job>; JOBS],
    pub index: Option<Index>,
    /// For how many ticks the name has been taken.
    pub index_age: u8,
    /// The ready index that was there before, which a list of the same period shows yet.
    pub former: Option<Index>,
    /// For how many ticks Pinecone has not shown any restore job by its ID.
    pub outage: Option<u8>,
    pub rival: Option<Rival>,
    /// How often a person asked to submit again while a claim was open.
    pub approvals: u8,
    pub posts: [Option<Post>; 3],
    pub clock: Time,
    /// What began then or before began an hour ago.
    pub hour: Option<Time>,
    /// The nonces, as bits, that are in a claim which landed.
    pub landed: u8,
    pub budget: Budget,
    pub wrongs: Wrongs,
}

impl World {
    pub fn new(budget: Budget) -> Self {
        let object = Object::fresh(1, Backup::A);
        let view = View {
            object,
            current: true,
        };
        let controller = Controller {
            cache: Some(view),
            rereads: false,
            key: Project::Right,
            mind: Mind::default(),
            phase: Phase::Idle,
        };
        Self {
            object: Some(object),
            uid: 1,
            backup_copy: None,
            late: None,
            controllers: [controller; 2],
            key: Project::Right,
            jobs: [None; JOBS],
            index: None,
            index_age: 0,
            former: None,
            outage: None,
            rival: None,
            approvals: 0,
            posts: [None; 3],
            clock: 0,
            hour: None,
            landed: 0,
            budget,
            wrongs: Wrongs::default(),
        }
    }

    pub fn jobs(&self) -> impl Iterator<Item = (u8, &Job)> {
        (0..).zip(self.jobs.iter().flatten())
    }

    /// How many creates Pinecone accepted for the claims of this object.
    pub fn accepted(&self, uid: u8) -> usize {
        self.jobs().filter(|(_, job)| job.by == Some(uid)).count()
    }

    /// Whether the index that has the name now came from a claim of this object.
    pub fn is_own_index(&self, uid: u8) -> bool {
        let by = self.index.and_then(|index| self.maker(index));
        by.is_some_and(|job| job.by == Some(uid))
    }

    /// The restore job of an index.
    pub fn maker(&self, index: Index) -> Option<Job> {
        self.jobs[usize::from(index.job?.0)]
    }
}
