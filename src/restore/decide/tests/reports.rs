//! What a report makes of the status.

use super::*;
use crate::api::conditions::find;
use crate::api::{StatusMessage, SubmissionOutcome};
use crate::restore::report::Record;
use crate::restore::{Change, Report};

fn report(reason: Reason, change: Change) -> Report {
    Report::new(StatusMessage::new(reason, "m"), change)
}

#[test]
fn replaces_the_status_of_another_job_when_one_is_recorded() {
    let mut last = claim("Taken");
    last["backupId"] = json!("b-0");
    last["indexName"] = json!("index-0");
    last["reason"] = json!("RateLimited");
    let before = object(json!({
        "submission": last,
        "restoreJobId": "j-0", "indexId": "i-0", "indexHost": "host-0", "restore": {"state": "Failed"},
    }));
    let record = Change::Record(Record::of(&job("j", 1, "Pending"), false).into());
    let status = report(Reason::Restoring, record).status(&before, time(1));
    let submission = status.submission.unwrap();
    assert_eq!(submission.outcome, SubmissionOutcome::Accepted);
    assert_eq!(submission.reason, None);
    assert_eq!(
        (&*submission.backup_id, &*submission.index_name),
        ("b", "index")
    );
    assert_eq!(status.restore_job_id.as_deref(), Some("j"));
    assert_eq!(status.index_id.as_deref(), Some("i"));
    assert_eq!(status.index_host, None);
    let state = status.restore.and_then(|restore| restore.state);
    assert_eq!(state.as_deref(), Some("Pending"));
}

#[test]
fn keeps_succeeded_true_after_completion() {
    for (host, succeeded) in [(Some("index.host"), "True"), (None, "False")] {
        let object = accepted(json!({"state": "Completed"}), host);
        let status = report(Reason::IndexDeleted, Change::Nothing).status(&object, time(1));
        let found = find(&status.conditions, "Succeeded").unwrap();
        assert_eq!(found.status, succeeded, "{host:?}");
    }
}

#[test]
fn keeps_the_transition_time_of_an_unchanged_condition() {
    let mut fresh = object(Value::Null);
    let pending = report(Reason::Pending, Change::Nothing);
    fresh.status = Some(pending.status(&fresh, time(1)));
    let status = pending.status(&fresh, time(2));
    assert_eq!(Some(status), fresh.status);
}
