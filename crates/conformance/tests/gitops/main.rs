//! Argo CD's and Flux's own code evaluates and applies IndexRestores, on a real kube-apiserver with the real operator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod examples;
mod health;
mod judges;
mod states;
mod sync;
mod testdata;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A file or folder of the repository.
fn path(relative: &str) -> String {
    format!("{ROOT}/{relative}")
}

fn text(relative: &str) -> String {
    std::fs::read_to_string(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

/// Builds the operator once for all scenes.
async fn with_operator() {
    let provided = testkit::binary::provide(env!("CARGO_PKG_NAME")).await;
    provided.unwrap();
}
