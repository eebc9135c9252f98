//! The outcome of a create request: what to write, and when to reconcile again.

use std::time::Duration;

use super::refused;
use crate::api::{Reason, RestoreStatus, SubmissionOutcome};
use crate::pinecone::Posted;
use crate::restore::intervals::Intervals;
use crate::restore::messages;
use crate::restore::report::{Change, Record, Report};
use crate::restore::situation::Situation;

/// What the answer to the create request means. `refusals` is how many requests in
/// a row were refused, this one included.
pub fn after_post(
    posted: &Posted,
    situation: &Situation,
    refusals: u32,
    intervals: Intervals,
) -> (Report, Duration) {
    match posted {
        Posted::Accepted(created) => {
            let record = Record {
                job_id: Some(created.restore_job_id.clone()),
                index_id: Some(created.index_id.clone()),
                backup_id: situation.backup_id.clone(),
                index_name: situation.index_name.clone(),
                adopted: false,
                restore: Some(RestoreStatus::default()),
            };
            let message =
                messages::submitted(&created.restore_job_id, &created.index_id, intervals);
            let report = Report::new(message, Change::Record(record.into()));
            (report, intervals.poll_min)
        }
        Posted::NoEffect(failure) => {
            let message = messages::of_refusal(failure, situation, intervals);
            let message = match situation.is_frozen {
                true => messages::frozen(message),
                false => message,
            };
            let requeue_after = match message.reason {
                Reason::InvalidApiKey => intervals.secret(refusals),
                _ => intervals.retry(refusals, failure.retry_after),
            };
            let change = refused(message.reason);
            (Report::new(message, change), requeue_after)
        }
        Posted::Taken(failure) => {
            let why = format!("the index name is taken: {failure}");
            let report = Report::new(messages::confirming(&why, intervals), Change::Taken);
            (report, intervals.poll_min)
        }
        Posted::Unknown(failure) => {
            let message = messages::confirming(&failure.to_string(), intervals);
            (Report::new(message, Change::Nothing), intervals.poll_min)
        }
    }
}

/// A claim that was too old to be used: what was true before it still is. `unsent` is how many in a row
/// were, this one included: an API server that is too slow for a claim needs a pause, not more claims.
pub fn after_unsent(
    situation: &Situation,
    unsent: u32,
    intervals: Intervals,
) -> (Report, Duration) {
    let change = Change::Close {
        outcome: SubmissionOutcome::Unsent,
        reason: None,
    };
    let message = situation.shown.clone().unwrap_or_else(messages::pending);
    (Report::new(message, change), intervals.retry(unsent, None))
}
