use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::conditions::{ConditionStates, Progress, Truth, find};

/// The reason of a restore's conditions and events, and of the metric's label. Reasons are API: none
/// is renamed or removed.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
// A doc comment on a variant would turn the enum of the CRD's schema into a oneOf.
#[allow(missing_docs)]
pub enum Reason {
    Pending,
    SecretNotFound,
    SecretForbidden,
    InvalidSecret,
    InvalidApiKey,
    PaymentRequired,
    PermissionDenied,
    QuotaExceeded,
    BackupNotReady,
    RateLimited,
    ApiUnavailable,
    ConfirmingSubmission,
    SubmissionUnconfirmed,
    Restoring,
    IndexNotReady,
    InvalidRequest,
    BackupNotFound,
    BackupFailed,
    #[serde(rename = "CRDOutdated")]
    CrdOutdated,
    IndexAlreadyExists,
    RestoreFailed,
    RestoreCancelled,
    RestoreJobNotFound,
    IndexFailed,
    IndexDeleted,
    DeletionProtectionMismatch,
    Restored,
    Adopted,
}

impl Reason {
    /// Returns the reason of the Ready condition; `None` where it is none of these.
    pub fn shown(conditions: &[Condition]) -> Option<Self> {
        Self::named(&find(conditions, "Ready")?.reason)
    }

    /// Returns the reason of that name; `None` where another version of the operator wrote it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// Every reason, in the order of the reference.
    pub const ALL: [Self; 28] = [
        Self::Pending,
        Self::SecretNotFound,
        Self::SecretForbidden,
        Self::InvalidSecret,
        Self::InvalidApiKey,
        Self::PaymentRequired,
        Self::PermissionDenied,
        Self::QuotaExceeded,
        Self::BackupNotReady,
        Self::RateLimited,
        Self::ApiUnavailable,
        Self::ConfirmingSubmission,
        Self::SubmissionUnconfirmed,
        Self::Restoring,
        Self::IndexNotReady,
        Self::InvalidRequest,
        Self::BackupNotFound,
        Self::BackupFailed,
        Self::CrdOutdated,
        Self::IndexAlreadyExists,
        Self::RestoreFailed,
        Self::RestoreCancelled,
        Self::RestoreJobNotFound,
        Self::IndexFailed,
        Self::IndexDeleted,
        Self::DeletionProtectionMismatch,
        Self::Restored,
        Self::Adopted,
    ];

    /// Returns the row of the status table.
    pub fn condition_states(self) -> ConditionStates {
        use Progress::{Reconciling, Settled, Stalled};
        use Truth::{False, True, Unknown};
        let (ready, progress, succeeded) = match self {
            Self::Pending | Self::ConfirmingSubmission => (Unknown, Reconciling, Unknown),
            Self::SecretNotFound
            | Self::SecretForbidden
            | Self::InvalidSecret
            | Self::InvalidApiKey
            | Self::PaymentRequired
            | Self::PermissionDenied
            | Self::QuotaExceeded
            | Self::BackupNotReady
            | Self::RateLimited
            | Self::ApiUnavailable
            | Self::Restoring
            | Self::IndexNotReady => (False, Reconciling, Unknown),
            Self::SubmissionUnconfirmed | Self::RestoreJobNotFound => (Unknown, Stalled, Unknown),
            Self::InvalidRequest
            | Self::BackupNotFound
            | Self::BackupFailed
            | Self::CrdOutdated => (False, Stalled, Unknown),
            Self::IndexAlreadyExists
            | Self::RestoreFailed
            | Self::RestoreCancelled
            | Self::IndexFailed
            | Self::IndexDeleted => (False, Stalled, False),
            Self::DeletionProtectionMismatch => (False, Stalled, True),
            Self::Restored | Self::Adopted => (True, Settled, True),
        };
        ConditionStates {
            ready,
            progress,
            succeeded,
        }
    }

    /// Returns the reason in one short sentence: the message of `Reconciling` and `Stalled`.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Pending => "The restore is not submitted yet.",
            Self::SecretNotFound => "The Secret of the API key does not exist.",
            Self::SecretForbidden => "The operator may not read the Secret of the API key.",
            Self::InvalidSecret => "The Secret has no usable API key.",
            Self::InvalidApiKey => "Pinecone rejects the API key.",
            Self::PaymentRequired => "Pinecone requires a payment.",
            Self::PermissionDenied => "The API key lacks a permission.",
            Self::QuotaExceeded => "A quota of the Pinecone project is used up.",
            Self::BackupNotReady => "The backup is not ready yet.",
            Self::RateLimited => "Pinecone limits the requests of the API key.",
            Self::ApiUnavailable => "Pinecone does not answer, or fails.",
            Self::ConfirmingSubmission => "Whether Pinecone accepted the restore is being checked.",
            Self::SubmissionUnconfirmed => "Whether Pinecone accepted the restore is not known.",
            Self::Restoring => "Pinecone restores the index.",
            Self::IndexNotReady => "The restore is complete; the index is not ready yet.",
            Self::InvalidRequest => "Pinecone rejects the request as invalid.",
            Self::BackupNotFound => "The API key's project has no such backup.",
            Self::BackupFailed => "The backup cannot be restored.",
            Self::CrdOutdated => "The CustomResourceDefinition is outdated.",
            Self::IndexAlreadyExists => "Another index has the name.",
            Self::RestoreFailed => "The restore job failed.",
            Self::RestoreCancelled => "The restore job was cancelled.",
            Self::RestoreJobNotFound => "Pinecone does not show the restore job.",
            Self::IndexFailed => "The index failed.",
            Self::IndexDeleted => "Pinecone does not show the index.",
            Self::DeletionProtectionMismatch => "The index has another deletion protection.",
            Self::Restored => "The index is restored and ready.",
            Self::Adopted => "The index was restored before, and is ready.",
        }
    }

    /// Returns the word that conditions, events and metrics show.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::SecretNotFound => "SecretNotFound",
            Self::SecretForbidden => "SecretForbidden",
            Self::InvalidSecret => "InvalidSecret",
            Self::InvalidApiKey => "InvalidApiKey",
            Self::PaymentRequired => "PaymentRequired",
            Self::PermissionDenied => "PermissionDenied",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::BackupNotReady => "BackupNotReady",
            Self::RateLimited => "RateLimited",
            Self::ApiUnavailable => "ApiUnavailable",
            Self::ConfirmingSubmission => "ConfirmingSubmission",
            Self::SubmissionUnconfirmed => "SubmissionUnconfirmed",
            Self::Restoring => "Restoring",
            Self::IndexNotReady => "IndexNotReady",
            Self::InvalidRequest => "InvalidRequest",
            Self::BackupNotFound => "BackupNotFound",
            Self::BackupFailed => "BackupFailed",
            Self::CrdOutdated => "CRDOutdated",
            Self::IndexAlreadyExists => "IndexAlreadyExists",
            Self::RestoreFailed => "RestoreFailed",
            Self::RestoreCancelled => "RestoreCancelled",
            Self::RestoreJobNotFound => "RestoreJobNotFound",
            Self::IndexFailed => "IndexFailed",
            Self::IndexDeleted => "IndexDeleted",
            Self::DeletionProtectionMismatch => "DeletionProtectionMismatch",
            Self::Restored => "Restored",
            Self::Adopted => "Adopted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/reasons.md");

    /// One row of the table for each reason, with what the code says.
    #[test]
    fn the_table_of_reasons_shows_the_condition_states_of_every_reason() {
        for reason in Reason::ALL {
            let states = reason.condition_states();
            let progress = match states.progress {
                Progress::Reconciling => "Reconciling",
                Progress::Stalled => "Stalled",
                Progress::Settled => "–",
            };
            let row = format!(
                "| `{}` | {} | {progress} | {}",
                reason.as_str(),
                states.ready.as_str(),
                states.succeeded.as_str(),
            );
            assert!(
                PAGE.lines().any(|line| line.starts_with(&row)),
                "no row begins with {row}"
            );
        }
    }

    /// What the page says under a heading, up to the next heading of its level.
    fn section(heading: &str) -> &'static str {
        let start = format!("\n## {heading}\n");
        let (_, rest) = PAGE
            .split_once(&start)
            .unwrap_or_else(|| panic!("docs/reasons.md has no section {heading}"));
        rest.split("\n## ").next().unwrap_or_default()
    }

    /// The words of a text without punctuation, and without what differs between runs: Pinecone's words,
    /// and numbers with their units.
    fn words(text: &str) -> String {
        let answer = regex::Regex::new(r"\(HTTP [^)]*\)").unwrap();
        let text = answer.replace_all(text, "");
        let words = text.split_whitespace();
        let words = words.filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
        let bare = words.map(|word| word.replace(|c: char| !c.is_alphanumeric(), ""));
        let is_word = |word: &String| !["", "ms", "s", "min", "h"].contains(&word.as_str());
        bare.filter(is_word).collect::<Vec<_>>().join(" ")
    }

    /// The message in the health check's test data, which the operator wrote.
    fn recorded_message(reason: &str) -> String {
        let path = format!(
            "{}/deploy/argocd/resource_customizations/restore.pinecone.io/IndexRestore/testdata/{reason}.yaml",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(path).unwrap();
        let object: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        let ready = &object["status"]["conditions"][0];
        assert_eq!(ready["type"], "Ready");
        ready["message"].as_str().unwrap().to_owned()
    }

    #[test]
    fn every_reason_has_a_section_with_the_operators_message_and_what_to_do() {
        for reason in Reason::ALL {
            let reason = reason.as_str();
            let (meaning, shown) = section(reason).split_once("```console\n").unwrap();
            let (output, advice) = shown.split_once("\n```\n").unwrap();
            let (message, output) = (words(&recorded_message(reason)), words(output));
            assert!(
                output.contains(&message),
                "{reason}: {message:?} is not in {output:?}"
            );
            for (text, part) in [(meaning, "what it means"), (advice, "what to do")] {
                let count = text.split_whitespace().count();
                assert!(count > 3, "{reason}: {part}");
            }
        }
        for event in ["CheckFailed", "RestoreOrphaned"] {
            assert!(
                section("Events").contains(&format!("\n### {event}\n")),
                "{event}"
            );
        }
    }

    /// A reader may see one section only.
    #[test]
    fn every_section_that_uses_the_function_of_the_page_links_to_it() {
        for reason in Reason::ALL {
            let reason = reason.as_str();
            let text = section(reason);
            let uses = ["\npinecone ", "`pinecone "].map(|call| text.contains(call));
            let is_linked = text.contains("(function of") && text.contains("(#what-to-type)");
            assert_eq!(uses.contains(&true), is_linked, "{reason}");
        }
    }
}
