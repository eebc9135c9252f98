//! What was asked of the API server, and what it did.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use super::call::Call;

/// One answer of the API server itself, which the client may not have got.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When the answer came: its effect was not later.
    pub time: Timestamp,
    /// The request that was answered.
    pub call: Call,
    /// The HTTP code.
    pub code: u16,
    /// The object; null for watches.
    pub answer: Value,
}

#[derive(Default)]
pub(super) struct Journal(Mutex<Vec<Seen>>);

impl Journal {
    pub(super) fn note(&self, call: &Call, code: u16, answer: Value) {
        let seen = Seen {
            time: Timestamp::now(),
            call: call.clone(),
            code,
            answer,
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen);
    }

    pub(super) fn all(&self) -> Vec<Seen> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
