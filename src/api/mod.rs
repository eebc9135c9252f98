//! The Kubernetes API: the `IndexRestore` resource, and the conditions that it reports.

pub mod conditions;
mod index_restore;

pub use conditions::{ConditionStates, Progress, Truth};
pub(crate) use index_restore::named_as_index_restore;
pub use index_restore::{
    AdoptionPolicy, ApiKeySecretRef, DeletionProtection, IndexRestore, IndexRestoreSpec,
    IndexRestoreStatus, OnlyMetadata, REQUESTED_AT, Reason, RestoreStatus, StatusMessage,
    Submission, SubmissionOutcome, Trimmed, crd, crd_yaml,
};
