//! The health that Argo CD, Flux, Helm 4 and kstatus report for each state.

use index_restore_operator::api::Reason;
use serde_json::{Value, json};

use crate::judges::{ObjectHealth, judge};
use crate::states::{DELETING, EDITED, UNOBSERVED, states};

/// The health of a state for a tool that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    InProgress,
    Failed,
    Healthy,
}

/// The expected health for each row of the status table.
pub fn expected(reason: Reason) -> Health {
    match reason {
        Reason::Pending
        | Reason::SecretNotFound
        | Reason::SecretForbidden
        | Reason::InvalidSecret
        | Reason::InvalidApiKey
        | Reason::PaymentRequired
        | Reason::PermissionDenied
        | Reason::QuotaExceeded
        | Reason::BackupNotReady
        | Reason::RateLimited
        | Reason::ApiUnavailable
        | Reason::ConfirmingSubmission
        | Reason::Restoring
        | Reason::IndexNotReady => Health::InProgress,
        Reason::SubmissionUnconfirmed
        | Reason::InvalidRequest
        | Reason::BackupNotFound
        | Reason::BackupFailed
        | Reason::CrdOutdated
        | Reason::IndexAlreadyExists
        | Reason::RestoreFailed
        | Reason::RestoreCancelled
        | Reason::RestoreJobNotFound
        | Reason::IndexFailed
        | Reason::IndexDeleted
        | Reason::DeletionProtectionMismatch => Health::Failed,
        Reason::Restored | Reason::Adopted => Health::Healthy,
    }
}

impl Health {
    pub fn argo(self) -> &'static str {
        match self {
            Self::InProgress => "Progressing",
            Self::Failed => "Degraded",
            Self::Healthy => "Healthy",
        }
    }

    fn kstatus(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Healthy => "Current",
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_reports_the_documented_health_for_each_reason() {
    let states = states().await;
    let objects: Vec<_> = Reason::ALL
        .map(|reason| states[reason.as_str()].clone())
        .into();
    for ((reason, verdict), object) in Reason::ALL.into_iter().zip(judge(&objects)).zip(&objects) {
        let health = expected(reason);
        let ready = &object["status"]["conditions"][0];
        assert_eq!(ready["reason"], reason.as_str());
        let text = |field: &str| ready[field].as_str().unwrap();
        let wanted = ObjectHealth {
            upstream: health.kstatus().into(),
            flux: health.kstatus().into(),
            expressions: health.kstatus().into(),
            argo: health.argo().into(),
            argo_message: format!("{}: {}", text("reason"), text("message")),
        };
        assert_eq!(verdict, wanted, "{reason:?}: {object:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_the_operator_has_not_observed_is_in_progress() {
    let states = states().await;
    let observed = &states[UNOBSERVED]["status"]["observedGeneration"];
    assert_eq!(observed, &json!(-1));
    let is_ready = "/status/conditions/0/status";
    assert_eq!(
        states[UNOBSERVED].pointer(is_ready),
        Some(&json!("Unknown"))
    );
    assert_eq!(states[EDITED].pointer(is_ready), Some(&json!("True")));
    let objects = [&states[UNOBSERVED], &states[EDITED]].map(Clone::clone);
    for (object, verdict) in objects.iter().zip(judge(&objects)) {
        let wanted = ObjectHealth {
            upstream: "InProgress".into(),
            flux: "InProgress".into(),
            expressions: "InProgress".into(),
            argo: "Progressing".into(),
            argo_message: "Waiting for the operator".into(),
        };
        assert_eq!(verdict, wanted, "{object:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_being_deleted_is_not_healthy() {
    let states = states().await;
    let deleting = states[DELETING].clone();
    assert!(deleting["metadata"]["deletionTimestamp"].is_string());
    let verdict = &judge(&[deleting])[0];
    assert_eq!(verdict.upstream, "Terminating");
    assert_eq!(verdict.flux, "Terminating");
    assert_eq!(verdict.argo, "Progressing");
    assert_eq!(verdict.argo_message, "Pending deletion");
}

/// Conditions of another generation prove nothing, whether it is older or newer than the object's.
#[tokio::test(flavor = "multi_thread")]
async fn conditions_of_another_generation_are_neither_healthy_nor_failed() {
    let states = states().await;
    let objects = Reason::ALL.map(|reason| {
        let mut object = states[reason.as_str()].clone();
        let generation = object["metadata"]["generation"].as_i64().unwrap();
        object["metadata"]["generation"] = json!(generation + 1);
        object
    });
    for (reason, verdict) in Reason::ALL.into_iter().zip(judge(&objects)) {
        let statuses = [&verdict.upstream, &verdict.flux, &verdict.expressions];
        assert_eq!(statuses, ["InProgress"; 3], "{reason:?}");
        assert_eq!(verdict.argo, "Progressing", "{reason:?}");
    }
}

/// Incomplete statuses, as an older operator or a manual edit could leave them, are not healthy.
#[tokio::test(flavor = "multi_thread")]
async fn argo_cd_does_not_report_an_incomplete_status_as_healthy() {
    let restored = &states().await[Reason::Restored.as_str()];
    let edits: [fn(&mut Value); 4] = [
        |object| object["status"] = Value::Null,
        |object| object["status"]["conditions"] = json!([]),
        |object| object["status"]["observedGeneration"] = Value::Null,
        |object| object["status"]["conditions"][0]["observedGeneration"] = json!(0),
    ];
    for edit in edits {
        let mut object = restored.clone();
        edit(&mut object);
        let health = crate::judges::argo(
            &["health", &crate::path(crate::judges::CONFIG_MAP)],
            &json!([object]).to_string(),
        );
        assert_eq!(health[0]["status"], "Progressing", "{object:#}");
    }
}
