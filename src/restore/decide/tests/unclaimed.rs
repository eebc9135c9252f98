use super::*;
use crate::api::{AdoptionPolicy, StatusMessage};
use crate::caches::KeyProblem;
use crate::restore::submission::ClaimRequest;
use crate::restore::{Change, Report, Stage, messages};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

#[test]
fn submits_with_a_free_name_and_a_ready_backup() {
    let answer = Answer::MaySubmit(preflight(None, backup("Ready")));
    let decision = decision_after(&object(Value::Null), &answer, 1, 1);
    assert_eq!(
        decision.step,
        Step::Submit {
            date: Some(time(0))
        }
    );
}

#[test]
fn does_not_submit_an_object_that_is_being_deleted() {
    let mut object = object(Value::Null);
    object.metadata.deletion_timestamp = Some(Time(time(1)));
    let answer = Answer::MaySubmit(preflight(None, backup("Ready")));
    assert_eq!(question(&object, &Evidence::default()), "none");
    let decision = decision_after(&object, &answer, 1, 1);
    assert_eq!((decision.step, decision.requeue_after), (Step::Keep, None));
}

#[test]
fn reports_what_blocks_a_submission() {
    let read = |kind| Some(Err(failure(kind)));
    for (seen, expected) in [
        (backup("Initializing"), Reason::BackupNotReady),
        (backup("Scheduled"), Reason::BackupNotReady),
        (backup("Odd"), Reason::BackupNotReady),
        (
            read(FailureKind::UnsupportedVersion),
            Reason::ApiUnavailable,
        ),
        (
            read(FailureKind::PermissionDenied),
            Reason::PermissionDenied,
        ),
        (backup("InitializationFailed"), Reason::BackupFailed),
        (backup("Failed"), Reason::BackupFailed),
        (read(FailureKind::NotFound), Reason::BackupNotFound),
        (read(FailureKind::Unauthorized), Reason::InvalidApiKey),
        (read(FailureKind::Forbidden), Reason::PermissionDenied),
        (read(FailureKind::PaymentRequired), Reason::PaymentRequired),
        (read(FailureKind::RateLimited), Reason::RateLimited),
        (read(FailureKind::Unavailable), Reason::ApiUnavailable),
        (read(FailureKind::NotConnected), Reason::ApiUnavailable),
    ] {
        let decision = decision_after(
            &object(Value::Null),
            &Answer::MaySubmit(preflight(None, seen)),
            1,
            1,
        );
        assert_eq!(reason(&decision), Some(expected));
    }
    let no_key = Answer::NoKey(KeyProblem::NoSecret("pinecone".into()));
    let decision = decision_after(&object(Value::Null), &no_key, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::SecretNotFound));
    assert!(decision.requeue_after.unwrap() <= Duration::from_secs(30));
}

#[test]
fn waits_as_long_as_a_429_asks_however_often() {
    let after = |times, kind| {
        let mut limited = failure(kind);
        limited.retry_after = Some(Duration::from_secs(3));
        let seen = Answer::MaySubmit(preflight(None, Some(Err(limited))));
        decision_after(&object(Value::Null), &seen, times, 1).requeue_after
    };
    let asked = Some(Duration::from_secs(3));
    assert_eq!(after(1, FailureKind::RateLimited), asked);
    assert_eq!(after(9, FailureKind::RateLimited), asked);
    assert!(after(9, FailureKind::Unavailable) > asked);
}

fn taken(state: &str, jobs: &[RestoreJob], confirmed: Option<&RestoreJob>) -> Answer {
    Answer::MaySubmit(Preflight {
        jobs: Some(restore_jobs(jobs, confirmed)),
        ..preflight(Some(index(true, state)), None)
    })
}

#[test]
fn takes_a_name_for_foreign_only_after_the_list_had_time() {
    let answer = taken("Ready", &[], None);
    let fresh = object(Value::Null);
    assert_eq!(
        reason(&decision_after(&fresh, &answer, 3, 10)),
        Some(Reason::Pending)
    );
    assert_eq!(
        reason(&decision_after(&fresh, &answer, 2, 70)),
        Some(Reason::Pending)
    );
    assert_eq!(
        reason(&decision_after(&fresh, &answer, 5, 20)),
        Some(Reason::Pending)
    );
    let late = decision_after(&fresh, &answer, 6, 20);
    assert_eq!(reason(&late), Some(Reason::IndexAlreadyExists));
}

#[test]
fn adopts_an_earlier_restore_only_if_confirmed_and_wanted() {
    let old = job("old", -5_000, "Completed");
    let confirmed = taken("Ready", std::slice::from_ref(&old), Some(&old));
    let decision = decision_after(&object(Value::Null), &confirmed, 1, 1);
    let Step::Report(Report {
        change: Change::Record(record),
        ..
    }) = &decision.step
    else {
        panic!("{decision:?}");
    };
    assert!(record.adopted && record.job_id.as_deref() == Some("old"));
    // The job's own index is gone: the name belongs to something else now.
    let unconfirmed = taken("Ready", std::slice::from_ref(&old), None);
    assert_eq!(
        reason(&decision_after(&object(Value::Null), &unconfirmed, 1, 1)),
        Some(Reason::Pending)
    );
    let terminating = taken("Terminating", std::slice::from_ref(&old), Some(&old));
    assert_eq!(
        reason(&decision_after(&object(Value::Null), &terminating, 9, 60)),
        Some(Reason::Pending)
    );
    let mut never = object(Value::Null);
    never.spec.adoption_policy = AdoptionPolicy::Never;
    assert_eq!(
        reason(&decision_after(&never, &confirmed, 1, 1)),
        Some(Reason::IndexAlreadyExists)
    );
}

#[test]
fn ignores_a_copied_claim() {
    let mut copy = accepted(json!({"state": "Completed"}), Some("index.host"));
    let done = Report::new(StatusMessage::new(Reason::Restored, "m"), Change::Nothing);
    copy.status = Some(done.status(&copy, time(1)));
    copy.metadata.uid = Some("u-2".into());
    assert_eq!(Situation::of(&copy).stage, Stage::Unclaimed { last: None });
    let request = ClaimRequest {
        nonce: "n-2".into(),
        now: time(9),
    };
    let status = request.status(&copy, &messages::pending());
    assert_eq!(status.restore_job_id, None);
    assert_eq!(status.conditions[0].reason, "Pending");
    assert_eq!(status.submission.unwrap().uid, "u-2");
}

#[test]
fn resends_a_spec_refused_as_invalid_only_after_an_edit() {
    let mut refused = claim("Refused");
    refused["reason"] = json!("InvalidRequest");
    let mut object = object(json!({ "submission": refused }));
    assert_eq!(Situation::of(&object).stage, Stage::Rejected);
    object.metadata.generation = Some(4);
    assert!(matches!(
        Situation::of(&object).stage,
        Stage::Unclaimed { .. }
    ));
}

#[test]
fn does_not_own_a_job_since_a_refused_attempt() {
    let mut refused = claim("Refused");
    refused["reason"] = json!("QuotaExceeded");
    let mut never = object(json!({ "submission": refused }));
    never.spec.adoption_policy = AdoptionPolicy::Never;
    let theirs = job("theirs", 600, "Completed");
    let answer = taken("Ready", std::slice::from_ref(&theirs), Some(&theirs));
    let decision = decision_after(&never, &answer, 1, 1);
    assert_eq!(
        reason(&decision),
        Some(Reason::IndexAlreadyExists),
        "{decision:?}"
    );
}

/// A create that was answered with "the name is taken" may have worked when it was sent
/// for the first time, and one that left no trace may yet arrive.
#[test]
fn owns_a_job_since_an_attempt_that_may_have_arrived() {
    for (outcome, why, is_ours) in [
        ("Abandoned", None, true),
        ("Refused", Some("IndexAlreadyExists"), true),
        ("Refused", Some("QuotaExceeded"), false),
        ("Unsent", None, false),
    ] {
        let mut last = claim(outcome);
        last["reason"] = json!(why);
        let mut never = object(json!({ "submission": last }));
        never.spec.adoption_policy = AdoptionPolicy::Never;
        let answer = taken("Ready", &[job("late", 600, "Pending")], None);
        let Step::Report(report) = decision_after(&never, &answer, 1, 1).step else {
            panic!("nothing to write");
        };
        let own = matches!(&report.change, Change::Record(record) if !record.adopted);
        assert_eq!(own, is_ours, "{outcome} {why:?}");
    }
}

#[test]
fn uses_the_spec_once_an_attempt_is_closed() {
    for outcome in ["Refused", "Unsent", "Abandoned"] {
        let mut edited = claimed(outcome);
        edited.spec.backup_id = "b-2".into();
        edited.spec.index_name = "index-2".into();
        let situation = Situation::of(&edited);
        let values = (&*situation.backup_id, &*situation.index_name);
        assert_eq!(values, ("b-2", "index-2"), "{outcome}");
    }
}

#[test]
fn backs_off_after_failed_reads() {
    let failing = Preflight {
        index: Err(failure(FailureKind::Unavailable)),
        ..preflight(None, None)
    };
    let requeue_after = |times| {
        decision_after(
            &object(Value::Null),
            &Answer::MaySubmit(failing.clone()),
            times,
            1,
        )
        .requeue_after
    };
    assert_eq!(requeue_after(1), Some(Duration::from_secs(2)));
    assert_eq!(requeue_after(4), Some(Duration::from_secs(16)));
    assert_eq!(requeue_after(40), Some(RULES.intervals.stalled()));
}

#[test]
fn reports_a_job_that_ended_before_it_was_found() {
    for (state, adopted, expected) in [
        ("Pending", Reason::Restoring, Reason::Restoring),
        ("Completed", Reason::Restoring, Reason::Restoring),
        // A failed restore is no result of another one.
        ("Failed", Reason::IndexAlreadyExists, Reason::RestoreFailed),
        (
            "Cancelled",
            Reason::IndexAlreadyExists,
            Reason::RestoreCancelled,
        ),
    ] {
        let old = job("old", -5_000, state);
        let earlier = taken("Ready", std::slice::from_ref(&old), Some(&old));
        let decision = decision_after(&object(Value::Null), &earlier, 1, 1);
        assert_eq!(reason(&decision), Some(adopted), "adopted");
        let answer = Answer::FindOurs(Search {
            ended: time(0),
            index: Ok(Some(index(true, "Ready"))),
            jobs: restore_jobs(&[job("j", 1, state)], None),
            backup: backup("Ready"),
        });
        let decision = decision_after(&claimed("Open"), &answer, 1, 1);
        assert_eq!(reason(&decision), Some(expected), "recovered");
    }
}
