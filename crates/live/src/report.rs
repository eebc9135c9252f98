//! The report, as Markdown and as lines on the terminal.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::assumption::{Assumption, Finding, Verdict};
use crate::client::{NEW, OLD};
use crate::ledger::Leftover;

/// Everything a report shows.
#[derive(Debug)]
pub struct Report {
    /// The host of the endpoint.
    pub host: String,
    /// The backup's ID.
    pub backup: String,
    /// The backup's size, as Pinecone describes it.
    pub size: String,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended, including the cleanup.
    pub ended: Timestamp,
    /// Whether it completed, and if not, why.
    pub outcome: Result<(), String>,
    /// What it determined.
    pub findings: Vec<(Assumption, Finding)>,
    /// The indexes that could not be deleted, each with the command to do it.
    pub leftovers: Vec<(Leftover, String)>,
}

impl Report {
    /// The number of assumptions with that verdict.
    fn count(&self, verdict: Verdict) -> usize {
        let findings = self.findings.iter();
        findings.filter(|(_, f)| f.verdict == verdict).count()
    }

    /// How many assumptions were confirmed, refuted and not determined.
    pub fn totals(&self) -> String {
        format!(
            "{} confirmed, {} refuted, {} not determined",
            self.count(Verdict::Confirmed),
            self.count(Verdict::Refuted),
            self.count(Verdict::NotDetermined)
        )
    }

    /// One line per assumption.
    pub fn lines(&self) -> String {
        let mut lines = String::new();
        for (assumption, finding) in &self.findings {
            // Writing to a string cannot fail.
            let _ = writeln!(
                lines,
                "{:5} {:15} {} {}",
                assumption.id,
                finding.verdict.word(),
                assumption.sentence,
                plain(&finding.evidence)
            );
        }
        lines
    }

    /// The whole report.
    pub fn markdown(&self) -> String {
        let outcome = match &self.outcome {
            Ok(()) => "completed".to_owned(),
            Err(reason) => format!("not completed: {}", markdown(reason)),
        };
        let mut text = format!(
            "# Live check of Pinecone\n\n\
             - Program: `live` {}\n- Date: {:.0} to {:.0}\n- Endpoint: {}\n- API versions: {NEW}, {OLD}\n\
             - Backup: {} ({})\n- Outcome: {outcome}\n- Result: {}\n\n\
             ## Assumptions\n\n| ID | Assumption | Result |\n|---|---|---|\n",
            env!("CARGO_PKG_VERSION"),
            self.started,
            self.ended,
            self.host,
            markdown(&self.backup),
            self.size,
            self.totals()
        );
        for (Assumption { id, sentence }, finding) in &self.findings {
            let _ = writeln!(text, "| {id} | {sentence} | {} |", finding.verdict.word());
        }
        text.push_str("\n## Evidence\n\n");
        for (assumption, finding) in &self.findings {
            let (id, word) = (assumption.id, finding.verdict.word());
            let _ = writeln!(text, "- **{id}** ({word}): {}", markdown(&finding.evidence));
        }
        if !self.leftovers.is_empty() {
            text.push_str("\n## Indexes that were not deleted\n\n");
        }
        for (leftover, command) in &self.leftovers {
            let (name, reason) = (&leftover.name, markdown(&leftover.reason));
            let _ = writeln!(text, "- {name}: {reason}. Delete it by hand: `{command}`");
        }
        text
    }
}

/// The text on one line, without control characters.
fn plain(text: &str) -> String {
    let spaced = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    spaced.collect()
}

/// The text on one line, with nothing in it that Markdown would render.
fn markdown(text: &str) -> String {
    let mut escaped = String::new();
    for c in plain(text).chars() {
        if "\\`*_<>[]|".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_foreign_text_and_keeps_it_on_one_line() {
        assert_eq!(markdown("a\nb|<c>"), "a b\\|\\<c\\>");
    }
}
