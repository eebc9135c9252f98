//! One way to break the protocol, and the test that must notice.

use std::fmt::{self, Display};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::tree::Tree;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    pub name: String,
    file: String,
    /// What is replaced. It must be in the file once, so that a mutant that no
    /// longer fits the code is an error.
    from: String,
    to: String,
    pub killed_by: Killer,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
pub struct Killer {
    /// `lib`, or the name of a test binary.
    target: String,
    /// The test's whole path.
    pub test: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Killed,
    Survived,
    /// It was not tried: the mutated code is refused by the compiler.
    NotBuilt,
}

pub struct Outcome {
    pub passed: bool,
    failed: bool,
}

impl Mutant {
    /// The file's text with the change in it.
    ///
    /// # Errors
    /// If what is to be replaced is not in the file exactly once.
    pub fn mutated(&self, tree: &Tree) -> anyhow::Result<String> {
        let text = tree.read(&self.file)?;
        let times = text.matches(&self.from).count();
        if times != 1 {
            bail!(
                "{}: its text is {times} times in {}, not once",
                self.name,
                self.file
            );
        }
        Ok(text.replacen(&self.from, &self.to, 1))
    }

    /// Builds the tree with the change, runs the killer, and takes the change back.
    pub fn run(&self, tree: &Tree) -> anyhow::Result<Verdict> {
        let original = tree.read(&self.file)?;
        tree.write(&self.file, &self.mutated(tree)?)?;
        let outcome = self.killed_by.run(tree);
        tree.write(&self.file, &original)?;
        Ok(match outcome? {
            Outcome { failed: true, .. } => Verdict::Killed,
            Outcome { passed: true, .. } => Verdict::Survived,
            _ => Verdict::NotBuilt,
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
        let told = String::from_utf8_lossy(&output.stdout);
        Ok(Outcome {
            passed: told.contains("test result: ok. 1 passed"),
            failed: told.contains("test result: FAILED. 0 passed; 1 failed"),
        })
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Killed => "killed",
            Self::Survived => "SURVIVED",
            Self::NotBuilt => "NOT BUILT",
        })
    }
}
