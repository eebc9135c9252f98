//! Reads what a question asks for.

use super::answer::{Answer, History, Look, Preflight, Search, found};
use super::ask::Question;
use super::history::Trace;
use super::presence::Presence;
use super::stage::{Situation, Stage};
use crate::failpoint::{Site, around};
use crate::pinecone::{ApiKey, Backup, Client, Failure, Index, JobState};

/// Asks Pinecone what `question` needs to know. Makes no request that changes
/// anything.
pub async fn observe(
    question: Question,
    situation: &Situation,
    pinecone: &Client,
    presence: &Presence,
    key: &ApiKey,
) -> Answer {
    let eyes = Eyes {
        situation,
        pinecone,
        key,
    };
    match (question, &situation.stage) {
        (Question::MaySubmit { history }, _) => Answer::MaySubmit(eyes.preflight(history).await),
        (Question::FindOurs, _) => Answer::FindOurs(eyes.search().await),
        (Question::Follow { index }, Stage::Submitted(submitted)) => {
            eyes.follow(&submitted.job_id, index).await
        }
        (Question::StillThere { by_list: true }, Stage::Finished(submitted)) => {
            let (name, host) = (&situation.index_name, submitted.host.as_deref());
            Answer::StillThere(presence.look(pinecone, key, name, host).await)
        }
        (Question::StillThere { by_list: false }, Stage::Finished(_)) => {
            Answer::StillThere(eyes.index().await)
        }
        (Question::Nothing | Question::Follow { .. } | Question::StillThere { .. }, _) => {
            Answer::Nothing
        }
    }
}

struct Eyes<'a> {
    situation: &'a Situation,
    pinecone: &'a Client,
    key: &'a ApiKey,
}

impl Eyes<'_> {
    async fn preflight(&self, history: bool) -> Preflight {
        let index = self.index().await;
        let history = match &index {
            Ok(found) if history || found.is_some() => Some(self.history().await),
            _ => None,
        };
        let (backup, date) = match &index {
            Ok(None) => self.backup().await,
            _ => (None, None),
        };
        Preflight {
            index,
            history,
            backup,
            date,
        }
    }

    async fn search(&self) -> Search {
        let history = self.history().await;
        let index = self.index().await;
        let (backup, _) = self.backup().await;
        Search {
            index,
            history,
            backup,
        }
    }

    async fn follow(&self, job_id: &str, index: bool) -> Answer {
        let job = self.pinecone.restore_job(self.key, job_id);
        let job = found(around(Site::JobGet, job).await);
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

    async fn index(&self) -> Look<Index> {
        let index = self.pinecone.index(self.key, &self.situation.index_name);
        found(around(Site::IndexGet, index).await)
    }

    async fn backup(&self) -> (Option<Result<Backup, Failure>>, Option<jiff::Timestamp>) {
        let backup = self.pinecone.backup(self.key, &self.situation.backup_id);
        match around(Site::BackupGet, backup).await {
            Ok((backup, date)) => (Some(Ok(backup)), date),
            Err(failure) => (Some(Err(failure)), None),
        }
    }

    /// The whole list and, where an earlier job might be adopted, that job by its
    /// ID.
    async fn history(&self) -> Result<History, Failure> {
        let listing = self
            .pinecone
            .restore_jobs(self.key, &self.situation.index_name);
        let listing = listing.await?;
        let confirmed = match self.situation.trace(&listing.jobs) {
            Trace::Earlier(job) => {
                let job = self.pinecone.restore_job(self.key, &job.restore_job_id);
                found(around(Site::JobConfirm, job).await)?
            }
            Trace::Ours(_) | Trace::None => None,
        };
        Ok(History {
            jobs: listing.jobs,
            is_complete: listing.is_complete,
            confirmed,
        })
    }
}
