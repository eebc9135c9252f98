//! The protocol, exhaustively: the product's own pure core in a world where
//! everything that may fail does, in every order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod api_server;
mod canonical;
mod changes;
mod clock;
mod controller;
mod environment;
mod evidence;
mod hostile;
mod limits;
mod looks;
mod people;
mod pinecone;
mod process;
mod product;
mod properties;
mod protocol;
mod search;
mod steps;
mod submission;
mod translation;
mod weakened;
mod world;
