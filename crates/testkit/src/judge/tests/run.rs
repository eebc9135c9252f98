//! A run that is judged while it goes on.

use serde_json::json;

use super::super::life::{NOT_ABANDONED, OWN_CLAIM};
use super::super::records::{DELETED, RECREATED};
use super::super::{Facts, Judge, ONE_CREATE};
use super::*;

fn begun() -> Judge {
    let mut judge = Judge::new(Facts::default());
    judge.version("life", version(1, json!({"observedGeneration": -1})));
    judge.version("life", version(10, claimed("n", "Open", "Submitting")));
    judge
}

#[test]
fn each_request_needs_a_claim_of_its_own_before_it() {
    let mut judge = begun();
    judge.post(post(11, "i", false), "life");
    assert_eq!(rules(&judge.violations), [""; 0]);
    judge.post(post(12, "i", false), "life");
    assert_eq!(rules(&judge.violations), [OWN_CLAIM]);
}

#[test]
fn a_claim_that_is_stored_afterwards_does_not_count() {
    let mut judge = begun();
    judge.post(post(11, "i", false), "life");
    judge.version("life", version(12, claimed("n", "Abandoned", "Pending")));
    judge.version("life", version(40, claimed("m", "Open", "Submitting")));
    judge.post(post(12, "i", false), "life");
    assert_eq!(rules(&judge.violations), [OWN_CLAIM]);
}

#[test]
fn a_request_that_arrived_is_not_abandoned() {
    let mut judge = begun();
    judge.version("life", version(20, claimed("n", "Abandoned", "Pending")));
    judge.post(post(21, "i", true), "life");
    assert_eq!(rules(&judge.violations), [""; 0], "it came later");
    let mut judge = begun();
    judge.version("life", version(20, claimed("n", "Abandoned", "Pending")));
    judge.post(post(11, "i", true), "life");
    assert_eq!(rules(&judge.violations), [NOT_ABANDONED]);
}

#[test]
fn one_create_is_accepted_for_each_object() {
    let mut judge = begun();
    judge.accept(accepted(11, "j"), Some("life"));
    judge.accept(accepted(12, "k"), Some("other"));
    assert_eq!(rules(&judge.violations), [""; 0]);
    judge.accept(accepted(13, "l"), Some("life"));
    assert_eq!(rules(&judge.violations), [ONE_CREATE]);
}

#[test]
fn only_deleted_and_recreated_indexes_are_reported_as_such() {
    for (reason, rule) in [("IndexDeleted", DELETED), ("RestoreJobNotFound", RECREATED)] {
        for is_known in [false, true] {
            let mut judge = Judge::new(Facts::default());
            let names = is_known.then(|| "i".to_owned());
            judge.facts.deleted = Some(names.iter().cloned().collect());
            judge.facts.recreated = Some(names.into_iter().collect());
            judge.version("life", version(1, reporting(&[("Ready", "False", reason)])));
            let expected: &[&str] = if is_known { &[] } else { &[rule] };
            assert_eq!(rules(&judge.violations), expected, "{reason}");
        }
    }
}

#[test]
fn a_wiped_status_excuses_the_version_that_was_wiped_alone() {
    let mut judge = begun();
    judge.lives.get_mut("life").unwrap().wiped = true;
    judge.version("life", version(11, json!({"observedGeneration": -1})));
    assert_eq!(rules(&judge.violations), [""; 0]);
    judge.version("life", version(12, claimed("m", "Open", "Submitting")));
    judge.version("life", version(13, claimed("o", "Open", "Submitting")));
    assert_eq!(rules(&judge.violations), [super::super::rules::CLAIM_STAYS]);
}
