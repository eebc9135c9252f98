//! The answer matrix: every way in which Pinecone, or what stands before it, can answer
//! or fail to, on the create request and on each read. A real kube-apiserver, the real
//! binary; Pinecone alone is emulated.
//!
//! A cell has a project, a key, a backup and a restore of its own, so that the cells of
//! a column run at once under one operator. All that failed are named at the end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cell;
mod certificates;
mod create;
mod gate;
mod kinds;
mod lists;
mod matrix;
mod reads;
mod record;
mod transport;
