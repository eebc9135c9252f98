//! Arithmetic and formats of times.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Returns `at` plus `by`, at most [`Timestamp::MAX`].
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Formats a time as Pinecone does: RFC 3339 with nanoseconds.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// Formats a time for `Date` and `Retry-After` (RFC 9110, section 5.6.7).
pub(crate) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
