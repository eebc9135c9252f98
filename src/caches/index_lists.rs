//! The cache of Pinecone's lists: one list of indexes and one of restore jobs for all
//! finished restores of an API key.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::pinecone::{ApiKey, Client, Failure, Index, IndexHealth, KeyId, Lookup, found};
use crate::runtime::clock::BootTime;
use crate::runtime::failpoint::{Site, around};

/// The lists, and the period of their requests.
struct Snapshot {
    period: u128,
    read: Timestamp,
    /// By name. No map: it would take twice the memory.
    indexes: Box<[Index]>,
    /// IDs of the restore jobs, once they were requested; empty if they cannot be listed.
    jobs: Option<HashSet<String>>,
}

impl Snapshot {
    fn new(period: u128, read: Timestamp, mut indexes: Vec<Index>) -> Self {
        indexes.sort_by(|one, other| one.name.cmp(&other.name));
        Self {
            period,
            read,
            indexes: indexes.into(),
            jobs: None,
        }
    }

    fn index(&self, name: &str) -> Option<&Index> {
        let by_name = |index: &Index| index.name.as_str().cmp(name);
        let place = self.indexes.binary_search_by(by_name).ok()?;
        self.indexes.get(place)
    }
}

/// The record of a restored index in the status.
#[derive(Clone, Copy)]
pub struct Restored<'a> {
    /// Name of the index in Pinecone.
    pub index_name: &'a str,
    /// `status.indexHost`; an empty string is the same as none.
    pub host: Option<&'a str>,
    /// When Pinecone last confirmed it.
    pub last_confirmed: Option<Timestamp>,
}

/// How long a list that could not be read is not asked for again: its failure is the answer for
/// all who ask meanwhile.
const FAILED: Duration = Duration::from_secs(60);

/// Lists that are read at the same time, of all API keys: each may be 8 MiB, and where all restores are
/// finished each key reads its lists when the same period begins.
const MOST_READ: usize = 8;

/// Longest wait for the lists of other keys: one of them may hang.
const MOST_WAITED: Duration = Duration::from_secs(2);

/// The lists of one API key. The lock is held while one is read.
#[derive(Default)]
struct Lists {
    current: Option<Snapshot>,
    failed: Option<(BootTime, Failure)>,
}

type Cell = Arc<Mutex<Lists>>;

/// Lists of indexes and restore jobs, requested once per period and API key.
pub struct IndexListCache {
    period: Duration,
    cells: Mutex<HashMap<KeyId, Cell>>,
    reads: Semaphore,
}

impl IndexListCache {
    /// Returns an empty cache whose lists are valid for one `period` each, counted from boot.
    pub fn new(period: Duration) -> Self {
        Self {
            period,
            cells: Mutex::default(),
            reads: Semaphore::new(MOST_READ),
        }
    }

    /// Returns the restored index. The shared list may be older than the restore: it counts only if it
    /// was requested after the restore was last confirmed, and shows a ready index with that host.
    /// Otherwise the index is requested by its name.
    pub async fn index(
        &self,
        pinecone: &Client,
        key: &ApiKey,
        restored: Restored<'_>,
    ) -> Lookup<Index> {
        let cell = self.cell(key.id()).await;
        let listed = {
            let mut lists = cell.lock().await;
            let list = self.current(&mut lists, pinecone, key).await?;
            let fresh = Some(list).filter(|list| is_after(list.read, restored));
            fresh.and_then(|list| list.index(restored.index_name).cloned())
        };
        match listed {
            Some(index) if index.health == IndexHealth::Ready && is_at(&index, restored.host) => {
                Ok(Some(index))
            }
            _ => {
                let index = pinecone.index(key, restored.index_name);
                found(around(Site::INDEX_GET, index).await)
            }
        }
    }

    /// The list of this period, which is read where it was not.
    async fn current<'l>(
        &self,
        lists: &'l mut Lists,
        pinecone: &Client,
        key: &ApiKey,
    ) -> Result<&'l Snapshot, Failure> {
        let period = BootTime::now().period(self.period);
        let Lists { current, failed } = lists;
        let old = current.take().filter(|list| list.period == period);
        let list = match old {
            Some(list) => list,
            None => {
                let now = BootTime::now();
                let recent = failed.as_ref();
                if let Some((until, failure)) = recent.filter(|(until, _)| now < *until) {
                    return Err(failure.until(*until, now));
                }
                let _turn = self.turn().await;
                let read = Timestamp::now();
                let indexes = around(Site::INDEXES_LIST, pinecone.indexes(key)).await;
                let indexes = indexes.inspect_err(|failure| {
                    let wait = failure.retry_after.unwrap_or(FAILED);
                    *failed = Some((BootTime::now().plus(wait), failure.clone()));
                })?;
                *failed = None;
                Snapshot::new(period, read, indexes)
            }
        };
        Ok(current.insert(list))
    }

    /// Returns whether the list of restore jobs shows that job. A job that is not listed, or a failed
    /// list, proves nothing: the caller then requests the job by its ID.
    pub async fn shows_job(&self, pinecone: &Client, key: &ApiKey, job_id: &str) -> bool {
        let cell = self.cell(key.id()).await;
        let mut lists = cell.lock().await;
        let Some(snapshot) = lists.current.as_mut() else {
            return false;
        };
        if snapshot.jobs.is_none() {
            let _turn = self.turn().await;
            snapshot.jobs = Some(pinecone.restore_job_ids(key).await.unwrap_or_default());
        }
        snapshot
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.contains(job_id))
    }

    /// Waits until few lists are read, or for long enough.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        timeout(MOST_WAITED, self.reads.acquire()).await.ok()?.ok()
    }

    async fn cell(&self, key: KeyId) -> Cell {
        let mut cells = self.cells.lock().await;
        // The list of an API key that is no longer used is dropped.
        cells.retain(|id, cell| *id == key || Arc::strong_count(cell) > 1 || !self.is_old(cell));
        Arc::clone(cells.entry(key).or_default())
    }

    fn is_old(&self, cell: &Cell) -> bool {
        let period = BootTime::now().period(self.period);
        cell.try_lock().is_ok_and(|lists| {
            lists
                .current
                .as_ref()
                .is_none_or(|old| old.period != period)
        })
    }
}

/// Returns whether the list is newer than the status of the index. Times in a status are cut to whole
/// seconds: within one second the order is not known.
fn is_after(read: Timestamp, restored: Restored<'_>) -> bool {
    restored
        .last_confirmed
        .is_none_or(|confirmed| read.as_second() > confirmed.as_second())
}

/// Returns whether the index has the recorded host; an index without one is recorded with an empty one.
fn is_at(index: &Index, host: Option<&str>) -> bool {
    index.host.as_deref().unwrap_or_default() == host.unwrap_or_default()
}

#[cfg(test)]
mod tests;
