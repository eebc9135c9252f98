//! Requests to Pinecone's API and their answers, without HTTP and without state.

pub(crate) mod call;
pub(crate) mod error;
pub(crate) mod reply;
pub(crate) mod route;
