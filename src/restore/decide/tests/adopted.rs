//! An adopted index against the spec, and an index without a restore job of its own.

use super::finished::{report, written};
use super::*;
use crate::api::{DeletionProtection, SubmissionOutcome};
use crate::restore::Change;

/// The adopted object, and what the spec wants of the index.
fn adopted(tags: Value, protection: DeletionProtection) -> IndexRestore {
    let mut object = accepted(json!({"state": "Completed"}), Some("index.host"));
    let submission = object.status.as_mut().unwrap().submission.as_mut();
    submission.unwrap().outcome = SubmissionOutcome::Adopted;
    object.spec.tags = serde_json::from_value(tags).unwrap();
    object.spec.deletion_protection = protection;
    object
}

#[test]
fn compares_an_adopted_index_with_the_spec() {
    use DeletionProtection::{Disabled, Enabled};
    let differs = " It differs from the spec: ";
    for (tags, wanted, is_protected, expected, words) in [
        (json!(null), Disabled, false, Reason::Adopted, "created now"),
        (
            json!({"team": "search"}),
            Enabled,
            true,
            Reason::Adopted,
            "created now",
        ),
        (
            json!({"team": "other", "more": "x"}),
            Disabled,
            true,
            Reason::Adopted,
            r#"deletionProtection is Enabled instead of Disabled, tag more is absent instead of "x", tag team is "search" instead of "other""#,
        ),
        (
            json!({"a": "b"}),
            Enabled,
            false,
            Reason::DeletionProtectionMismatch,
            r#"tag team is "search" instead of absent"#,
        ),
    ] {
        let seen = Index {
            tags: [("team".to_owned(), "search".to_owned())].into(),
            is_protected,
            ..index(true, "Ready")
        };
        let object = adopted(tags, wanted);
        let decision = decision_after(&object, &still(Ok(Some(seen))), 1, 1);
        assert_eq!(reason(&decision), Some(expected));
        let message = report(decision).message.text;
        assert!(message.contains(words), "{message}");
        assert_eq!(
            message.contains(differs),
            words.contains("instead") && expected == Reason::Adopted
        );
    }
}

/// An index without a job of its own, adopted because it names its backup.
fn jobless(host: Option<&str>) -> IndexRestore {
    let mut object = adopted(json!(null), DeletionProtection::Disabled);
    let status = object.status.as_mut().unwrap();
    status.restore_job_id = None;
    status.restore = None;
    status.index_host = host.map(Into::into);
    object
}

fn named(state: &str, source: SourceBackup) -> Index {
    Index {
        source,
        ..index(state == "Ready", state)
    }
}

#[test]
fn follows_an_index_without_a_job_by_the_index_alone() {
    let ours = || SourceBackup::Id("b".into());
    let follow = |job: Option<RestoreJob>, index: Option<Index>| Answer::Follow {
        job: Ok(job),
        index: Some(Ok(index)),
    };
    let failed = job("j", 1, "Failed");
    let foreign = RestoreJob {
        backup_id: "c".into(),
        ..job("j", 1, "Completed")
    };
    let elsewhere = RestoreJob {
        target_index_name: "other".into(),
        ..job("j", 1, "Completed")
    };
    for (answer, expected) in [
        (follow(None, Some(named("Ready", ours()))), Reason::Adopted),
        (
            follow(Some(failed), Some(named("Ready", ours()))),
            Reason::Adopted,
        ),
        (
            follow(Some(foreign), Some(named("Ready", ours()))),
            Reason::Adopted,
        ),
        (
            follow(Some(elsewhere), Some(named("Ready", ours()))),
            Reason::Adopted,
        ),
        (
            follow(None, Some(named("Initializing", ours()))),
            Reason::IndexNotReady,
        ),
        (
            follow(None, Some(named("Failed", ours()))),
            Reason::IndexFailed,
        ),
        (follow(None, None), Reason::Restoring),
        (
            follow(Some(job("j", 1, "Pending")), Some(named("Ready", ours()))),
            Reason::Restoring,
        ),
    ] {
        let decision = decision_after(&jobless(None), &answer, 1, 1);
        assert_eq!(reason(&decision), Some(expected), "{answer:?}");
    }
    let decision = decision_after(&jobless(None), &follow(None, None), 6, 60);
    assert_eq!(reason(&decision), Some(Reason::IndexDeleted));
    let answer = follow(None, Some(named("Ready", ours())));
    let decision = decision_after(&jobless(None), &answer, 1, 1);
    let mut finished = jobless(None);
    finished.status = Some(written(&finished, decision, 2));
    let message = Situation::of(&finished).shown.unwrap().text;
    assert!(message.contains("does not list"), "{message}");
    let asked = question(&finished, &Evidence::default());
    assert_eq!(asked, "is the index there, by list");
}

#[test]
fn doubts_an_index_without_a_job_that_no_longer_names_its_backup() {
    let without_job = |source| {
        Answer::StillThere(Check {
            index: Ok(Some(named("Ready", source))),
            job: Some(Ok(None)),
            backup: Some(Ok(backup("Ready").unwrap().ok())),
        })
    };
    let object = jobless(Some("index.host"));
    let decision = decision_after(&object, &without_job(SourceBackup::None), 1, 1);
    assert_eq!(reason(&decision), Some(Reason::IndexDeleted));
    let decision = decision_after(&object, &without_job(SourceBackup::NotShown), 6, 60);
    let message = report(decision).message;
    assert_eq!(message.reason, Reason::RestoreJobNotFound);
    assert!(message.text.contains("its restore job"), "{}", message.text);
    // Nothing but the index was read.
    let unread = Answer::StillThere(Check::from(Ok(Some(named(
        "Ready",
        SourceBackup::NotShown,
    )))));
    assert_eq!(decision_after(&object, &unread, 1, 1).step, Step::Keep);
}

#[test]
fn ends_a_restore_of_unknown_job_by_the_state_of_its_index() {
    let mut object = jobless(None);
    let submission = object.status.as_mut().unwrap().submission.as_mut();
    submission.unwrap().outcome = SubmissionOutcome::Accepted;
    let follow = |source| Answer::Follow {
        job: Ok(None),
        index: Some(Ok(Some(named("Ready", source)))),
    };
    let ours = follow(SourceBackup::Id("b".into()));
    let message = report(decision_after(&object, &ours, 1, 1)).message;
    assert_eq!(message.reason, Reason::Restored);
    assert!(message.text.contains("lists no restore job"));
    let other = follow(SourceBackup::None);
    assert_eq!(decision_after(&object, &other, 2, 30).step, Step::Keep);
    let decision = decision_after(&object, &other, 6, 30);
    assert_eq!(reason(&decision), Some(Reason::IndexDeleted));
    let unknown = follow(SourceBackup::NotShown);
    let decision = decision_after(&object, &unknown, 6, 30);
    assert_eq!(reason(&decision), Some(Reason::Restoring));
    let decision = decision_after(&object, &unknown, 70, 60);
    assert_eq!(reason(&decision), Some(Reason::RestoreJobNotFound));
    let answer = Answer::Follow {
        job: Ok(Some(job("j", 1, "Pending"))),
        index: Some(Ok(Some(index(true, "Ready")))),
    };
    let Change::Record(found) = report(decision_after(&object, &answer, 1, 1)).change else {
        panic!("the job that is listed is recorded");
    };
    assert!(!found.adopted);
}
