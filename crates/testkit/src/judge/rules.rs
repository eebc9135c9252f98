//! What must hold for one version of an IndexRestore, and from one version to the next. Pure.

use index_restore_operator::api::conditions::find;
use index_restore_operator::api::{IndexRestore, IndexRestoreStatus, SubmissionOutcome};

use super::status::{holds, is_copied, reason, submission};

/// A broken rule, and how it was broken.
pub type Broken = (&'static str, String);

/// See the text.
pub const KSTATUS: &str =
    "Stalled and Reconciling are present only while True, never both, nor beside Ready=True";
/// See the text.
pub const IDS_STAY: &str = "recorded IDs and the host never change";
/// See the text.
pub const ATTEMPTS: &str = "the attempt of a submission never decreases";
/// See the text.
pub const CLAIM_STAYS: &str =
    "an open, taken, accepted or adopted claim is closed before another replaces it";
/// See the text.
pub const SUBMISSION_STAYS: &str = "a submission does not change once its job is recorded";
/// See the text.
pub const ENDS_STAY: &str = "a terminal reason does not change";

/// See the text.
pub const CLAIM_OF_SPEC: &str = "a claim is for the backup and the index name of the spec";

/// Terminal reasons of Ready, and those that may follow them.
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

/// Returns the rules that this version breaks by itself.
pub fn of_version(object: &IndexRestore) -> Vec<Broken> {
    let rules = [kstatus, of_spec];
    rules.iter().filter_map(|rule| rule(object)).collect()
}

/// Returns the rules that `after` breaks as the version that the operator wrote after `before`.
pub fn of_pair(before: &IndexRestore, after: &IndexRestore) -> Vec<Broken> {
    let rules = [ids, attempts, claim, submitted, end];
    let broken = rules.iter().filter_map(|rule| rule(before, after));
    broken.collect()
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
        let shown: Vec<_> = conditions
            .iter()
            .map(|condition| format!("{}={}", condition.type_, condition.status))
            .collect();
        (KSTATUS, shown.join(" "))
    })
}

fn of_spec(object: &IndexRestore) -> Option<Broken> {
    let (claim, spec) = (submission(object)?, &object.spec);
    let is_current = Some(claim.generation) == object.metadata.generation;
    let is_same = (&claim.backup_id, &claim.index_name) == (&spec.backup_id, &spec.index_name);
    (is_current && !is_same).then(|| {
        let detail = format!("{} to {}", claim.backup_id, claim.index_name);
        (CLAIM_OF_SPEC, detail)
    })
}

fn ids(before: &IndexRestore, after: &IndexRestore) -> Option<Broken> {
    // What belongs to a copied submission counts for nothing.
    submission(before)?;
    let (before, after) = (status(before), status(after));
    let pairs = [
        (before.restore_job_id, after.restore_job_id),
        (before.index_id, after.index_id),
        (before.index_host, after.index_host),
    ];
    let changed = |(before, after): &(Option<String>, _)| before.is_some() && before != after;
    let (from, to) = pairs.into_iter().find(changed)?;
    Some((IDS_STAY, format!("{from:?} became {to:?}")))
}

fn attempts(before: &IndexRestore, after: &IndexRestore) -> Option<Broken> {
    let attempt = |object| submission(object).map_or(0, |submission| submission.attempt);
    let (before, after) = (attempt(before), attempt(after));
    (after < before).then(|| (ATTEMPTS, format!("{before} became {after}")))
}

fn claim(before: &IndexRestore, after: &IndexRestore) -> Option<Broken> {
    let before = submission(before)?;
    let after = submission(after);
    let lasts = matches!(
        before.outcome,
        SubmissionOutcome::Open
            | SubmissionOutcome::Taken
            | SubmissionOutcome::Accepted
            | SubmissionOutcome::Adopted
    );
    let is_same = after.is_some_and(|after| after.nonce == before.nonce);
    (lasts && !is_same).then(|| {
        let now = after.map(|after| &after.nonce);
        let detail = format!("{} ({:?}) became {now:?}", before.nonce, before.outcome);
        (CLAIM_STAYS, detail)
    })
}

fn submitted(before: &IndexRestore, after: &IndexRestore) -> Option<Broken> {
    let was = submission(before)?;
    let is_recorded = status(before).restore_job_id.is_some();
    (is_recorded && submission(after) != Some(was)).then(|| {
        let detail = format!("{was:?} became {:?}", submission(after));
        (SUBMISSION_STAYS, detail)
    })
}

fn end(before: &IndexRestore, after: &IndexRestore) -> Option<Broken> {
    if is_copied(before) {
        return None;
    }
    let (was, is) = (reason(before), reason(after));
    let (_, next) = ENDS.iter().find(|(end, _)| *end == was)?;
    (was != is && !next.contains(&is)).then(|| (ENDS_STAY, format!("{was} became {is:?}")))
}

fn status(object: &IndexRestore) -> IndexRestoreStatus {
    object.status.clone().unwrap_or_default()
}
