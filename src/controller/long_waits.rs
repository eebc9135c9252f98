//! Waits of minutes, such as those of finished restores. kube's queue takes 0.7 KB for each. These take
//! nothing, and end a few seconds late.

use std::ops::Range;
use std::time::Duration;

use kube::Resource as _;
use kube::runtime::controller::Action;

use super::memory::Memory;
use super::places::reference;
use super::watch::Scope;
use crate::runtime::clock::BootTime;

/// Longer waits are not left to kube.
const LONG: Duration = Duration::from_secs(60);

/// Returns the action for an object that waits: a requeue or, for a long wait, none, because [`end`]
/// ends it.
pub(super) fn wait(left: Duration) -> Action {
    match left > LONG {
        true => Action::await_change(),
        false => Action::requeue(left),
    }
}

/// Gives a turn to each object whose rest ended in `during`, and to each that had waited for its API
/// key for `silence` then. Each `during` has to begin where the one before ended.
pub(super) fn end(memory: &Memory, scope: &Scope, silence: Duration, during: &Range<BootTime>) {
    for object in scope.store.state() {
        let uid = object.meta().uid.as_deref().unwrap_or_default();
        if memory.has_rested(uid, during) {
            scope.places.turn(reference(&object));
        }
    }
    scope.places.remind(silence, during);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::channel::mpsc::{UnboundedReceiver, unbounded};
    use futures::{FutureExt as _, StreamExt as _};
    use kube::runtime::reflector::{Store, store};
    use kube::runtime::watcher::Event;

    use super::*;
    use crate::api::IndexRestore;
    use crate::controller::Guarded;
    use crate::controller::memory::Remembered;
    use crate::controller::places::{Places, Reference};

    const START: BootTime = BootTime::after_boot(Duration::from_secs(1_000));

    fn after(seconds: u64) -> BootTime {
        START.plus(Duration::from_secs(seconds))
    }

    /// The JSON of an object whose UID is its name.
    fn object(name: &str) -> String {
        serde_json::json!({
            "apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestore",
            "metadata": {"name": name, "namespace": "n", "uid": name},
            "spec": {"backupId": "b", "indexName": "i", "apiKeySecretRef": {"name": "s"}},
        })
        .to_string()
    }

    fn cache(names: &[&str]) -> Store<Guarded> {
        let (store, mut writer) = store();
        for name in names {
            let object = serde_json::from_str(&object(name)).unwrap();
            writer.apply_watcher_event(&Event::Apply(object));
        }
        store
    }

    fn turns(turns: &mut UnboundedReceiver<Reference>) -> Vec<String> {
        let mut names: Vec<_> = std::iter::from_fn(|| turns.next().now_or_never().flatten())
            .map(|turn| turn.name)
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_object_gets_one_turn_when_its_rest_ends() {
        let memory = Memory::default();
        for (uid, until) in [("a", after(60)), ("b", after(64)), ("c", after(65))] {
            let rest = Some((Box::default(), until));
            let remembered = Remembered {
                rest,
                ..Remembered::default()
            };
            memory.keep(1, uid, remembered);
        }
        let (turn, mut given) = unbounded();
        let scope = Scope {
            store: cache(&["a", "b", "c", "new"]),
            places: Places::new(1, turn),
        };
        let mut end = |during| {
            super::end(&memory, &scope, Duration::MAX, &during);
            turns(&mut given)
        };
        assert_eq!(end(START..after(60)), [""; 0]);
        assert_eq!(end(after(60)..after(65)), ["a", "b"]);
        assert_eq!(end(after(65)..after(70)), ["c"]);
        assert_eq!(end(after(70)..BootTime::NEVER), [""; 0]);
    }

    #[test]
    fn an_object_that_waits_for_its_api_key_gets_one_turn() {
        let (turn, mut given) = unbounded();
        let scope = Scope {
            store: cache(&[]),
            places: Places::new(1, turn),
        };
        let enter = |name: &str| {
            let object: IndexRestore = serde_json::from_str(&object(name)).unwrap();
            let reference = Reference::new(name).within("n");
            Places::enter(&Arc::clone(&scope.places), &reference, &object).ok()
        };
        let before = BootTime::now();
        let _place = enter("a").unwrap();
        assert!(enter("b").is_none());
        let waits = before..BootTime::now().plus(Duration::from_nanos(1));
        let silence = Duration::from_secs(300);
        let mut end = |from: BootTime, to: BootTime| {
            super::end(&Memory::default(), &scope, silence, &(from..to));
            turns(&mut given)
        };
        let silent = waits.start.plus(silence)..waits.end.plus(silence);
        assert_eq!(end(before, silent.start), [""; 0]);
        assert_eq!(end(silent.start, silent.end), ["b"]);
        assert_eq!(end(silent.end, BootTime::NEVER), [""; 0]);
    }

    #[test]
    fn kube_keeps_only_short_waits() {
        let short = Duration::from_secs(60);
        assert_eq!(wait(short), Action::requeue(short));
        assert_eq!(wait(short * 2), Action::await_change());
    }
}
