//! Requests to Pinecone's API and its answers, without HTTP and without any state.

pub(crate) mod call;
pub(crate) mod error;
pub(crate) mod reply;
pub(crate) mod route;
