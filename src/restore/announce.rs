//! Announces changes of a restore in the log, and by events if the reason changes.

use kube::runtime::events::EventType;

use crate::api::{IndexRestore, Progress, Reason, StatusMessage};
use crate::runtime::events::{Announcement, Events};

/// Reason of the event when checks of a restored index begin to fail.
const CHECK_FAILED: &str = "CheckFailed";

/// Reason of the event when a restore runs in Pinecone that no object records.
const ORPHANED: &str = "RestoreOrphaned";

/// Announces the change from `before` to `after`, if its reason changed or checks of the
/// restored index began to fail.
pub(super) fn transition(events: &Events, before: &IndexRestore, after: &IndexRestore) {
    let Some(now) = ready(after) else { return };
    if is_unconfirmed(after) && !is_unconfirmed(before) {
        tracing::warn!("{}", now.text);
        let announcement = announcement(EventType::Warning, CHECK_FAILED, now.text.clone());
        events.publish(after, announcement);
    }
    if ready(before).is_some_and(|then| then.reason == now.reason) || now.reason == Reason::Pending
    {
        return;
    }
    match now.reason {
        // The installation is at fault: no restore proceeds until it is corrected.
        Reason::CrdOutdated => tracing::warn!(reason = now.reason.as_str(), "{}", now.text),
        _ => tracing::info!(reason = now.reason.as_str(), "{}", now.text),
    }
    let announcement = announcement(type_of(now.reason), now.reason.as_str(), now.text);
    events.publish(after, announcement);
}

/// Announces a restore that runs in Pinecone and that no object records.
pub(super) fn orphaned(events: &Events, object: &IndexRestore, job_id: &str, index_id: &str) {
    let note = format!(
        "Pinecone accepted a restore that this IndexRestore can no longer record. Restore job {job_id} continues to create index {} (ID {index_id}). Delete the index in Pinecone if you do not need it.",
        object.spec.index_name
    );
    events.publish(object, announcement(EventType::Warning, ORPHANED, note));
}

fn announcement(type_: EventType, reason: &'static str, note: String) -> Announcement {
    Announcement {
        type_,
        reason,
        action: "Restore",
        note,
    }
}

fn is_unconfirmed(object: &IndexRestore) -> bool {
    let status = object.status.as_ref();
    status.is_some_and(|status| status.unconfirmed_since.is_some())
}

fn ready(object: &IndexRestore) -> Option<StatusMessage> {
    StatusMessage::shown(&object.status.as_ref()?.conditions)
}

fn type_of(reason: Reason) -> EventType {
    match (reason.condition_states().progress, reason) {
        (Progress::Settled, _) | (_, Reason::Restoring | Reason::IndexNotReady) => {
            EventType::Normal
        }
        (Progress::Reconciling | Progress::Stalled, _) => EventType::Warning,
    }
}
