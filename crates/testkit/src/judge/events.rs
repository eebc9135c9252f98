//! What must hold for the events of an object.

use std::collections::BTreeMap;

use k8s_openapi::api::events::v1::Event;

use super::life::Life;
use super::rules::Broken;
use super::status::reason;

/// See the text.
pub const EVENTS: &str = "there are no more events of a reason than changes to it";

/// The reason of an event about a restored index whose checks begin to fail.
const CHECK_FAILED: &str = "CheckFailed";

/// Returns the rules that the events of that object break. An event before which a process was
/// killed is lost; what could not be recorded any more is published about a deleted object.
pub(super) fn broken(life: &Life, events: &[Event]) -> Option<Broken> {
    if life.gone.is_some() {
        return None;
    }
    let mut changes = BTreeMap::<&str, i32>::new();
    let mut last = ("", false);
    for version in &life.versions {
        let status = version.object.status.as_ref();
        let is_unconfirmed = status.is_some_and(|status| status.unconfirmed_since.is_some());
        let now = (reason(&version.object), is_unconfirmed);
        if now.0 != last.0 {
            *changes.entry(now.0).or_default() += 1;
        }
        if now.1 && !last.1 {
            *changes.entry(CHECK_FAILED).or_default() += 1;
        }
        last = now;
    }
    let mut counts = BTreeMap::<&str, i32>::new();
    for event in events.iter().filter(|event| is_about(event, &life.uid)) {
        let count = event.series.as_ref().map_or(1, |series| series.count);
        *counts
            .entry(event.reason.as_deref().unwrap_or_default())
            .or_default() += count;
    }
    let mut counts = counts.into_iter();
    let (reason, count) =
        counts.find(|(reason, count)| *count > changes.get(reason).copied().unwrap_or(0))?;
    Some((EVENTS, format!("{count} events {reason}: {changes:?}")))
}

fn is_about(event: &Event, uid: &str) -> bool {
    let regarding = event.regarding.as_ref();
    regarding.and_then(|regarding| regarding.uid.as_deref()) == Some(uid)
}
