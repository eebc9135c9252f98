//! What may happen to the operator, how often, and which design stands against it.

use index_restore_operator::api::AdoptionPolicy;

/// A kind of fault, or of interference from outside. Each costs one of its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A process dies and starts again, in any place.
    Crash,
    /// A process stops between its claim and its POST for longer than the fence.
    Freeze,
    /// A process stops between two reads of a look while time passes.
    FreezeLook,
    /// The POST's answer is lost, the sender times out, or the request is dropped.
    LostAnswer,
    /// A proxy sends the POST again after Pinecone had accepted it.
    Repeat,
    /// Pinecone refuses the POST, in its own form.
    Refuse,
    /// A status write is answered by a time-out: applied, not applied, or applied later.
    LostWrite,
    /// Somebody else changes the object, and nothing that matters in it.
    Touch,
    /// Another cluster creates an index of that name.
    Foreign,
    /// A person deletes the index.
    DeleteIndex,
    /// A person deletes the object, and may create it again.
    DeleteObject,
    /// The status is lost.
    LoseStatus,
    /// The Secret changes to another project's key, or back.
    SwapKey,
    /// The restore job fails.
    FailJob,
    /// Pinecone shows no restore job by its ID for a while.
    JobOutage,
    /// An application deletes the index and creates an empty one of that name.
    Recreate,
    /// A person asks to submit again.
    Request,
    /// Another object of the same backup and index name is handled too.
    Rival,
    /// Pinecone does not answer the reads of one pass.
    Outage,
}

pub const FAULTS: usize = Fault::Outage as usize + 1;

/// How often each fault may happen, and how many in all.
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

    /// The budget without one such fault, if one is left.
    pub fn less(mut self, fault: Fault) -> Option<Self> {
        let left = self.of[fault as usize].checked_sub(1)?;
        self.of[fault as usize] = left;
        self.total = self.total.checked_sub(1)?;
        Some(self)
    }
}

/// How long things take, in ticks of the model's clock. The fence is shorter than
/// any tick; an hour is longer than all of them.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How many ticks a request may live in the network and in Pinecone.
    pub post_life: u8,
    /// How many ticks a restore job may stay out of the list.
    pub list_lag: u8,
    /// The product's patience before an open claim is abandoned.
    pub confirm: u8,
    /// The product's patience for the list of jobs.
    pub catch_up: u8,
    /// How many ticks an outage of the store of jobs may last.
    pub outage: u8,
    /// How many ticks are a gap in observation, where one more passed.
    pub gap: u8,
}

impl Timing {
    /// A request is dealt with, and its job listed, before the next tick.
    pub const PROMPT: Self = Self {
        post_life: 0,
        list_lag: 0,
        confirm: 1,
        catch_up: 1,
        outage: 1,
        gap: 1,
    };
    /// A request may outlive one tick, and its job may stay unlisted for another.
    pub const SLOW: Self = Self {
        post_life: 1,
        list_lag: 1,
        confirm: 3,
        catch_up: 2,
        outage: 1,
        gap: 3,
    };
}

/// The product's design, or one that lacks a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    Product,
    /// Sends without having written a claim.
    NoClaim,
    /// Writes the claim whatever version the object has.
    UnconditionalClaim,
    /// Cannot tell its own claim from a rival's.
    NoNonce,
    /// Takes "the name is taken" for the end.
    ConflictIsFailure,
    /// Believes at once that what it does not see is not there.
    NoPatience,
    /// Sends under a claim however old it is.
    NoFence,
    /// Does not ask for the backup to see whether the key is the project's.
    NoWitness,
    /// Takes a copied status for the object's own.
    UidUnchecked,
    /// Takes an index for another's where a list of restore jobs that came to its end
    /// lacks its job.
    CompleteListBelieved,
    /// Submits again however long nobody looked.
    GapIgnored,
    /// Takes an index with the recorded host for the restored one.
    HostIsIdentity,
    /// Adopts the index of a job that failed.
    FailedJobAdopted,
    /// Does not expect an abandoned request once a later one was refused.
    AbandonedForgotten,
}

/// What a list of restore jobs that came to its end shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Every job, whatever became of its index.
    Stay,
    /// Every job whose index exists.
    Vanish,
    /// As above, and each time perhaps nothing: a row that vanished ends the list early.
    Lossy,
    /// Nothing: a row that vanished ends the list before all others.
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
    /// Whether the other project has an index of that name.
    pub elsewhere: bool,
    /// The uid of another object of the same backup and name.
    pub rival: Option<u8>,
    /// Whether a person may delete an index that was not there for longer than a gap.
    pub quick_deletes: bool,
    /// Whether a pass may begin with an older version than the latest. Where not, an
    /// object still gets stale between a pass's reads and its write.
    pub stale_caches: bool,
    /// Whether job and index are read one after the other while a restore is
    /// followed, so that the index can change in between.
    pub split_follow: bool,
    /// Whether a restore takes time; else its job is completed as it is created.
    pub slow_jobs: bool,
    /// Whether the object may be created again with another backup, and with the
    /// former object's status.
    pub other_spec: bool,
    pub copied_status: bool,
    pub design: Design,
}

impl Environment {
    /// Whether nobody deletes an index, so that gaps in observation make no difference.
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
