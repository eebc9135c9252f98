//! The HTTP server.

mod admin;
mod connection;
pub(crate) mod emulator;
mod response;
