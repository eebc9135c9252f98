//! The emulator over real connections, as a library and as a program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admin;
mod client;
mod layers;
mod program;
mod wire;
