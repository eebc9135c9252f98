//! Faults, and what they do to a request and its answer.

pub(crate) mod answer;
pub(crate) mod fault;
pub(crate) mod injected;
pub(crate) mod plan;
pub(crate) mod status;
