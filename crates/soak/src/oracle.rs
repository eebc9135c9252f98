//! Judges the operator by what etcd stores and what Pinecone's journal says, never by its word.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use index_restore_operator::api::IndexRestore;
use jiff::{SignedDuration, Timestamp};
use pinecone_emulator::{AcceptedCreate, Control, Request, Route};

use crate::etcd::Change;
use crate::history::{Biography, LIFE, Version, tag};
use crate::rules;

/// In every API key, and nowhere else.
pub const CANARY: &str = "pcsk_canary";

const TOO_SOON: &str = "a claim whose request took effect is not given up";

/// A request is read out of the journal once it was surely answered.
const ANSWERED: SignedDuration = SignedDuration::from_secs(20);
/// How long the versions of a deleted object are kept.
const KEPT: SignedDuration = SignedDuration::from_secs(120);
/// How many requests are kept for reports.
const RECENT: usize = 20_000;

/// All that is known, and what was found to be broken.
pub struct Oracle {
    control: Control,
    /// Whether an index names the backup it was restored from.
    pub shows_source: bool,
    is_resting: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Default)]
pub struct Known {
    /// By the tag of their life.
    pub lives: HashMap<String, Biography>,
    /// The life of the object that has the key in etcd.
    keys: HashMap<String, String>,
    /// What was accepted for a project's index name.
    pub accepted: HashMap<(String, String), Vec<AcceptedCreate>>,
    /// Indexes that people deleted while their restores lived.
    pub deleted: HashSet<(String, String)>,
    /// Those of them in whose place people made another index.
    pub recreated: HashSet<(String, String)>,
    pub recent: VecDeque<Request>,
    pub broken: Vec<Violation>,
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
    /// `IndexAlreadyExists` of an index that its own create had made; told for a while.
    pub disowned: u64,
}

/// A broken rule.
#[derive(Debug)]
pub struct Violation {
    pub at: Timestamp,
    pub rule: &'static str,
    pub detail: String,
    /// The life it is about, if it is about one.
    pub life: Option<String>,
}

impl Oracle {
    pub fn new(control: Control, shows_source: bool) -> Self {
        Self {
            control,
            shows_source,
            is_resting: AtomicBool::new(false),
            known: Mutex::default(),
        }
    }

    pub fn control(&self) -> &Control {
        &self.control
    }

    pub fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn accuse(&self, rule: &'static str, detail: String) {
        self.lock().accuse(rule, detail, None);
    }

    /// A version of an IndexRestore.
    pub fn see(&self, change: &Change) {
        let now = Timestamp::now();
        let mut known = self.lock();
        // Pinecone accepts before it answers: what is recorded is in the journal by now.
        known.take_in(self.control.take_accepted_creates());
        known.counts.versions += 1;
        let Some(value) = &change.value else {
            if let Some(life) = known.keys.remove(&change.key)
                && let Some(biography) = known.lives.get_mut(&life)
            {
                biography.gone = Some(now);
            }
            return;
        };
        known.look_for_keys(&change.key, value);
        match serde_json::from_slice::<IndexRestore>(value) {
            Ok(object) => known.version(change, object, now, self.shows_source),
            Err(error) => known.accuse("objects can be read", error.to_string(), None),
        }
    }

    /// A write of an event.
    pub fn see_event(&self, change: &Change) {
        let mut known = self.lock();
        if let Some(value) = &change.value {
            known.counts.event_writes += 1;
            known.look_for_keys(&change.key, value);
        }
    }

    /// Reads what the journal has of longer ago, and forgets what is over.
    pub fn read_journal(&self) {
        if !self.is_resting.load(Ordering::Relaxed) {
            self.read_journal_until(Timestamp::now() - ANSWERED);
        }
    }

    /// Reads the journal to its end and leaves what comes to somebody else: nothing is under way.
    pub fn rest(&self) {
        self.is_resting.store(true, Ordering::Relaxed);
        self.read_journal_until(Timestamp::now());
    }

    fn read_journal_until(&self, end: Timestamp) {
        let now = Timestamp::now();
        let requests = self.control.take_requests(end);
        let mut known = self.lock();
        known.take_in(self.control.take_accepted_creates());
        for request in requests {
            known.request(request);
        }
        let old = |gone: Option<Timestamp>| gone.is_some_and(|gone| gone + KEPT < now);
        for life in known.lives.values_mut().filter(|life| old(life.gone)) {
            life.versions = Vec::new();
        }
    }
}

impl Known {
    pub fn accuse(&mut self, rule: &'static str, detail: String, life: Option<String>) {
        self.broken.push(Violation {
            at: Timestamp::now(),
            rule,
            detail,
            life,
        });
    }

    fn look_for_keys(&mut self, key: &str, value: &[u8]) {
        let canary = CANARY.as_bytes();
        if value.windows(canary.len()).any(|window| window == canary) {
            self.accuse("no API key leaves the Secrets", key.to_owned(), None);
        }
    }

    fn version(
        &mut self,
        change: &Change,
        object: IndexRestore,
        seen: Timestamp,
        shows_source: bool,
    ) {
        let life = tag(&object, LIFE).to_owned();
        self.keys.insert(change.key.clone(), life.clone());
        let biography = self.lives.entry(life.clone()).or_default();
        biography.uid = object.metadata.uid.clone().unwrap_or_default();
        let submission = object.status.as_ref().and_then(|s| s.submission.as_ref());
        let is_wiped = biography.wiped && submission.is_none();
        let mut broken = rules::broken(biography.latest(), &object, is_wiped);
        biography.note_claim(&object, seen);
        let too_soon = biography.abandoned_too_soon();
        broken.extend(too_soon.map(|detail| (TOO_SOON, detail)));
        self.counts.transitions += 1;
        broken.extend(self.foreign_record(&life, &object));
        broken.extend(self.jobless_record(&object, shows_source));
        broken.extend(self.invented_deletion(&object));
        broken.extend(self.invented_doubt(&object, shows_source));
        broken.extend(self.disowned(&life, &object, shows_source));
        for (rule, detail) in broken {
            self.accuse(rule, detail, Some(life.clone()));
        }
        if let Some(biography) = self.lives.get_mut(&life) {
            biography.versions.push(Version {
                revision: change.revision,
                seen,
                object,
            });
        }
    }

    fn take_in(&mut self, creates: Vec<AcceptedCreate>) {
        for create in creates {
            self.counts.accepted += 1;
            let life = create
                .tags
                .as_ref()
                .and_then(|tags| tags.get(LIFE))
                .cloned();
            let place = (create.project.clone(), create.index_name.clone());
            self.accepted.entry(place).or_default().push(create.clone());
            let Some(life) = life else {
                self.accuse("the spec's tags are sent", format!("{create:?}"), None);
                continue;
            };
            let biography = self.lives.entry(life.clone()).or_default();
            biography.accepted.push(create);
            if biography.accepted.len() > 1 {
                let detail = format!("{} creates", biography.accepted.len());
                self.accuse(
                    "Pinecone accepts one create for an IndexRestore",
                    detail,
                    Some(life),
                );
            }
        }
    }

    fn request(&mut self, request: Request) {
        self.counts.requests += 1;
        match request.route {
            Route::CreateIndexFromBackup => self.create_request(&request),
            Route::ListIndexes
            | Route::DescribeIndex
            | Route::DescribeBackup
            | Route::ListRestoreJobs
            | Route::DescribeRestoreJob => {}
            _ => self.accuse(
                "only reads and creates are sent",
                format!("{request:?}"),
                None,
            ),
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(request);
    }

    fn create_request(&mut self, request: &Request) {
        self.counts.create_requests += 1;
        let body = request.body.as_ref();
        let life = body.and_then(|body| body["tags"][LIFE].as_str());
        let Some(life) = life.map(str::to_owned) else {
            self.accuse("the spec's tags are sent", format!("{request:?}"), None);
            return;
        };
        let biography = self.lives.entry(life.clone()).or_default();
        biography.posts.push(request.clone());
        if let Some(detail) = biography.abandoned_too_soon() {
            self.accuse(TOO_SOON, detail, Some(life));
            return;
        }
        if let Some(detail) = biography.unclaimed_post() {
            self.accuse(
                "each create request has a claim of its own, made before",
                detail,
                Some(life),
            );
        }
    }
}
