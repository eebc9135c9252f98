//! Argo CD's and Flux's own code judges and applies IndexRestores, on a real kube-apiserver with the real operator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../demo/src/binary.rs"]
mod binary;
#[path = "../../../../tests/promises/installation.rs"]
mod installation;
#[allow(dead_code)]
#[path = "../../../../tests/promises/scene.rs"]
mod scene;

mod examples;
mod health;
mod judges;
mod states;
mod sync;
mod testdata;

use std::path::PathBuf;

use tokio::sync::OnceCell;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A file or folder of the repository.
fn path(relative: &str) -> String {
    format!("{ROOT}/{relative}")
}

fn text(relative: &str) -> String {
    std::fs::read_to_string(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

/// Builds the operator, once, and lets scenes find it.
async fn with_operator() {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    let path = BUILT
        .get_or_init(async || binary::build().await.unwrap())
        .await;
    scene::OPERATOR.get_or_init(|| path.clone());
}
