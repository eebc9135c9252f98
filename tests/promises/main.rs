//! What the operator promises, on a real kube-apiserver and etcd, with the real
//! binary under the RBAC that is shipped, against the emulator of Pinecone.
//!
//! All of it is one test binary, so that all tests share one control plane; each
//! has a namespace, an emulator and an operator of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admission;
mod admission_policies;
mod adoption;
mod confirmation;
mod crashes;
mod identity;
mod kubernetes_answers;
mod leadership;
mod lost_answers;
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
