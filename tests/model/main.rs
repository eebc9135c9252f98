//! The exhaustive model of the protocol: the product's own pure core in an environment where every
//! permitted fault happens, in every order.
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
mod observations;
mod pinecone;
mod process;
mod product;
mod properties;
mod protocol;
mod search;
mod steps;
mod submission;
mod translation;
mod users;
mod weakened;
mod world;
