//! What was done, and what was found wrong. The campaign goes on after a violation,
//! and ends with all of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
#[derive(Default)]
pub struct Tally {
    operations: Mutex<BTreeMap<&'static str, usize>>,
    checks: Mutex<BTreeMap<&'static str, usize>>,
    violations: Mutex<Vec<String>>,
}

/// Who judges.
#[derive(Clone, Copy, Debug)]
pub enum Oracle {
    /// The API server accepts and refuses by the schema.
    Validation,
    /// What Pinecone received is what was declared.
    Consistency,
    /// The same spec reached two ways has the same status.
    Differential,
    /// Every error state recovers by its fix alone.
    Recovery,
    /// One create for each resource, statuses that hold together, logs and keys.
    Health,
}

impl Oracle {
    fn name(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Consistency => "consistency",
            Self::Differential => "differential",
            Self::Recovery => "recovery",
            Self::Health => "health",
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tally {
    /// One operation more of that phase.
    pub fn operation(&self, phase: &'static str) {
        *locked(&self.operations).entry(phase).or_default() += 1;
    }

    /// One judgement: `Err` describes what is wrong.
    pub fn judge(&self, oracle: Oracle, about: &str, judgement: Result<()>) {
        *locked(&self.checks).entry(oracle.name()).or_default() += 1;
        if let Err(wrong) = judgement {
            let violation = format!("{}: {about}: {wrong}", oracle.name());
            eprintln!("VIOLATION {violation}");
            locked(&self.violations).push(violation);
        }
    }

    pub fn operations(&self) -> usize {
        locked(&self.operations).values().sum()
    }

    pub fn checks(&self, oracle: Oracle) -> usize {
        let checks = locked(&self.checks);
        checks.get(oracle.name()).copied().unwrap_or_default()
    }

    pub fn violations(&self) -> Vec<String> {
        locked(&self.violations).clone()
    }

    /// So much is wrong that going on would only take time: each wait ends at its
    /// deadline.
    pub fn is_hopeless(&self) -> bool {
        locked(&self.violations).len() >= 12
    }

    /// One line of counts.
    pub fn summary(&self) -> String {
        let list = |counts: &BTreeMap<&str, usize>| {
            let parts = counts.iter().map(|(name, count)| format!("{count} {name}"));
            parts.collect::<Vec<_>>().join(", ")
        };
        format!(
            "{} operations ({}); checks: {}; {} violations",
            self.operations(),
            list(&locked(&self.operations)),
            list(&locked(&self.checks)),
            locked(&self.violations).len(),
        )
    }
}
