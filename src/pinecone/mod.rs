//! Pinecone's control plane, as far as a restore needs it (API version 2025-10).

mod body;
mod client;
#[cfg(test)]
mod client_tests;
mod failure;
mod key;
mod operation;
mod outcome;
mod pace;
mod redact;
mod reply;
mod types;
mod untrusted;

pub use client::{Client, Endpoint, EndpointError};
pub use failure::{Failure, FailureKind};
pub use key::{ApiKey, InvalidKey, KeyId};
pub use outcome::{Posted, Sent, classify};
pub use pace::Admission;
pub use reply::Reply;
pub use types::{Backup, CreateIndex, Created, Index, Listing, RestoreJob};
