//! The rules for a version and for a pair of versions.

use serde_json::{Value, json};

use super::super::rules::*;
use super::super::{is_ready, is_settled};
use super::*;

fn pair(before: Value, after: Value) -> Vec<&'static str> {
    let broken = of_pair(&object(before), &object(after));
    broken.into_iter().map(|(rule, _)| rule).collect()
}

fn alone(status: Value) -> Vec<&'static str> {
    let broken = of_version(&object(status));
    broken.into_iter().map(|(rule, _)| rule).collect()
}

#[test]
fn stalled_and_reconciling_exclude_each_other_and_ready() {
    let both = reporting(&[("Stalled", "True", "x"), ("Reconciling", "True", "x")]);
    assert_eq!(alone(both), [KSTATUS]);
    let beside = reporting(&[("Ready", "True", "x"), ("Stalled", "True", "x")]);
    assert_eq!(alone(beside), [KSTATUS]);
    let falsely = reporting(&[("Stalled", "False", "x")]);
    assert_eq!(alone(falsely), [KSTATUS]);
    let fine = reporting(&[("Ready", "False", "x"), ("Stalled", "True", "x")]);
    assert_eq!(alone(fine), [""; 0]);
}

#[test]
fn a_claim_is_for_what_the_spec_says() {
    let mut claim = claimed("n", "Open", "Submitting");
    assert_eq!(alone(claim.clone()), [""; 0]);
    claim["submission"]["indexName"] = json!("other");
    assert_eq!(alone(claim.clone()), [CLAIM_OF_SPEC]);
    // The spec was edited since.
    claim["submission"]["generation"] = json!(0);
    assert_eq!(alone(claim), [""; 0]);
}

#[test]
fn ids_and_host_do_not_change() {
    let ids = |job: &str, index: &str| with_ids(claimed("n", "Adopted", "Adopted"), job, index);
    let first = ids("j", "x");
    assert_eq!(pair(first.clone(), ids("k", "x")), [IDS_STAY]);
    assert_eq!(pair(first.clone(), ids("j", "y")), [IDS_STAY]);
    let mut hosted = first.clone();
    hosted["indexHost"] = json!("host");
    assert_eq!(pair(first.clone(), hosted.clone()), [""; 0]);
    assert_eq!(pair(hosted, first), [IDS_STAY]);
}

#[test]
fn ids_beside_a_copied_submission_count_for_nothing() {
    let mut copied = with_ids(claimed("n", "Accepted", "Restored"), "j", "x");
    copied["submission"]["uid"] = json!("other");
    assert_eq!(pair(copied, claimed("m", "Open", "Submitting")), [""; 0]);
}

#[test]
fn attempts_do_not_decrease() {
    let attempt = |number: i32| {
        let mut status = claimed("n", "Refused", "QuotaExceeded");
        status["submission"]["attempt"] = json!(number);
        status
    };
    assert_eq!(pair(attempt(2), attempt(1)), [ATTEMPTS]);
    assert_eq!(pair(attempt(1), attempt(2)), [""; 0]);
    assert_eq!(pair(attempt(1), reporting(&[])), [ATTEMPTS]);
}

#[test]
fn a_claim_is_closed_before_the_next() {
    for (outcome, expected) in [
        ("Open", Some(CLAIM_STAYS)),
        ("Taken", Some(CLAIM_STAYS)),
        ("Adopted", Some(CLAIM_STAYS)),
        ("Accepted", Some(CLAIM_STAYS)),
        ("Refused", None),
        ("Unsent", None),
        ("Abandoned", None),
    ] {
        let found = pair(claimed("n", outcome, ""), claimed("m", "Open", ""));
        assert_eq!(found.first().copied(), expected, "{outcome}");
    }
}

#[test]
fn a_submission_stays_once_its_job_is_recorded() {
    let first = with_ids(claimed("n", "Accepted", ""), "j", "x");
    let changed = with_ids(claimed("n", "Adopted", ""), "j", "x");
    assert_eq!(pair(first.clone(), changed.clone()), [SUBMISSION_STAYS]);
    assert_eq!(pair(claimed("n", "Open", ""), changed), [""; 0]);
}

#[test]
fn terminal_reasons_are_left_for_a_deleted_index_only() {
    let restored = reporting(&[("Ready", "True", "Restored")]);
    let deleted = reporting(&[("Ready", "False", "IndexDeleted"), ("Stalled", "True", "x")]);
    let restoring = reporting(&[("Ready", "False", "Restoring")]);
    assert_eq!(pair(restored.clone(), deleted.clone()), [""; 0]);
    assert_eq!(pair(restored, restoring.clone()), [ENDS_STAY]);
    assert_eq!(pair(deleted, restoring), [ENDS_STAY]);
}

#[test]
fn only_a_settled_object_is_settled() {
    assert!(is_ready(&object(reporting(&[(
        "Ready", "True", "Restored"
    )]))));
    assert!(is_settled(&object(reporting(&[("Stalled", "True", "x")]))));
    assert!(!is_settled(&object(reporting(&[("Ready", "False", "x")]))));
}
