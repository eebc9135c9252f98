//! A finished history, judged as a whole: its create requests are attributed to objects by the
//! claims.

use std::collections::{BTreeMap, HashMap, HashSet};

use index_restore_operator::api::SubmissionOutcome;
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use pinecone_emulator::{AcceptedCreate, Control, IndexSnapshot, Request, Route};

use super::life::{Claim, is_for};
use super::status::{job, outcome};
use super::{Facts, Judge, ONE_CREATE, Version, Violation, events, life};
use crate::api_version::names_source;

/// Everything that was recorded of a test.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// What only the test knows.
    pub facts: Facts,
    /// Every version of its objects, oldest first.
    pub versions: Vec<Version>,
    /// Whether versions may be missing: then neither claims nor changes can be counted.
    pub has_gap: bool,
    /// When the deletion of each object was observed, by its UID.
    pub deleted: HashMap<String, Timestamp>,
    /// When each claim was stored at the latest, by its nonce, where that is known exactly.
    pub stored: HashMap<String, Timestamp>,
    /// The requests of the operators.
    pub requests: Vec<Request>,
    /// The creates that Pinecone accepted, other than the test's own.
    pub accepted: Vec<AcceptedCreate>,
    /// The events of the objects.
    pub events: Vec<Event>,
}

/// The backup and the index name of a create.
type Place = (String, String);

impl Trial {
    /// Adds what the emulator has: the journal of what operators sent, its indexes and its jobs.
    pub fn with_pinecone(mut self, pinecone: &Control) -> Self {
        // A client of the test itself does not name itself.
        let is_operator = |agent: &Option<String>| agent.is_some();
        self.requests = pinecone.requests();
        self.requests
            .retain(|request| is_operator(&request.user_agent));
        let mut versions = self
            .requests
            .iter()
            .filter_map(|r| r.api_version.as_deref());
        self.facts.shows_source = versions.any(names_source);
        let accepted = pinecone.accepted_creates();
        let (own, foreign) = accepted
            .into_iter()
            .partition(|create: &AcceptedCreate| is_operator(&create.user_agent));
        self.accepted = own;
        self.facts.earlier = foreign;
        for project in pinecone.projects() {
            for index in pinecone.indexes(&project) {
                self.add_index(index);
            }
            self.add_earlier_jobs(pinecone, &project);
        }
        self
    }

    /// Adds what was recorded elsewhere of the same Pinecone.
    pub fn absorb(&mut self, other: Self) {
        self.has_gap |= other.has_gap;
        self.versions.extend(other.versions);
        self.versions.sort_by_key(|version| version.seen);
        self.deleted.extend(other.deleted);
        self.events.extend(other.events);
        self.facts.overwritten.extend(other.facts.overwritten);
    }

    fn add_index(&mut self, index: IndexSnapshot) {
        if let Some(backup) = index.source_backup_id {
            self.facts.named.insert((index.name, backup));
        }
        if index.state != "Terminating" {
            self.facts.existing.insert(index.id);
        }
    }

    /// The jobs that the test put there.
    fn add_earlier_jobs(&mut self, pinecone: &Control, project: &str) {
        let own: HashSet<_> = self.accepted.iter().map(|c| &c.restore_job_id).collect();
        let mut jobs = pinecone.restore_jobs(project);
        jobs.retain(|job| !own.contains(&job.id));
        self.facts
            .earlier
            .extend(jobs.into_iter().map(|job| AcceptedCreate {
                seq: 0,
                time: job.created_at.unwrap_or_default(),
                project: project.to_owned(),
                backup_id: job.backup_id,
                index_name: job.index_name,
                tags: None,
                deletion_protection: None,
                restore_job_id: job.id,
                index_id: job.index_id,
                api_version: None,
                user_agent: None,
            }));
    }

    /// Returns the rules that were broken.
    pub fn judge(self) -> Vec<Violation> {
        let claims = self.claims();
        let owners: Vec<_> = self
            .accepted
            .iter()
            .map(|c| self.owner(c, &claims))
            .collect();
        let mut judge = Judge::new(self.facts);
        let creates: Vec<_> = self.accepted.into_iter().zip(owners).collect();
        for (place, creates) in by_place(&creates) {
            let claimants: HashSet<_> = at(&claims, &place).map(|claim| &claim.uid).collect();
            if creates > claimants.len().max(1) {
                let detail = format!("{creates} for {place:?}, claimed by {claimants:?}");
                let owner = sole_claimant(&claims, &place);
                judge.accuse(ONE_CREATE, detail, owner.as_deref());
            }
        }
        let mut creates = creates.into_iter().peekable();
        for version in self.versions {
            while let Some((create, owner)) = creates.next_if(|c| c.0.time <= version.seen) {
                judge.accept(create, owner.as_deref());
            }
            judge.text("an IndexRestore", &serialized(&version.object));
            let uid = version.object.metadata.uid.clone().unwrap_or_default();
            judge.version(&uid, version);
        }
        for (create, owner) in creates {
            judge.accept(create, owner.as_deref());
        }
        for (uid, life) in &mut judge.lives {
            life.gone = self.deleted.get(uid).copied();
        }
        judge.posts(&self.requests, &claims, &self.stored);
        judge.published(&self.events);
        if self.has_gap {
            let counted = [life::OWN_CLAIM, events::EVENTS];
            let violations = &mut judge.violations;
            violations.retain(|violation| !counted.contains(&violation.rule));
        }
        judge.violations
    }

    /// The first sight of each claim.
    fn claims(&self) -> Vec<Claim> {
        let mut claims: Vec<Claim> = Vec::new();
        for mut claim in self.versions.iter().filter_map(Claim::of) {
            if let Some(time) = self.stored.get(&claim.nonce) {
                claim.stored = *time;
            }
            if claims.iter().all(|known| known.nonce != claim.nonce) {
                claims.push(claim);
            }
        }
        claims
    }

    /// The object that an accepted create was sent for: which records it as its own, or which
    /// alone claimed it.
    fn owner(&self, create: &AcceptedCreate, claims: &[Claim]) -> Option<String> {
        let records = |version: &&Version| {
            outcome(&version.object) == Some(SubmissionOutcome::Accepted)
                && job(&version.object) == Some(&create.restore_job_id)
        };
        if let Some(version) = self.versions.iter().find(records) {
            return version.object.metadata.uid.clone();
        }
        let place = (create.backup_id.clone(), create.index_name.clone());
        sole_claimant(claims, &place)
    }
}

impl Judge {
    /// Judges all create requests by the claims for their backup and name, whoever made them: two
    /// objects may claim the same.
    fn posts(
        &mut self,
        requests: &[Request],
        claims: &[Claim],
        stored: &HashMap<String, Timestamp>,
    ) {
        let mut sent = BTreeMap::<Place, Vec<Request>>::new();
        let mut accused = HashSet::new();
        for request in requests {
            self.request(request);
            if request.route != Route::CreateIndexFromBackup {
                continue;
            }
            let claimed = claims
                .iter()
                .find(|claim| is_for(request, &claim.backup_id, &claim.index_name));
            let Some(claim) = claimed else {
                self.accuse(
                    life::OWN_CLAIM,
                    format!("no claim precedes {request:?}"),
                    None,
                );
                continue;
            };
            let place = (claim.backup_id.clone(), claim.index_name.clone());
            let posts = sent.entry(place.clone()).or_default();
            posts.push(request.clone());
            let claims: Vec<_> = at(claims, &place).cloned().collect();
            let is_exact = claims.iter().all(|claim| stored.contains_key(&claim.nonce));
            let broken = life::unclaimed(posts, &claims, is_exact);
            let owner = sole_claimant(&claims, &place);
            // All later requests break it too.
            if let Some((rule, detail)) = broken.filter(|_| accused.insert(place)) {
                self.accuse(rule, detail, owner.as_deref());
            }
            if let Some(life) = owner.and_then(|owner| self.lives.get_mut(&owner)) {
                life.posts.push(request.clone());
            }
        }
        let early = self
            .lives
            .iter()
            .filter_map(|(uid, life)| Some((uid.clone(), life.abandoned_too_soon()?)));
        for (uid, broken) in early.collect::<Vec<_>>() {
            self.accuse_all([broken], &uid);
        }
    }

    fn published(&mut self, published: &[Event]) {
        for event in published {
            self.text("an event", &serialized(event));
        }
        let broken: Vec<_> = self
            .lives
            .iter()
            .filter_map(|(uid, life)| Some((uid.clone(), events::broken(life, published)?)))
            .collect();
        for (uid, broken) in broken {
            self.accuse_all([broken], &uid);
        }
    }
}

fn serialized(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn at<'a>(claims: &'a [Claim], place: &'a Place) -> impl Iterator<Item = &'a Claim> {
    let is_here = |claim: &&Claim| (&claim.backup_id, &claim.index_name) == (&place.0, &place.1);
    claims.iter().filter(is_here)
}

fn sole_claimant(claims: &[Claim], place: &Place) -> Option<String> {
    let mut uids = at(claims, place).map(|claim| &claim.uid);
    let first = uids.next()?;
    uids.all(|uid| uid == first).then(|| first.clone())
}

/// How many creates were accepted for each backup and name.
fn by_place(creates: &[(AcceptedCreate, Option<String>)]) -> BTreeMap<Place, usize> {
    let mut counts = BTreeMap::new();
    for (create, _) in creates {
        let place = (create.backup_id.clone(), create.index_name.clone());
        *counts.entry(place).or_default() += 1;
    }
    counts
}
