//! Reads what a question asks for.

use futures::future::BoxFuture;
use jiff::Timestamp;

use super::answer::{Answer, Check, Preflight, Search};
use super::ask::Question;
use super::jobs::{JobMatch, RestoreJobs};
use super::rivals::Rivals;
use super::situation::{Situation, Stage, Submitted};
use crate::caches::{IndexListCache, Restored};
use crate::pinecone::{
    ApiKey, Backup, Client, Failure, Index, JobState, Lookup, RestoreJob, found,
};
use crate::runtime::api_server::Error;
use crate::runtime::failpoint::{Site, around};

/// What is to be read from Pinecone, and what is known already.
#[derive(Clone, Copy)]
pub struct ObservationRequest<'a> {
    /// The question to answer, as `ask` returned it.
    pub question: Question,
    /// The parsed object: which IDs and names to read.
    pub situation: &'a Situation,
    /// A restore job of this backup and name that an earlier observation showed.
    pub known_job: Option<&'a RestoreJob>,
    /// Asks the API server for other IndexRestores of this backup and name. What they record
    /// must be newer than the list of restore jobs: they may have made what it shows.
    pub rivals: &'a (dyn Fn() -> BoxFuture<'a, Result<Rivals, Error>> + Sync),
}

/// Asks Pinecone what is to be known. Makes no request that changes anything.
///
/// # Errors
/// If the API server cannot be asked for other IndexRestores.
pub async fn observe(
    request: ObservationRequest<'_>,
    pinecone: &Client,
    index_lists: &IndexListCache,
    key: &ApiKey,
) -> Result<Answer, Error> {
    let observer = Observer {
        request,
        situation: request.situation,
        pinecone,
        key,
    };
    Ok(match (request.question, &request.situation.stage) {
        (Question::MaySubmit { jobs }, _) => Answer::MaySubmit(observer.preflight(jobs).await?),
        (Question::FindOurs, _) => Answer::FindOurs(observer.search().await?),
        (Question::Follow { index }, Stage::Submitted(submitted)) => match &submitted.job_id {
            Some(job_id) => observer.follow(job_id, index).await,
            None => observer.follow_index().await,
        },
        (Question::StillThere { by_list }, Stage::Finished(submitted)) => {
            let list = by_list.then_some(index_lists);
            Answer::StillThere(observer.check(submitted, list).await)
        }
        (Question::Nothing | Question::Follow { .. } | Question::StillThere { .. }, _) => {
            Answer::Nothing
        }
    })
}

struct Observer<'a, 'w> {
    request: ObservationRequest<'w>,
    situation: &'w Situation,
    pinecone: &'a Client,
    key: &'a ApiKey,
}

impl Observer<'_, '_> {
    async fn preflight(&self, jobs: bool) -> Result<Preflight, Error> {
        let index = self.index().await;
        let jobs = match &index {
            Ok(found) if jobs || found.is_some() => {
                let jobs = self.jobs().await;
                Some(self.with_rivals(jobs, &index).await?)
            }
            _ => None,
        };
        let (backup, date) = match &index {
            Ok(None) => self.backup().await,
            _ => (None, None),
        };
        Ok(Preflight {
            index,
            jobs,
            backup,
            date,
        })
    }

    async fn search(&self) -> Result<Search, Error> {
        let jobs = self.jobs().await;
        let index = self.index().await;
        let jobs = self.with_rivals(jobs, &index).await?;
        let (backup, date) = self.backup().await;
        Ok(Search {
            index,
            jobs,
            backup,
            ended: date.unwrap_or_else(Timestamp::now),
        })
    }

    /// Where a job or an index could be taken for this restore's own: what other IndexRestores
    /// have of it. A job that turns out to be theirs is confirmed by its ID.
    async fn with_rivals(
        &self,
        jobs: Result<RestoreJobs, Failure>,
        index: &Lookup<Index>,
    ) -> Result<Result<RestoreJobs, Failure>, Error> {
        let Ok(mut jobs) = jobs else {
            return Ok(jobs);
        };
        let situation = self.situation;
        let is_listed = matches!(situation.find_job(&jobs), JobMatch::Ours(_));
        let is_named = index.as_ref().is_ok_and(|index| {
            let source = index.as_ref().map(|index| &index.source);
            source.and_then(|source| source.is(&situation.backup_id)) == Some(true)
        });
        if situation.since.is_none() || !(is_listed || is_named) {
            return Ok(Ok(jobs));
        }
        jobs.rivals = (self.request.rivals)().await?;
        Ok(self.confirmed(jobs).await)
    }

    async fn follow(&self, job_id: &str, index: bool) -> Answer {
        let job = self.job(job_id).await;
        let wanted = match &job {
            Ok(Some(job)) => index || job.state == JobState::Completed,
            Ok(None) => true,
            Err(_) => false,
        };
        let index = match wanted {
            true => Some(self.index().await),
            false => None,
        };
        Answer::Follow { job, index }
    }

    /// Follows an index whose restore job is not known; the list may show it yet.
    async fn follow_index(&self) -> Answer {
        let jobs = self.jobs().await;
        let job = jobs.map(|jobs| match self.situation.find_job(&jobs) {
            JobMatch::Ours(job) | JobMatch::Earlier(job) => Some(job),
            JobMatch::Foreign(_) | JobMatch::None => None,
        });
        Answer::Follow {
            job,
            index: Some(self.index().await),
        }
    }

    /// Looks at a restored index and, where that does not name its backup, at its job.
    /// With `list`, one list answers for all of a key.
    async fn check(&self, submitted: &Submitted, list: Option<&IndexListCache>) -> Check {
        let index = match list {
            Some(list) => {
                let restored = Restored {
                    index_name: &self.situation.index_name,
                    host: submitted.host.as_deref(),
                    last_confirmed: submitted.last_confirmed,
                };
                list.index(self.pinecone, self.key, restored).await
            }
            None => self.index().await,
        };
        let mut check = Check::from(index);
        let Ok(Some(index)) = &check.index else {
            return check;
        };
        if index.source.is(&self.situation.backup_id) == Some(true) {
            return check;
        }
        let job = match &submitted.job_id {
            Some(job_id) if !self.is_listed(job_id, list).await => {
                self.job(job_id).await.map(|job| job.map(|_| ()))
            }
            Some(_) => Ok(Some(())),
            None => Ok(None),
        };
        if job == Ok(None) {
            let (backup, _) = self.backup().await;
            check.backup = backup.map(found);
        }
        check.job = Some(job);
        check
    }

    async fn is_listed(&self, job_id: &str, list: Option<&IndexListCache>) -> bool {
        match list {
            Some(list) => list.shows_job(self.pinecone, self.key, job_id).await,
            None => false,
        }
    }

    async fn job(&self, job_id: &str) -> Lookup<RestoreJob> {
        let job = self.pinecone.restore_job(self.key, job_id);
        found(around(Site::JobGet, job).await)
    }

    async fn index(&self) -> Lookup<Index> {
        let index = self.pinecone.index(self.key, &self.situation.index_name);
        found(around(Site::IndexGet, index).await)
    }

    async fn backup(&self) -> (Option<Result<Backup, Failure>>, Option<Timestamp>) {
        let backup = self.pinecone.backup(self.key, &self.situation.backup_id);
        match around(Site::BackupGet, backup).await {
            Ok((backup, date)) => (Some(Ok(backup)), date),
            Err(failure) => (Some(Err(failure)), None),
        }
    }

    /// The whole list and, where an earlier job might be adopted, that job by its ID.
    async fn jobs(&self) -> Result<RestoreJobs, Failure> {
        let listing = self
            .pinecone
            .restore_jobs(self.key, &self.situation.index_name);
        let listing = listing.await?;
        let jobs = RestoreJobs {
            listed: listing.jobs,
            is_complete: listing.is_complete,
            ..RestoreJobs::default()
        };
        self.confirmed(jobs).await
    }

    /// The jobs with an earlier job as its ID shows it: the one that is listed, one that an
    /// earlier observation showed, or one that a copied status names.
    async fn confirmed(&self, mut jobs: RestoreJobs) -> Result<RestoreJobs, Failure> {
        let shown = match self.situation.find_job(&jobs) {
            JobMatch::Ours(_) => return Ok(jobs),
            JobMatch::Earlier(job) => Some(job),
            JobMatch::Foreign(job) => {
                let id = &job.restore_job_id;
                let job = self.pinecone.restore_job(self.key, id);
                if let Some(job) = found(around(Site::JobConfirm, job).await)? {
                    jobs.confirm(self.situation, job);
                }
                return Ok(jobs);
            }
            JobMatch::None => self.request.known_job.cloned(),
        };
        let id = shown.as_ref().map(|job| &job.restore_job_id);
        let Some(id) = id.or(self.situation.hinted_job.as_ref()) else {
            return Ok(jobs);
        };
        let job = self.pinecone.restore_job(self.key, id);
        match found(around(Site::JobConfirm, job).await)? {
            Some(job) => jobs.confirm(self.situation, job),
            None => jobs.doubted = shown,
        }
        Ok(jobs)
    }
}
