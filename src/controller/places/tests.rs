use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use serde_json::{Value, json};

use super::*;

struct Fixture {
    places: Arc<Places>,
    turns: UnboundedReceiver<Reference>,
}

fn fixture(most: u16) -> Fixture {
    let (turn, turns) = unbounded();
    let places = Places::new(most, turn);
    Fixture { places, turns }
}

fn restore(secret: &str, reason: &str) -> IndexRestore {
    let ready = json!({"type": "Ready", "status": "False", "reason": reason, "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let status = match reason {
        "" => Value::Null,
        _ => json!({"observedGeneration": 1, "conditions": [ready]}),
    };
    serde_json::from_value(json!({
        "apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestore",
        "metadata": {"name": "a", "namespace": "n", "uid": "u", "generation": 1},
        "spec": {"backupId": "b", "indexName": "i", "apiKeySecretRef": {"name": secret}},
        "status": status,
    }))
    .unwrap()
}

impl Fixture {
    fn enter(&self, name: &str, secret: &str, reason: &str) -> Option<Place> {
        let object = restore(secret, reason);
        self.places.enter(&reference(name), &object).ok()
    }

    fn turns(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.turns.next().now_or_never().flatten())
            .map(|turn| turn.name)
            .collect()
    }
}

fn reference(name: &str) -> Reference {
    Reference::new(name).within("n")
}

#[test]
fn one_key_takes_no_places_of_another() {
    let fixture = fixture(2);
    let taken = ["a", "b", "c"].map(|name| fixture.enter(name, "one", ""));
    assert_eq!(taken.iter().flatten().count(), 2);
    assert!(fixture.enter("d", "other", "").is_some());
}

#[test]
fn polls_leave_places_for_new_restores() {
    let fixture = fixture(4);
    let polls = ["a", "b", "c", "d"].map(|name| fixture.enter(name, "s", "Restoring"));
    assert_eq!(polls.iter().flatten().count(), 2);
    let new = [("e", ""), ("f", "Pending")].map(|(name, reason)| fixture.enter(name, "s", reason));
    assert_eq!(new.iter().flatten().count(), 2);
}

#[test]
fn new_restores_come_first_and_then_who_waits_longest() {
    let mut fixture = fixture(2);
    let taken = ["a", "b"].map(|name| fixture.enter(name, "s", ""));
    for (name, reason) in [("poll", "Restoring"), ("c", ""), ("d", "")] {
        assert!(fixture.enter(name, "s", reason).is_none());
    }
    drop(taken);
    assert_eq!(fixture.turns(), ["c", "d"]);
    assert!(fixture.enter("e", "s", "").is_none(), "the places are kept");
    drop(fixture.enter("c", "s", ""));
    assert_eq!(fixture.turns(), ["e"]);
    drop(fixture.enter("e", "s", ""));
    assert_eq!(fixture.turns(), ["poll"]);
}

#[test]
fn who_leaves_makes_room_for_the_next() {
    let mut fixture = fixture(1);
    let taken = fixture.enter("a", "s", "");
    for name in ["left", "gone", "next"] {
        assert!(fixture.enter(name, "s", "").is_none());
    }
    fixture.places.leave(&reference("left"));
    drop(taken);
    assert_eq!(fixture.turns(), ["gone"]);
    fixture.places.leave(&reference("gone"));
    assert_eq!(fixture.turns(), ["next"]);
}

#[test]
fn who_takes_another_key_leaves_the_first() {
    let mut fixture = fixture(1);
    let taken = fixture.enter("a", "one", "");
    for name in ["b", "c"] {
        assert!(fixture.enter(name, "one", "").is_none());
    }
    drop(taken);
    assert_eq!(fixture.turns(), ["b"]);
    assert!(fixture.enter("b", "other", "").is_some());
    assert_eq!(fixture.turns(), ["c"]);
}

#[test]
fn forgets_keys_without_reconciles() {
    let fixture = fixture(1);
    drop(fixture.enter("a", "s", ""));
    assert!(fixture.places.lock().keys.is_empty());
}
