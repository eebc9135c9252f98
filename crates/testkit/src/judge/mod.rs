//! The judge of what happened to IndexRestores: by the versions that etcd stored and by Pinecone's journal, never by what the
//! operator reports of itself.
//!
//! The rules for a version and for a pair of versions are pure functions ([`rules`]); those of one object are in [`life`], and
//! those that compare it with the journal in [`records`]. A [`Judge`] applies all of them, to a run that is still going on, version
//! by version and request by request, or to a finished [`Trial`].
//!
//! A test that breaks a rule on purpose, as people may, states that as a fact ([`Facts`]) or waives the rule; no rule is weaker
//! because of it.

mod events;
pub mod life;
pub mod records;
pub mod rules;
mod status;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::{HashMap, HashSet};
use std::fmt;

use jiff::Timestamp;
use pinecone_emulator::{AcceptedCreate, Request, Route};

pub use events::EVENTS;
pub use life::{Life, Version};
pub use status::{is_ready, is_settled, reason};
pub use trial::Trial;

use life::unclaimed;
use rules::Broken;
use status::is_unobserved;

/// In every API key of the tests, and nowhere else.
pub const CANARY: &str = "pcsk_canary";

/// See the text.
pub const ONE_CREATE: &str = "Pinecone accepts at most one create for an IndexRestore";
/// See the text.
pub const READS_AND_CREATES: &str = "the operator sends only reads and creates";
/// See the text.
pub const NO_KEY: &str = "no API key leaves the Secrets";

/// What the operator cannot know, and the judge must.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Whether an index names the backup it was restored from.
    pub shows_source: bool,
    /// The `resourceVersion` of each version whose status a user wrote.
    pub overwritten: HashSet<String>,
    /// Earlier restores, which no create request in the journal made.
    pub earlier: Vec<AcceptedCreate>,
    /// Index names, and the backups that their indexes name.
    pub named: HashSet<(String, String)>,
    /// IDs of the indexes that exist.
    pub existing: HashSet<String>,
    /// Names of the indexes that people deleted, where that is known.
    pub deleted: Option<HashSet<String>>,
    /// Those of them in whose place people made another index, where that is known.
    pub recreated: Option<HashSet<String>>,
}

/// A broken rule.
#[derive(Clone, Debug)]
pub struct Violation {
    /// When it was found.
    pub at: Timestamp,
    /// The rule.
    pub rule: &'static str,
    /// How it was broken.
    pub detail: String,
    /// The key of the life that broke it, if it is one.
    pub life: Option<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BROKEN: {}\n  {}", self.rule, self.detail)
    }
}

/// All that is known of a run, and the rules that it broke.
#[derive(Debug, Default)]
pub struct Judge {
    /// What only the test knows.
    pub facts: Facts,
    /// Each object, by a key that its creates can be attributed to.
    pub lives: HashMap<String, Life>,
    /// The creates that Pinecone accepted, by the name of the index.
    pub accepted: HashMap<String, Vec<AcceptedCreate>>,
    /// The broken rules.
    pub violations: Vec<Violation>,
    /// Versions that report `IndexAlreadyExists` of an index that the object's own create made.
    pub disowned: u64,
}

impl Judge {
    /// Returns a judge that has observed nothing yet.
    pub fn new(facts: Facts) -> Self {
        Self {
            facts,
            ..Self::default()
        }
    }

    /// Notes a violation.
    pub fn accuse(&mut self, rule: &'static str, detail: String, life: Option<&str>) {
        self.violations.push(Violation {
            at: Timestamp::now(),
            rule,
            detail,
            life: life.map(str::to_owned),
        });
    }

    fn accuse_all(&mut self, broken: impl IntoIterator<Item = Broken>, life: &str) {
        for (rule, detail) in broken {
            self.accuse(rule, detail, Some(life));
        }
    }

    /// Judges what was stored or published at that place, which must not contain an API key.
    pub fn text(&mut self, place: &str, text: &[u8]) {
        let canary = CANARY.as_bytes();
        if text.windows(canary.len()).any(|window| window == canary) {
            self.accuse(NO_KEY, format!("one is in {place}"), None);
        }
    }

    /// Judges the next version of the object with that key. Creates that its status may record are accepted before.
    pub fn version(&mut self, key: &str, version: Version) {
        let revision = version.object.metadata.resource_version.as_ref();
        let is_named = revision.is_some_and(|revision| self.facts.overwritten.contains(revision));
        let life = self.lives.entry(key.to_owned()).or_default();
        life.uid = version.object.metadata.uid.clone().unwrap_or_default();
        life.wiped |= is_named;
        // The operator never writes the status that a new object has.
        let by_person = is_named || (life.wiped && is_unobserved(&version.object));
        let mut broken = Vec::new();
        if !by_person {
            broken.extend(rules::of_version(&version.object));
            let before = life.latest();
            broken.extend(before.map_or_else(Vec::new, |b| rules::of_pair(b, &version.object)));
        }
        life.note_claim(&version);
        if !by_person {
            broken.extend(life.abandoned_too_soon());
            self.disowned += u64::from(records::is_disowned(life, &version.object));
            broken.extend(self.records(key, &version.object));
        }
        self.accuse_all(broken, key);
        if let Some(life) = self.lives.get_mut(key) {
            life.versions.push(version);
        }
    }

    /// Notes a create that Pinecone accepted, and judges it as that of the object with the key, where the object is known.
    pub fn accept(&mut self, create: AcceptedCreate, key: Option<&str>) {
        let creates = self.accepted.entry(create.index_name.clone());
        creates.or_default().push(create.clone());
        let Some(key) = key else { return };
        let life = self.lives.entry(key.to_owned()).or_default();
        life.accepted.push(create);
        if life.accepted.len() > 1 {
            let detail = format!("accepted were {:?}", life.accepted);
            self.accuse(ONE_CREATE, detail, Some(key));
        }
    }

    /// Judges a request that the operator sent.
    pub fn request(&mut self, request: &Request) {
        match request.route {
            Route::CreateIndexFromBackup
            | Route::ListIndexes
            | Route::DescribeIndex
            | Route::DescribeBackup
            | Route::ListRestoreJobs
            | Route::DescribeRestoreJob => {}
            _ => self.accuse(READS_AND_CREATES, format!("{request:?}"), None),
        }
    }

    /// Judges a create request that was sent for the object with that key, once all claims that may precede it were observed.
    pub fn post(&mut self, request: Request, key: &str) {
        let life = self.lives.entry(key.to_owned()).or_default();
        life.posts.push(request);
        let broken = life.abandoned_too_soon();
        let broken = broken.or_else(|| unclaimed(&life.posts, &life.claims, false));
        self.accuse_all(broken, key);
    }
}
