//! One state of everything: small, comparable, and canonical, so that states which
//! differ in nothing that matters are one.

use index_restore_operator::api::{Reason, SubmissionOutcome};

use crate::environment::Budget;

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
    pub backup: Backup,
    pub outcome: SubmissionOutcome,
    pub reason: Option<Reason>,
}

/// The resource, as far as decisions depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    pub uid: u8,
    pub backup: Backup,
    pub observed: bool,
    pub submission: Option<Submission>,
    pub job: Option<u8>,
    pub state: Option<Progress>,
    /// Whose index's host is recorded.
    pub host: Option<u8>,
    pub shown: Option<Reason>,
}

impl Object {
    pub fn fresh(uid: u8, backup: Backup) -> Self {
        Self {
            uid,
            backup,
            observed: false,
            submission: None,
            job: None,
            state: None,
            host: None,
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

/// What is to be written. Messages and times of a job are left out: nothing is
/// decided by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Writing {
    pub reason: Reason,
    pub change: Changing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Changing {
    Nothing,
    Taken,
    Close(SubmissionOutcome, Option<Reason>),
    Record {
        job: u8,
        backup: Backup,
        adopted: bool,
        state: Option<Progress>,
    },
    Job(Progress),
    Finish(Progress, u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plan {
    Keep,
    Submit { date: Time },
    Write(Writing),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    pub id: u8,
    pub backup: Backup,
    pub created: Time,
    pub state: Progress,
}

pub const JOBS: usize = 4;

/// One listing of restore jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Listing {
    pub rows: [Option<Row>; JOBS],
    pub confirmed: Option<u8>,
}

/// The first of the two reads of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glimpse {
    Index(Option<Index>),
    Jobs(Listing),
    Job { row: Option<Row>, index: bool },
}

/// Where a process is in its pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Idle,
    /// `frozen` is for how many ticks it was stopped since the first read.
    Looking {
        seen: View,
        first: Glimpse,
        frozen: u8,
    },
    Decided {
        seen: View,
        plan: Plan,
    },
    /// The claim's write was not answered, or by a conflict.
    Doubting {
        nonce: u8,
        late: bool,
    },
    Holding {
        claimed: View,
        late: bool,
    },
    Posting {
        claimed: View,
    },
    /// `base` is what the outcome is written onto; without it the object has to be
    /// read again.
    Recording {
        claimed: Object,
        base: Option<View>,
        writing: Writing,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Controller {
    pub cache: Option<View>,
    /// The cache was found behind: the next pass asks the API server.
    pub rereads: bool,
    pub key: Project,
    /// Which evidence, in the book of all that were met, and its age in ticks.
    pub evidence: u16,
    pub age: u8,
    pub phase: Phase,
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

/// The index that has the name now. It is ready once its job is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Index {
    pub job: u8,
    pub ready: bool,
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
    /// The operator wrote the host of an index that is not the recorded job's.
    pub wrong_host: bool,
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
            evidence: 0,
            age: 0,
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
        let by = self
            .index
            .and_then(|index| self.jobs[usize::from(index.job)]);
        by.is_some_and(|job| job.by == Some(uid))
    }
}
