//! HTTP around the service.

mod admin;
mod connection;
pub(crate) mod emulator;
mod response;
