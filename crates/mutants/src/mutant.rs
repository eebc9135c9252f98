//! A mutant: one change that breaks the protocol, and the test that must fail.

use std::fmt::{self, Display};

use anyhow::{Context as _, bail};
use regex::Regex;
use serde::Deserialize;

use crate::item;
use crate::tree::Tree;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    pub name: String,
    pub file: String,
    /// The function, method (`Type::name`) or constant that is changed.
    item: String,
    /// The text to replace, with any white space. The item must contain it exactly once, so that a
    /// mutant that no longer applies is an error.
    from: String,
    to: String,
    pub killed_by: Killer,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
pub struct Killer {
    /// `lib`, or the name of a test binary.
    pub target: String,
    /// The full path of the test.
    pub test: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MutantResult {
    Killed,
    Survived,
    /// The mutated code does not compile.
    NotBuilt,
}

pub struct Outcome {
    pub passed: bool,
    failed: bool,
}

impl Mutant {
    /// The file's text with the change.
    ///
    /// # Errors
    /// If the item does not contain the text to replace exactly once.
    pub fn mutated(&self, text: &str) -> anyhow::Result<String> {
        let mutated = self.replaced(text);
        mutated.with_context(|| format!("{} does not apply to {}", self.name, self.file))
    }

    fn replaced(&self, text: &str) -> anyhow::Result<String> {
        let item = item::find(text, &self.item)?;
        let words: Vec<_> = self.from.split_whitespace().map(regex::escape).collect();
        let pattern = Regex::new(&words.join(r"\s+"))?;
        let found: Vec<_> = pattern.find_iter(&text[item.clone()]).collect();
        let [found] = found.as_slice() else {
            bail!(
                "{} contains the text {} times, not once",
                self.item,
                found.len()
            );
        };
        let (from, to) = (item.start + found.start(), item.start + found.end());
        Ok(format!("{}{}{}", &text[..from], self.to, &text[to..]))
    }

    /// Applies the change, runs the test, and reverts the change.
    pub fn run(&self, tree: &Tree) -> anyhow::Result<MutantResult> {
        let original = tree.read(&self.file)?;
        tree.write(&self.file, &self.mutated(&original)?)?;
        let outcome = self.killed_by.run(tree);
        tree.write(&self.file, &original)?;
        Ok(match outcome? {
            Outcome { failed: true, .. } => MutantResult::Killed,
            Outcome { passed: true, .. } => MutantResult::Survived,
            _ => MutantResult::NotBuilt,
        })
    }
}

impl Killer {
    pub fn run(&self, tree: &Tree) -> anyhow::Result<Outcome> {
        let target: &[&str] = match self.target.as_str() {
            "lib" => &["--lib"],
            binary => &["--test", binary],
        };
        let mut arguments = vec!["test", "--quiet", "--package", "index-restore-operator"];
        arguments.extend(target);
        arguments.extend(["--", "--exact", self.test.as_str()]);
        let output = tree
            .cargo(&arguments)
            .with_context(|| format!("running {}", self.test))?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        Ok(Outcome {
            passed: stdout.contains("test result: ok. 1 passed"),
            failed: stdout.contains("test result: FAILED. 0 passed; 1 failed"),
        })
    }
}

impl Display for MutantResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Killed => "killed",
            Self::Survived => "SURVIVED",
            Self::NotBuilt => "NOT BUILT",
        })
    }
}
