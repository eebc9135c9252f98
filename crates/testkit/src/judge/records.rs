//! What a version may say of the job and the index, by Pinecone's own journal.

use index_restore_operator::api::{IndexRestore, SubmissionOutcome};
use pinecone_emulator::AcceptedCreate;

use super::rules::Broken;
use super::status::{is_jobless, is_left_by_failed_job, job, outcome, reason, submission};
use super::{Judge, Life};

/// See the text.
pub const JOURNAL_IDS: &str = "recorded IDs are those of Pinecone's journal";
/// See the text.
pub const RECORDED: &str = "an accepted submission has the IDs of its job and index";
/// See the text.
pub const OWN_IDS: &str = "an object whose create was accepted records its own IDs, as its own";
/// See the text.
pub const JOBLESS: &str = "an index without a job is recorded only if it names the backup";
/// See the text.
pub const NOT_DISOWNED: &str = "an object's own index is never IndexAlreadyExists";
/// See the text.
pub const DELETED: &str = "IndexDeleted is reported only for deleted indexes";
/// See the text.
pub const RECREATED: &str = "RestoreJobNotFound is reported only for recreated indexes";

impl Judge {
    /// Returns the rules about job and index that the version breaks.
    pub(super) fn records(&self, life: &str, object: &IndexRestore) -> Vec<Broken> {
        let mut broken = Vec::new();
        broken.extend(self.foreign_ids(life, object));
        broken.extend(self.unrecorded(object));
        broken.extend(self.jobless(object));
        broken.extend(self.disowned(life, object));
        broken.extend(self.invented_deletion(object));
        broken.extend(self.invented_doubt(object));
        broken
    }

    /// The creates that are known for what the object submitted: those that Pinecone accepted, and
    /// those that existed before.
    fn creates<'a>(&'a self, object: &'a IndexRestore) -> impl Iterator<Item = &'a AcceptedCreate> {
        let spec = (&object.spec.backup_id, &object.spec.index_name);
        let submitted = submission(object).map(|own| (&own.backup_id, &own.index_name));
        let (backup, name) = submitted.unwrap_or(spec);
        let accepted = self.accepted.get(name).into_iter().flatten();
        let earlier = self.facts.earlier.iter();
        accepted
            .chain(earlier.filter(move |create| create.index_name == *name))
            .filter(move |create| create.backup_id == *backup)
    }

    fn foreign_ids(&self, life: &str, object: &IndexRestore) -> Option<Broken> {
        let job = job(object)?;
        let index = object.status.as_ref()?.index_id.as_deref()?;
        let is_it =
            |create: &AcceptedCreate| create.restore_job_id == *job && create.index_id == *index;
        let mut known = self.creates(object);
        if !known.any(is_it) {
            let known: Vec<_> = self.creates(object).collect();
            let detail = format!("job {job} to index {index}; known are {known:?}");
            return Some((JOURNAL_IDS, detail));
        }
        let life_of = self.lives.get(life)?;
        let own = &life_of.accepted;
        if own.is_empty() || life_of.wiped {
            return None;
        }
        // An index that its backup proved stays adopted when its job shows, and the job of
        // another is recorded only where two asked for the same and neither got an answer.
        let is_adopted = outcome(object) == Some(SubmissionOutcome::Adopted)
            && !life_of.was_jobless()
            && !self.is_recorded_by_other(life, object, job);
        (!own.iter().any(is_it) || is_adopted).then(|| {
            let detail = format!("{:?} job {job}; its own is {own:?}", outcome(object));
            (OWN_IDS, detail)
        })
    }

    /// Whether another object of the same backup and name records that job as its own.
    fn is_recorded_by_other(&self, life: &str, object: &IndexRestore, id: &str) -> bool {
        let others = self.lives.iter().filter(|(other, _)| *other != life);
        let mut latest = others.filter_map(|(_, life)| life.latest());
        latest.any(|other| {
            other.spec.index_name == object.spec.index_name
                && other.spec.backup_id == object.spec.backup_id
                && outcome(other) == Some(SubmissionOutcome::Accepted)
                && job(other) == Some(id)
        })
    }

    /// API 2026-07 has an exception: an index that names the backup and whose job was not found.
    fn unrecorded(&self, object: &IndexRestore) -> Option<Broken> {
        let status = object.status.as_ref()?;
        let ids = (&status.restore_job_id, &status.index_id);
        let is_accepted = outcome(object) == Some(SubmissionOutcome::Accepted);
        let is_jobless = ids == (&None, &None);
        let is_excused = is_jobless && self.facts.shows_source && self.is_named(object);
        let is_whole = ids.0.is_some() && ids.1.is_some();
        let is_broken = is_accepted && !is_whole && !is_excused;
        is_broken.then(|| (RECORDED, format!("job and index are {ids:?}")))
    }

    /// Whether an index of the object's name names the object's backup.
    fn is_named(&self, object: &IndexRestore) -> bool {
        let spec = &object.spec;
        let place = (spec.index_name.clone(), spec.backup_id.clone());
        self.creates(object).next().is_some() || self.facts.named.contains(&place)
    }

    fn jobless(&self, object: &IndexRestore) -> Option<Broken> {
        is_jobless(object).then_some(())?;
        (!self.facts.shows_source || !self.is_named(object)).then(|| {
            let known = &self.accepted.get(&object.spec.index_name);
            (JOBLESS, format!("accepted were {known:?}"))
        })
    }

    /// API 2025-10 has two exceptions: a create that was answered 409, and a status that a user
    /// replaced, while the list of jobs lacks the job.
    fn disowned(&self, life: &str, object: &IndexRestore) -> Option<Broken> {
        let life = self.lives.get(life)?;
        is_disowned(life, object).then_some(())?;
        let is_excused = !self.facts.shows_source && (life.wiped || life.was_taken());
        let is_failed = life.wiped && is_left_by_failed_job(object);
        (!is_excused && !is_failed).then(|| {
            let detail = format!("accepted was {:?}", life.accepted);
            (NOT_DISOWNED, detail)
        })
    }

    fn invented_deletion(&self, object: &IndexRestore) -> Option<Broken> {
        (reason(object) == "IndexDeleted").then_some(())?;
        let name = &object.spec.index_name;
        let index = object.status.as_ref()?.index_id.as_ref();
        let is_there = index.is_some_and(|index| self.facts.existing.contains(index));
        let is_known = self.facts.deleted.as_ref();
        let is_invented = is_there || is_known.is_some_and(|deleted| !deleted.contains(name));
        is_invented.then(|| {
            (
                DELETED,
                format!("no user deleted the index {name} ({index:?})"),
            )
        })
    }

    /// A restore job is missed only where a user put another index in the place of its own, and
    /// the index does not name its backup.
    fn invented_doubt(&self, object: &IndexRestore) -> Option<Broken> {
        let recreated = self.facts.recreated.as_ref()?;
        let name = &object.spec.index_name;
        let is_doubted = reason(object) == "RestoreJobNotFound";
        let is_known = !self.facts.shows_source && recreated.contains(name);
        (is_doubted && !is_known)
            .then(|| (RECREATED, format!("no user recreated the index {name}")))
    }
}

/// Whether the object reports that somebody else has the name, although its own create was
/// accepted under one of the claims so far.
pub fn is_disowned(life: &Life, object: &IndexRestore) -> bool {
    let is_own = !life.accepted.is_empty() && !life.claims.is_empty();
    is_own && reason(object) == "IndexAlreadyExists"
}
