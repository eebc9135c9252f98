//! Faults, and what they make of a request and its answer.

pub(crate) mod answer;
pub(crate) mod fault;
pub(crate) mod injected;
pub(crate) mod plan;
pub(crate) mod status;
