use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::restore::Evidence;
use crate::runtime::clock::BootTime;

/// What is remembered of each object between reconciles. Nothing here is needed for
/// safety: losing it costs patience and a request.
#[derive(Default)]
pub struct Memory {
    known: Mutex<Known>,
}

/// What was learnt in one term of leadership. Between two terms another process
/// may have acted, so that nothing learnt before counts.
#[derive(Default)]
struct Known {
    term: u64,
    /// Boxed: the table has up to twice as many entries as there are objects.
    objects: HashMap<String, Box<Remembered>>,
}

#[derive(Clone, Default)]
pub(super) struct Remembered {
    pub evidence: Evidence,
    /// The versions that need no reconcile, and until when: the one that the last reconcile left,
    /// and those before it that the cache may still show.
    pub rest: Option<(Box<[String]>, BootTime)>,
    /// The cache was behind: ask the API server.
    pub is_stale: bool,
    pub errors: u32,
}

impl Memory {
    /// Returns what is remembered of the object in that term.
    pub(super) fn of(&self, term: u64, uid: &str) -> Remembered {
        self.read(term, uid, |own| own.cloned().unwrap_or_default())
    }

    /// Reads what is remembered of the object in that term, if anything is, without a copy.
    pub(super) fn read<T>(
        &self,
        term: u64,
        uid: &str,
        read: impl FnOnce(Option<&Remembered>) -> T,
    ) -> T {
        let known = self.lock();
        let own = known.objects.get(uid).filter(|_| known.term == term);
        read(own.map(AsRef::as_ref))
    }

    /// Whether the object's rest ended in that time.
    pub(super) fn has_rested(&self, uid: &str, during: &Range<BootTime>) -> bool {
        let known = self.lock();
        let rest = known.objects.get(uid).and_then(|own| own.rest.as_ref());
        rest.is_some_and(|(_, until)| during.contains(until))
    }

    /// Keeps it for that term; a term that is over keeps nothing.
    pub(super) fn keep(&self, term: u64, uid: &str, remembered: Remembered) {
        let mut known = self.lock();
        if known.term < term {
            *known = Known {
                term,
                objects: HashMap::new(),
            };
        }
        if known.term == term {
            known.objects.insert(uid.to_owned(), Box::new(remembered));
        }
    }

    /// Forgets objects that are no more.
    pub(super) fn retain(&self, uids: &HashSet<String>) {
        self.lock().objects.retain(|uid, _| uids.contains(uid));
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stale() -> Remembered {
        Remembered {
            is_stale: true,
            ..Remembered::default()
        }
    }

    #[test]
    fn forgets_what_was_learnt_in_an_earlier_term() {
        let memory = Memory::default();
        memory.keep(1, "a", stale());
        memory.keep(1, "b", stale());
        assert!(memory.of(1, "a").is_stale);
        assert!(!memory.of(2, "a").is_stale);
        memory.keep(2, "b", stale());
        assert!(memory.of(2, "b").is_stale && !memory.of(2, "a").is_stale);
    }

    #[test]
    fn does_not_store_what_a_reconcile_of_an_earlier_term_learnt() {
        let memory = Memory::default();
        memory.keep(2, "a", Remembered::default());
        memory.keep(1, "a", stale());
        assert!(!memory.of(2, "a").is_stale);
    }
}
