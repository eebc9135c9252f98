//! Tests of the chart and the kustomizations with the tools that users install them with, on a real kube-apiserver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod manifests;
mod tools;

mod argocd;
mod conformity;
mod guide;
mod kustomizations;
mod lifecycle;
mod metadata;
mod mistakes;
mod notes;
mod ownership;
mod permissions;
mod quickstart;
mod reasons;
mod rendering;
mod umbrella;
mod values;
mod waiting;
