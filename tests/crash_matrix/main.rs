//! The operator is killed or frozen before and after each I/O of a restore, and a
//! restart, a standby or its own thaw follows: see docs/design/crash-matrix.md.
//!
//! Each cell of the matrix is a test with a name. The judge is what Pinecone's
//! emulator accepted, and what etcd stored of the object.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod audit;
mod cell;
mod matrix;
mod story;
mod suspect;
mod verdict;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use index_restore_operator::runtime::failpoint::{Side, Site};
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let reached = Arc::new(Mutex::new(BTreeSet::new()));
    let cells = matrix::cells();
    let trials = cells.into_iter().map(|cell| {
        let (handle, reached) = (runtime.handle().clone(), Arc::clone(&reached));
        Trial::test(cell.name(), move || {
            let played = handle.block_on(Box::pin(cell.play(&reached)));
            played.map_err(|error| format!("{error:#}").into())
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    let played = conclusion.num_passed + conclusion.num_failed;
    let reached = reached.lock().unwrap();
    println!("{played} cells, {} failpoints hit", reached.len());
    let missed: Vec<_> = all().into_iter().filter(|p| !reached.contains(p)).collect();
    let is_whole = conclusion.num_filtered_out == 0 && !arguments.list;
    if is_whole && !missed.is_empty() {
        println!("never hit: {missed:?}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

fn all() -> Vec<String> {
    let sides = |site: &Site| Side::BOTH.map(|side| format!("{}/{}", site.name(), side.name()));
    Site::ALL.iter().flat_map(sides).collect()
}
