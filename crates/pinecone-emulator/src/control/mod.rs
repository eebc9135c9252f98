//! The handle with which tests observe and change an emulator.

mod faults;
pub(crate) mod handle;
mod journal;
mod projects;
mod resources;
pub(crate) mod snapshot;
