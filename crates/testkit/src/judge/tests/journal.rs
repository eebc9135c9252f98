//! The rules for a finished history. Each broken one is what an operator with one bug does.

use std::collections::HashMap;

use k8s_openapi::api::events::v1::Event;
use serde_json::json;

use super::super::life::{NOT_ABANDONED, OWN_CLAIM};
use super::super::records::{DELETED, JOBLESS, JOURNAL_IDS, NOT_DISOWNED, OWN_IDS, RECORDED};
use super::super::rules::CLAIM_STAYS;
use super::super::{EVENTS, NO_KEY, ONE_CREATE, READS_AND_CREATES};
use super::*;

fn judged(trial: Trial) -> Vec<&'static str> {
    rules(&trial.judge())
}

/// The history with that after it.
fn followed(by: Vec<Version>) -> Trial {
    let mut trial = restored();
    trial.versions.extend(by);
    trial
}

#[test]
fn a_restore_as_it_should_be_breaks_no_rule() {
    assert_eq!(judged(restored()), [""; 0]);
}

#[test]
fn a_request_without_a_claim() {
    let mut trial = restored();
    trial.versions.remove(1);
    assert_eq!(judged(trial), [OWN_CLAIM]);
}

#[test]
fn a_history_with_a_gap_is_not_counted() {
    let mut trial = restored();
    trial.versions.remove(1);
    trial.events = vec![event("Submitting", 1)];
    trial.has_gap = true;
    assert_eq!(judged(trial.clone()), [""; 0]);
    trial.has_gap = false;
    assert_eq!(judged(trial), [OWN_CLAIM, EVENTS]);
}

#[test]
fn a_request_sent_again_after_a_failure() {
    let mut trial = restored();
    trial.requests.insert(0, post(3, "i", false));
    assert_eq!(judged(trial), [OWN_CLAIM]);
}

#[test]
fn a_request_sent_before_its_claim_was_stored() {
    let stored = |second| Trial {
        stored: HashMap::from([("n".to_owned(), at(second))]),
        ..restored()
    };
    assert_eq!(judged(stored(4)), [OWN_CLAIM]);
    assert_eq!(judged(stored(3)), [""; 0]);
    // Observed late, a claim may have been stored in time.
    let mut late = restored();
    late.requests[0].time = at(1);
    assert_eq!(judged(late), [""; 0]);
}

#[test]
fn a_request_for_something_else_than_was_claimed() {
    let mut trial = restored();
    trial.requests[0] = post(3, "other", true);
    assert_eq!(judged(trial), [OWN_CLAIM]);
}

#[test]
fn a_backup_whose_id_is_encoded_in_the_path() {
    let mut trial = restored();
    let backup = "b/\u{e9} ";
    trial.requests[0].path = "/backups/b%2F%C3%A9%20/create-index".into();
    trial.accepted[0].backup_id = backup.into();
    for version in &mut trial.versions {
        version.object.spec.backup_id = backup.into();
        let status = version.object.status.as_mut().unwrap();
        if let Some(submission) = &mut status.submission {
            submission.backup_id = backup.into();
        }
    }
    assert_eq!(judged(trial), [""; 0]);
}

#[test]
fn two_accepted_creates() {
    let mut trial = restored();
    trial
        .versions
        .insert(2, version(3, claimed("n", "Abandoned", "Pending")));
    trial
        .versions
        .insert(3, version(3, claimed("m", "Open", "Submitting")));
    trial.versions.truncate(4);
    trial.requests.push(post(4, "i", true));
    trial.accepted.push(accepted(4, "k"));
    let broken = judged(trial);
    assert!(broken.contains(&ONE_CREATE), "{broken:?}");
}

#[test]
fn a_claim_that_overwrites_an_open_one() {
    let mut trial = restored();
    trial
        .versions
        .insert(2, version(3, claimed("m", "Open", "Submitting")));
    assert!(judged(trial).contains(&CLAIM_STAYS));
}

#[test]
fn a_claim_abandoned_after_its_request_took_effect() {
    let mut trial = restored();
    trial.versions.truncate(2);
    trial
        .versions
        .push(version(9, claimed("n", "Abandoned", "Pending")));
    let broken = judged(trial);
    assert!(broken.contains(&NOT_ABANDONED), "{broken:?}");
    let mut without_effect = restored();
    without_effect.requests[0].effect = false;
    without_effect.accepted.clear();
    without_effect.versions.truncate(2);
    let abandoned = version(9, claimed("n", "Abandoned", "Pending"));
    without_effect.versions.push(abandoned);
    assert_eq!(judged(without_effect), [""; 0]);
}

#[test]
fn ids_that_are_not_recorded() {
    let mut trial = restored();
    trial.versions[2] = version(4, claimed("n", "Accepted", "Restoring"));
    assert_eq!(judged(trial.clone()), [RECORDED]);
    // The answer was lost, and the index names the backup.
    trial.facts.shows_source = true;
    assert_eq!(judged(trial.clone()), [""; 0]);
    let mut half = claimed("n", "Accepted", "Restoring");
    half["indexId"] = json!("j-index");
    trial.versions[2] = version(4, half);
    assert_eq!(judged(trial), [RECORDED]);
}

#[test]
fn ids_that_are_not_in_the_journal() {
    let mut trial = restored();
    trial.versions.truncate(2);
    let wrong = with_ids(claimed("n", "Accepted", "Restoring"), "j", "other");
    trial.versions.push(version(4, wrong));
    assert_eq!(judged(trial), [JOURNAL_IDS]);
}

#[test]
fn the_own_create_recorded_as_that_of_another() {
    let mut trial = restored();
    trial.versions.truncate(2);
    let adopted = with_ids(claimed("n", "Adopted", "Adopted"), "j", "j-index");
    trial.versions.push(version(4, adopted.clone()));
    assert_eq!(judged(trial), [OWN_IDS]);
    // Restored before, it is adopted.
    let mut earlier = restored();
    earlier.versions.truncate(1);
    earlier.versions.push(version(4, adopted));
    earlier.facts.earlier = std::mem::take(&mut earlier.accepted);
    earlier.requests.clear();
    assert_eq!(judged(earlier), [""; 0]);
}

#[test]
fn an_index_without_a_job_that_nothing_proves() {
    let adopted = |shows_source: bool, named: bool| {
        let mut trial = restored();
        trial.versions.truncate(1);
        let version = version(4, claimed("n", "Adopted", "Adopted"));
        trial.versions.push(version);
        trial.requests.clear();
        trial.accepted.clear();
        trial.facts.shows_source = shows_source;
        let place = ("i".to_owned(), "b".to_owned());
        trial.facts.named.extend(named.then_some(place));
        judged(trial)
    };
    assert_eq!(adopted(true, true), [""; 0]);
    assert_eq!(adopted(true, false), [JOBLESS]);
    assert_eq!(adopted(false, true), [JOBLESS]);
}

#[test]
fn the_own_index_is_disowned() {
    let history = |outcome: &str, shows_source: bool| {
        let mut trial = restored();
        trial.versions.truncate(2);
        trial
            .versions
            .push(version(4, claimed("n", outcome, "IndexAlreadyExists")));
        trial.facts.shows_source = shows_source;
        judged(trial)
    };
    assert_eq!(history("Open", false), [NOT_DISOWNED]);
    // API 2025-10 does not show whose the index is, after a 409.
    assert_eq!(history("Taken", true), [NOT_DISOWNED]);
    let mut excused = restored();
    excused.versions.truncate(2);
    excused
        .versions
        .push(version(4, claimed("n", "Taken", "ConfirmingSubmission")));
    excused
        .versions
        .push(version(5, claimed("n", "Taken", "IndexAlreadyExists")));
    assert_eq!(judged(excused), [""; 0]);
    // The name was another's before its own create.
    let mut before = restored();
    let taken = reporting(&[("Ready", "False", "IndexAlreadyExists")]);
    before.versions.insert(1, version(1, taken));
    assert_eq!(judged(before), [""; 0]);
}

#[test]
fn an_index_reported_as_deleted_that_exists() {
    let deleted = || {
        let mut status = with_ids(claimed("n", "Accepted", "IndexDeleted"), "j", "j-index");
        status["observedGeneration"] = json!(1);
        followed(vec![version(6, status)])
    };
    let mut existing = deleted();
    existing.facts.existing.insert("j-index".into());
    assert_eq!(judged(existing), [DELETED]);
    assert_eq!(judged(deleted()), [""; 0]);
}

#[test]
fn a_status_that_a_person_replaced() {
    let mut wiped = version(6, json!({"observedGeneration": -1}));
    wiped.object.metadata.resource_version = Some("6".into());
    let mut trial = followed(vec![wiped.clone()]);
    trial.facts.overwritten.insert("6".into());
    assert_eq!(judged(trial), [""; 0]);
    let broken = judged(followed(vec![wiped]));
    assert!(broken.contains(&CLAIM_STAYS), "{broken:?}");
}

#[test]
fn something_else_than_a_read_or_a_create() {
    let mut trial = restored();
    let delete = json!({
        "seq": 9, "time": at(9), "method": "DELETE", "path": "/indexes/i",
        "route": "delete_index", "effect": true, "delivered": true,
    });
    trial.requests.push(serde_json::from_value(delete).unwrap());
    assert_eq!(judged(trial), [READS_AND_CREATES]);
}

#[test]
fn a_key_in_an_object_or_an_event() {
    let mut trial = restored();
    let mut status = reporting(&[("Ready", "False", "x")]);
    status["conditions"][0]["message"] = json!("the key is pcsk_canary_1");
    trial.versions.insert(1, version(1, status));
    assert_eq!(judged(trial), [NO_KEY]);
    let mut trial = restored();
    trial.events.push(event("Restored", 1));
    assert_eq!(judged(trial), [""; 0]);
    let mut trial = restored();
    let mut note = event("Restored", 1);
    note.note = Some("pcsk_canary_1".into());
    trial.events.push(note);
    assert_eq!(judged(trial), [NO_KEY]);
}

#[test]
fn more_events_than_changes() {
    let mut trial = restored();
    trial.events = vec![event("Restored", 2)];
    assert_eq!(judged(trial), [EVENTS]);
    let mut trial = restored();
    trial.events = vec![event("Restoring", 1), event("Restored", 1)];
    assert_eq!(judged(trial), [""; 0]);
}

#[test]
fn an_event_about_an_object_that_is_gone_or_cannot_be_checked() {
    let mut gone = restored();
    gone.events = vec![event("Restoring", 2)];
    gone.deleted = HashMap::from([("u".to_owned(), at(6))]);
    assert_eq!(judged(gone), [""; 0]);
    let history = |is_unconfirmed: bool| {
        let mut last = restored().versions.remove(3);
        last.seen = at(6);
        let status = last.object.status.as_mut().unwrap();
        let since = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(6));
        status.unconfirmed_since = is_unconfirmed.then_some(since);
        let mut trial = followed(vec![last]);
        trial.events = vec![event("CheckFailed", 1)];
        judged(trial)
    };
    assert_eq!(history(true), [""; 0]);
    assert_eq!(history(false), [EVENTS]);
}

#[test]
fn what_another_scene_recorded_of_the_same_pinecone() {
    let mut host = restored();
    let mut guest = Trial {
        versions: host.versions.split_off(0),
        ..Trial::default()
    };
    guest.versions.retain(|version| version.seen > at(1));
    assert_eq!(judged(host.clone()), [OWN_CLAIM]);
    host.absorb(guest);
    assert_eq!(judged(host), [""; 0]);
}

fn event(reason: &str, count: i32) -> Event {
    serde_json::from_value(json!({
        "metadata": {}, "eventTime": null, "reason": reason, "regarding": {"uid": "u"},
        "series": {"count": count, "lastObservedTime": "2026-01-01T00:00:00.000000Z"},
    }))
    .unwrap()
}
