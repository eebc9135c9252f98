//! Reads what the stage of a restore needs: its question, with its own answer.

use futures::future::BoxFuture;
use jiff::Timestamp;

use super::evidence::Evidence;
use super::jobs::{JobMatch, RestoreJobs};
use super::observation::{Check, Observation, Poll, Preflight, Question, Search, ask};
use super::rivals::Rivals;
use super::situation::{Situation, Submitted};
use crate::api::IndexRestore;
use crate::caches::{ApiKeyCache, IndexListCache, Restored};
use crate::pinecone::{
    ApiKey, Backup, Client, Failure, Index, JobState, Lookup, RestoreJob, found,
};
use crate::runtime::api_server::Error;
use crate::runtime::failpoint::{Site, around};

/// What is read from.
pub struct Sources<'a> {
    /// Client of Pinecone's control plane.
    pub pinecone: &'a Client,
    /// API keys by Secret.
    pub api_keys: &'a ApiKeyCache,
    /// Lists of indexes and restore jobs, one for each API key and period.
    pub index_lists: &'a IndexListCache,
    /// Asks the API server for other IndexRestores of this backup and name. What they record
    /// must be newer than the list of restore jobs: they may have made what it shows.
    pub rivals: &'a (dyn Fn() -> BoxFuture<'a, Result<Rivals, Error>> + Sync),
}

/// Reads what the situation of `object` needs, with the API key that it names. Makes no request
/// that changes anything. Returns the key too, if there is one.
///
/// # Errors
/// If the API server cannot be asked for the Secret, or for other IndexRestores.
pub async fn observe<'s>(
    sources: &Sources<'_>,
    object: &IndexRestore,
    situation: &'s Situation,
    evidence: &Evidence,
) -> Result<(Observation<'s>, Option<ApiKey>), Error> {
    let Some(question) = ask(situation, evidence) else {
        return Ok((Observation::NotNeeded, None));
    };
    let known_job = evidence.known_job(situation);
    let read = |key: ApiKey| async move {
        let observer = Observer {
            sources,
            situation,
            known_job,
            key,
        };
        observer.answer(question).await
    };
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let reference = &object.spec.api_key_secret_ref;
    let read = sources
        .api_keys
        .read_with(namespace, reference, read, Observation::is_unauthorized);
    Ok(match read.await? {
        Ok((observation, key)) => (observation, Some(key)),
        Err(problem) => (Observation::NoKey(question, problem), None),
    })
}

struct Observer<'o, 'r, 's> {
    sources: &'o Sources<'r>,
    situation: &'s Situation,
    /// A restore job of this backup and name that an earlier observation showed.
    known_job: Option<&'o RestoreJob>,
    key: ApiKey,
}

impl<'s> Observer<'_, '_, 's> {
    async fn answer(&self, question: Question<'s>) -> Result<Observation<'s>, Error> {
        Ok(match question {
            Question::MaySubmit { jobs } => Observation::MaySubmit(self.preflight(jobs).await?),
            Question::FindOurs(claim) => Observation::FindOurs(claim, self.search().await?),
            Question::Follow { submitted, index } => {
                Observation::Follow(submitted, self.poll(submitted, index).await)
            }
            Question::StillThere { submitted, by_list } => {
                let list = by_list.then_some(self.sources.index_lists);
                Observation::StillThere(submitted, self.check(submitted, list).await)
            }
        })
    }
    async fn preflight(&self, jobs: bool) -> Result<Preflight, Error> {
        let index = self.index().await;
        let jobs = match &index {
            Ok(found) if jobs || found.is_some() => {
                let jobs = self.jobs().await;
                Some(Box::pin(self.with_rivals(jobs, &index)).await?)
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
        let jobs = Box::pin(self.with_rivals(jobs, &index)).await?;
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
        jobs.rivals = (self.sources.rivals)().await?;
        Ok(Box::pin(self.confirmed(jobs)).await)
    }

    async fn poll(&self, submitted: &Submitted, index: bool) -> Poll {
        let Some(job_id) = &submitted.job_id else {
            return self.poll_index().await;
        };
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
        Poll { job, index }
    }

    /// Polls an index whose restore job is not known; the list may show it by now.
    async fn poll_index(&self) -> Poll {
        let jobs = self.jobs().await;
        let job = jobs.map(|jobs| match self.situation.find_job(&jobs) {
            JobMatch::Ours(job) | JobMatch::Earlier(job) => Some(job),
            JobMatch::Foreign(_) | JobMatch::None => None,
        });
        Poll {
            job,
            index: Some(self.index().await),
        }
    }

    /// Reads a restored index and, where that does not name its backup, its job.
    /// With `list`, one list answers for all of a key.
    async fn check(&self, submitted: &Submitted, list: Option<&IndexListCache>) -> Check {
        let index = match list {
            Some(list) => {
                let restored = Restored {
                    index_name: &self.situation.index_name,
                    host: submitted.host.as_deref(),
                    last_confirmed: submitted.last_confirmed,
                };
                list.index(self.sources.pinecone, &self.key, restored).await
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
            // Pinecone shows no job of an index that was deleted: since the index was read, perhaps.
            check.index = self.index().await;
            if !matches!(check.index, Ok(Some(_))) {
                return check;
            }
            let (backup, _) = self.backup().await;
            check.backup = backup.map(found);
        }
        check.job = Some(job);
        check
    }

    async fn is_listed(&self, job_id: &str, list: Option<&IndexListCache>) -> bool {
        match list {
            Some(list) => {
                list.shows_job(self.sources.pinecone, &self.key, job_id)
                    .await
            }
            None => false,
        }
    }

    async fn job(&self, job_id: &str) -> Lookup<RestoreJob> {
        let job = self.sources.pinecone.restore_job(&self.key, job_id);
        found(around(Site::JOB_GET, job).await)
    }

    async fn index(&self) -> Lookup<Index> {
        let index = self
            .sources
            .pinecone
            .index(&self.key, &self.situation.index_name);
        found(around(Site::INDEX_GET, index).await)
    }

    async fn backup(&self) -> (Option<Result<Backup, Failure>>, Option<Timestamp>) {
        let backup = self
            .sources
            .pinecone
            .backup(&self.key, &self.situation.backup_id);
        match around(Site::BACKUP_GET, backup).await {
            Ok((backup, date)) => (Some(Ok(backup)), date),
            Err(failure) => (Some(Err(failure)), None),
        }
    }

    /// The whole list and, where an earlier job might be adopted, that job by its ID.
    async fn jobs(&self) -> Result<RestoreJobs, Failure> {
        let listing = self
            .sources
            .pinecone
            .restore_jobs(&self.key, &self.situation.index_name);
        let listing = Box::pin(listing).await?;
        let jobs = RestoreJobs {
            listed: listing.jobs,
            is_complete: listing.is_complete,
            ..RestoreJobs::default()
        };
        Box::pin(self.confirmed(jobs)).await
    }

    /// The jobs with an earlier job as its ID shows it: the one that is listed, one that an
    /// earlier observation showed, or one that a copied status names.
    async fn confirmed(&self, mut jobs: RestoreJobs) -> Result<RestoreJobs, Failure> {
        let shown = match self.situation.find_job(&jobs) {
            JobMatch::Ours(_) => return Ok(jobs),
            JobMatch::Earlier(job) => Some(job),
            JobMatch::Foreign(job) => {
                let id = &job.restore_job_id;
                let job = self.sources.pinecone.restore_job(&self.key, id);
                if let Some(job) = found(around(Site::JOB_CONFIRM, job).await)? {
                    jobs.confirm(self.situation, job);
                }
                return Ok(jobs);
            }
            JobMatch::None => self.known_job.cloned(),
        };
        let id = shown.as_ref().map(|job| &job.restore_job_id);
        let Some(id) = id.or(self.situation.hinted_job.as_ref()) else {
            return Ok(jobs);
        };
        let job = self.sources.pinecone.restore_job(&self.key, id);
        match found(around(Site::JOB_CONFIRM, job).await)? {
            Some(job) => jobs.confirm(self.situation, job),
            None => jobs.doubted = shown,
        }
        Ok(jobs)
    }
}
