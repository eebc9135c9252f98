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
        let ready = find(conditions, "Ready")?;
        let mut all = Self::ALL.into_iter();
        all.find(|reason| reason.as_str() == ready.reason)
    }

    /// Every reason, in the order of the reference.
    pub const ALL: [Self; 26] = [
        Self::Pending,
        Self::SecretNotFound,
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

    /// Returns the word that conditions, events and metrics show.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::SecretNotFound => "SecretNotFound",
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

    /// One row of the README's table for each reason, with what the code says.
    #[test]
    fn the_readme_shows_the_condition_states_of_every_reason() {
        let readme = include_str!("../../../README.md");
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
                readme.lines().any(|line| line.starts_with(&row)),
                "no row begins with {row}"
            );
        }
    }
}
