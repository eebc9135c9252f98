//! A process that runs the operator: the phase of its reconcile, its memory, and its pending write.

use index_restore_operator::api::{Reason, SubmissionOutcome};

use crate::world::{Backup, Index, Object, Progress, Project, Time, View};

/// A pending status write, without messages and times of a job, which do not affect decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Writing {
    pub reason: Reason,
    /// The message says that the origin of an index cannot be determined.
    pub is_unsure: bool,
    pub change: Changing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Changing {
    Nothing,
    Taken,
    Close(SubmissionOutcome, Option<Reason>),
    Record {
        job: Option<u8>,
        backup: Backup,
        adopted: bool,
        state: Option<Progress>,
    },
    Job(Progress),
    Finish(Option<Progress>, Project),
    /// The number of ticks since the claim was last observed, and whether an index was observed.
    Observed(u8, bool),
    Confirmed,
    Unconfirmed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plan {
    Keep,
    /// The date, and the number of ticks since then.
    Submit {
        date: Time,
        ago: u8,
    },
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

/// One list of restore jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Listing {
    pub rows: [Option<Row>; JOBS],
    /// The job that was requested by its ID, if Pinecone showed it.
    pub confirmed: Option<Row>,
    pub doubted: Option<u8>,
    pub rival: Option<Rival>,
}

/// Another object with the same backup and index name, reconciled by the same operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rival {
    pub uid: u8,
    pub outcome: SubmissionOutcome,
    pub job: Option<u8>,
    /// The age of its open claim in ticks.
    pub age: u8,
}

/// The first of the two reads of a reconcile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FirstRead {
    Index(Option<Index>),
    Jobs(Listing),
    Job { row: Option<Row>, index: bool },
}

/// The phase of a reconcile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Idle,
    /// `frozen` is the number of ticks for which it was stopped since the first read.
    Observing {
        seen: View,
        first: FirstRead,
        frozen: u8,
    },
    Decided {
        seen: View,
        plan: Plan,
    },
    /// The claim's write got no answer, or a conflict.
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
    /// `base` is the version onto which the outcome is written; without it the object must be read
    /// again.
    Recording {
        claimed: Object,
        base: Option<View>,
        writing: Writing,
    },
}

/// What a process remembers about the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Mind {
    /// The number of the evidence, and its age in ticks.
    pub evidence: u16,
    pub age: u8,
    /// The number of ticks since it last observed the claim.
    pub observed: u8,
    /// The restore job of this backup and index name that it observed.
    pub known: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Controller {
    pub cache: Option<View>,
    /// Whether the cache was stale, so that the next reconcile reads from the API server.
    pub rereads: bool,
    pub key: Project,
    pub mind: Mind,
    pub phase: Phase,
}
