use super::*;
use crate::api::{AdoptionPolicy, SubmissionOutcome};
use crate::restore::{Change, Report, messages};

pub(super) fn search(index: Option<Index>, jobs: &[RestoreJob], witness: bool) -> Answer {
    let witness = if witness {
        backup("Ready")
    } else {
        Some(Err(failure(FailureKind::NotFound)))
    };
    Answer::FindOurs(Search {
        ended: time(0),
        backup: witness,
        index: Ok(index),
        jobs: restore_jobs(jobs, None),
    })
}

pub(super) fn is_closed(decision: &Decision) -> bool {
    matches!(
        &decision.step,
        Step::Report(Report {
            change: Change::Close { .. },
            ..
        })
    )
}

#[test]
fn resolves_an_open_claim_by_its_job_whatever_the_adoption_policy() {
    let mut object = claimed("Taken");
    object.spec.adoption_policy = AdoptionPolicy::Never;
    let answer = search(
        Some(index(false, "Initializing")),
        &[job("j", 2, "Pending")],
        true,
    );
    let decision = decision_after(&object, &answer, 1, 1);
    let Step::Report(Report {
        change: Change::Record(record),
        ..
    }) = &decision.step
    else {
        panic!("{decision:?}");
    };
    assert!(!record.adopted && record.job_id.as_deref() == Some("j"));
}

#[test]
fn abandons_an_open_claim_only_with_all_the_evidence() {
    let nothing = search(None, &[], true);
    let is_abandoned = |decision: &Decision| {
        matches!(
            &decision.step,
            Step::Report(Report {
                change: Change::Close {
                    outcome: SubmissionOutcome::Abandoned,
                    ..
                },
                ..
            })
        )
    };
    assert!(is_abandoned(&decision_after(
        &claimed("Open"),
        &nothing,
        4,
        60
    )));
    assert!(
        !is_abandoned(&decision_after(&claimed("Open"), &nothing, 2, 200)),
        "too few observations"
    );
    assert!(
        !is_abandoned(&decision_after(&claimed("Open"), &nothing, 9, 10)),
        "too soon"
    );
    let no_witness = search(None, &[], false);
    assert!(
        !is_abandoned(&decision_after(&claimed("Open"), &no_witness, 9, 60)),
        "another project's key"
    );
    let mut second = claimed("Open");
    second
        .status
        .as_mut()
        .unwrap()
        .submission
        .as_mut()
        .unwrap()
        .attempt = 2;
    assert!(
        !is_abandoned(&decision_after(&second, &nothing, 4, 60)),
        "patience grows"
    );
    assert!(is_abandoned(&decision_after(&second, &nothing, 7, 60)));
}

#[test]
fn does_not_resubmit_after_the_index_was_seen() {
    let situation = Situation::of(&claimed("Open"));
    let mut evidence = Evidence::default();
    let there = search(Some(index(true, "Ready")), &[], true);
    learn(&mut evidence, &situation, &there, now(0));
    let gone = search(None, &[], true);
    for round in 1..20 {
        learn(&mut evidence, &situation, &gone, now(round * 60));
        let decision = decide(
            &situation,
            &evidence,
            &gone.to(&situation, &evidence),
            &RULES,
            now(round * 60),
        );
        // Manual action is required where a request without a trace would be sent again.
        let expected = match round {
            ..4 => Reason::ConfirmingSubmission,
            _ => Reason::SubmissionUnconfirmed,
        };
        assert_eq!(reason(&decision), Some(expected), "round {round}");
        assert!(!is_closed(&decision), "round {round}");
    }
}

#[test]
fn takes_an_index_without_a_job_for_foreign_only_after_a_409() {
    let mut foreign = index(true, "Ready");
    foreign.source = SourceBackup::None;
    let answer = search(Some(foreign), &[], true);
    let decision = decision_after(&claimed("Taken"), &answer, 5, 30);
    assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
    let decision = decision_after(&claimed("Open"), &answer, 5, 30);
    assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
    let decision = decision_after(&claimed("Open"), &answer, 4, 1_300);
    assert_eq!(reason(&decision), Some(Reason::SubmissionUnconfirmed));
}

#[test]
fn keeps_a_claim_open_while_reads_fail() {
    let answer = Answer::FindOurs(Search {
        ended: time(0),
        index: Err(failure(FailureKind::Unavailable)),
        jobs: Err(failure(FailureKind::Unavailable)),
        backup: None,
    });
    assert_eq!(
        reason(&decision_after(&claimed("Open"), &answer, 10, 60)),
        Some(Reason::ConfirmingSubmission)
    );
    assert_eq!(
        reason(&decision_after(&claimed("Open"), &answer, 70, 60)),
        Some(Reason::SubmissionUnconfirmed)
    );
}

#[test]
fn waits_for_a_terminating_index() {
    let going = search(Some(index(false, "Terminating")), &[], true);
    let decision = decision_after(&claimed("Taken"), &going, 9, 60);
    assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
    let old = job("old", -5_000, "Completed");
    let earlier = Answer::FindOurs(Search {
        ended: time(0),
        index: Ok(Some(index(false, "Terminating"))),
        jobs: restore_jobs(std::slice::from_ref(&old), Some(&old)),
        backup: None,
    });
    let decision = decision_after(&claimed("Taken"), &earlier, 9, 60);
    assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
}

#[test]
fn does_not_take_a_failed_read_of_the_backup_for_a_witness() {
    let Answer::FindOurs(seen) = search(None, &[], true) else {
        panic!()
    };
    for backup in [None, Some(Err(failure(FailureKind::Unavailable)))] {
        let answer = Answer::FindOurs(Search {
            ended: time(0),
            backup,
            ..seen.clone()
        });
        let decision = decision_after(&claimed("Open"), &answer, 9, 60);
        assert_eq!(
            reason(&decision),
            Some(Reason::ConfirmingSubmission),
            "{decision:?}"
        );
        assert!(!is_closed(&decision), "{decision:?}");
    }
}

#[test]
fn never_abandons_an_accepted_submission() {
    let gone = Answer::Follow {
        job: Ok(None),
        index: Some(Ok(None)),
    };
    let decision = decision_after(&claimed("Accepted"), &gone, 9, 60);
    assert!(!is_closed(&decision), "{decision:?}");
}

/// The earlier job's own index is gone: what has the name now is something else.
#[test]
fn does_not_adopt_an_unconfirmed_earlier_job_while_the_claim_is_open() {
    let old = job("old", -5_000, "Completed");
    let there = search(Some(index(true, "Ready")), &[old], true);
    let decision = decision_after(&claimed("Taken"), &there, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
}

#[test]
fn applies_the_adoption_policy_while_the_claim_is_open() {
    let old = job("old", -5_000, "Completed");
    let answer = Answer::FindOurs(Search {
        ended: time(0),
        index: Ok(Some(index(true, "Ready"))),
        jobs: restore_jobs(std::slice::from_ref(&old), Some(&old)),
        backup: None,
    });
    assert_eq!(
        reason(&decision_after(&claimed("Taken"), &answer, 1, 1)),
        Some(Reason::Restoring)
    );
    let mut never = claimed("Taken");
    never.spec.adoption_policy = AdoptionPolicy::Never;
    assert_eq!(
        reason(&decision_after(&never, &answer, 1, 1)),
        Some(Reason::IndexAlreadyExists)
    );
}

#[test]
fn resolves_a_claim_by_its_own_backup_and_name() {
    let mut edited = claimed("Open");
    edited.spec.backup_id = "other".into();
    edited.spec.index_name = "other".into();
    let situation = Situation::of(&edited);
    assert_eq!(
        (&*situation.backup_id, &*situation.index_name),
        ("b", "index")
    );
}

#[test]
fn reads_the_jobs_of_an_abandoned_attempt_before_the_next() {
    use crate::restore::submission::ClaimRequest;
    let object = claimed("Abandoned");
    let asked = question(&object, &Evidence::default());
    assert_eq!(asked, "may it be submitted, with jobs");
    let request = ClaimRequest {
        nonce: "n-2".into(),
        now: time(500),
    };
    let next = request
        .status(&object, &messages::pending())
        .submission
        .unwrap();
    assert_eq!((next.attempt, next.start_time.0), (2, time(0)));
    let next = request
        .status(&claimed("Refused"), &messages::pending())
        .submission
        .unwrap();
    assert_eq!((next.attempt, next.start_time.0), (1, time(500)));
}

#[test]
fn keeps_the_claim_open_after_its_index_or_job_was_seen() {
    let gone = search(None, &[], true);
    let ours = [job("j", 2, "Pending")];
    for (outcome, index, jobs) in [
        ("Open", Some(index(true, "Ready")), &[][..]),
        ("Taken", Some(index(true, "Ready")), &[]),
        // The job was listed, and its record lost against another write.
        ("Open", None, &ours),
        ("Taken", None, &ours),
    ] {
        let situation = Situation::of(&claimed(outcome));
        let mut evidence = Evidence::default();
        let there = search(index, jobs, true);
        learn(&mut evidence, &situation, &there, now(0));
        let mut closed = false;
        for round in 1..20 {
            let at = now(round * 60);
            learn(&mut evidence, &situation, &gone, at);
            closed |= is_closed(&decide(
                &situation,
                &evidence,
                &gone.to(&situation, &evidence),
                &RULES,
                at,
            ));
        }
        assert!(!closed, "{outcome}");
    }
}

#[test]
fn requires_manual_action_for_an_open_claim_without_a_key_after_an_hour() {
    let no_key = Answer::NoKey(crate::caches::KeyProblem::NoSecret("s".into()));
    let decision = decision_after(&claimed("Open"), &no_key, 70, 60);
    assert_eq!(reason(&decision), Some(Reason::SubmissionUnconfirmed));
}

#[test]
fn requires_manual_action_until_the_outcome_is_known() {
    let mut object = claimed("Open");
    let status = object.status.as_mut().unwrap();
    let asked = messages::unconfirmed(&Situation::of(&claimed("Open")), "why");
    status.conditions = asked.conditions(false, 3, &[], time(0));
    let away = Answer::FindOurs(Search {
        ended: time(0),
        index: Err(failure(FailureKind::Unavailable)),
        jobs: restore_jobs(&[], None),
        backup: None,
    });
    let decision = decision_after(&object, &away, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::SubmissionUnconfirmed));
}

#[test]
fn distinguishes_a_hidden_backup_from_one_that_could_not_be_read() {
    for (kind, words) in [
        (FailureKind::NotFound, "is not visible with this API key"),
        (FailureKind::Unavailable, "no answer: words"),
    ] {
        let answer = Answer::FindOurs(Search {
            ended: time(0),
            index: Ok(None),
            jobs: restore_jobs(&[], None),
            backup: Some(Err(failure(kind))),
        });
        let Step::Report(report) = decision_after(&claimed("Open"), &answer, 1, 1).step else {
            panic!("nothing to write");
        };
        let message = report.message.text;
        assert!(message.contains(words), "{message}");
    }
}
