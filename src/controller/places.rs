//! Places for reconciles: a few for each API key, so that no key waits for another's.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::channel::mpsc::UnboundedSender;
use kube::ResourceExt as _;
use kube::runtime::reflector::ObjectRef;

use super::Guarded;
use crate::api::{IndexRestore, Reason};
use crate::restore::submission::own_submission;
use crate::runtime::clock::BootTime;

/// An object, as the watch names it.
pub(super) type Reference = ObjectRef<Guarded>;

/// Returns the reference to an object without its UID and version, which thousands that wait would keep.
pub(super) fn reference(object: &Guarded) -> Reference {
    Reference::new(&object.name_any()).within(&object.namespace().unwrap_or_default())
}

/// The places of all API keys of one watch. Each key's are given out in the order of arrival.
///
/// An object that has to wait holds nothing: it is one entry in a queue, and is named by the stream
/// of turns once a place is kept for it.
pub(super) struct Places {
    most: usize,
    state: Mutex<State>,
    turns: UnboundedSender<Reference>,
}

#[derive(Default)]
struct State {
    keys: HashMap<Arc<Owner>, KeyPlaces>,
    waiting: HashMap<Reference, Waiting>,
    /// Number of the next object that waits.
    ticket: u64,
}

/// Whose places an object takes: the Secret of its API key. It is known before the Secret is
/// read, so that a Secret that cannot be read delays nobody else either.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Owner {
    namespace: String,
    secret: String,
    key: String,
}

/// Polls and checks are later: they get half of the places, so that a new restore waits for a few
/// of them and not for hundreds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    First,
    Later,
}

#[derive(Default)]
struct KeyPlaces {
    taken: usize,
    /// Those of them that polls and checks took.
    taken_later: usize,
    first: VecDeque<(u64, Reference)>,
    later: VecDeque<(u64, Reference)>,
}

struct Waiting {
    owner: Arc<Owner>,
    class: Class,
    ticket: u64,
    since: BootTime,
    /// Whether a place is kept for it.
    has_turn: bool,
}

/// A place, until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    owner: Arc<Owner>,
    class: Class,
    waited: Duration,
}

impl Place {
    /// How long the object waited for it.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }
}

impl Places {
    /// Returns places for at most `most` reconciles of one API key at a time. The objects whose turn
    /// it is are sent to `turns`.
    pub(super) fn new(most: u16, turns: UnboundedSender<Reference>) -> Arc<Self> {
        Arc::new(Self {
            most: most.into(),
            state: Mutex::default(),
            turns,
        })
    }

    /// Takes a place of the object's API key.
    ///
    /// # Errors
    /// If there is none: for how long the object has waited. It waits until its turn.
    pub(super) fn enter(
        self: &Arc<Self>,
        reference: &Reference,
        object: &IndexRestore,
    ) -> Result<Place, Duration> {
        let class = Class::of(object);
        let mut state = self.lock();
        let owner = state.shared(Owner::of(object));
        if let Some(waiting) = state.waiting.get(reference) {
            let is_same = waiting.owner == owner && waiting.class == class;
            if is_same && !waiting.has_turn {
                return Err(waiting.waited());
            }
            if is_same {
                let waited = waiting.waited();
                state.remove(reference);
                return Ok(self.place(owner, class, waited));
            }
            self.forget(&mut state, reference);
        }
        let key = state.keys.entry(Arc::clone(&owner)).or_default();
        if key.has_room(class, self.most) {
            key.take(class);
            return Ok(self.place(owner, class, Duration::ZERO));
        }
        state.queue(reference, owner, class);
        Err(Duration::ZERO)
    }

    /// The object does not wait any more, and a place that was kept for it goes to the next.
    pub(super) fn leave(&self, reference: &Reference) {
        self.forget(&mut self.lock(), reference);
    }

    /// Gives a turn to each object that had waited for `silence` in that time.
    pub(super) fn remind(&self, silence: Duration, during: &Range<BootTime>) {
        for (reference, waiting) in &self.lock().waiting {
            if during.contains(&waiting.since.plus(silence)) {
                self.turn(reference.clone());
            }
        }
    }

    /// Gives a turn to an object, whether it has a place or not.
    pub(super) fn turn(&self, object: Reference) {
        // The receiver is dropped with the watch, when nothing is reconciled any more.
        let _ = self.turns.unbounded_send(object);
    }

    fn forget(&self, state: &mut State, reference: &Reference) {
        if let Some(waiting) = state.remove(reference)
            && waiting.has_turn
        {
            self.release(state, &waiting.owner, waiting.class);
        }
    }

    fn place(self: &Arc<Self>, owner: Arc<Owner>, class: Class, waited: Duration) -> Place {
        Place {
            places: Arc::clone(self),
            owner,
            class,
            waited,
        }
    }

    /// Gives back a place, and keeps it for the next that waits.
    fn release(&self, state: &mut State, owner: &Owner, class: Class) {
        let Some(key) = state.keys.get_mut(owner) else {
            return;
        };
        key.give_back(class);
        while let Some(next) = key.next(&mut state.waiting, self.most) {
            self.turn(next);
        }
        if key.taken == 0 {
            state.keys.remove(owner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let places = &self.places;
        places.release(&mut places.lock(), &self.owner, self.class);
    }
}

impl State {
    /// The owner as the key's places share it, if it has some.
    fn shared(&self, owner: Owner) -> Arc<Owner> {
        let known = self.keys.get_key_value(&owner);
        known.map_or_else(|| Arc::new(owner), |(known, _)| Arc::clone(known))
    }

    /// After a burst of thousands, the memory of those that waited is given back.
    fn remove(&mut self, reference: &Reference) -> Option<Waiting> {
        let waiting = self.waiting.remove(reference);
        if self.waiting.is_empty() {
            self.waiting.shrink_to_fit();
        }
        waiting
    }

    fn queue(&mut self, reference: &Reference, owner: Arc<Owner>, class: Class) {
        let ticket = self.ticket;
        self.ticket += 1;
        let key = self.keys.entry(Arc::clone(&owner)).or_default();
        key.queue(class).push_back((ticket, reference.clone()));
        let waiting = Waiting {
            owner,
            class,
            ticket,
            since: BootTime::now(),
            has_turn: false,
        };
        self.waiting.insert(reference.clone(), waiting);
    }
}

impl Waiting {
    fn waited(&self) -> Duration {
        BootTime::now().since(self.since)
    }
}

impl KeyPlaces {
    fn queue(&mut self, class: Class) -> &mut VecDeque<(u64, Reference)> {
        match class {
            Class::First => &mut self.first,
            Class::Later => &mut self.later,
        }
    }

    fn has_room(&self, class: Class, most: usize) -> bool {
        let has_room = self.taken < most;
        has_room && (class == Class::First || self.taken_later < most.div_ceil(2))
    }

    fn take(&mut self, class: Class) {
        self.taken += 1;
        self.taken_later += usize::from(class == Class::Later);
    }

    fn give_back(&mut self, class: Class) {
        self.taken -= 1;
        self.taken_later -= usize::from(class == Class::Later);
    }

    /// Keeps a place for the next that waits, if there is room for it.
    fn next(
        &mut self,
        waiting: &mut HashMap<Reference, Waiting>,
        most: usize,
    ) -> Option<Reference> {
        for class in [Class::First, Class::Later] {
            while self.has_room(class, most)
                && let Some((ticket, reference)) = self.queue(class).pop_front()
            {
                // Those that left are still in the queue.
                if let Some(next) = waiting.get_mut(&reference)
                    && next.ticket == ticket
                {
                    next.has_turn = true;
                    self.take(class);
                    return Some(reference);
                }
            }
        }
        None
    }
}

impl Owner {
    fn of(object: &IndexRestore) -> Self {
        let reference = &object.spec.api_key_secret_ref;
        Self {
            namespace: object.namespace().unwrap_or_default(),
            secret: reference.name.clone(),
            key: reference.key.clone(),
        }
    }
}

impl Class {
    /// First are restores that were not reconciled yet, or whose submission is open.
    fn of(object: &IndexRestore) -> Self {
        let is_open = own_submission(object).is_some_and(|submission| submission.is_open());
        let status = object.status.as_ref();
        let observed = status.and_then(|status| status.observed_generation);
        let shown = status.and_then(|status| Reason::shown(&status.conditions));
        let is_pending = shown.is_none_or(|reason| reason == Reason::Pending);
        match is_open || is_pending || observed != object.metadata.generation {
            true => Self::First,
            false => Self::Later,
        }
    }
}

#[cfg(test)]
mod tests;
