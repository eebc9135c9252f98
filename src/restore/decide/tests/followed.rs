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
fn a_followed_job_says_what_is_true() {
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
fn one_bad_poll_changes_nothing_and_a_refused_key_is_said_at_once() {
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
fn a_restored_index_that_went_is_reported_and_nothing_else() {
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
fn a_new_generation_is_observed_even_where_nothing_else_is_to_do() {
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
fn a_finished_restore_stays_finished_and_its_index_is_asked_for_itself_once_amiss() {
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
fn a_restore_is_followed_until_its_index_was_ready() {
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
fn what_is_written_speaks_of_the_generation_that_was_seen() {
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
fn another_index_under_the_restored_ones_name_is_not_taken_for_it() {
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
fn a_pause_that_pinecone_asks_for_is_kept_at_every_stage() {
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
        // After an hour a person is asked to look as well.
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
