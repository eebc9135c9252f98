//! The record of all requests and their answers.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::call::Call;
use crate::api::route::Route;

/// The number of recorded requests; older ones are dropped.
const CAPACITY: usize = 100_000;
/// The maximum size of a recorded body, in bytes.
const BODY_MAX: usize = 64 * 1024;

/// A recorded request to one of Pinecone's paths, without its API key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The number of the request, from 1.
    pub seq: u64,
    /// When it arrived.
    pub time: Timestamp,
    /// The project of its API key, if the key is valid.
    pub project: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query as sent.
    pub query: Option<String>,
    /// The operation.
    pub route: Route,
    /// The `X-Pinecone-Api-Version` header.
    pub api_version: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The body, if it is JSON of at most 64 KiB.
    pub body: Option<Value>,
    /// The HTTP status of the answer; `None`: there was no answer, or not yet.
    pub status: Option<u16>,
    /// Whether the request changed something.
    pub effect: bool,
    /// Whether the whole answer was written to the connection, even if the client disconnected before it arrived.
    pub delivered: bool,
}

/// A create from a backup that Pinecone accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedCreate {
    /// The number of the request.
    pub seq: u64,
    /// When it took effect.
    pub time: Timestamp,
    /// The project.
    pub project: String,
    /// The ID of the backup.
    pub backup_id: String,
    /// The name of the index.
    pub index_name: String,
    /// The tags as sent; `None`: none were sent.
    pub tags: Option<BTreeMap<String, String>>,
    /// The deletion protection as sent, `enabled` or `disabled`; `None`: none was sent.
    pub deletion_protection: Option<String>,
    /// The ID of the restore job.
    pub restore_job_id: String,
    /// The ID of the index.
    pub index_id: String,
    /// The `X-Pinecone-Api-Version` header.
    pub api_version: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    last: u64,
    requests: VecDeque<Request>,
}

impl Journal {
    /// Records a request that arrived, and returns its number.
    pub(crate) fn arrived(&mut self, call: &Call, project: Option<String>, now: Timestamp) -> u64 {
        self.last += 1;
        if self.requests.len() == CAPACITY {
            self.requests.pop_front();
        }
        self.requests.push_back(Request {
            seq: self.last,
            time: now,
            project,
            method: call.method.clone(),
            path: call.path.clone(),
            query: call.query.clone(),
            route: call.route(),
            api_version: call.api_version.clone(),
            user_agent: call.user_agent.clone(),
            body: if call.body.len() <= BODY_MAX {
                call.json()
            } else {
                None
            },
            status: None,
            effect: false,
            delivered: false,
        });
        self.last
    }

    pub(crate) fn answered(&mut self, seq: u64, status: Option<u16>, effect: bool) {
        if let Some(request) = self.entry(seq) {
            request.status = status;
            request.effect = effect;
        }
    }

    pub(crate) fn delivered(&mut self, seq: u64) {
        if let Some(request) = self.entry(seq) {
            request.delivered = true;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.requests.clear();
    }

    /// Removes the requests that arrived before that time, and returns them, oldest first.
    pub(crate) fn take(&mut self, before: Timestamp) -> Vec<Request> {
        let older = self
            .requests
            .partition_point(|request| request.time < before);
        self.requests.drain(..older).collect()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.iter().cloned().collect()
    }

    fn entry(&mut self, seq: u64) -> Option<&mut Request> {
        let first = self.requests.front()?.seq;
        let place = usize::try_from(seq.checked_sub(first)?).ok()?;
        self.requests.get_mut(place)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn finds_requests_by_number_after_older_ones_were_taken() {
        let mut journal = Journal::default();
        let call = Call::new("GET", "/indexes", None, Bytes::new());
        let at = |second| Timestamp::from_second(second).unwrap();
        for second in 1..=3 {
            journal.arrived(&call, None, at(second));
        }
        let taken: Vec<u64> = journal.take(at(3)).iter().map(|r| r.seq).collect();
        assert_eq!(taken, [1, 2]);
        journal.answered(1, Some(500), false);
        journal.answered(3, Some(200), false);
        let left = journal.requests();
        assert_eq!((left[0].seq, left[0].status), (3, Some(200)));
    }
}
