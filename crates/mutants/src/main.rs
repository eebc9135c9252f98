//! Breaks the protocol on purpose, one line at a time, and expects the test that is
//! named for it to fail. Works on a copy of the tree.

mod mutant;
mod tree;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Parser;

use crate::mutant::{Killer, Mutant, Verdict};
use crate::tree::Tree;

const MUTANTS: &str = include_str!("../mutants.yaml");

/// Breaks the protocol in each way of mutants.yaml, and sees a named test fail.
#[derive(Parser)]
struct Arguments {
    /// Only mutants whose name contains this.
    filter: Option<String>,

    /// Where the copy of the tree and its build are kept, for the next run.
    #[arg(long, default_value = "target/seeded-mutants")]
    directory: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut mutants: Vec<Mutant> =
        serde_saphyr::from_str(MUTANTS).context("mutants.yaml cannot be read")?;
    if let Some(filter) = &arguments.filter {
        mutants.retain(|mutant| mutant.name.contains(filter.as_str()));
    }
    let tree = Tree::copy(&arguments.directory)?;
    for mutant in &mutants {
        mutant.mutated(&tree)?;
    }
    check_unmutated(&tree, &mutants)?;
    let mut others = 0;
    for mutant in &mutants {
        let started = Instant::now();
        let verdict = mutant.run(&tree)?;
        others += u32::from(verdict != Verdict::Killed);
        println!(
            "{:9} {:4} s  {}  by {}",
            verdict.to_string(),
            started.elapsed().as_secs(),
            mutant.name,
            mutant.killed_by.test
        );
    }
    println!("{} mutants, {others} not killed", mutants.len());
    if others > 0 {
        bail!("a mutant that lives is a promise that no test keeps");
    }
    Ok(())
}

/// A test that fails anyway kills nothing.
fn check_unmutated(tree: &Tree, mutants: &[Mutant]) -> anyhow::Result<()> {
    let mut killers: Vec<&Killer> = mutants.iter().map(|mutant| &mutant.killed_by).collect();
    killers.sort();
    killers.dedup();
    for killer in killers {
        if !killer.run(tree)?.passed {
            bail!("{} does not pass on the tree as it is", killer.test);
        }
    }
    Ok(())
}
