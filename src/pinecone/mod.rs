//! Pinecone's control plane, as far as a restore needs it: `model` is what the operator
//! knows, `wire` translates it from each version of the API.

mod body;
mod client;
#[cfg(test)]
mod client_tests;
mod failure;
mod key;
mod model;
mod operation;
mod outcome;
mod pace;
mod redact;
mod reply;
mod untrusted;
mod version;
mod wire;

pub use client::{Client, Endpoint, EndpointError};
pub use failure::{Failure, FailureKind};
pub use key::{ApiKey, InvalidKey, KeyId};
pub use model::{
    Backup, BackupState, CreateIndex, Created, Index, IndexHealth, JobState, Listing, RestoreJob,
    SourceBackup,
};
pub use outcome::{Posted, Sent, classify};
pub use pace::Admission;
pub use reply::Reply;
pub use version::ApiVersion;
