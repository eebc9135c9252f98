//! When the next observation is.

use super::claimed::search;
use super::*;

fn pause(object: &IndexRestore, answer: &Answer, times: u32, every: i64) -> Option<u64> {
    let decision = decision_after(object, answer, times, every);
    decision
        .requeue_after
        .map(|requeue_after| requeue_after.as_secs())
}

#[test]
fn observes_an_open_claim_less_often_and_each_minute_after_an_hour() {
    let there = search(Some(index(true, "Ready")), &[], true);
    for (times, every, pause_after) in [(1, 1, 2), (5, 10, 5), (5, 60, 15), (70, 60, 60)] {
        let found = pause(&claimed("Open"), &there, times, every);
        assert_eq!(
            found,
            Some(pause_after),
            "{times} observations, {every} s apart"
        );
    }
}

#[test]
fn retries_a_failed_observation_of_an_open_claim_within_a_minute() {
    let unreadable = |kind| {
        Answer::FindOurs(Search {
            ended: time(0),
            index: Err(failure(kind)),
            jobs: Err(failure(kind)),
            backup: None,
        })
    };
    for (kind, times, pause_after) in [
        (FailureKind::Unavailable, 1, 2),
        (FailureKind::Unavailable, 4, 16),
        (FailureKind::Unavailable, 20, 60),
        (FailureKind::Unauthorized, 20, 20),
    ] {
        let found = pause(&claimed("Open"), &unreadable(kind), times, 1);
        assert_eq!(found, Some(pause_after), "{kind:?} {times} times");
    }
}

#[test]
fn retries_a_rejected_key_within_twenty_seconds() {
    let running = accepted(json!({"state": "Pending"}), None);
    for (kind, pause_after) in [
        (FailureKind::Unauthorized, 20),
        (
            FailureKind::Unavailable,
            RULES.intervals.stalled().as_secs(),
        ),
    ] {
        let failing = Answer::Follow {
            job: Err(failure(kind)),
            index: None,
        };
        let found = pause(&running, &failing, 20, 1);
        assert_eq!(found, Some(pause_after), "{kind:?}");
    }
}

#[test]
fn polls_a_restore_by_its_age() {
    let running = accepted(json!({"state": "Pending"}), None);
    let pending = Answer::Follow {
        job: Ok(Some(job("j", 1, "Pending"))),
        index: None,
    };
    for (age, pause_after) in [(0, 2), (80, 10), (400, 50), (4_000, 60)] {
        let found = pause(&running, &pending, 2, age);
        assert_eq!(found, Some(pause_after), "{age} s old");
    }
}
