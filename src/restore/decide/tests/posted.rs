//! What each answer to the create request makes of its claim.

use super::*;
use crate::api::SubmissionOutcome;
use crate::pinecone::{Created, Posted};
use crate::restore::after_post;

#[test]
fn closes_or_keeps_the_claim_by_the_answer_to_the_post() {
    let situation = Situation::of(&claimed("Open"));
    let outcome = |posted: Posted| {
        let (report, _) = after_post(&posted, &situation, 1, RULES.intervals);
        let status = report.status(&claimed("Open"), time(1));
        let reason = status.conditions[0].reason.clone();
        (
            status.submission.unwrap().outcome,
            reason,
            status.restore_job_id,
        )
    };
    let created = Created {
        restore_job_id: "j".into(),
        index_id: "i".into(),
        request_id: None,
    };
    assert_eq!(
        outcome(Posted::Accepted(created)),
        (
            SubmissionOutcome::Accepted,
            "Restoring".into(),
            Some("j".into())
        )
    );
    for (kind, expected) in [
        (FailureKind::Invalid, "InvalidRequest"),
        (FailureKind::Unauthorized, "InvalidApiKey"),
        (FailureKind::PaymentRequired, "PaymentRequired"),
        (FailureKind::Forbidden, "QuotaExceeded"),
        (FailureKind::UnsupportedVersion, "ApiUnavailable"),
        (FailureKind::NotFound, "BackupNotFound"),
        (FailureKind::PreconditionFailed, "BackupNotReady"),
        (FailureKind::RateLimited, "RateLimited"),
        (FailureKind::NotConnected, "ApiUnavailable"),
    ] {
        let refused = outcome(Posted::NoEffect(failure(kind)));
        assert_eq!(refused, (SubmissionOutcome::Refused, expected.into(), None));
    }
    let taken = outcome(Posted::Taken(failure(FailureKind::AlreadyExists)));
    assert_eq!(
        taken,
        (
            SubmissionOutcome::Taken,
            "ConfirmingSubmission".into(),
            None
        )
    );
    let unknown = outcome(Posted::Unknown(failure(FailureKind::Unavailable)));
    assert_eq!(
        unknown,
        (SubmissionOutcome::Open, "ConfirmingSubmission".into(), None)
    );
}

#[test]
fn backs_off_after_refusals_and_obeys_retry_after() {
    let situation = Situation::of(&claimed("Open"));
    let requeue_after = |refusals, retry_after: Option<u64>| {
        let mut refused = failure(FailureKind::Forbidden);
        refused.retry_after = retry_after.map(Duration::from_secs);
        after_post(
            &Posted::NoEffect(refused),
            &situation,
            refusals,
            RULES.intervals,
        )
        .1
    };
    assert_eq!(requeue_after(1, None), Duration::from_secs(2));
    assert_eq!(requeue_after(4, None), Duration::from_secs(16));
    assert_eq!(requeue_after(99, None), RULES.intervals.stalled());
    assert_eq!(requeue_after(1, Some(900)), Duration::from_secs(900));
    let refused = Posted::NoEffect(failure(FailureKind::Unauthorized));
    let (_, requeue_after) = after_post(&refused, &situation, 99, RULES.intervals);
    assert_eq!(
        requeue_after,
        RULES.intervals.secret(99),
        "the Secret may be mended soon"
    );
}
