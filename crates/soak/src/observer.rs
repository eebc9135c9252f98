//! Shows the judge what etcd stores and what Pinecone's journal has, while the run goes on.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use index_restore_operator::api::IndexRestore;
use jiff::{SignedDuration, Timestamp};
use pinecone_emulator::{AcceptedCreate, Control, Request, Route};
use testkit::judge::{Facts, Judge, Life, Version};

use crate::etcd::Change;
use crate::tags::{LIFE, tag};

const TAGGED: &str = "a create request has the tags of the spec";

/// A request is read from the journal once it was surely answered.
const ANSWERED: SignedDuration = SignedDuration::from_secs(20);
/// How long the versions of a deleted object are kept.
const KEPT: SignedDuration = SignedDuration::from_secs(120);
/// How many requests are kept for reports.
const RECENT: usize = 20_000;

/// Everything that was observed, and the judge of it.
pub struct Observer {
    control: Control,
    /// Whether an index names the backup it was restored from.
    pub shows_source: bool,
    is_resting: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Default)]
pub struct Known {
    /// Its lives are keyed by their tags.
    pub judge: Judge,
    /// The life of the object that has the key in etcd.
    keys: HashMap<String, String>,
    pub recent: VecDeque<Request>,
    pub counts: Counts,
}

#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    pub versions: u64,
    pub event_writes: u64,
    pub requests: u64,
    pub create_requests: u64,
    pub accepted: u64,
    pub transitions: u64,
}

impl Observer {
    pub fn new(control: Control, shows_source: bool) -> Self {
        let facts = Facts {
            shows_source,
            deleted: Some(HashSet::new()),
            recreated: Some(HashSet::new()),
            ..Facts::default()
        };
        let known = Known {
            judge: Judge::new(facts),
            ..Known::default()
        };
        Self {
            control,
            shows_source,
            is_resting: AtomicBool::new(false),
            known: Mutex::new(known),
        }
    }

    pub fn control(&self) -> &Control {
        &self.control
    }

    pub fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn accuse(&self, rule: &'static str, detail: String) {
        self.lock().judge.accuse(rule, detail, None);
    }

    /// Observes a version of an IndexRestore.
    pub fn see(&self, change: &Change) {
        let seen = Timestamp::now();
        let mut known = self.lock();
        // Pinecone accepts before it answers: what is recorded is in the journal by now.
        known.accept(self.control.take_accepted_creates());
        known.counts.versions += 1;
        let Some(value) = &change.value else {
            if let Some(life) = known.keys.remove(&change.key)
                && let Some(life) = known.judge.lives.get_mut(&life)
            {
                life.gone = Some(seen);
            }
            return;
        };
        known.judge.text(&change.key, value);
        match serde_json::from_slice::<IndexRestore>(value) {
            Ok(object) => known.version(change, object, seen),
            Err(error) => {
                let rule = "stored objects can be parsed";
                known.judge.accuse(rule, error.to_string(), None);
            }
        }
    }

    /// Observes a write of an event.
    pub fn see_event(&self, change: &Change) {
        let mut known = self.lock();
        if let Some(value) = &change.value {
            known.counts.event_writes += 1;
            known.judge.text(&change.key, value);
        }
    }

    /// Reads the older part of the journal, and forgets what is over.
    pub fn read_journal(&self) {
        if !self.is_resting.load(Ordering::Relaxed) {
            self.read_journal_until(Timestamp::now() - ANSWERED);
        }
    }

    /// Reads the journal to its end and leaves later requests to others: no request is pending.
    pub fn rest(&self) {
        self.is_resting.store(true, Ordering::Relaxed);
        self.read_journal_until(Timestamp::now());
    }

    fn read_journal_until(&self, end: Timestamp) {
        let now = Timestamp::now();
        let requests = self.control.take_requests(end);
        let mut known = self.lock();
        known.accept(self.control.take_accepted_creates());
        for request in requests {
            known.request(request);
        }
        let old = |gone: Option<Timestamp>| gone.is_some_and(|gone| gone + KEPT < now);
        let lives = known.judge.lives.values_mut();
        for life in lives.filter(|life| old(life.gone)) {
            life.versions = Vec::new();
        }
    }
}

impl Known {
    /// The lives whose objects exist.
    pub fn living(&self) -> impl Iterator<Item = (&String, &Life, &IndexRestore)> {
        let lives = self.judge.lives.iter();
        let living = lives.filter(|(_, life)| life.gone.is_none());
        living.filter_map(|(key, life)| Some((key, life, life.latest()?)))
    }

    fn version(&mut self, change: &Change, mut object: IndexRestore, seen: Timestamp) {
        let life = tag(&object, LIFE).to_owned();
        self.keys.insert(change.key.clone(), life.clone());
        self.counts.transitions += 1;
        object.metadata.resource_version = Some(change.revision.to_string());
        self.judge.version(&life, Version { seen, object });
    }

    fn accept(&mut self, creates: Vec<AcceptedCreate>) {
        for create in creates {
            self.counts.accepted += 1;
            let tags = create.tags.as_ref();
            let life = tags.and_then(|tags| tags.get(LIFE)).cloned();
            if life.is_none() {
                self.judge.accuse(TAGGED, format!("{create:?}"), None);
            }
            self.judge.accept(create, life.as_deref());
        }
    }

    fn request(&mut self, request: Request) {
        self.counts.requests += 1;
        self.judge.request(&request);
        if request.route == Route::CreateIndexFromBackup {
            self.counts.create_requests += 1;
            let body = request.body.as_ref();
            let life = body.and_then(|body| body["tags"][LIFE].as_str());
            match life.map(str::to_owned) {
                Some(life) => self.judge.post(request.clone(), &life),
                None => self.judge.accuse(TAGGED, format!("{request:?}"), None),
            }
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(request);
    }
}
