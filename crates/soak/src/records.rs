//! What a version may say of the job and the index, by Pinecone's own record.

use index_restore_operator::api::{IndexRestore, SubmissionOutcome};
use pinecone_emulator::AcceptedCreate;

use crate::history::project;
use crate::oracle::Known;
use crate::rules::{self, reason};

impl Known {
    /// A recorded job must be one that Pinecone accepted for this backup and name, and the own one
    /// where there is one.
    pub fn foreign_record(&self, life: &str, object: &IndexRestore) -> Option<rules::Broken> {
        let status = object.status.as_ref()?;
        let (job, index) = (status.restore_job_id.as_ref()?, status.index_id.as_ref()?);
        let place = (project(object).to_owned(), object.spec.index_name.clone());
        let is_it = |create: &&AcceptedCreate| {
            create.restore_job_id == *job
                && create.index_id == *index
                && create.backup_id == object.spec.backup_id
        };
        let accepted = self.accepted.get(&place);
        if accepted.into_iter().flatten().find(is_it).is_none() {
            let detail = format!("job {job} to index {index}; accepted were {accepted:?}");
            return Some(("recorded IDs are the journal's", detail));
        }
        let biography = self.lives.get(life)?;
        let own = &biography.accepted;
        if own.is_empty() || biography.wiped {
            return None;
        }
        let outcome = status
            .submission
            .as_ref()
            .map(|submission| submission.outcome);
        let is_own = own.iter().any(|create| is_it(&create));
        // An index that its backup had proved stays adopted when its job shows, and a job is of
        // one only where two asked for the same and neither was answered.
        let is_adopted = outcome == Some(SubmissionOutcome::Adopted)
            && !biography.was_jobless()
            && !self.is_twins(life, object, job);
        (!is_own || is_adopted).then(|| {
            let detail = format!("{outcome:?} job {job}; its own is {own:?}");
            ("one's own create is recorded as one's own", detail)
        })
    }

    /// Whether another object of the same backup and name records that job as its own.
    fn is_twins(&self, life: &str, object: &IndexRestore, job: &str) -> bool {
        let others = self.lives.iter().filter(|(other, _)| *other != life);
        let mut latest = others.filter_map(|(_, biography)| biography.latest());
        latest.any(|other| {
            let is_same = other.spec.index_name == object.spec.index_name
                && other.spec.backup_id == object.spec.backup_id;
            let status = other.status.as_ref();
            let submission = status.and_then(|status| status.submission.as_ref());
            is_same
                && submission.is_some_and(|s| s.outcome == SubmissionOutcome::Accepted)
                && status.and_then(|status| status.restore_job_id.as_deref()) == Some(job)
        })
    }

    /// An index is recorded without a job only where it names the object's backup, and that one
    /// was restored into it.
    pub fn jobless_record(
        &self,
        object: &IndexRestore,
        shows_source: bool,
    ) -> Option<rules::Broken> {
        rules::is_jobless(object).then_some(())?;
        let place = (project(object).to_owned(), object.spec.index_name.clone());
        let accepted = self.accepted.get(&place);
        let mut of_backup = accepted
            .into_iter()
            .flatten()
            .filter(|create| create.backup_id == object.spec.backup_id);
        (!shows_source || of_backup.next().is_none()).then(|| {
            let detail = format!("accepted were {accepted:?}");
            ("an index without a job is known by its backup", detail)
        })
    }

    /// Nobody's own index is disowned. API 2025-10 has two exceptions: a create that was answered
    /// 409, and a status that people took away, while the list of jobs lacks the job.
    pub fn disowned(
        &mut self,
        life: &str,
        object: &IndexRestore,
        shows_source: bool,
    ) -> Option<rules::Broken> {
        let biography = self.lives.get(life)?;
        if biography.accepted.is_empty() || reason(object) != "IndexAlreadyExists" {
            return None;
        }
        self.counts.disowned += 1;
        let is_excused = !shows_source && (biography.wiped || biography.was_taken());
        let is_failed = biography.wiped && rules::is_left_by_failed_job(object);
        (!is_excused && !is_failed).then(|| {
            let detail = format!("accepted was {:?}", biography.accepted);
            ("one's own index is not disowned", detail)
        })
    }

    /// A restore job is missed only where people put another index in the place of its own, and
    /// the index does not name its backup.
    pub fn invented_doubt(
        &self,
        object: &IndexRestore,
        shows_source: bool,
    ) -> Option<rules::Broken> {
        let place = (project(object).to_owned(), object.spec.index_name.clone());
        let is_doubted = reason(object) == "RestoreJobNotFound";
        (is_doubted && (shows_source || !self.recreated.contains(&place))).then(|| {
            let detail = format!("nobody made another index {}", place.1);
            (
                "RestoreJobNotFound is told of recreated indexes only",
                detail,
            )
        })
    }

    pub fn invented_deletion(&self, object: &IndexRestore) -> Option<rules::Broken> {
        let place = (project(object).to_owned(), object.spec.index_name.clone());
        (reason(object) == "IndexDeleted" && !self.deleted.contains(&place)).then(|| {
            let detail = format!("nobody deleted index {}", place.1);
            ("IndexDeleted is told of deleted indexes only", detail)
        })
    }
}
