//! A real etcd and kube-apiserver on loopback, and the operator as a child process, for integration tests and the demo; and the
//! [`scene`] in which a test meets both, and an emulated Pinecone.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let control_plane = testkit::ControlPlane::shared().await?;
//! let namespace = control_plane.namespace("restores").await?;
//! control_plane.apply_in(&namespace, "{apiVersion: v1, kind: Secret, metadata: {name: pinecone}}").await?;
//! # Ok(()) }
//! ```
//!
//! No kube-controller-manager runs: nothing is garbage-collected, a deleted namespace stays `Terminating`, Deployments make no
//! Pods, and a namespace has no ServiceAccount but those that are applied. RBAC, admission, validation, watches, leases and
//! ServiceAccount tokens are the real ones.
//!
//! Every child ends with this process, and its temporary directory is removed, however this process ends: even by SIGKILL.

#![warn(missing_docs)]

pub mod api_answers;
pub mod binary;
pub mod history;
pub mod installation;
pub mod judge;
pub mod proxied;
pub mod scene;

mod access;
mod api_proxy;
mod api_server;
mod api_version;
mod apply;
mod assets;
mod build;
mod certificates;
mod control_plane;
mod etcd;
mod kubeconfig;
mod kubernetes;
mod operator;
mod ports;
mod process;
mod reaper;
mod rollback;
mod second;
mod stalling;
mod wait;

pub use api_proxy::{ApiProxy, Armed, Call, Event, Fault, Reply, Rule, Seen, Treatment};
pub use api_version::ApiVersion;
pub use apply::apply;
pub use assets::{KUBERNETES_VERSION, Program, cache_root, kubectl, tool};
pub use control_plane::ControlPlane;
pub use kubeconfig::client;
pub use kubernetes::kubernetes_version;
pub use operator::{Operator, OperatorBuilder};
pub use ports::free_port;
pub use rollback::Saved;
pub use second::SecondApiServer;
pub use wait::{DEADLINE, eventually, wait_for};
