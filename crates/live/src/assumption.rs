//! The assumptions about Pinecone, and the findings of a run.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An assumption about Pinecone, which the operator depends on and the emulator's defaults follow.
#[derive(Clone, Copy, Debug)]
pub struct Assumption {
    /// A stable ID.
    pub id: &'static str,
    /// The assumption as a sentence.
    pub sentence: &'static str,
}

const fn assumption(id: &'static str, sentence: &'static str) -> Assumption {
    Assumption { id, sentence }
}

/// All assumptions, in the order of the report.
pub const ASSUMPTIONS: [Assumption; 26] = [
    assumption("L1", "`GET /restore-jobs` lists the newest job first."),
    assumption(
        "L2a",
        "`GET /restore-jobs` does not list the job of a deleted index.",
    ),
    assumption(
        "L2b",
        "The job of a deleted index shortens its page, so that a page can be shorter than its limit while more rows follow.",
    ),
    assumption(
        "L2c",
        "`GET /restore-jobs/{id}` of the job of a deleted index is answered 404.",
    ),
    assumption(
        "L3a",
        "A recreated index of the same name has the host of the previous one.",
    ),
    assumption(
        "L3b",
        "The host of an index starts with `NAME-PROJECTID`, and PROJECTID is the same for all indexes of a project.",
    ),
    assumption(
        "L4a",
        "API 2026-07 shows `source_backup_id` on a restored index, equal to the backup's ID.",
    ),
    assumption("L4b", "API 2025-10 does not show `source_backup_id`."),
    assumption(
        "L5a",
        "`GET /indexes/{name}` shows the index right after the create is accepted.",
    ),
    assumption(
        "L5b",
        "`GET /restore-jobs` lists the job within 60 s of the create.",
    ),
    assumption(
        "L5c",
        "`GET /restore-jobs/{id}` shows the job within 60 s of the create.",
    ),
    assumption(
        "L6a",
        "A restore job is `Pending`, `Completed`, `Failed` or `Cancelled`.",
    ),
    assumption(
        "L6b",
        "`percent_complete` is 100 and `completed_at` is set once the job is `Completed`, and neither before.",
    ),
    assumption(
        "L7",
        "A create with the name of an existing index is answered 409 in Pinecone's own form.",
    ),
    assumption(
        "L8a",
        "A restored index has the tags of its backup if the create sends none.",
    ),
    assumption(
        "L8b",
        "Deletion protection of a restored index is `disabled` by default.",
    ),
    assumption(
        "L9a",
        "A request with an unknown API version is answered 400.",
    ),
    assumption(
        "L9b",
        "A request without a version header is answered as API 2025-10.",
    ),
    assumption("L10", "A malformed page token is answered 400."),
    assumption(
        "L11a",
        "A restore of an unknown backup is answered 404 in Pinecone's own form.",
    ),
    assumption("L11b", "A wrong API key is answered 401 in plain text."),
    assumption(
        "L12",
        "The record count of the restored index equals the backup's `record_count`.",
    ),
    assumption(
        "L13",
        "An index is `Ready` only once its restore job is `Completed`.",
    ),
    assumption("L14a", "An accepted create has a `Date` header."),
    assumption(
        "L14b",
        "The `Date` of an accepted create and the job's `created_at` agree to 30 s.",
    ),
    assumption("L14c", "The job's `created_at` is not null."),
];

/// What a run determined about an assumption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The service behaves as assumed.
    Confirmed,
    /// The service behaves differently.
    Refuted,
    /// The run did not observe enough.
    NotDetermined,
}

impl Verdict {
    /// The word in the report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Refuted => "refuted",
            Self::NotDetermined => "not determined",
        }
    }

    /// Confirmed or refuted.
    pub fn of(holds: bool) -> Self {
        match holds {
            true => Self::Confirmed,
            false => Self::Refuted,
        }
    }
}

/// A verdict and the observation that led to it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// What was observed, without the API key.
    pub evidence: String,
}

/// The findings of a run so far.
#[derive(Debug, Default)]
pub struct Findings(Mutex<BTreeMap<&'static str, Finding>>);

impl Findings {
    /// Records a finding. A later finding does not replace a refutation.
    pub fn record(&self, id: &'static str, verdict: Verdict, evidence: impl Into<String>) {
        debug_assert!(ASSUMPTIONS.iter().any(|known| known.id == id), "{id}");
        let mut findings = self.lock();
        if findings.get(id).map(|finding| finding.verdict) != Some(Verdict::Refuted) {
            let evidence = evidence.into();
            findings.insert(id, Finding { verdict, evidence });
        }
    }

    /// Records a finding that replaces any earlier one.
    pub fn replace(&self, id: &'static str, verdict: Verdict, evidence: impl Into<String>) {
        self.lock().remove(id);
        self.record(id, verdict, evidence);
    }

    /// The finding of each assumption. Those that the run did not reach are not determined, for the given reason.
    pub fn complete(&self, reason: &str) -> Vec<(Assumption, Finding)> {
        let findings = self.lock();
        let finding = |id| {
            findings.get(id).cloned().unwrap_or_else(|| Finding {
                verdict: Verdict::NotDetermined,
                evidence: reason.to_owned(),
            })
        };
        ASSUMPTIONS
            .iter()
            .map(|assumption| (*assumption, finding(assumption.id)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Finding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_confirmation_does_not_replace_a_refutation() {
        let findings = Findings::default();
        findings.record("L7", Verdict::Refuted, "first");
        findings.record("L7", Verdict::Confirmed, "second");
        let all = findings.complete("not reached");
        let of = |id| {
            let (_, finding) = all.iter().find(|(known, _)| known.id == id).unwrap();
            (finding.verdict, finding.evidence.as_str())
        };
        assert_eq!(of("L7"), (Verdict::Refuted, "first"));
        assert_eq!(of("L1"), (Verdict::NotDetermined, "not reached"));
    }
}
