//! An outcome that was out of sight for too long is nothing to conclude from.

use super::claimed::search;
use super::*;
use crate::api::{IndexRestoreStatus, REQUESTED_AT, SubmissionOutcome};
use crate::restore::Change;
use crate::restore::evidence::is_gap;
use crate::restore::messages;
use crate::restore::report::Report;
use crate::restore::submission::{ClaimRequest, own_submission};

/// The status after an observation that began at each of these seconds, while the claim is open.
fn watched(object: &mut IndexRestore, evidence: &mut Evidence, seconds: &[i64], rules: &Rules) {
    let nothing = search(None, &[], true);
    for second in seconds {
        if !own_submission(object).unwrap().is_open() {
            return;
        }
        see(object, evidence, &nothing, *second, rules);
    }
}

fn see(
    object: &mut IndexRestore,
    evidence: &mut Evidence,
    answer: &Answer,
    second: i64,
    rules: &Rules,
) {
    let at = now(second);
    let situation = Situation::of(object);
    let observation = ended(answer, at).to(&situation, evidence);
    evidence.learn(&situation, &observation, at.boot..at.boot, rules.patience);
    let decision = decide(&situation, evidence, &observation, rules, at);
    if let Step::Report(report) = decision.step {
        object.status = Some(report.status(object, at.wall));
    }
}

fn status(object: &IndexRestore) -> IndexRestoreStatus {
    object.status.clone().unwrap()
}

fn outcome(object: &IndexRestore) -> SubmissionOutcome {
    own_submission(object).unwrap().outcome
}

fn shown(object: &IndexRestore) -> Reason {
    Situation::of(object).shown.unwrap().reason
}

fn request(object: &mut IndexRestore, token: &str) {
    let annotations = object.metadata.annotations.get_or_insert_default();
    annotations.insert(REQUESTED_AT.into(), token.into());
}

#[test]
fn abandons_a_lost_create_only_if_it_was_observed_without_a_gap() {
    for (seconds, expected) in [
        (vec![10, 80, 150, 200], SubmissionOutcome::Abandoned),
        // The first observation comes exactly in time.
        (vec![600, 700, 750, 800, 900], SubmissionOutcome::Abandoned),
        (
            vec![601, 700, 750, 800, 900, 2_000],
            SubmissionOutcome::Open,
        ),
        (
            vec![10, 80, 150, 170, 900, 950, 990, 1_200],
            SubmissionOutcome::Open,
        ),
    ] {
        let mut object = claimed("Open");
        watched(&mut object, &mut Evidence::default(), &seconds, &RULES);
        assert_eq!(outcome(&object), expected, "{seconds:?}");
        if expected == SubmissionOutcome::Open {
            assert_eq!(shown(&object), Reason::SubmissionUnconfirmed);
        }
    }
}

#[test]
fn a_gap_survives_a_restart() {
    let mut object = claimed("Open");
    watched(&mut object, &mut Evidence::default(), &[10, 170], &RULES);
    let observed = status(&object).submission.unwrap().last_observed_time;
    assert_eq!(observed.map(|time| time.0), Some(time(170)));
    // Another process, and within the gap.
    let mut resumed = object.clone();
    let seconds = [700, 800, 850, 900, 950];
    watched(&mut resumed, &mut Evidence::default(), &seconds, &RULES);
    assert_eq!(outcome(&resumed), SubmissionOutcome::Abandoned);
    let seconds = [771, 800, 850, 900, 980, 1_900];
    watched(&mut object, &mut Evidence::default(), &seconds, &RULES);
    assert_eq!(outcome(&object), SubmissionOutcome::Open);
    watched(&mut object, &mut Evidence::default(), &[2_000], &RULES);
    let observed = status(&object).submission.unwrap().last_observed_time;
    assert_eq!(observed.map(|time| time.0), Some(time(170)));
}

#[test]
fn does_not_count_an_incomplete_observation() {
    for unseen in [
        search(None, &[], false),
        Answer::FindOurs(Search {
            ended: time(0),
            index: Err(failure(FailureKind::Unavailable)),
            jobs: restore_jobs(&[], None),
            backup: backup("Ready"),
        }),
    ] {
        let mut object = claimed("Open");
        let mut evidence = Evidence::default();
        for second in [100, 300, 500] {
            see(&mut object, &mut evidence, &unseen, second, &RULES);
        }
        assert_eq!(shown(&object), Reason::ConfirmingSubmission);
        watched(&mut object, &mut evidence, &[650, 800, 900, 999], &RULES);
        assert_eq!(outcome(&object), SubmissionOutcome::Open);
        assert_eq!(shown(&object), Reason::SubmissionUnconfirmed);
    }
}

#[test]
fn reports_a_gap_while_it_lasts() {
    let away = Answer::FindOurs(Search {
        ended: time(0),
        index: Err(failure(FailureKind::Unavailable)),
        jobs: Err(failure(FailureKind::Unavailable)),
        backup: None,
    });
    for (second, expected) in [
        (600, Reason::ConfirmingSubmission),
        (601, Reason::SubmissionUnconfirmed),
    ] {
        let mut object = claimed("Open");
        see(&mut object, &mut Evidence::default(), &away, second, &RULES);
        assert_eq!(shown(&object), expected);
    }
}

#[test]
fn submits_again_after_a_gap_at_a_users_request() {
    let mut object = claimed("Open");
    let mut evidence = Evidence::default();
    request(&mut object, "1");
    // What was there when the claim was made approves nothing.
    object.status.as_mut().unwrap().last_handled_request = Some("1".into());
    watched(&mut object, &mut evidence, &[700, 800, 900, 1_000], &RULES);
    assert_eq!(outcome(&object), SubmissionOutcome::Open);
    request(&mut object, "2");
    watched(&mut object, &mut evidence, &[1_010], &RULES);
    assert_eq!(outcome(&object), SubmissionOutcome::Abandoned);
    assert_eq!(status(&object).last_handled_request.as_deref(), Some("2"));
}

#[test]
fn keeps_a_request_until_it_can_be_handled() {
    let mut object = claimed("Open");
    let mut evidence = Evidence::default();
    request(&mut object, "1");
    watched(&mut object, &mut evidence, &[700], &RULES);
    assert_eq!(outcome(&object), SubmissionOutcome::Open, "too soon");
    assert_eq!(status(&object).last_handled_request, None);
    watched(&mut object, &mut evidence, &[800, 900, 1_000], &RULES);
    assert_eq!(outcome(&object), SubmissionOutcome::Abandoned);
    assert_eq!(status(&object).last_handled_request.as_deref(), Some("1"));
}

#[test]
fn requires_manual_action_where_no_gap_is_allowed() {
    let mut rules = RULES;
    rules.patience.max_gap = Duration::ZERO;
    let mut object = claimed("Open");
    let mut evidence = Evidence::default();
    watched(&mut object, &mut evidence, &[10, 80, 150, 200, 300], &rules);
    assert_eq!(outcome(&object), SubmissionOutcome::Open);
    let said = Situation::of(&object).shown.unwrap().text;
    assert!(said.contains("never submits again automatically"), "{said}");
    request(&mut object, "1");
    watched(&mut object, &mut evidence, &[310], &rules);
    assert_eq!(outcome(&object), SubmissionOutcome::Abandoned);
}

#[test]
fn does_not_resubmit_after_a_restart_if_the_index_was_seen() {
    let mut object = claimed("Open");
    let there = search(Some(index(true, "Ready")), &[], true);
    let mut evidence = Evidence::default();
    see(&mut object, &mut evidence, &there, 10, &RULES);
    assert!(own_submission(&object).unwrap().index_seen);
    let written = status(&object);
    see(&mut object, &mut evidence, &there, 20, &RULES);
    assert_eq!(status(&object), written, "it is written once");
    let mut evidence = Evidence::default();
    watched(
        &mut object,
        &mut evidence,
        &[30, 100, 200, 300, 400],
        &RULES,
    );
    assert_eq!(outcome(&object), SubmissionOutcome::Open);
    request(&mut object, "1");
    watched(&mut object, &mut evidence, &[410], &RULES);
    assert_eq!(outcome(&object), SubmissionOutcome::Abandoned);
}

#[test]
fn counts_only_more_than_the_longest_gap_as_one() {
    let longest = Duration::from_secs(10);
    for (to, expected) in [(5, false), (10, false), (11, true), (-5, false)] {
        assert_eq!(is_gap(time(0), time(to), longest), expected, "{to}");
    }
    assert!(is_gap(time(0), time(0), Duration::ZERO));
}

#[test]
fn acknowledges_the_request_with_a_claim() {
    let mut object = object(Value::Null);
    request(&mut object, "old");
    let claim = ClaimRequest {
        nonce: "n".into(),
        now: time(5),
    };
    let status = claim.status(&object, &messages::pending());
    assert_eq!(status.last_handled_request.as_deref(), Some("old"));
    let observed = status.submission.unwrap().last_observed_time;
    assert_eq!(observed.map(|at| at.0), Some(time(5)));
}

#[test]
fn acknowledges_a_request_where_nothing_is_to_do() {
    let mut failed = accepted(json!({"state": "Failed"}), None);
    let said = crate::api::StatusMessage::new(Reason::RestoreFailed, "m");
    failed.status = Some(Report::new(said, Change::Nothing).status(&failed, time(1)));
    request(&mut failed, "1");
    let Step::Report(report) = decision_after(&failed, &Answer::Nothing, 1, 1).step else {
        panic!("nothing to write");
    };
    let status = report.status(&failed, time(2));
    assert_eq!(status.last_handled_request.as_deref(), Some("1"));
}

#[test]
fn ignores_an_observation_without_a_submission() {
    let change = Change::Observed {
        until: time(1),
        index_seen: true,
    };
    let status = Report::new(messages::pending(), change).status(&object(Value::Null), time(1));
    assert_eq!(status.submission, None);
}
