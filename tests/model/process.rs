//! A process that runs the operator: where it is in its pass, what it remembers, and what it
//! means to write.

use index_restore_operator::api::{Reason, SubmissionOutcome};

use crate::world::{Backup, Index, Object, Progress, Project, Time, View};

/// What is to be written. Messages and times of a job are left out: nothing is
/// decided by them.
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
    /// How many ticks ago the time is until which the claim was observed, and whether an index
    /// was seen.
    Observed(u8, bool),
    Confirmed,
    Unconfirmed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plan {
    Keep,
    /// The date, and how many ticks ago it was.
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

/// One listing of restore jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Listing {
    pub rows: [Option<Row>; JOBS],
    /// The job that was asked for by its ID, and shown or not.
    pub confirmed: Option<Row>,
    pub doubted: Option<u8>,
    pub rival: Option<Rival>,
}

/// Another object of the same backup and index name, handled by the same operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rival {
    pub uid: u8,
    pub outcome: SubmissionOutcome,
    pub job: Option<u8>,
    /// How many ticks old its claim is, while that is open.
    pub age: u8,
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

/// What a process remembers of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Mind {
    /// Which evidence, in the book of all that were met, and its age in ticks.
    pub evidence: u16,
    pub age: u8,
    /// How many ticks ago the time is until which it observed the claim.
    pub observed: u8,
    /// The restore job of this backup and name that it saw.
    pub known: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Controller {
    pub cache: Option<View>,
    /// The cache was found behind: the next pass asks the API server.
    pub rereads: bool,
    pub key: Project,
    pub mind: Mind,
    pub phase: Phase,
}
