//! Which observations count as having missed a thing.

use super::claimed::{is_closed, search};
use super::*;

/// Two observations of an index that is there: one that misses its job, one that shows it.
fn without_and_with_its_job() -> (Answer, Answer) {
    let there = Some(index(true, "Ready"));
    let ours = job("j", 1, "Pending");
    (
        search(there.clone(), &[], true),
        search(there, &[ours], true),
    )
}

/// The list lags by up to a minute, so that the observations within it say nothing; then one
/// answer lacks the row that it had come to show.
#[test]
fn does_not_disown_an_index_after_one_dropped_row() {
    let situation = Situation::of(&claimed("Taken"));
    let (without, with) = without_and_with_its_job();
    let mut evidence = Evidence::default();
    for second in (0..=60).step_by(6) {
        learn(&mut evidence, &situation, &without, now(second));
        let decision = decide(
            &situation,
            &evidence,
            &without.to(&situation, &evidence),
            &RULES,
            now(second),
        );
        assert_eq!(
            reason(&decision),
            Some(Reason::ConfirmingSubmission),
            "{second} s"
        );
    }
    learn(&mut evidence, &situation, &with, now(66));
    let decision = decide(
        &situation,
        &evidence,
        &with.to(&situation, &evidence),
        &RULES,
        now(66),
    );
    assert_eq!(reason(&decision), Some(Reason::Restoring));
}

/// An observation that shows the job counts against its absence, even where the write that was to
/// record it lost against another's.
#[test]
fn does_not_count_an_observation_that_shows_the_job_as_missing() {
    let situation = Situation::of(&claimed("Taken"));
    let (without, with) = without_and_with_its_job();
    let mut evidence = Evidence::default();
    for second in [0, 61, 62] {
        learn(&mut evidence, &situation, &without, now(second));
    }
    assert_eq!(evidence.observations(), 2);
    learn(&mut evidence, &situation, &with, now(63));
    for second in [64, 65, 66, 122] {
        learn(&mut evidence, &situation, &without, now(second));
        assert_eq!(evidence.observations(), 0, "{second} s");
    }
    learn(&mut evidence, &situation, &without, now(123));
    assert_eq!(evidence.observations(), 1);
}

/// An observation counts from when it was asked for: a process that was frozen before it got
/// the answer holds a list of long ago.
#[test]
fn does_not_count_an_observation_that_began_within_the_lag() {
    let situation = Situation::of(&claimed("Taken"));
    let without = search(Some(index(true, "Ready")), &[], true);
    let mut evidence = Evidence::default();
    let patience = RULES.patience;
    evidence.learn(
        &situation,
        &without.to(&situation, &Evidence::default()),
        now(0).boot..now(1).boot,
        patience,
    );
    for (begun, counted) in [(2, 0), (60, 0), (61, 1), (62, 2)] {
        let during = now(begun).boot..now(900).boot;
        evidence.learn(
            &situation,
            &without.to(&situation, &Evidence::default()),
            during,
            patience,
        );
        assert_eq!(evidence.observations(), counted, "{begun} s");
    }
}

#[test]
fn does_not_count_observations_without_a_witness_later() {
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
        !is_closed(&decide(
            &situation,
            &evidence,
            &answer.to(&situation, &evidence),
            &RULES,
            at
        )),
        "one observation with the right key"
    );
}

/// The name is taken, and its origin is not known yet; this is the list.
fn origin(jobs: &[RestoreJob], is_complete: bool) -> Answer {
    let mut jobs = restore_jobs(jobs, None).unwrap();
    jobs.is_complete = is_complete;
    Answer::MaySubmit(Preflight {
        jobs: Some(Ok(jobs)),
        ..preflight(Some(index(true, "Ready")), None)
    })
}

fn observations_after(object: &IndexRestore, answers: &[(i64, &Answer)]) -> u32 {
    let situation = Situation::of(object);
    let mut evidence = Evidence::default();
    for (second, answer) in answers {
        learn(&mut evidence, &situation, answer, now(*second));
    }
    evidence.observations()
}

#[test]
fn does_not_conclude_an_origin_from_an_unfinished_list() {
    let fresh = object(Value::Null);
    let (whole, cut) = (origin(&[], true), origin(&[], false));
    assert_eq!(observations_after(&fresh, &[(0, &whole), (60, &whole)]), 1);
    assert_eq!(observations_after(&fresh, &[(0, &whole), (60, &cut)]), 0);
}

#[test]
fn resets_the_evidence_after_the_name_was_free() {
    let fresh = object(Value::Null);
    let taken = origin(&[], true);
    let free = Answer::MaySubmit(preflight(None, backup("Ready")));
    let answers = [(0, &taken), (60, &taken), (120, &free), (180, &taken)];
    assert_eq!(observations_after(&fresh, &answers), 0);
}

/// The record of a late job may lose against another write: the observations start again.
#[test]
fn does_not_count_an_observation_that_shows_an_abandoned_attempts_job_as_missing() {
    let abandoned = claimed("Abandoned");
    let missed = origin(&[], true);
    let listed = origin(&[job("j", 1, "Pending")], true);
    let mut answers = vec![(0, &missed), (60, &missed)];
    assert_eq!(observations_after(&abandoned, &answers), 1);
    answers.extend([(61, &listed), (62, &missed), (120, &missed)]);
    assert_eq!(observations_after(&abandoned, &answers), 0);
    answers.push((121, &missed));
    assert_eq!(observations_after(&abandoned, &answers), 1);
}

#[test]
fn resets_the_evidence_when_the_job_is_shown_again() {
    let running = accepted(json!({"state": "Pending"}), None);
    let follow = |job: Option<RestoreJob>, index| Answer::Follow {
        job: Ok(job),
        index,
    };
    let missed = follow(None, Some(Ok(None)));
    let shown = follow(Some(job("j", 1, "Pending")), None);
    let answers = [(0, &missed), (60, &missed), (61, &shown), (120, &missed)];
    assert_eq!(observations_after(&running, &answers[..2]), 1);
    assert_eq!(observations_after(&running, &answers), 0);
}

#[test]
fn counts_failures_in_a_row_without_not_found() {
    let situation = Situation::of(&claimed("Open"));
    let failed = Answer::FindOurs(Search {
        ended: time(0),
        index: Err(failure(FailureKind::Unavailable)),
        jobs: restore_jobs(&[], None),
        backup: None,
    });
    let no_key = Answer::NoKey(crate::caches::KeyProblem::NoSecret("s".into()));
    let mut evidence = Evidence::default();
    for (answer, failures) in [
        (&failed, 1),
        (&no_key, 2),
        (&search(None, &[], false), 0),
        (&failed, 1),
        (&search(None, &[], true), 0),
    ] {
        learn(&mut evidence, &situation, answer, now(0));
        assert_eq!(evidence.failures(), failures, "{answer:?}");
    }
}
