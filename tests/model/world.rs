//! One state of the model: small, comparable and canonical, so that equivalent states are equal.

use index_restore_operator::api::{Reason, SubmissionOutcome};

use crate::environment::Budget;
pub use crate::process::{
    Changing, Controller, FirstRead, JOBS, Listing, Mind, Phase, Plan, Rival, Row, Writing,
};

/// A point in Pinecone's time. Only the order matters; equal points are within the margin of the
/// clocks.
pub type Time = u8;

/// An age of evidence that exceeds every patience.
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
    /// The number of ticks since `lastObservedTime`, limited to one more than a gap.
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

/// The fields of the resource that affect decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    pub uid: u8,
    pub backup: Backup,
    /// The user's request in the annotation, and the last handled one; 0 is none.
    pub request: u8,
    pub handled: u8,
    pub observed: bool,
    pub submission: Option<Submission>,
    pub job: Option<u8>,
    pub state: Option<Progress>,
    /// The recorded host, which identifies only the project.
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

/// A read of the object, and whether it is the latest version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    pub object: Object,
    pub current: bool,
}

/// A restore job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// The UID of the object whose claim it came from; `None` for other clusters.
    pub by: Option<u8>,
    pub backup: Backup,
    pub created: Time,
    pub state: Progress,
    /// `None` once it is listed.
    pub unlisted: Option<u8>,
}

impl Job {
    /// Whether its index may be adopted.
    pub fn is_usable(&self) -> bool {
        self.state != Progress::Failed
    }
}

/// The index that has the name. A restored index is ready once its job is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Index {
    /// The restore job and its backup; `None` for an index that was created empty.
    pub job: Option<(u8, Backup)>,
    pub ready: bool,
    pub project: Project,
}

impl Index {
    /// An empty index, as an application creates it.
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

/// A create request in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Post {
    /// The process that waits for its answer.
    pub from: Option<u8>,
    pub uid: u8,
    pub is_other_backup: bool,
    pub is_other_project: bool,
    pub age: u8,
}

/// A status write that timed out for its sender and has not reached the API server yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LatePut {
    pub content: Object,
    pub current: bool,
}

/// Violations of the properties on the path to this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Violations {
    /// A POST was sent without a stored claim.
    pub unclaimed_post: bool,
    /// Recorded IDs were changed or dropped by the operator.
    pub rewritten: bool,
    /// The operator reported the index of its own claim as foreign.
    pub own_index_foreign: bool,
    /// The operator reported "nothing was created" for a claim that Pinecone accepted.
    pub accepted_missing: bool,
    /// The operator wrote IDs of a job of another backup.
    pub misrecorded: bool,
    /// The operator wrote the host of another project.
    pub wrong_host: bool,
    /// The operator newly reported an index as ready that is not from the backup.
    pub false_ready: bool,
    /// The operator reported its existing restored index as deleted.
    pub existing_deleted: bool,
    /// The operator adopted a job that had failed.
    pub adopted_failure: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub object: Option<Object>,
    /// The UID of the current or latest object.
    pub uid: u8,
    /// The deleted object with its status, which a user may restore.
    pub backup_copy: Option<Object>,
    pub late: Option<LatePut>,
    pub controllers: [Controller; 2],
    pub key: Project,
    pub jobs: [Option<Job>; JOBS],
    pub index: Option<Index>,
    /// The number of ticks for which an index of the name has existed.
    pub index_age: u8,
    /// The previous ready index, which a list of the same period still shows.
    pub former: Option<Index>,
    /// The number of ticks since the outage of the job store started.
    pub outage: Option<u8>,
    pub rival: Option<Rival>,
    /// The number of requests of users for another submission while a claim was open.
    pub approvals: u8,
    pub posts: [Option<Post>; 3],
    pub clock: Time,
    /// Submissions that started at this time or before are an hour old.
    pub hour: Option<Time>,
    /// The nonces of stored claims, as bits.
    pub landed: u8,
    pub budget: Budget,
    pub violations: Violations,
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
            violations: Violations::default(),
        }
    }

    pub fn jobs(&self) -> impl Iterator<Item = (u8, &Job)> {
        (0..).zip(self.jobs.iter().flatten())
    }

    /// The number of creates that Pinecone accepted for the claims of this object.
    pub fn accepted(&self, uid: u8) -> usize {
        self.jobs().filter(|(_, job)| job.by == Some(uid)).count()
    }

    /// Whether the current index came from a claim of this object.
    pub fn is_own_index(&self, uid: u8) -> bool {
        let by = self.index.and_then(|index| self.maker(index));
        by.is_some_and(|job| job.by == Some(uid))
    }

    /// The restore job of an index.
    pub fn maker(&self, index: Index) -> Option<Job> {
        self.jobs[usize::from(index.job?.0)]
    }
}
