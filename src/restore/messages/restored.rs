//! Messages about the restored index.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::job::job_of;
use super::times::{at, at_least_every, at_least_every_unless_paused, length};
use crate::api::{Reason, StatusMessage};
use crate::pinecone::Index;
use crate::restore::intervals::Intervals;
use crate::restore::situation::{Situation, Submitted, Wanted};

/// Reports an index that failed, is disabled or is being deleted, in Pinecone's own word. `every` is
/// the time between two checks.
pub fn index_failed(index: &Index, every: Duration) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexFailed,
        format!(
            "Index {} cannot be used ({}). Check it in Pinecone's console; the operator does not change it, and checks again {}.",
            index.name,
            index.word,
            at_least_every(every)
        ),
    )
}

/// Reports that the index is not ready after its job completed. `state` is Pinecone's word, or says
/// that Pinecone does not show the index.
pub fn index_not_ready(index_name: &str, state: &str, intervals: Intervals) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexNotReady,
        format!(
            "The restore is complete, but index {index_name} is not ready ({state}). Checking again within {}.",
            length(intervals.poll_max)
        ),
    )
}

/// Reports that Pinecone shows no index of this name although the restore was accepted.
pub fn index_deleted(index_name: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexDeleted,
        format!(
            "Pinecone shows no index {index_name} (it was deleted, or the API key belongs to another project). The operator does not restore it again. To do so, delete this IndexRestore and apply it again."
        ),
    )
}

/// Reports that an index of another origin has the name now.
pub fn index_replaced(index_name: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexDeleted,
        format!(
            "The restored index {index_name} was deleted, and another index has its name now. The operator does not change that index. To restore again, create another IndexRestore."
        ),
    )
}

/// Reports an index whose restore job is not shown: it may have been deleted and recreated.
pub fn origin_doubtful(index: &Index, submitted: &Submitted) -> StatusMessage {
    StatusMessage::new(
        Reason::RestoreJobNotFound,
        format!(
            "Index {} is {}, but its origin cannot be confirmed (Pinecone no longer shows {}). Check its data: the index may have been deleted and recreated.",
            index.name,
            index.word,
            job_of(submitted)
        ),
    )
}

/// Reports that the API key shows an index of that name, and nothing of the restore.
pub fn not_visible(
    index: &Index,
    submitted: &Submitted,
    backup_id: &str,
    intervals: Intervals,
) -> StatusMessage {
    StatusMessage::new(
        Reason::RestoreJobNotFound,
        format!(
            "The restore cannot be seen with this API key (it shows index {}, but neither {} nor backup {backup_id}). Update the Secret with a key of the backup's project; the operator checks again {}.",
            index.name,
            job_of(submitted),
            at_least_every(intervals.stalled())
        ),
    )
}

/// Introduces the time of the last confirmation, after the sentence that was true then.
const AS_OF: &str = " (as of ";

/// Reports what was known of a restored index, as of when, and why it is not known now.
pub fn unconfirmed_index(
    situation: &Situation,
    last: Option<Timestamp>,
    since: Timestamp,
    why: &str,
    intervals: Intervals,
) -> StatusMessage {
    let shown = situation.shown.as_ref();
    let reason = shown.map_or(Reason::Restored, |shown| shown.reason);
    let fact = match (reason, shown) {
        (Reason::Restored | Reason::Adopted, _) | (_, None) => {
            format!("Index {} was restored and ready", situation.index_name)
        }
        (_, Some(shown)) => fact(&shown.text).to_owned(),
    };
    StatusMessage::new(
        reason,
        format!(
            "{fact}{AS_OF}{}). Checks have failed since {} ({why}). The operator checks again {}.",
            last.map_or_else(|| "its restore".to_owned(), at),
            at(since),
            at_least_every_unless_paused(intervals.slow_period())
        ),
    )
}

/// Returns what a message says is true: its first sentence without the cause in parentheses and
/// without "as of". A message of an earlier version may have no full stop.
fn fact(message: &str) -> &str {
    let sentence = message.split(". ").next().unwrap_or_default();
    let fact = sentence.split(" (").next().unwrap_or_default();
    fact.trim_end_matches('.')
}

/// Reports that the index that this restore created is ready.
pub fn restored(index_name: &str, submitted: &Submitted) -> StatusMessage {
    let job = match submitted.job_id {
        Some(_) => "",
        None => " Pinecone names this backup as its origin, and lists no restore job for it.",
    };
    StatusMessage::new(
        Reason::Restored,
        format!("Index {index_name} is restored and ready.{job}"),
    )
}

/// Reports an adopted index, with each difference from what the spec wants.
pub fn adopted(index: &Index, submitted: &Submitted, wanted: &Wanted) -> StatusMessage {
    let job = match submitted.job_id {
        Some(_) => "",
        None => " (by a restore job that Pinecone does not list)",
    };
    let differences = differences(index, wanted);
    let differences = match differences.is_empty() {
        true => String::new(),
        false => format!(" It differs from the spec: {}.", differences.join(", ")),
    };
    StatusMessage::new(
        Reason::Adopted,
        format!(
            "Index {} was restored from this backup before{job} and is ready, so nothing was created now.{differences}",
            index.name
        ),
    )
}

/// Reports an adopted index that anybody may delete, against the spec.
pub fn not_protected(index: &Index, wanted: &Wanted) -> StatusMessage {
    StatusMessage::new(
        Reason::DeletionProtectionMismatch,
        format!(
            "Index {} is adopted and ready, but differs from the spec ({}). Enable its deletion protection in Pinecone, or set deletionProtection to Disabled in another IndexRestore.",
            index.name,
            differences(index, wanted).join(", ")
        ),
    )
}

/// Most differing tags that are named.
const MAX_TAGS: usize = 5;

fn differences(index: &Index, wanted: &Wanted) -> Vec<String> {
    let mut found = Vec::new();
    if wanted.is_protected != index.is_protected {
        let is = |is_protected| if is_protected { "Enabled" } else { "Disabled" };
        found.push(format!(
            "deletionProtection is {} instead of {}",
            is(index.is_protected),
            is(wanted.is_protected)
        ));
    }
    let Some(tags) = &wanted.tags else {
        return found;
    };
    let has: BTreeMap<_, _> = index.tags.iter().map(|(key, value)| (key, value)).collect();
    let keys: BTreeSet<_> = tags.keys().chain(has.keys().copied()).collect();
    let differing = keys
        .into_iter()
        .filter(|key| tags.get(*key) != has.get(key).copied());
    let word =
        |value: Option<&String>| value.map_or("absent".to_owned(), |value| format!("{value:?}"));
    found.extend(differing.take(MAX_TAGS).map(|key| {
        format!(
            "tag {key} is {} instead of {}",
            word(has.get(key).copied()),
            word(tags.get(key))
        )
    }));
    found
}
