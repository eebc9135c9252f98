use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::BootTime;
use crate::restore::Evidence;

/// What is remembered of each object between passes. Nothing here is needed for
/// safety: losing it costs patience and a request.
#[derive(Default)]
pub struct Memory {
    objects: Mutex<HashMap<String, Remembered>>,
}

#[derive(Clone, Default)]
pub(super) struct Remembered {
    pub evidence: Evidence,
    /// The version that was left in order, with those before it that the cache may
    /// still show, and until when.
    pub rest: Option<(Vec<String>, BootTime)>,
    /// The cache was behind: ask the API server.
    pub is_stale: bool,
    pub errors: u32,
}

impl Memory {
    pub(super) fn of(&self, uid: &str) -> Remembered {
        self.lock().get(uid).cloned().unwrap_or_default()
    }

    pub(super) fn keep(&self, uid: &str, remembered: Remembered) {
        self.lock().insert(uid.to_owned(), remembered);
    }

    /// Counts an error and says how many there were in a row.
    pub(super) fn failed(&self, uid: &str) -> u32 {
        let mut objects = self.lock();
        let remembered = objects.entry(uid.to_owned()).or_default();
        remembered.errors = remembered.errors.saturating_add(1);
        remembered.is_stale = true;
        remembered.rest = None;
        remembered.errors
    }

    /// Forgets objects that are no more.
    pub(super) fn retain(&self, uids: &HashSet<String>) {
        self.lock().retain(|uid, _| uids.contains(uid));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Remembered>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
