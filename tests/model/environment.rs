//! The environment of a search: the faults and their number, the timing, and the design under test.

use index_restore_operator::api::AdoptionPolicy;

/// A kind of fault or of outside interference. Each occurrence reduces the budget by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A process crashes at any point and restarts.
    Crash,
    /// A process stops between its claim and its POST for longer than the fence.
    Freeze,
    /// A process stops between two reads of an observation while time passes.
    FreezeObservation,
    /// The POST's answer is lost, the sender times out, or the request is dropped.
    LostAnswer,
    /// A proxy repeats the POST after Pinecone accepted it.
    Repeat,
    /// Pinecone rejects the POST in Pinecone's error format.
    Refuse,
    /// A status write times out: applied, not applied, or applied later.
    LostWrite,
    /// Another client changes the object without an effect on decisions, such as a label.
    Touch,
    /// Another cluster creates an index of that name.
    Foreign,
    /// A user deletes the index.
    DeleteIndex,
    /// A user deletes the object, and may recreate it.
    DeleteObject,
    /// The status is lost.
    LoseStatus,
    /// The Secret changes to another project's key, or back.
    SwapKey,
    /// The restore job fails.
    FailJob,
    /// Pinecone answers 404 for every restore job for a limited time.
    JobOutage,
    /// An application deletes the index and creates an empty one of that name.
    Recreate,
    /// A user requests another submission.
    Request,
    /// The operator also reconciles another object with the same backup and index name.
    Rival,
    /// Pinecone does not answer the reads of one reconcile.
    Outage,
}

pub const FAULTS: usize = Fault::Outage as usize + 1;

/// The maximum number of occurrences of each fault, and of all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    pub of: [u8; FAULTS],
    pub total: u8,
}

impl Budget {
    pub fn new(total: u8, faults: &[(Fault, u8)]) -> Self {
        let mut of = [0; FAULTS];
        for (fault, times) in faults {
            of[*fault as usize] = *times;
        }
        Self { of, total }
    }

    pub fn allows(&self, fault: Fault) -> bool {
        self.total != 0 && self.of[fault as usize] != 0
    }

    /// The budget after one more occurrence of the fault; `None` if none is left.
    pub fn less(mut self, fault: Fault) -> Option<Self> {
        let left = self.of[fault as usize].checked_sub(1)?;
        self.of[fault as usize] = left;
        self.total = self.total.checked_sub(1)?;
        Some(self)
    }
}

/// Durations in ticks of the model's clock. The age limit of a claim is shorter than a tick; an hour
/// is longer than all durations.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The maximum number of ticks until a request takes effect or is lost.
    pub post_life: u8,
    /// The maximum number of ticks until a restore job is listed.
    pub list_lag: u8,
    /// The product's patience before an open claim is abandoned.
    pub confirm: u8,
    /// The product's patience for the list of jobs.
    pub catch_up: u8,
    /// The maximum number of ticks of an outage of the job store.
    pub outage: u8,
    /// The maximum observation gap in ticks.
    pub gap: u8,
}

impl Timing {
    /// A request takes effect, and its job is listed, before the next tick.
    pub const PROMPT: Self = Self {
        post_life: 0,
        list_lag: 0,
        confirm: 1,
        catch_up: 1,
        outage: 1,
        gap: 1,
    };
    /// A request may take one tick, and its job may stay unlisted for another.
    pub const SLOW: Self = Self {
        post_life: 1,
        list_lag: 1,
        confirm: 3,
        catch_up: 2,
        outage: 1,
        gap: 3,
    };
}

/// The product's design, or a weakened design that lacks a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    Product,
    /// Sends without having written a claim.
    NoClaim,
    /// Writes the claim without a check of the object's version.
    UnconditionalClaim,
    /// Does not distinguish its own claim from a rival's.
    NoNonce,
    /// Treats a 409 as the final outcome.
    ConflictIsFailure,
    /// Concludes absence from one observation.
    NoPatience,
    /// Sends under a claim of any age.
    NoFence,
    /// Does not request the backup to check that the key belongs to its project.
    NoWitness,
    /// Accepts a copied status as the object's own.
    UidUnchecked,
    /// Treats an index as foreign if a list of restore jobs that was read to its end lacks its job.
    CompleteListBelieved,
    /// Submits again after a gap of any length.
    GapIgnored,
    /// Identifies the restored index by its host.
    HostIsIdentity,
    /// Adopts the index of a job that failed.
    FailedJobAdopted,
    /// Does not expect an abandoned request to take effect after a later one was rejected.
    AbandonedForgotten,
}

/// What a list of restore jobs shows that was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Every job, whether or not its index exists.
    Stay,
    /// Every job whose index exists.
    Vanish,
    /// As above, or nothing: a dropped row ends the list early.
    Lossy,
    /// Nothing: a dropped row ends the list before all other rows.
    Hidden,
}

#[derive(Clone, Copy, Debug)]
pub struct Environment {
    pub name: &'static str,
    pub controllers: u8,
    pub budget: Budget,
    pub timing: Timing,
    pub adoption: AdoptionPolicy,
    pub rows: Rows,
    /// Whether an index names its backup.
    pub shows_source: bool,
    /// Whether the other project has an index of the same name.
    pub elsewhere: bool,
    /// The UID of another object with the same backup and index name.
    pub rival: Option<u8>,
    /// Whether a user may delete an index that existed for no longer than a gap.
    pub quick_deletes: bool,
    /// Whether a reconcile may start with an outdated version. If not, an object may still become
    /// stale between the reads and the write of a reconcile.
    pub stale_caches: bool,
    /// Whether job and index are read in two steps while a restore is polled, so that the index can
    /// change in between.
    pub split_follow: bool,
    /// Whether a restore takes time; otherwise its job is created as completed.
    pub slow_jobs: bool,
    /// Whether the object may be recreated with another backup, and with the status of the previous
    /// object.
    pub other_spec: bool,
    pub copied_status: bool,
    pub design: Design,
}

impl Environment {
    /// Whether no index is deleted, so that gaps in observation make no difference.
    pub fn is_watched(&self) -> bool {
        !self.budget.allows(Fault::DeleteIndex)
    }

    pub fn title(&self) -> String {
        let source = if self.shows_source {
            ", source shown"
        } else {
            ""
        };
        format!("{}{source}", self.name)
    }

    pub fn new(name: &'static str, total: u8, faults: &[(Fault, u8)]) -> Self {
        Self {
            name,
            controllers: 2,
            budget: Budget::new(total, faults),
            timing: Timing::PROMPT,
            adoption: AdoptionPolicy::IfSameBackup,
            rows: Rows::Lossy,
            shows_source: false,
            elsewhere: false,
            rival: None,
            quick_deletes: false,
            split_follow: false,
            slow_jobs: false,
            stale_caches: false,
            other_spec: false,
            copied_status: false,
            design: Design::Product,
        }
    }
}
