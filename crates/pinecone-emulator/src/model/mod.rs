//! What Pinecone stores, and the limits that it documents.

pub(crate) mod backup;
pub(crate) mod id;
pub(crate) mod index;
pub(crate) mod job;
pub(crate) mod limits;
pub(crate) mod request_limit;
pub(crate) mod schema;
pub(crate) mod time;
