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
        backup: witness.filter(|_| index.is_none()),
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
    evidence.learn(
        &situation,
        &search(Some(index(true, "Ready")), &[], true),
        now(0).boot,
    );
    let gone = search(None, &[], true);
    for round in 1..20 {
        evidence.learn(&situation, &gone, now(round * 60).boot);
        let decision = decide(&situation, &evidence, &gone, &RULES, now(round * 60));
        assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
    }
}

#[test]
fn an_index_without_a_job_is_foreign_only_where_pinecone_said_taken() {
    let answer = search(Some(index(true, "Ready")), &[], true);
    let decision = look(&claimed("Taken"), &answer, 4, 30);
    assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
    let decision = look(&claimed("Open"), &answer, 4, 30);
    assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
    let decision = look(&claimed("Open"), &answer, 4, 1_300);
    assert_eq!(reason(&decision), Some(Reason::SubmissionUnconfirmed));
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
        let decision = after_post(&posted, &situation, 1, RULES.pace);
        let Step::Report(report) = decision.step else {
            panic!("nothing to write");
        };
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
        after_post(&Posted::NoEffect(refused), &situation, refusals, RULES.pace).again
    };
    assert_eq!(again(1, None), Some(Duration::from_secs(2)));
    assert_eq!(again(4, None), Some(Duration::from_secs(16)));
    assert_eq!(again(99, None), Some(RULES.pace.stalled()));
    assert_eq!(again(1, Some(900)), Some(Duration::from_secs(900)));
}
