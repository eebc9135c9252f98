//! The record of what was asked and what came of it.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::call::Call;
use crate::api::route::Route;

/// How many requests are remembered; older ones are forgotten.
const CAPACITY: usize = 100_000;
/// Larger bodies are not kept.
const BODY_MAX: usize = 64 * 1024;

/// A request to one of Pinecone's paths. Its API key is not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Counts the requests from 1 on.
    pub seq: u64,
    /// When it arrived.
    pub time: Timestamp,
    /// The project its key belongs to, if it is a valid one.
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
    /// The status that was answered; `None`: nothing was, or nothing was yet.
    pub status: Option<u16>,
    /// Whether it changed something.
    pub effect: bool,
    /// Whether the whole answer was handed to the connection. A client may have hung up all the same.
    pub delivered: bool,
}

/// A create from a backup that took effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedCreate {
    /// The request that did it.
    pub seq: u64,
    /// When it took effect.
    pub time: Timestamp,
    /// Where it took effect.
    pub project: String,
    /// The backup.
    pub backup_id: String,
    /// The index.
    pub index_name: String,
    /// The tags as sent; `None`: none were.
    pub tags: Option<BTreeMap<String, String>>,
    /// The protection as sent, `enabled` or `disabled`; `None`: none was.
    pub deletion_protection: Option<String>,
    /// The ID of the job that began.
    pub restore_job_id: String,
    /// The ID of the index that was made.
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
    /// Notes an arrival and gives it its number.
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

    /// Takes out the requests that arrived before that time, oldest first.
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
    fn what_was_taken_out_is_gone_and_the_rest_is_found_by_its_number() {
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
