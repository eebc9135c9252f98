//! The restore jobs that Pinecone shows for an index name, and which of them is this
//! restore's own.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::rivals::Rivals;
use super::situation::Situation;
use crate::pinecone::{Index, RestoreJob};

/// How far two readings of Pinecone's clock may disagree: the claim's, in whole
/// seconds of a Date header, and a job's `created_at`.
const CLOCK_MARGIN: Duration = Duration::from_secs(30);

/// The restore jobs of one index name: what the list shows, and what single jobs show by
/// their ID.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RestoreJobs {
    /// The jobs that are listed; one that was asked for by its ID is here as its ID shows it.
    pub listed: Vec<RestoreJob>,
    /// Whether the list was read to its end: only then is a missing job evidence.
    pub is_complete: bool,
    /// The earlier job that might be adopted, as `GET /restore-jobs/{id}` shows
    /// it: Pinecone answers 404 there once the job's index was deleted, and while its
    /// store of jobs fails.
    pub confirmed: Option<RestoreJob>,
    /// The job that was listed, now or before, and is answered 404 by its ID.
    pub doubted: Option<RestoreJob>,
    /// The job of another backup that made the index, as its ID shows it.
    pub foreign: Option<RestoreJob>,
    /// What other IndexRestores have of this backup and name.
    pub rivals: Rivals,
}

impl RestoreJobs {
    /// Whether the index came from the backup of `situation`, as far as the index or its job shows;
    /// `None` where neither does.
    pub fn is_of_backup(&self, situation: &Situation, index: &Index) -> Option<bool> {
        let shown = index.source.is(&situation.backup_id);
        shown.or(self.foreign.as_ref().map(|_| false))
    }

    /// Takes in a job as its ID shows it, if it is of this name.
    pub fn confirm(&mut self, situation: &Situation, job: RestoreJob) {
        if job.target_index_name != situation.index_name {
            return;
        }
        if job.backup_id != situation.backup_id {
            self.foreign = Some(job);
            return;
        }
        self.listed
            .retain(|listed| listed.restore_job_id != job.restore_job_id);
        self.listed.push(job.clone());
        self.confirmed = Some(job);
    }
}

/// What a complete list of restore jobs says about a backup and an index name.
#[derive(Clone, Debug, PartialEq)]
pub enum JobMatch {
    /// A job for both, created since the claim: this restore's own.
    Ours(RestoreJob),
    /// A job for both that is older, and the newest of all jobs for that name.
    Earlier(RestoreJob),
    /// The newest of all jobs for that name is of another backup.
    Foreign(RestoreJob),
    /// No job for that name.
    None,
}

impl Situation {
    /// Finds this restore's job. A job that Pinecone accepted for another IndexRestore
    /// is not this one's, whenever it was created.
    pub fn find_job(&self, jobs: &RestoreJobs) -> JobMatch {
        let is_others = |job: &RestoreJob| jobs.rivals.jobs.contains(&job.restore_job_id);
        find_job(
            &jobs.listed,
            &self.backup_id,
            &self.index_name,
            self.since,
            is_others,
        )
    }
}

/// Finds the job in `jobs`. `claimed` is when the
/// claim was made, by Pinecone's clock; without a claim no job is "ours".
fn find_job(
    jobs: &[RestoreJob],
    backup_id: &str,
    index_name: &str,
    claimed: Option<Timestamp>,
    is_others: impl Fn(&RestoreJob) -> bool,
) -> JobMatch {
    let newest = |jobs: &mut dyn Iterator<Item = &RestoreJob>| {
        // A job whose time is not assigned yet is newer than all that have one.
        jobs.max_by_key(|job| job.created_at.unwrap_or(Timestamp::MAX))
            .cloned()
    };
    let of_name = || {
        jobs.iter()
            .filter(|job| job.target_index_name == index_name)
    };
    let ours =
        |job: &&RestoreJob| job.backup_id == backup_id && is_since(job, claimed) && !is_others(job);
    if let Some(job) = newest(&mut of_name().filter(ours)) {
        return JobMatch::Ours(job);
    }
    match newest(&mut of_name()) {
        Some(job) if job.backup_id == backup_id => JobMatch::Earlier(job),
        Some(job) => JobMatch::Foreign(job),
        None => JobMatch::None,
    }
}

fn is_since(job: &RestoreJob, claimed: Option<Timestamp>) -> bool {
    match (claimed, job.created_at) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(claimed), Some(created)) => {
            created.duration_since(claimed)
                >= -SignedDuration::try_from(CLOCK_MARGIN).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pinecone::JobState;

    fn job(id: &str, backup: &str, created: Option<i64>) -> RestoreJob {
        RestoreJob {
            restore_job_id: id.into(),
            backup_id: backup.into(),
            target_index_name: "index".into(),
            target_index_id: format!("{id}-index"),
            state: JobState::Pending,
            word: "Pending".into(),
            created_at: created.map(|s| Timestamp::from_second(s).unwrap()),
            completed_at: None,
            percent_complete: None,
        }
    }

    fn found(jobs: &[RestoreJob], claimed: Option<i64>) -> Option<(&'static str, String)> {
        let claimed = claimed.map(|s| Timestamp::from_second(s).unwrap());
        match find_job(jobs, "b", "index", claimed, |job| {
            job.restore_job_id == "theirs"
        }) {
            JobMatch::Ours(job) => Some(("ours", job.restore_job_id)),
            JobMatch::Earlier(job) => Some(("earlier", job.restore_job_id)),
            JobMatch::Foreign(job) => Some(("foreign", job.restore_job_id)),
            JobMatch::None => None,
        }
    }

    #[test]
    fn owns_a_job_since_the_claim_within_the_clock_margin() {
        let jobs = [job("j", "b", Some(1_000))];
        assert_eq!(found(&jobs, Some(1_030)), Some(("ours", "j".into())));
        assert_eq!(found(&jobs, Some(1_031)), Some(("earlier", "j".into())));
        assert_eq!(found(&jobs, None), Some(("earlier", "j".into())));
    }

    #[test]
    fn counts_a_job_without_a_time_as_since_the_claim() {
        let jobs = [job("j", "b", None)];
        assert_eq!(found(&jobs, Some(1)), Some(("ours", "j".into())));
        assert_eq!(found(&jobs, None), Some(("earlier", "j".into())));
    }

    #[test]
    fn ignores_an_earlier_job_once_another_backup_took_the_name() {
        let jobs = [job("old", "b", Some(10)), job("new", "other", Some(20))];
        assert_eq!(found(&jobs, None), Some(("foreign", "new".into())));
        assert_eq!(found(&jobs[..1], None), Some(("earlier", "old".into())));
    }

    #[test]
    fn finds_the_job_in_any_order_of_the_list() {
        let mut jobs = [
            job("first", "b", Some(10)),
            job("second", "other", Some(20)),
            job("third", "b", Some(30)),
            job("fourth", "b", Some(40)),
        ];
        for _ in 0..jobs.len() {
            jobs.rotate_left(1);
            for _ in 0..2 {
                jobs.reverse();
                assert_eq!(found(&jobs, None), Some(("earlier", "fourth".into())));
                assert_eq!(found(&jobs, Some(25)), Some(("ours", "fourth".into())));
            }
        }
    }

    #[test]
    fn does_not_own_a_job_that_another_restore_records() {
        let jobs = [job("theirs", "b", Some(10))];
        assert_eq!(found(&jobs, Some(1)), Some(("earlier", "theirs".into())));
    }

    #[test]
    fn does_not_own_jobs_of_other_names_and_backups() {
        let mut other_name = job("j", "b", Some(10));
        other_name.target_index_name = "index-2".into();
        assert_eq!(found(&[other_name], Some(1)), None);
        let foreign = found(&[job("k", "c", Some(10))], Some(1));
        assert_eq!(foreign, Some(("foreign", "k".into())));
    }
}
