//! Applies each seeded mutant to a copy of the tree, and expects its named test to fail.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod item;
mod mutant;
mod tree;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Parser;

use crate::mutant::{Killer, Mutant, MutantResult};
use crate::tree::Tree;

const MUTANTS: &str = include_str!("../mutants.yaml");

/// Applies each mutant of mutants.yaml, and expects its named test to fail.
#[derive(Parser)]
struct Arguments {
    /// Run only mutants whose name contains this text.
    filter: Option<String>,

    /// Folder for the copy of the tree and its build, which the next run uses again.
    #[arg(long, default_value = "target/seeded-mutants")]
    directory: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut mutants: Vec<Mutant> =
        serde_saphyr::from_str(MUTANTS).context("mutants.yaml cannot be parsed")?;
    if let Some(filter) = &arguments.filter {
        mutants.retain(|mutant| mutant.name.contains(filter.as_str()));
    }
    let tree = Tree::copy(&arguments.directory)?;
    for mutant in &mutants {
        mutant.mutated(&tree.read(&mutant.file)?)?;
    }
    check_unmutated(&tree, &mutants)?;
    let mut not_killed = 0;
    for mutant in &mutants {
        let started = Instant::now();
        let verdict = mutant.run(&tree)?;
        not_killed += u32::from(verdict != MutantResult::Killed);
        println!(
            "{:9} {:4} s  {}  by {}",
            verdict.to_string(),
            started.elapsed().as_secs(),
            mutant.name,
            mutant.killed_by.test
        );
    }
    println!("{} mutants, {not_killed} not killed", mutants.len());
    if not_killed > 0 {
        bail!("at least one mutant was not killed");
    }
    Ok(())
}

/// Checks that every named test passes without a mutant.
fn check_unmutated(tree: &Tree, mutants: &[Mutant]) -> anyhow::Result<()> {
    let mut killers: Vec<&Killer> = mutants.iter().map(|mutant| &mutant.killed_by).collect();
    killers.sort();
    killers.dedup();
    for killer in killers {
        if !killer.run(tree)?.passed {
            bail!("{} fails without a mutant", killer.test);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn root() -> PathBuf {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        own.ancestors().nth(2).unwrap().to_path_buf()
    }

    fn mutants() -> Vec<Mutant> {
        serde_saphyr::from_str(MUTANTS).unwrap()
    }

    #[test]
    fn every_mutant_applies() {
        for mutant in mutants() {
            let text = fs::read_to_string(root().join(&mutant.file)).unwrap();
            let mutated = mutant.mutated(&text).unwrap();
            assert_ne!(mutated, text, "{} changes nothing", mutant.name);
        }
    }

    #[test]
    fn every_mutant_names_an_existing_test() {
        for mutant in mutants() {
            let killer = &mutant.killed_by;
            let (module, test) = killer.test.rsplit_once("::").unwrap();
            let path = module.replace("::", "/");
            let (of_module, inline) = match killer.target.as_str() {
                "lib" => (format!("src/{path}.rs"), path.strip_suffix("/tests")),
                target => (format!("tests/{target}/{path}.rs"), None),
            };
            let candidates = [
                Some(of_module),
                Some(format!("src/{path}/mod.rs")),
                inline.map(|inline| format!("src/{inline}.rs")),
            ];
            let declared = format!("fn {test}(");
            let exists = candidates.into_iter().flatten().any(|file| {
                let text = fs::read_to_string(root().join(file));
                text.is_ok_and(|text| text.contains(&declared))
            });
            assert!(exists, "{}: no test {}", mutant.name, killer.test);
        }
    }
}
