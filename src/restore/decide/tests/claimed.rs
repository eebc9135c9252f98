use super::*;
use crate::api::{AdoptionPolicy, SubmissionOutcome};
use crate::pinecone::{Created, Posted};
use crate::restore::answer::Search;
use crate::restore::{Change, Report, after_post};

fn search(index: Option<Index>, jobs: &[RestoreJob], witness: bool) -> Answer {
    let witness = if witness {
        backup("Ready")
    } else {
        Some(Err(failure(FailureKind::NotFound)))
    };
    Answer::FindOurs(Search {
        backup: witness,
        index: Ok(index),
        history: history(jobs, None),
    })
}

#[test]
fn an_open_claim_is_answered_by_its_job_even_against_the_adoption_policy() {
    let mut object = claimed("Taken");
    object.spec.adoption_policy = AdoptionPolicy::Never;
    let answer = search(
        Some(index(false, "Initializing")),
        &[job("j", 2, "Pending")],
        true,
    );
    let decision = look(&object, &answer, 1, 1);
    let Step::Report(Report {
        change: Change::Record(record),
        ..
    }) = &decision.step
    else {
        panic!("{decision:?}");
    };
    assert!(!record.adopted && record.job_id == "j");
}

#[test]
fn an_open_claim_without_trace_is_abandoned_only_with_all_the_evidence() {
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
    assert!(is_abandoned(&look(&claimed("Open"), &nothing, 4, 60)));
    assert!(
        !is_abandoned(&look(&claimed("Open"), &nothing, 2, 200)),
        "too few looks"
    );
    assert!(
        !is_abandoned(&look(&claimed("Open"), &nothing, 9, 10)),
        "too soon"
    );
    let no_witness = search(None, &[], false);
    assert!(
        !is_abandoned(&look(&claimed("Open"), &no_witness, 9, 60)),
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
        !is_abandoned(&look(&second, &nothing, 4, 60)),
        "patience grows"
    );
    assert!(is_abandoned(&look(&second, &nothing, 7, 60)));
}

#[test]
fn a_claim_whose_index_was_seen_and_went_is_never_sent_again() {
    let situation = Situation::of(&claimed("Open"));
    let mut evidence = Evidence::default();
    let there = search(Some(index(true, "Ready")), &[], true);
    learn(&mut evidence, &situation, &there, now(0));
    let gone = search(None, &[], true);
    for round in 1..20 {
        learn(&mut evidence, &situation, &gone, now(round * 60));
        let decision = decide(&situation, &evidence, &gone, &RULES, now(round * 60));
        assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
    }
}

#[test]
fn an_index_without_a_job_is_foreign_only_where_pinecone_said_taken() {
    let answer = search(Some(index(true, "Ready")), &[], true);
    let decision = look(&claimed("Taken"), &answer, 5, 30);
    assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
    let decision = look(&claimed("Open"), &answer, 5, 30);
    assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
    let decision = look(&claimed("Open"), &answer, 4, 1_300);
    assert_eq!(reason(&decision), Some(Reason::SubmissionUnconfirmed));
}

/// Two looks at an index that is there: one that misses its job, one that shows it.
fn without_and_with_its_job() -> (Answer, Answer) {
    let there = Some(index(true, "Ready"));
    let ours = job("j", 1, "Pending");
    (
        search(there.clone(), &[], true),
        search(there, &[ours], true),
    )
}

/// The list lags by up to a minute, so that the looks within it say nothing; then one
/// answer lacks the row that it had come to show.
#[test]
fn a_row_that_is_dropped_once_after_the_lag_disowns_nothing() {
    let situation = Situation::of(&claimed("Taken"));
    let (without, with) = without_and_with_its_job();
    let mut evidence = Evidence::default();
    for second in (0..=60).step_by(6) {
        learn(&mut evidence, &situation, &without, now(second));
        let decision = decide(&situation, &evidence, &without, &RULES, now(second));
        assert_eq!(
            reason(&decision),
            Some(Reason::ConfirmingSubmission),
            "{second} s"
        );
    }
    learn(&mut evidence, &situation, &with, now(66));
    let decision = decide(&situation, &evidence, &with, &RULES, now(66));
    assert_eq!(reason(&decision), Some(Reason::Restoring));
}

/// A look that shows the job counts against its absence, even where the write that was to
/// record it lost against another's.
#[test]
fn a_look_that_shows_the_job_is_none_that_misses_it() {
    let situation = Situation::of(&claimed("Taken"));
    let (without, with) = without_and_with_its_job();
    let mut evidence = Evidence::default();
    for second in [0, 61, 62] {
        learn(&mut evidence, &situation, &without, now(second));
    }
    assert_eq!(evidence.looks(), 2);
    learn(&mut evidence, &situation, &with, now(63));
    for second in [64, 65, 66, 122] {
        learn(&mut evidence, &situation, &without, now(second));
        assert_eq!(evidence.looks(), 0, "{second} s");
    }
    learn(&mut evidence, &situation, &without, now(123));
    assert_eq!(evidence.looks(), 1);
}

/// A look counts from when it was asked for: a process that was frozen before it got
/// the answer holds a list of long ago.
#[test]
fn a_look_that_began_within_the_lag_and_ended_after_it_does_not_count() {
    let situation = Situation::of(&claimed("Taken"));
    let without = search(Some(index(true, "Ready")), &[], true);
    let mut evidence = Evidence::default();
    let catch_up = RULES.patience.catch_up;
    evidence.learn(&situation, &without, now(0).boot..now(1).boot, catch_up);
    for (begun, counted) in [(2, 0), (60, 0), (61, 1), (62, 2)] {
        let looked = now(begun).boot..now(900).boot;
        evidence.learn(&situation, &without, looked, catch_up);
        assert_eq!(evidence.looks(), counted, "{begun} s");
    }
}

#[test]
fn a_claim_that_cannot_be_looked_for_stays_open() {
    let answer = Answer::FindOurs(Search {
        index: Err(failure(FailureKind::Unavailable)),
        history: Err(failure(FailureKind::Unavailable)),
        backup: None,
    });
    assert_eq!(
        reason(&look(&claimed("Open"), &answer, 50, 60)),
        Some(Reason::ConfirmingSubmission)
    );
    assert_eq!(
        reason(&look(&claimed("Open"), &answer, 70, 60)),
        Some(Reason::SubmissionUnconfirmed)
    );
}

#[test]
fn the_answer_to_the_post_says_what_becomes_of_the_claim() {
    let situation = Situation::of(&claimed("Open"));
    let outcome = |posted: Posted| {
        let (report, _) = after_post(&posted, &situation, 1, RULES.pace);
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
fn refusals_in_a_row_are_sent_ever_more_slowly_and_as_pinecone_asks() {
    let situation = Situation::of(&claimed("Open"));
    let again = |refusals, retry_after: Option<u64>| {
        let mut refused = failure(FailureKind::Forbidden);
        refused.retry_after = retry_after.map(Duration::from_secs);
        after_post(&Posted::NoEffect(refused), &situation, refusals, RULES.pace).1
    };
    assert_eq!(again(1, None), Duration::from_secs(2));
    assert_eq!(again(4, None), Duration::from_secs(16));
    assert_eq!(again(99, None), RULES.pace.stalled());
    assert_eq!(again(1, Some(900)), Duration::from_secs(900));
}

#[test]
fn a_taken_name_whose_index_is_terminating_is_waited_for() {
    let going = search(Some(index(false, "Terminating")), &[], true);
    let decision = look(&claimed("Taken"), &going, 9, 60);
    assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
    let old = job("old", -5_000, "Completed");
    let earlier = Answer::FindOurs(Search {
        index: Ok(Some(index(false, "Terminating"))),
        history: history(std::slice::from_ref(&old), Some(&old)),
        backup: None,
    });
    let decision = look(&claimed("Taken"), &earlier, 9, 60);
    assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
}

#[test]
fn a_failing_witness_is_no_witness() {
    let Answer::FindOurs(seen) = search(None, &[], true) else {
        panic!()
    };
    for backup in [None, Some(Err(failure(FailureKind::Unavailable)))] {
        let answer = Answer::FindOurs(Search {
            backup,
            ..seen.clone()
        });
        let decision = look(&claimed("Open"), &answer, 9, 60);
        assert_eq!(
            reason(&decision),
            Some(Reason::ConfirmingSubmission),
            "{decision:?}"
        );
        assert!(!is_closed(&decision), "{decision:?}");
    }
}

fn is_closed(decision: &Decision) -> bool {
    matches!(
        &decision.step,
        Step::Report(Report {
            change: Change::Close { .. },
            ..
        })
    )
}

#[test]
fn looks_without_a_witness_prove_nothing_later() {
    let object = claimed("Open");
    let situation = Situation::of(&object);
    let mut evidence = Evidence::default();
    for round in 0..9 {
        learn(
            &mut evidence,
            &situation,
            &search(None, &[], false),
            now(round * 60),
        );
    }
    let answer = search(None, &[], true);
    let at = now(9 * 60);
    learn(&mut evidence, &situation, &answer, at);
    assert!(
        !is_closed(&decide(&situation, &evidence, &answer, &RULES, at)),
        "one look with the right key"
    );
}

#[test]
fn an_accepted_submission_is_never_abandoned() {
    let decision = look(&claimed("Accepted"), &search(None, &[], true), 9, 60);
    assert!(!is_closed(&decision), "{decision:?}");
}

#[test]
fn the_policy_holds_while_the_claim_is_open() {
    let old = job("old", -5_000, "Completed");
    let answer = Answer::FindOurs(Search {
        index: Ok(Some(index(true, "Ready"))),
        history: history(std::slice::from_ref(&old), Some(&old)),
        backup: None,
    });
    assert_eq!(
        reason(&look(&claimed("Taken"), &answer, 1, 1)),
        Some(Reason::Restoring)
    );
    let mut never = claimed("Taken");
    never.spec.adoption_policy = AdoptionPolicy::Never;
    assert_eq!(
        reason(&look(&never, &answer, 1, 1)),
        Some(Reason::IndexAlreadyExists)
    );
}

#[test]
fn a_claim_looks_for_its_own_values() {
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
fn an_abandoned_attempt_is_still_looked_for_by_the_next() {
    use crate::restore::report::ClaimRequest;
    use crate::restore::{Question, ask, findings};
    let object = claimed("Abandoned");
    let question = ask(&Situation::of(&object), &Evidence::default());
    assert_eq!(question, Question::MaySubmit { history: true });
    let request = ClaimRequest {
        nonce: "n-2".into(),
        now: time(500),
    };
    let next = request
        .status(&object, &findings::pending())
        .submission
        .unwrap();
    assert_eq!((next.attempt, next.start_time.0), (2, time(0)));
    let next = request
        .status(&claimed("Refused"), &findings::pending())
        .submission
        .unwrap();
    assert_eq!((next.attempt, next.start_time.0), (1, time(500)));
}

#[test]
fn an_index_that_was_seen_and_went_leaves_the_claim_open_unless_it_was_taken() {
    let gone = search(None, &[], true);
    for (outcome, closes) in [("Open", false), ("Taken", true)] {
        let situation = Situation::of(&claimed(outcome));
        let mut evidence = Evidence::default();
        let there = search(Some(index(true, "Ready")), &[], true);
        learn(&mut evidence, &situation, &there, now(0));
        let mut closed = false;
        for round in 1..20 {
            let at = now(round * 60);
            learn(&mut evidence, &situation, &gone, at);
            closed |= is_closed(&decide(&situation, &evidence, &gone, &RULES, at));
        }
        assert_eq!(closed, closes, "{outcome}");
    }
}

#[test]
fn an_open_claim_without_a_key_asks_a_person_after_an_hour() {
    let no_key = Answer::NoKey(crate::secret::KeyProblem::NoSecret("s".into()));
    let decision = look(&claimed("Open"), &no_key, 70, 60);
    assert_eq!(reason(&decision), Some(Reason::SubmissionUnconfirmed));
}
