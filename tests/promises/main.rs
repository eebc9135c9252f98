//! What the operator promises, on a real kube-apiserver and etcd, with the real
//! binary under the RBAC that is shipped, against the emulator of Pinecone.
//!
//! All of it is one test binary, so that all tests share one control plane; each
//! has a namespace, an emulator and an operator of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admission;
mod admission_policies;
mod adoption;
#[allow(dead_code)]
#[path = "../kubernetes_faults/cells.rs"]
mod cells;
mod confirmation;
mod crashes;
#[path = "../kubernetes_faults/history.rs"]
mod history;
mod identity;
mod installation;
mod kubernetes_answers;
mod leadership;
mod lost_answers;
mod migration;
mod observation;
mod operation;
mod origin;
#[allow(dead_code)]
#[path = "../kubernetes_faults/proxied.rs"]
mod proxied;
mod refusals;
mod removal;
mod restores;
mod rivals;
mod scene;
mod secrecy;
mod secrets;
mod tracking;
mod transport;
