//! The promises of the operator: tests of the real binary under the shipped RBAC, on a real
//! kube-apiserver and etcd, against the emulator of Pinecone.
//!
//! They are one test binary and share one control plane; each test has its own namespace, emulator
//! and operator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admission;
mod admission_policies;
mod adoption;
mod command_line;
mod confirmation;
mod crashes;
mod explanation;
mod fairness;
mod identity;
mod kubernetes_answers;
mod leadership;
mod lost_answers;
mod metadata;
mod metrics;
mod migration;
mod observation;
mod operation;
mod origin;
mod refusals;
mod removal;
mod restores;
mod rivals;
mod secrecy;
mod secrets;
mod tracking;
mod transport;
