//! Pinecone's control plane, as far as a restore needs it: `model` is what the operator
//! knows, `wire` translates it from each version of the API.

mod api_key;
mod body;
mod client;
mod endpoint;
mod failure;
mod metrics;
mod model;
mod operation;
mod outcome;
mod pace;
mod rate_limit;
mod redact;
mod reply;
mod untrusted;
mod version;
mod wire;

pub use api_key::{ApiKey, InvalidKey, KeyId};
pub use client::Client;
pub use endpoint::{Endpoint, EndpointError};
pub use failure::{Failure, FailureKind, Lookup, MAX_RETRY_AFTER, found};
pub use metrics::RequestMetrics;
pub use model::{
    Backup, BackupState, CreateIndex, Created, Index, IndexHealth, JobState, Listing, RestoreJob,
    SourceBackup,
};
pub use outcome::{Posted, Sent, classify};
pub use rate_limit::{RateLimiter, with_waits};
pub use reply::Reply;
pub use version::ApiVersion;
