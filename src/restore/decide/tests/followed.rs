use super::*;
use crate::api::StatusMessage;
use crate::restore::{Change, Report};

fn follow(job: Option<RestoreJob>, index: Option<Option<Index>>) -> Answer {
    Answer::Follow {
        job: Ok(job),
        index: index.map(Ok),
    }
}

#[test]
fn reports_the_state_of_a_followed_job() {
    let running = accepted(json!({"state": "Pending"}), None);
    let ready = Some(Some(index(true, "Ready")));
    let completed = || Some(job("j", 1, "Completed"));
    for (answer, expected) in [
        (
            follow(Some(job("j", 1, "Pending")), None),
            Reason::Restoring,
        ),
        // Ready before its data is there: not ready.
        (
            follow(Some(job("j", 1, "Pending")), ready.clone()),
            Reason::Restoring,
        ),
        (
            follow(
                Some(job("j", 1, "Pending")),
                Some(Some(index(false, "InitializationFailed"))),
            ),
            Reason::IndexFailed,
        ),
        (follow(completed(), ready.clone()), Reason::Restored),
        (
            follow(completed(), Some(Some(index(false, "Initializing")))),
            Reason::IndexNotReady,
        ),
        (
            follow(completed(), Some(Some(index(true, "Terminating")))),
            Reason::IndexFailed,
        ),
        (follow(completed(), Some(None)), Reason::IndexNotReady),
        (
            follow(Some(job("j", 1, "failed")), None),
            Reason::RestoreFailed,
        ),
        (
            follow(Some(job("j", 1, "Cancelled")), None),
            Reason::RestoreCancelled,
        ),
        (follow(None, ready.clone()), Reason::Restoring),
        (follow(None, Some(None)), Reason::Restoring),
        (
            follow(None, Some(Some(index(false, "InitializationFailed")))),
            Reason::IndexFailed,
        ),
    ] {
        assert_eq!(
            reason(&decision_after(&running, &answer, 1, 1)),
            Some(expected),
            "{answer:?}"
        );
    }
    assert_eq!(
        reason(&decision_after(&running, &follow(None, Some(None)), 5, 30)),
        Some(Reason::IndexDeleted)
    );
    assert_eq!(
        reason(&decision_after(&running, &follow(None, ready), 5, 1_000)),
        Some(Reason::RestoreJobNotFound)
    );
}

#[test]
fn tolerates_one_failed_poll_and_reports_a_rejected_key_at_once() {
    let running = accepted(json!({"state": "Pending"}), None);
    let bad = |kind| Answer::Follow {
        job: Err(failure(kind)),
        index: None,
    };
    assert_eq!(
        decision_after(&running, &bad(FailureKind::Unavailable), 1, 1).step,
        Step::Keep
    );
    assert_eq!(
        reason(&decision_after(
            &running,
            &bad(FailureKind::Unavailable),
            3,
            1
        )),
        Some(Reason::ApiUnavailable)
    );
    assert_eq!(
        reason(&decision_after(
            &running,
            &bad(FailureKind::Unauthorized),
            1,
            1
        )),
        Some(Reason::InvalidApiKey)
    );
}

#[test]
fn reports_a_deleted_index_and_does_not_restore_it_again() {
    let done = accepted(json!({"state": "Completed"}), Some("index.host"));
    let asked = question(&done, &Evidence::default());
    assert_eq!(asked, "is the index there, by list");
    for (seen, expected) in [
        (Ok(None), Some(Reason::IndexDeleted)),
        (Ok(Some(index(true, "Ready"))), Some(Reason::Restored)),
        (
            Ok(Some(index(false, "Disabled"))),
            Some(Reason::IndexFailed),
        ),
        (
            Err(failure(FailureKind::Unauthorized)),
            Some(Reason::Restored),
        ),
        (Err(failure(FailureKind::Unavailable)), None),
    ] {
        assert_eq!(reason(&decision_after(&done, &still(seen), 1, 1)), expected);
    }
}

#[test]
fn observes_a_new_generation_where_nothing_else_changes() {
    let mut failed = accepted(json!({"state": "Failed"}), None);
    let report = Report::new(
        StatusMessage::new(Reason::RestoreFailed, "m"),
        Change::Nothing,
    );
    failed.status = Some(report.status(&failed, time(1)));
    assert_eq!(
        decision_after(&failed, &Answer::Nothing, 1, 1).step,
        Step::Keep
    );
    failed.metadata.generation = Some(4);
    let decision = decision_after(&failed, &Answer::Nothing, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::RestoreFailed));
}

#[test]
fn reads_an_unhealthy_index_by_its_name() {
    for (shown, by_list) in [
        (Reason::Restored, true),
        (Reason::Adopted, true),
        (Reason::IndexDeleted, false),
        (Reason::IndexFailed, false),
        (Reason::IndexNotReady, false),
    ] {
        let mut done = accepted(json!({"state": "Completed"}), Some("index.host"));
        let report = Report::new(StatusMessage::new(shown, "m"), Change::Nothing);
        done.status = Some(report.status(&done, time(1)));
        let asked = question(&done, &Evidence::default());
        let expected = match by_list {
            true => "is the index there, by list",
            false => "is the index there",
        };
        assert_eq!(asked, expected, "{shown:?}");
    }
}

/// The job may be complete while its index is not ready.
#[test]
fn follows_a_restore_until_its_index_was_ready() {
    for (state, host, follows) in [
        ("Pending", None, true),
        ("Pending", Some("index.host"), true),
        ("Completed", None, true),
        ("Completed", Some("index.host"), false),
    ] {
        let object = accepted(json!({ "state": state }), host);
        let asked = question(&object, &Evidence::default());
        assert_eq!(
            asked == "how far is the job",
            follows,
            "{state} {host:?}: {asked}"
        );
    }
}

#[test]
fn writes_the_generation_that_was_read() {
    let mut running = accepted(json!({"state": "Pending"}), None);
    running.metadata.generation = Some(4);
    let report = Report::new(StatusMessage::new(Reason::Restoring, "m"), Change::Nothing);
    let status = report.status(&running, time(1));
    assert_eq!(status.observed_generation, Some(4));
    assert!(
        status
            .conditions
            .iter()
            .all(|c| c.observed_generation == Some(4))
    );
}

#[test]
fn does_not_take_another_index_of_the_same_name_for_the_restored_one() {
    let done = accepted(json!({"state": "Completed"}), Some("another.host"));
    let mut other = index(true, "Ready");
    other.source = SourceBackup::None;
    let answer = Answer::StillThere(Check {
        index: Ok(Some(other)),
        job: Some(Ok(None)),
        backup: Some(Ok(backup("Ready").unwrap().ok())),
    });
    let decision = decision_after(&done, &answer, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::IndexDeleted));
    let Step::Report(report) = decision.step else {
        panic!("nothing to write");
    };
    let status = report.status(&done, time(1));
    assert_eq!(status.index_host.as_deref(), Some("another.host"));
}

#[test]
fn obeys_retry_after_at_every_stage() {
    let asked = Duration::from_secs(3_000);
    let mut busy = failure(FailureKind::Unavailable);
    busy.retry_after = Some(asked);
    let unreadable = Answer::FindOurs(Search {
        ended: time(0),
        index: Ok(None),
        jobs: Err(busy.clone()),
        backup: None,
    });
    let unclaimed = Answer::MaySubmit(Preflight {
        index: Err(busy.clone()),
        ..preflight(None, None)
    });
    let running = Answer::Follow {
        job: Err(busy.clone()),
        index: None,
    };
    let done = accepted(json!({"state": "Completed"}), Some("index.host"));
    for (object, answer, times) in [
        (object(Value::Null), &unclaimed, 1),
        (claimed("Open"), &unreadable, 1),
        // After an hour the status requires manual action.
        (claimed("Open"), &unreadable, 70),
        (accepted(json!({"state": "Pending"}), None), &running, 1),
        (done, &still(Err(busy)), 1),
    ] {
        let requeue_after = decision_after(&object, answer, times, 60)
            .requeue_after
            .unwrap();
        assert!(requeue_after >= asked, "{answer:?}: {requeue_after:?}");
    }
}
