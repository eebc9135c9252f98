//! What is said of the restored index.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{at, job_of};
use crate::api::{Reason, StatusMessage};
use crate::pinecone::Index;
use crate::restore::situation::{Situation, Submitted, Wanted};

/// Reports an index that failed, is disabled or is being deleted, in Pinecone's own word.
pub fn index_failed(index: &Index) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexFailed,
        format!(
            "Pinecone reports index {} as {}; look at it in Pinecone's console; it was left alone",
            index.name, index.word
        ),
    )
}

/// Reports that the index is not ready after its job completed. `state` is Pinecone's word, or says
/// that Pinecone does not show the index.
pub fn index_not_ready(index_name: &str, state: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexNotReady,
        format!("the restore is complete and index {index_name} is {state}, not ready yet"),
    )
}

/// Reports that Pinecone shows no index of this name although the restore was accepted.
pub fn index_deleted(index_name: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexDeleted,
        format!(
            "the restore was submitted and there is no index {index_name} now: it was deleted, or the API key belongs to another project; it is not restored again; for that, delete this IndexRestore and apply it again"
        ),
    )
}

/// Reports that an index of another origin has the name now.
pub fn index_replaced(index_name: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::IndexDeleted,
        format!(
            "the restored index {index_name} was deleted and another index has its name now; that one was left alone; for another restore, create another IndexRestore"
        ),
    )
}

/// The index is there, and its restore job is not: it may have been deleted and recreated.
pub fn origin_doubtful(index: &Index, submitted: &Submitted) -> StatusMessage {
    StatusMessage::new(
        Reason::RestoreJobNotFound,
        format!(
            "index {} exists and is {}, but its origin cannot be confirmed: Pinecone no longer shows {}; the index may have been deleted and recreated; check its data",
            index.name,
            index.word,
            job_of(submitted)
        ),
    )
}

/// The key shows an index of that name, and nothing of the restore.
pub fn not_visible(index: &Index, submitted: &Submitted, backup_id: &str) -> StatusMessage {
    StatusMessage::new(
        Reason::RestoreJobNotFound,
        format!(
            "the restore cannot be seen with this API key: it shows an index {}, but neither {} nor backup {backup_id}; check that the Secret holds a key of the backup's project",
            index.name,
            job_of(submitted)
        ),
    )
}

/// What was known of a restored index, as of when, and why it is not known now.
pub fn unconfirmed_index(
    situation: &Situation,
    last: Option<Timestamp>,
    since: Timestamp,
    why: &str,
) -> StatusMessage {
    const MARK: &str = " (as of ";
    let last = last.map_or_else(|| "its restore".to_owned(), at);
    let shown = situation.shown.as_ref();
    let reason = shown.map_or(Reason::Restored, |shown| shown.reason);
    let was = match reason {
        Reason::Restored | Reason::Adopted => {
            format!("index {} was restored and ready", situation.index_name)
        }
        _ => {
            let message = shown.map_or("", |shown| &shown.text);
            let said = message.split(MARK).next().unwrap_or_default();
            said.to_owned()
        }
    };
    StatusMessage::new(
        reason,
        format!(
            "{was}{MARK}{last}; its checks fail since {}: {why}; it is checked again every few minutes)",
            at(since)
        ),
    )
}

/// Reports that the index that this restore created is ready.
pub fn restored(index_name: &str, submitted: &Submitted) -> StatusMessage {
    let job = match submitted.job_id {
        Some(_) => "",
        None => "; Pinecone names this backup as its origin, and lists no restore job for it",
    };
    StatusMessage::new(
        Reason::Restored,
        format!("index {index_name} is restored and ready{job}"),
    )
}

/// An adopted index, with each difference from what the spec wants.
pub fn adopted(index: &Index, submitted: &Submitted, wanted: &Wanted) -> StatusMessage {
    let job = match submitted.job_id {
        Some(_) => "",
        None => ", by a restore job that Pinecone does not list",
    };
    let differences = differences(index, wanted);
    let differences = match differences.is_empty() {
        true => String::new(),
        false => format!("; it differs from the spec: {}", differences.join(", ")),
    };
    StatusMessage::new(
        Reason::Adopted,
        format!(
            "index {} was restored from this backup before{job} and is ready; nothing was created now{differences}",
            index.name
        ),
    )
}

/// An adopted index that anybody may delete, against the spec.
pub fn not_protected(index: &Index, wanted: &Wanted) -> StatusMessage {
    StatusMessage::new(
        Reason::DeletionProtectionMismatch,
        format!(
            "index {} was restored from this backup before and is ready, but it differs from the spec: {}; enable its deletion protection in Pinecone, or set deletionProtection to Disabled in another IndexRestore",
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
    let keys: BTreeSet<_> = tags.keys().chain(index.tags.keys()).collect();
    let differing = keys
        .into_iter()
        .filter(|key| tags.get(*key) != index.tags.get(*key));
    let word =
        |value: Option<&String>| value.map_or("absent".to_owned(), |value| format!("{value:?}"));
    found.extend(differing.take(MAX_TAGS).map(|key| {
        format!(
            "tag {key} is {} instead of {}",
            word(index.tags.get(key)),
            word(tags.get(key))
        )
    }));
    found
}
