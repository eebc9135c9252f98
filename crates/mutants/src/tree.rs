//! A copy of the working tree for mutants.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, bail};

pub struct Tree {
    root: PathBuf,
    build: PathBuf,
}

impl Tree {
    /// Copies the tracked files of the current folder. Unchanged files are not copied again, so that
    /// their build stays valid.
    pub fn copy(directory: &Path) -> anyhow::Result<Self> {
        let directory = env::current_dir()?.join(directory);
        let tree = Self {
            root: directory.join("tree"),
            build: directory.join("build"),
        };
        let listed = Command::new("git").args(["ls-files", "-z"]).output()?;
        if !listed.status.success() {
            bail!("git does not list the files; run this in a clone of the repository");
        }
        for file in String::from_utf8(listed.stdout)?.split_terminator('\0') {
            let Ok(wanted) = fs::read(file) else {
                continue;
            };
            let copy = tree.root.join(file);
            if fs::read(&copy).is_ok_and(|present| present == wanted) {
                continue;
            }
            if let Some(parent) = copy.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::copy(file, &copy).with_context(|| format!("copying {file}"))?;
        }
        Ok(tree)
    }

    pub fn read(&self, file: &str) -> anyhow::Result<String> {
        fs::read_to_string(self.root.join(file)).with_context(|| format!("reading {file}"))
    }

    pub fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        fs::write(self.root.join(file), text).with_context(|| format!("writing {file}"))
    }

    pub fn cargo(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.build)
            .output();
        output.context("running cargo")
    }
}
