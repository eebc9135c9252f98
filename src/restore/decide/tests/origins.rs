//! Where an index came from: what proves it, and what is said where nothing does.

use super::claimed::search;
use super::*;
use crate::api::{AdoptionPolicy, SubmissionOutcome};
use crate::restore::report::Record;
use crate::restore::{Change, Report};

fn from(source: SourceBackup) -> Index {
    Index {
        source,
        ..index(true, "Ready")
    }
}

pub(super) fn ours() -> Index {
    from(SourceBackup::Id("b".into()))
}

pub(super) fn taken(index: Index, jobs: RestoreJobs) -> Answer {
    Answer::MaySubmit(Preflight {
        jobs: Some(Ok(jobs)),
        ..preflight(Some(index), None)
    })
}

pub(super) fn jobs(jobs: &[RestoreJob]) -> RestoreJobs {
    restore_jobs(jobs, None).unwrap()
}

fn doubted(job: &RestoreJob) -> RestoreJobs {
    RestoreJobs {
        doubted: Some(job.clone()),
        ..jobs(std::slice::from_ref(job))
    }
}

pub(super) fn report(decision: Decision) -> Report {
    match decision.step {
        Step::Report(report) => report,
        other => panic!("{other:?}"),
    }
}

pub(super) fn record(decision: Decision) -> Record {
    match report(decision).change {
        Change::Record(record) => *record,
        other => panic!("{other:?}"),
    }
}

pub(super) fn never(mut object: IndexRestore) -> IndexRestore {
    object.spec.adoption_policy = AdoptionPolicy::Never;
    object
}

#[test]
fn adopts_an_index_that_names_the_backup_without_a_job() {
    let object = object(Value::Null);
    let answer = taken(ours(), jobs(&[]));
    assert_eq!(
        reason(&decision_after(&object, &answer, 4, 20)),
        Some(Reason::Pending)
    );
    let decision = decision_after(&object, &answer, 9, 20);
    assert_eq!(reason(&decision), Some(Reason::Restoring));
    let report = report(decision);
    let status = report.status(&object, time(1));
    let submission = status.submission.unwrap();
    assert_eq!(submission.outcome, SubmissionOutcome::Adopted);
    assert_eq!((status.restore_job_id, status.index_id), (None, None));
    let decision = decision_after(&never(object), &answer, 9, 20);
    assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
}

#[test]
fn adopts_a_listed_job_that_the_index_confirms() {
    let job = job("old", -5_000, "Completed");
    let decision = decision_after(&object(Value::Null), &taken(ours(), doubted(&job)), 1, 1);
    assert_eq!(record(decision).job_id.as_deref(), Some("old"));
}

#[test]
fn does_not_advise_to_delete_an_index_of_unknown_origin() {
    let job = job("old", -5_000, "Completed");
    for (source, seen, words) in [
        (SourceBackup::NotShown, jobs(&[]), "cannot be determined"),
        (SourceBackup::NotShown, doubted(&job), "restore job old"),
        (SourceBackup::None, jobs(&[]), "not restored from a backup"),
        (
            SourceBackup::Id("c".into()),
            jobs(&[]),
            "another backup (c)",
        ),
    ] {
        let decision = decision_after(&object(Value::Null), &taken(from(source), seen), 9, 60);
        assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
        let message = report(decision).message.text;
        assert!(message.contains(words), "{message}");
        assert!(!message.to_lowercase().contains("delete"), "{message}");
    }
}

#[test]
fn waits_minutes_before_it_concludes_from_a_listed_job_that_is_not_shown_by_its_id() {
    let job = job("old", -5_000, "Completed");
    let answer = taken(index(true, "Ready"), doubted(&job));
    let decision = decision_after(&object(Value::Null), &answer, 14, 20);
    assert_eq!(reason(&decision), Some(Reason::Pending));
    assert!(report(decision).message.text.contains("old"));
    let decision = decision_after(&object(Value::Null), &answer, 16, 20);
    assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
}

/// A poll must not write the status, and the end of a search that begins again must not stay.
#[test]
fn names_the_same_end_of_the_search_for_the_origin_at_each_poll() {
    let mut situation = Situation {
        shown: Some(crate::restore::messages::pending()),
        ..Situation::of(&object(Value::Null))
    };
    let answer = taken(index(true, "Ready"), jobs(&[]));
    let mut evidence = Evidence::default();
    let mut message = |evidence: &mut Evidence, now: Now| {
        learn(evidence, &situation, &answer, now);
        let observation = ended(&answer, now).to(&situation, evidence);
        let decision = decide(&situation, evidence, &observation, &RULES, now);
        let message = report(decision).message;
        situation.shown = Some(message.clone());
        message.text
    };
    // Three observations after the list had a minute to catch up.
    let first = message(&mut evidence, now(0));
    assert!(first.contains(&time(85).to_string()), "{first}");
    for second in [7, 14, 21] {
        let shifted = Now {
            wall: time(second + 4),
            ..now(second)
        };
        assert_eq!(message(&mut evidence, shifted), first);
    }
    let restarted = message(&mut Evidence::default(), now(40));
    assert_eq!(restarted, first.replace("01:25Z", "02:05Z"));
}

#[test]
fn remembers_a_job_that_an_earlier_observation_showed() {
    let object = object(Value::Null);
    let situation = Situation::of(&object);
    let mut evidence = Evidence::default();
    assert_eq!(evidence.known_job(&situation), None);
    let old = job("old", -5_000, "Completed");
    let shown = taken(index(true, "Ready"), jobs(std::slice::from_ref(&old)));
    learn(&mut evidence, &situation, &shown, now(0));
    let missing = taken(index(true, "Ready"), jobs(&[]));
    learn(&mut evidence, &situation, &missing, now(10));
    assert_eq!(evidence.known_job(&situation), Some(&old));
    for edit in [
        |situation: &mut Situation| situation.backup_id = "c".into(),
        |situation: &mut Situation| situation.index_name = "other".into(),
    ] {
        let mut edited = situation.clone();
        edit(&mut edited);
        assert_eq!(evidence.known_job(&edited), None);
    }
}

#[test]
fn counts_a_job_by_its_id_only_for_its_own_backup_and_name() {
    let situation = Situation::of(&object(Value::Null));
    let own = job("j", -5_000, "Completed");
    let mut seen = jobs(std::slice::from_ref(&own));
    seen.confirm(&situation, own.clone());
    assert_eq!((seen.listed.len(), seen.confirmed), (1, Some(own.clone())));
    let mut seen = jobs(&[]);
    for other in [
        RestoreJob {
            target_index_name: "other".into(),
            ..own.clone()
        },
        RestoreJob {
            backup_id: "c".into(),
            ..own.clone()
        },
    ] {
        assert_eq!(seen.foreign, None);
        seen.confirm(&situation, other);
        assert_eq!((seen.listed.len(), &seen.confirmed), (0, &None));
    }
    assert_eq!(seen.foreign.take().unwrap().backup_id, "c");
    seen.confirm(&situation, own);
    assert_eq!(seen.listed.len(), 1);
}

/// A backup tool that restores an object with its status brings a hint, not a proof.
#[test]
fn reads_the_job_that_a_copied_status_names() {
    let mut copied = accepted(json!({"state": "Completed"}), Some("h"));
    assert_eq!(Situation::of(&copied).hinted_job, None);
    copied.metadata.uid = Some("u-2".into());
    assert_eq!(Situation::of(&copied).hinted_job.as_deref(), Some("j"));
}

#[test]
fn does_not_adopt_a_failed_restore_and_continues_once_the_name_is_free() {
    for state in ["Failed", "Cancelled"] {
        let old = job("old", -5_000, state);
        let mut seen = jobs(std::slice::from_ref(&old));
        seen.confirmed = Some(old.clone());
        let left = taken(index(false, "InitializationFailed"), seen.clone());
        let decision = decision_after(&object(Value::Null), &left, 1, 1);
        assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
        assert!(report(decision).message.text.contains("Delete that index"));
        let free = Answer::MaySubmit(Preflight {
            jobs: Some(Ok(seen)),
            ..preflight(None, backup("Ready"))
        });
        let decision = decision_after(&object(Value::Null), &free, 1, 1);
        assert!(matches!(decision.step, Step::Submit { .. }));
    }
}

#[test]
fn a_409_whose_index_may_be_ones_own_is_never_called_somebody_elses() {
    let unknown = search(Some(index(true, "Ready")), &[], true);
    let decision = decision_after(&claimed("Taken"), &unknown, 20, 20);
    assert_eq!(reason(&decision), Some(Reason::SubmissionUnconfirmed));
    assert_eq!(
        report(decision).change,
        Change::Observed {
            until: time(380),
            index_seen: true,
        }
    );
    // The job that made the index is another backup's.
    let mut foreign = jobs(&[]);
    foreign.foreign = Some(RestoreJob {
        backup_id: "c".into(),
        ..job("theirs", 2, "Completed")
    });
    let unknown = Answer::FindOurs(Search {
        ended: time(0),
        index: Ok(Some(index(true, "Ready"))),
        jobs: Ok(foreign),
        backup: backup("Ready"),
    });
    let decision = decision_after(&claimed("Taken"), &unknown, 9, 20);
    assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
    assert!(report(decision).message.text.contains("job theirs"));
    for source in [SourceBackup::None, SourceBackup::Id("c".into())] {
        let other = search(Some(from(source)), &[], true);
        let decision = decision_after(&claimed("Taken"), &other, 9, 20);
        assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
    }
}

#[test]
fn resolves_an_open_claim_by_an_index_that_names_its_backup() {
    let seen = search(Some(ours()), &[], true);
    for outcome in ["Open", "Taken"] {
        let object = never(claimed(outcome));
        let decision = decision_after(&object, &seen, 2, 20);
        assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
        let record = record(decision_after(&object, &seen, 9, 20));
        assert!(!record.adopted && record.job_id.is_none(), "{outcome}");
    }
}

/// An attempt that was abandoned may still take effect, whatever came after it.
#[test]
fn does_not_disown_what_an_abandoned_attempt_may_have_created() {
    let mut refused = claimed("Refused");
    let status = refused.status.as_mut().unwrap();
    let submission = status.submission.as_mut().unwrap();
    submission.attempt = 2;
    submission.reason = Some("QuotaExceeded".into());
    let late = job("late", 1, "Pending");
    let shown = taken(index(true, "Ready"), jobs(std::slice::from_ref(&late)));
    let found = record(decision_after(&refused, &shown, 1, 1));
    assert!(!found.adopted && found.job_id.as_deref() == Some("late"));
    let unknown = taken(index(true, "Ready"), jobs(&[]));
    let decision = decision_after(&refused, &unknown, 9, 20);
    assert_eq!(reason(&decision), Some(Reason::SubmissionUnconfirmed));
    let named = taken(ours(), jobs(&[]));
    assert!(!record(decision_after(&never(refused.clone()), &named, 9, 20)).adopted);
    let foreign = taken(from(SourceBackup::None), jobs(&[]));
    let decision = decision_after(&refused, &foreign, 9, 20);
    assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
    let message = report(decision).message.text;
    assert!(message.contains("cannot be edited"), "{message}");
}

#[test]
fn does_not_resend_a_spec_that_is_invalid_after_an_abandoned_attempt() {
    let mut invalid = claimed("Refused");
    let status = invalid.status.as_mut().unwrap();
    let submission = status.submission.as_mut().unwrap();
    submission.attempt = 2;
    submission.reason = Some("InvalidRequest".into());
    let free = Answer::MaySubmit(Preflight {
        jobs: Some(Ok(jobs(&[]))),
        ..preflight(None, backup("Ready"))
    });
    let decision = decision_after(&invalid, &free, 1, 1);
    assert!(!matches!(decision.step, Step::Submit { .. }));
    invalid.metadata.generation = Some(4);
    let decision = decision_after(&invalid, &free, 1, 1);
    assert!(matches!(decision.step, Step::Submit { .. }));
}

#[test]
fn keeps_the_start_of_an_abandoned_attempt_in_the_next() {
    let mut refused = claimed("Refused");
    let submission = refused.status.as_mut().unwrap().submission.as_mut();
    submission.unwrap().attempt = 2;
    let claim = crate::restore::submission::ClaimRequest {
        nonce: "n-2".into(),
        now: time(900),
    };
    let status = claim.status(&refused, &crate::restore::messages::pending());
    let submission = status.submission.unwrap();
    assert_eq!(submission.start_time.0, time(0));
    assert_eq!(submission.attempt, 2);
}

#[test]
fn does_not_advise_an_edit_after_an_abandoned_attempt() {
    let mut open = claimed("Open");
    let submission = open.status.as_mut().unwrap().submission.as_mut();
    submission.unwrap().attempt = 2;
    let posted = crate::pinecone::Posted::NoEffect(failure(FailureKind::Invalid));
    let (report, _) =
        crate::restore::after_post(&posted, &Situation::of(&open), 1, RULES.intervals);
    let message = report.message.text;
    assert!(message.contains("cannot be edited"), "{message}");
}
