//! What must hold from one version of an IndexRestore to the next, whatever happens. Pure.

use index_restore_operator::api::conditions::find;
use index_restore_operator::api::{IndexRestore, IndexRestoreStatus, SubmissionOutcome};

/// A rule that was broken, and how.
pub type Broken = (&'static str, String);

pub const KSTATUS: &str =
    "Stalled and Reconciling are there only while True, and never both, nor beside Ready=True";
pub const IDS_STAY: &str = "recorded IDs never change";
pub const CLAIM_STAYS: &str =
    "an open or accepted claim is not replaced by another before it was closed";
pub const ENDS_STAY: &str = "an end is an end";

/// Reasons of Ready that are left for the given ones only.
const ENDS: [(&str, &[&str]); 7] = [
    ("Restored", &["IndexDeleted", "RestoreJobNotFound"]),
    ("Adopted", &["IndexDeleted", "RestoreJobNotFound"]),
    // Another index has the name since.
    ("IndexDeleted", &["RestoreJobNotFound"]),
    ("RestoreJobNotFound", &[]),
    ("DeletionProtectionMismatch", &[]),
    ("RestoreFailed", &[]),
    ("RestoreCancelled", &[]),
];

/// The reason of the Ready condition, or nothing.
pub fn reason(object: &IndexRestore) -> &str {
    let status = object.status.as_ref();
    status
        .and_then(|status| find(&status.conditions, "Ready"))
        .map_or("", |ready| ready.reason.as_str())
}

/// Whether an index is recorded that only the backup it names proves.
pub fn is_jobless(object: &IndexRestore) -> bool {
    let status = object.status.as_ref();
    let submission = status.and_then(|status| status.submission.as_ref());
    submission.is_some_and(|s| s.outcome == SubmissionOutcome::Adopted)
        && status.is_some_and(|status| status.restore_job_id.is_none())
}

/// Whether it says that a failed restore left the index: without its status, it cannot know
/// that the restore was its own.
pub fn is_left_by_failed_job(object: &IndexRestore) -> bool {
    let status = object.status.as_ref();
    let ready = status.and_then(|status| find(&status.conditions, "Ready"));
    ready.is_some_and(|ready| ready.message.contains("is left from an earlier restore"))
}

fn holds(object: &IndexRestore, type_: &str) -> bool {
    let status = object.status.as_ref();
    status
        .and_then(|status| find(&status.conditions, type_))
        .is_some_and(|condition| condition.status == "True")
}

/// Whether nothing more is to come without a person or a slow look.
pub fn is_settled(object: &IndexRestore) -> bool {
    let observed = object.status.as_ref().and_then(|s| s.observed_generation);
    observed == object.metadata.generation
        && (holds(object, "Ready") || holds(object, "Stalled"))
        && !holds(object, "Reconciling")
}

/// Whether it is restored, by its own create or an earlier one.
pub fn is_ready(object: &IndexRestore) -> bool {
    is_settled(object) && holds(object, "Ready")
}

/// What `after` breaks, as the version that follows `before`. `wiped`: a person took the status
/// away in between.
pub fn broken(before: Option<&IndexRestore>, after: &IndexRestore, wiped: bool) -> Vec<Broken> {
    let mut all = Vec::new();
    all.extend(kstatus(after));
    if let Some(before) = before.filter(|_| !wiped) {
        all.extend(ids(before, after));
        all.extend(claim(before, after));
        all.extend(end(before, after));
    }
    all
}

fn kstatus(object: &IndexRestore) -> Option<Broken> {
    let conditions = object.status.as_ref().map(|status| &status.conditions)?;
    let states: Vec<_> = ["Reconciling", "Stalled"]
        .iter()
        .filter_map(|type_| find(conditions, type_))
        .collect();
    let all_true = states.iter().all(|condition| condition.status == "True");
    let room = usize::from(!holds(object, "Ready"));
    (!all_true || states.len() > room).then(|| {
        let told: Vec<_> = conditions
            .iter()
            .map(|condition| format!("{}={}", condition.type_, condition.status))
            .collect();
        (KSTATUS, told.join(" "))
    })
}

fn ids(before: &IndexRestore, after: &IndexRestore) -> Option<Broken> {
    let (before, after) = (status(before), status(after));
    let changed =
        |before: &Option<String>, after: &Option<String>| before.is_some() && before != after;
    let pairs = [
        (&before.restore_job_id, &after.restore_job_id),
        (&before.index_id, &after.index_id),
    ];
    let (from, to) = pairs.into_iter().find(|(b, a)| changed(b, a))?;
    Some((IDS_STAY, format!("{from:?} became {to:?}")))
}

fn claim(before: &IndexRestore, after: &IndexRestore) -> Option<Broken> {
    let before = status(before).submission?;
    let after = status(after).submission;
    let lasts = matches!(
        before.outcome,
        SubmissionOutcome::Open
            | SubmissionOutcome::Taken
            | SubmissionOutcome::Accepted
            | SubmissionOutcome::Adopted
    );
    let same = after.as_ref().is_some_and(|a| a.nonce == before.nonce);
    (lasts && !same).then(|| {
        let outcome = before.outcome;
        let now = after.map(|after| after.nonce);
        (
            CLAIM_STAYS,
            format!("{} ({outcome:?}) became {now:?}", before.nonce),
        )
    })
}

fn end(before: &IndexRestore, after: &IndexRestore) -> Option<Broken> {
    let (was, is) = (reason(before), reason(after));
    let (_, next) = ENDS.iter().find(|(end, _)| *end == was)?;
    (was != is && !next.contains(&is)).then(|| (ENDS_STAY, format!("{was} became {is:?}")))
}

fn status(object: &IndexRestore) -> IndexRestoreStatus {
    object.status.clone().unwrap_or_default()
}

#[cfg(test)]
pub mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub fn object(status: Value) -> IndexRestore {
        serde_json::from_value(json!({
            "apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestore",
            "metadata": {"name": "a", "uid": "u", "generation": 1},
            "spec": {"backupId": "b", "indexName": "i", "apiKeySecretRef": {"name": "s"}},
            "status": status,
        }))
        .unwrap()
    }

    fn told(conditions: &[(&str, &str, &str)]) -> Value {
        let all = conditions.iter().map(|(type_, status, reason)| {
            json!({"type": type_, "status": status, "reason": reason, "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z"})
        });
        json!({"observedGeneration": 1, "conditions": all.collect::<Vec<_>>()})
    }

    pub fn claimed(nonce: &str, outcome: &str, job: Option<&str>) -> Value {
        json!({"restoreJobId": job, "submission": {"uid": "u", "attempt": 1, "nonce": nonce,
            "startTime": "2026-01-01T00:00:00Z", "generation": 1, "backupId": "b",
            "indexName": "i", "outcome": outcome}})
    }

    fn rules(before: Value, after: Value) -> Vec<&'static str> {
        let broken = broken(Some(&object(before)), &object(after), false);
        broken.into_iter().map(|(rule, _)| rule).collect()
    }

    #[test]
    fn stalled_and_reconciling_exclude_each_other_and_ready() {
        let none = told(&[]);
        let both = told(&[("Stalled", "True", "x"), ("Reconciling", "True", "x")]);
        assert_eq!(rules(none.clone(), both), [KSTATUS]);
        let beside = told(&[("Ready", "True", "x"), ("Stalled", "True", "x")]);
        assert_eq!(rules(none.clone(), beside), [KSTATUS]);
        let falsely = told(&[("Stalled", "False", "x")]);
        assert_eq!(rules(none.clone(), falsely), [KSTATUS]);
        let fine = told(&[("Ready", "False", "x"), ("Stalled", "True", "x")]);
        assert_eq!(rules(none, fine), [""; 0]);
    }

    #[test]
    fn ids_do_not_change() {
        let first = claimed("n", "Accepted", Some("j"));
        let other = claimed("n", "Accepted", Some("k"));
        assert_eq!(rules(first.clone(), other), [IDS_STAY]);
        let gone = claimed("n", "Accepted", None);
        assert_eq!(rules(first.clone(), gone.clone()), [IDS_STAY]);
        assert_eq!(rules(gone, first), [""; 0]);
    }

    #[test]
    fn a_claim_is_closed_before_the_next() {
        for (outcome, expected) in [
            ("Open", Some(CLAIM_STAYS)),
            ("Taken", Some(CLAIM_STAYS)),
            ("Refused", None),
            ("Unsent", None),
            ("Abandoned", None),
        ] {
            let found = rules(claimed("n", outcome, None), claimed("m", "Open", None));
            assert_eq!(found.first().copied(), expected, "{outcome}");
        }
    }

    #[test]
    fn ends_are_left_for_a_deleted_index_only() {
        let restored = told(&[("Ready", "True", "Restored")]);
        let deleted = told(&[("Ready", "False", "IndexDeleted"), ("Stalled", "True", "x")]);
        let restoring = told(&[("Ready", "False", "Restoring")]);
        assert_eq!(rules(restored.clone(), deleted.clone()), [""; 0]);
        assert_eq!(rules(restored.clone(), restoring.clone()), [ENDS_STAY]);
        assert_eq!(rules(deleted, restoring.clone()), [ENDS_STAY]);
        let wiped = broken(Some(&object(restored)), &object(restoring), true);
        assert!(wiped.is_empty());
    }

    #[test]
    fn only_a_settled_object_is_settled() {
        assert!(is_ready(&object(told(&[("Ready", "True", "Restored")]))));
        assert!(is_settled(&object(told(&[("Stalled", "True", "x")]))));
        assert!(!is_settled(&object(told(&[("Ready", "False", "x")]))));
    }
}
