//! A restored index, checked long after.

use super::*;
use crate::api::{IndexRestoreStatus, StatusMessage};
use crate::restore::{Change, Report};

fn done() -> IndexRestore {
    let mut done = accepted(json!({"state": "Completed"}), Some("index.host"));
    let said = StatusMessage::new(Reason::Restored, "index index is restored and ready");
    let change = Change::Confirmed(time(0));
    done.status = Some(Report::new(said, change).status(&done, time(0)));
    done
}

fn unshown(source: SourceBackup, shows_backup: bool, host: &str) -> Answer {
    let found = backup("Ready").unwrap().ok().filter(|_| shows_backup);
    Answer::StillThere(Check {
        index: Ok(Some(Index {
            source,
            host: Some(host.into()),
            ..index(true, "Ready")
        })),
        job: Some(Ok(None)),
        backup: Some(Ok(found)),
    })
}

pub(super) fn report(decision: Decision) -> Report {
    match decision.step {
        Step::Report(report) => report,
        other => panic!("{other:?}"),
    }
}

pub(super) fn written(object: &IndexRestore, decision: Decision, at: i64) -> IndexRestoreStatus {
    report(decision).status(object, time(at))
}

#[test]
fn takes_a_recreated_index_for_another_whatever_its_host() {
    let another = |id: &str| SourceBackup::Id(id.into());
    for (source, shows_backup, host, expected) in [
        (another("b"), true, "index.host", Some(Reason::Restored)),
        (another("b"), false, "other", Some(Reason::Restored)),
        (another("c"), true, "other", Some(Reason::IndexDeleted)),
        (
            SourceBackup::None,
            true,
            "index.host",
            Some(Reason::IndexDeleted),
        ),
        // The backup is gone, and the host names the same project.
        (
            SourceBackup::None,
            false,
            "index.host",
            Some(Reason::IndexDeleted),
        ),
        // Another project's key, perhaps.
        (SourceBackup::None, false, "other", None),
        (SourceBackup::NotShown, true, "index.host", None),
        (SourceBackup::NotShown, false, "index.host", None),
    ] {
        let answer = unshown(source.clone(), shows_backup, host);
        let decision = decision_after(&done(), &answer, 1, 1);
        assert_eq!(reason(&decision), expected, "{source:?} {host}");
    }
}

#[test]
fn waits_minutes_before_it_doubts_an_index_without_its_job() {
    for (shows_backup, words) in [(true, "cannot be confirmed"), (false, "cannot be seen")] {
        let answer = unshown(SourceBackup::NotShown, shows_backup, "index.host");
        assert_eq!(decision_after(&done(), &answer, 5, 60).step, Step::Keep);
        let decision = decision_after(&done(), &answer, 6, 60);
        assert_eq!(reason(&decision), Some(Reason::RestoreJobNotFound));
        let message = report(decision).message;
        assert!(message.text.contains(words), "{}", message.text);
        // After a restart that is what is known.
        let mut shown = done();
        shown.status = Some(Report::new(message, Change::Nothing).status(&shown, time(1)));
        let decision = decision_after(&shown, &answer, 1, 1);
        assert_eq!(reason(&decision), Some(Reason::RestoreJobNotFound));
        let asked = question(&shown, &Evidence::default());
        assert_eq!(asked, "is the index there");
    }
}

#[test]
fn keeps_what_was_known_with_its_time_while_checks_fail() {
    let done = done();
    let situation = Situation::of(&done);
    let mut evidence = Evidence::default();
    learn(
        &mut evidence,
        &situation,
        &still(Ok(Some(index(true, "Ready")))),
        now(100),
    );
    let refused = still(Err(failure(FailureKind::Unauthorized)));
    learn(&mut evidence, &situation, &refused, now(700));
    let decision = decide(
        &situation,
        &evidence,
        &refused.to(&situation, &evidence),
        &RULES,
        now(700),
    );
    let status = written(&done, decision, 700);
    let at = |time: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>| time.map(|t| t.0);
    assert_eq!(at(status.last_confirmed_time.clone()), Some(time(100)));
    assert_eq!(at(status.unconfirmed_since.clone()), Some(time(700)));
    let ready = crate::api::conditions::find(&status.conditions, "Ready").unwrap();
    assert_eq!(
        (ready.status.as_str(), ready.reason.as_str()),
        ("True", "Restored")
    );
    let expected = format!("was restored and ready (as of {}", time(100));
    assert!(ready.message.contains(&expected), "{}", ready.message);
    let mut failing = done.clone();
    failing.status = Some(status.clone());
    // The times stay while checks keep failing, also in another process.
    let decision = decision_after(&failing, &refused, 1, 1);
    assert_eq!(written(&failing, decision, 900), status);
    let decision = decision_after(&failing, &still(Ok(None)), 1, 1);
    let status = written(&failing, decision, 1_000);
    assert_eq!(at(status.unconfirmed_since), None);
    assert!(status.last_confirmed_time.is_some());
}

#[test]
fn reports_an_unhealthy_index_with_the_time_while_checks_fail() {
    let mut gone = done();
    let said = crate::restore::messages::index_deleted("index");
    gone.status = Some(Report::new(said.clone(), Change::Nothing).status(&gone, time(1)));
    let no_key = Answer::NoKey(crate::caches::KeyProblem::NoSecret("s".into()));
    for _ in 0..2 {
        let message = report(decision_after(&gone, &no_key, 1, 1)).message;
        assert_eq!(message.reason, Reason::IndexDeleted);
        assert_eq!(message.text.matches(" (as of ").count(), 1);
        let expected = format!("Pinecone shows no index index (as of {}). ", time(0));
        assert!(message.text.starts_with(&expected), "{}", message.text);
        assert!(said.text.starts_with("Pinecone shows no index index ("));
        gone.status = Some(Report::new(message, Change::Nothing).status(&gone, time(1)));
    }
    let mut unshown = done();
    unshown.status.as_mut().unwrap().conditions.clear();
    unshown.status.as_mut().unwrap().last_confirmed_time = None;
    let message = report(decision_after(&unshown, &no_key, 1, 1)).message;
    assert_eq!(message.reason, Reason::Restored);
    assert!(
        message.text.contains("(as of its restore)"),
        "{}",
        message.text
    );
}

#[test]
fn reports_failed_checks_after_three_in_a_row() {
    let job_fails = Answer::StillThere(Check {
        index: Ok(Some(index(true, "Ready"))),
        job: Some(Err(failure(FailureKind::Unavailable))),
        backup: None,
    });
    let backup_fails = Answer::StillThere(Check {
        index: Ok(Some(index(true, "Ready"))),
        job: Some(Ok(None)),
        backup: Some(Err(failure(FailureKind::Unavailable))),
    });
    for answer in [
        job_fails,
        backup_fails,
        still(Err(failure(FailureKind::Unavailable))),
    ] {
        assert_eq!(decision_after(&done(), &answer, 2, 60).step, Step::Keep);
        let report = report(decision_after(&done(), &answer, 3, 60));
        assert!(matches!(report.change, Change::Unconfirmed { .. }));
    }
    for kind in [
        FailureKind::PermissionDenied,
        FailureKind::Forbidden,
        FailureKind::PaymentRequired,
    ] {
        let report = report(decision_after(&done(), &still(Err(failure(kind))), 1, 1));
        assert!(matches!(report.change, Change::Unconfirmed { .. }));
    }
}

#[test]
fn writes_the_last_confirmation_once_a_day() {
    let ready = still(Ok(Some(index(true, "Ready"))));
    let change_at = |second| {
        let (done, at) = (done(), now(second));
        let situation = Situation::of(&done);
        let mut evidence = Evidence::default();
        learn(&mut evidence, &situation, &ready, at);
        report(decide(
            &situation,
            &evidence,
            &ready.to(&situation, &evidence),
            &RULES,
            at,
        ))
        .change
    };
    assert_eq!(change_at(86_399), Change::Nothing);
    assert_eq!(change_at(86_400), Change::Confirmed(time(86_400)));
}

#[test]
fn obeys_retry_after_while_checks_fail() {
    let mut busy = failure(FailureKind::Unavailable);
    busy.retry_after = Some(Duration::from_secs(3_000));
    let decision = decision_after(&done(), &still(Err(busy)), 3, 60);
    assert!(decision.requeue_after.unwrap() >= Duration::from_secs(3_000));
}
