//! One list of indexes for all finished restores of an API key.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::answer::{Look, found};
use crate::clock::BootTime;
use crate::failpoint::{Site, around};
use crate::pinecone::{ApiKey, Client, Index, IndexHealth, KeyId};

/// A list of indexes, and the period in which it was read.
type Snapshot = (u128, HashMap<String, Index>);
type Cell = Arc<Mutex<Option<Snapshot>>>;

/// Reads the list of indexes once a period for each key.
pub struct Presence {
    period: Duration,
    cells: Mutex<HashMap<KeyId, Cell>>,
}

impl Presence {
    pub fn new(period: Duration) -> Self {
        Self {
            period,
            cells: Mutex::default(),
        }
    }

    /// Whether the index is there and ready. The shared list may be older than the
    /// restore: it is believed only where it says "ready" of the index with that
    /// host; else the index itself is asked for.
    pub async fn look(
        &self,
        pinecone: &Client,
        key: &ApiKey,
        name: &str,
        host: Option<&str>,
    ) -> Look<Index> {
        let cell = self.cell(key.id()).await;
        let listed = {
            let mut snapshot = cell.lock().await;
            let period = BootTime::now().period(self.period);
            if snapshot.as_ref().is_none_or(|(read, _)| *read != period) {
                let indexes = around(Site::IndexesList, pinecone.indexes(key)).await?;
                let by_name = indexes.into_iter().map(|index| (index.name.clone(), index));
                *snapshot = Some((period, by_name.collect()));
            }
            snapshot
                .as_ref()
                .and_then(|(_, indexes)| indexes.get(name).cloned())
        };
        match listed {
            Some(index) if index.health == IndexHealth::Ready && is_at(&index, host) => {
                Ok(Some(index))
            }
            _ => found(around(Site::IndexGet, pinecone.index(key, name)).await),
        }
    }

    async fn cell(&self, key: KeyId) -> Cell {
        let mut cells = self.cells.lock().await;
        // Keys that nobody uses any more leave no list behind.
        cells.retain(|id, cell| *id == key || Arc::strong_count(cell) > 1 || !self.is_old(cell));
        Arc::clone(cells.entry(key).or_default())
    }

    fn is_old(&self, cell: &Cell) -> bool {
        let period = BootTime::now().period(self.period);
        cell.try_lock()
            .is_ok_and(|snapshot| snapshot.as_ref().is_none_or(|(read, _)| *read != period))
    }
}

/// An index without a host is recorded with an empty one.
fn is_at(index: &Index, host: Option<&str>) -> bool {
    index.host.as_deref().unwrap_or_default() == host.unwrap_or_default()
}

#[cfg(test)]
#[path = "presence_tests.rs"]
mod tests;
