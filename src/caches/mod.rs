//! Caches that many restores share: API keys from Secrets, and Pinecone's lists.

mod api_keys;
mod index_lists;

pub use api_keys::{ApiKeyCache, KeyProblem};
pub use index_lists::{IndexListCache, Restored};
