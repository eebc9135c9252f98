//! What an IndexRestore's status says.

use index_restore_operator::api::conditions::find;
use index_restore_operator::api::{IndexRestore, IndexRestoreStatus};

/// Returns the status; an empty one where there is none.
pub fn status(object: &IndexRestore) -> IndexRestoreStatus {
    object.status.clone().unwrap_or_default()
}

/// Returns status, reason and message of the Ready condition; empty strings where there is none.
pub fn ready(object: &IndexRestore) -> (String, String, String) {
    find(&status(object).conditions, "Ready")
        .map(|ready| {
            (
                ready.status.clone(),
                ready.reason.clone(),
                ready.message.clone(),
            )
        })
        .unwrap_or_default()
}

/// Returns the conditions as `Type=Status`, in order.
pub fn conditions(object: &IndexRestore) -> Vec<String> {
    let conditions = status(object).conditions;
    conditions
        .iter()
        .map(|c| format!("{}={}", c.type_, c.status))
        .collect()
}
