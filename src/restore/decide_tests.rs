//! Every row of the decision, then what must hold for all of them.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::ask::{History, Preflight, Search};
use super::stage::own_submission;
use super::*;
use crate::api::{IndexRestore, IndexRestoreStatus, Reason, SubmissionOutcome};
use crate::clock::{BootTime, Now};
use crate::pinecone::{Backup, Created, Failure, FailureKind, Index, Posted, RestoreJob};
use crate::secret::KeyProblem;

const START: i64 = 1_800_000_000;
const RULES: Rules = Rules {
    pace: Pace {
        poll_min: Duration::from_secs(2),
        poll_max: Duration::from_secs(60),
    },
    patience: Patience {
        confirm: Duration::from_secs(180),
        catch_up: Duration::from_secs(60),
        give_up: Duration::from_secs(3_600),
    },
};

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).unwrap()
}

fn now(second: i64) -> Now {
    Now {
        wall: time(second),
        boot: BootTime::after_boot(Duration::from_secs(1_000 + second.unsigned_abs())),
    }
}

fn object(status: Value) -> IndexRestore {
    serde_json::from_value(json!({
        "apiVersion": "restore.pinecone.io/v1alpha1",
        "kind": "IndexRestore",
        "metadata": {"name": "r", "namespace": "n", "uid": "u-1", "generation": 3},
        "spec": {
            "backupId": "b",
            "indexName": "index",
            "apiKeySecretRef": {"name": "pinecone"},
        },
        "status": status,
    }))
    .unwrap()
}

fn claim(outcome: &str) -> Value {
    json!({
        "uid": "u-1", "attempt": 1, "nonce": "n-1", "startTime": time(0).to_string(),
        "generation": 3, "backupId": "b", "indexName": "index", "outcome": outcome,
    })
}

fn claimed(outcome: &str) -> IndexRestore {
    object(json!({ "submission": claim(outcome) }))
}

fn accepted(restore: Value, host: Option<&str>) -> IndexRestore {
    object(json!({
        "observedGeneration": 3,
        "submission": claim("Accepted"),
        "restoreJobId": "j", "indexId": "i", "indexHost": host, "restore": restore,
    }))
}

fn index(ready: bool, state: &str) -> Index {
    serde_json::from_value(json!({
        "name": "index", "host": "index.host", "status": {"ready": ready, "state": state},
    }))
    .unwrap()
}

fn job(id: &str, created: i64, status: &str) -> RestoreJob {
    RestoreJob {
        restore_job_id: id.into(),
        backup_id: "b".into(),
        target_index_name: "index".into(),
        target_index_id: "i".into(),
        status: status.into(),
        created_at: Some(time(created)),
        completed_at: None,
        percent_complete: None,
    }
}

fn backup(status: &str) -> Option<super::ask::Look<Backup>> {
    Some(Ok(Some(Backup {
        backup_id: "b".into(),
        status: status.into(),
    })))
}

fn failure(kind: FailureKind) -> Failure {
    Failure::without_answer(kind, "words")
}

fn history(jobs: &[RestoreJob], confirmed: Option<&RestoreJob>) -> Result<History, Failure> {
    Ok(History {
        jobs: jobs.to_vec(),
        confirmed: confirmed.cloned(),
    })
}

/// Looks `times` times, `every` seconds apart, and decides after each.
fn look(object: &IndexRestore, answer: &Answer, times: u32, every: i64) -> Decision {
    let situation = Situation::of(object);
    let mut evidence = Evidence::default();
    let mut decision = None;
    for round in 0..times {
        let now = now(i64::from(round) * every);
        evidence.learn(&situation, answer, now.boot);
        decision = Some(decide(&situation, &evidence, answer, &RULES, now));
    }
    decision.unwrap()
}

fn reason(decision: &Decision) -> Option<Reason> {
    match &decision.step {
        Step::Report(report) => Some(report.finding.reason),
        _ => None,
    }
}

fn preflight(index: Option<Index>, backup: Option<super::ask::Look<Backup>>) -> Preflight {
    Preflight {
        index: Ok(index),
        history: None,
        backup,
        date: Some(time(0)),
    }
}

#[test]
fn a_free_name_and_a_ready_backup_are_submitted() {
    let answer = Answer::MaySubmit(preflight(None, backup("Ready")));
    let decision = look(&object(Value::Null), &answer, 1, 1);
    assert_eq!(
        decision.step,
        Step::Submit {
            date: Some(time(0))
        }
    );
}

#[test]
fn an_object_that_is_being_deleted_submits_nothing() {
    let mut object = object(Value::Null);
    object.begin_deletion();
    let answer = Answer::MaySubmit(preflight(None, backup("Ready")));
    assert_eq!(
        ask(&Situation::of(&object), &Evidence::default()),
        Question::Nothing
    );
    assert_eq!(look(&object, &answer, 1, 1).step, Step::Keep);
}

#[test]
fn what_stands_in_the_way_of_a_submission_is_said() {
    let read = |kind| Some(Err(failure(kind)));
    for (seen, expected) in [
        (backup("Initializing"), Reason::BackupNotReady),
        (backup("InitializationFailed"), Reason::BackupFailed),
        (backup("Failed"), Reason::BackupFailed),
        (Some(Ok(None)), Reason::BackupNotFound),
        (read(FailureKind::Unauthorized), Reason::InvalidApiKey),
        (read(FailureKind::Forbidden), Reason::PermissionDenied),
        (read(FailureKind::PaymentRequired), Reason::PaymentRequired),
        (read(FailureKind::RateLimited), Reason::RateLimited),
        (read(FailureKind::Unavailable), Reason::ApiUnavailable),
        (read(FailureKind::NotConnected), Reason::ApiUnavailable),
    ] {
        let decision = look(
            &object(Value::Null),
            &Answer::MaySubmit(preflight(None, seen)),
            1,
            1,
        );
        assert_eq!(reason(&decision), Some(expected));
    }
    let no_key = Answer::NoKey(KeyProblem::NoSecret("pinecone".into()));
    let decision = look(&object(Value::Null), &no_key, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::SecretNotFound));
    assert!(decision.again.unwrap() <= Duration::from_secs(30));
}

fn taken(state: &str, jobs: &[RestoreJob], confirmed: Option<&RestoreJob>) -> Answer {
    Answer::MaySubmit(Preflight {
        history: Some(history(jobs, confirmed)),
        ..preflight(Some(index(true, state)), None)
    })
}

#[test]
fn a_taken_name_is_foreign_only_after_the_list_had_time() {
    let answer = taken("Ready", &[], None);
    let fresh = object(Value::Null);
    assert_eq!(reason(&look(&fresh, &answer, 3, 10)), Some(Reason::Pending));
    assert_eq!(reason(&look(&fresh, &answer, 2, 70)), Some(Reason::Pending));
    let late = look(&fresh, &answer, 4, 20);
    assert_eq!(reason(&late), Some(Reason::IndexAlreadyExists));
}

#[test]
fn an_earlier_restore_of_the_same_backup_is_adopted_only_if_confirmed_and_wanted() {
    let old = job("old", -5_000, "Completed");
    let confirmed = taken("Ready", std::slice::from_ref(&old), Some(&old));
    let decision = look(&object(Value::Null), &confirmed, 1, 1);
    let Step::Report(Report {
        change: Change::Record(record),
        ..
    }) = &decision.step
    else {
        panic!("{decision:?}");
    };
    assert!(record.adopted && record.job_id == "old");
    // The job's own index is gone: the name belongs to something else now.
    let unconfirmed = taken("Ready", std::slice::from_ref(&old), None);
    assert_eq!(
        reason(&look(&object(Value::Null), &unconfirmed, 1, 1)),
        Some(Reason::Pending)
    );
    let terminating = taken("Terminating", std::slice::from_ref(&old), Some(&old));
    assert_eq!(
        reason(&look(&object(Value::Null), &terminating, 9, 60)),
        Some(Reason::Pending)
    );
    let mut never = object(Value::Null);
    never.spec.adoption_policy = crate::api::AdoptionPolicy::Never;
    assert_eq!(
        reason(&look(&never, &confirmed, 1, 1)),
        Some(Reason::IndexAlreadyExists)
    );
}

fn search(index: Option<Index>, jobs: &[RestoreJob], witness: bool) -> Answer {
    let witness = if witness {
        backup("Ready")
    } else {
        Some(Ok(None))
    };
    Answer::FindOurs(Search {
        backup: witness.filter(|_| index.is_none()),
        index: Ok(index),
        history: history(jobs, None),
    })
}

#[test]
fn an_open_claim_is_answered_by_its_job_even_against_the_adoption_policy() {
    let mut object = claimed("Taken");
    object.spec.adoption_policy = crate::api::AdoptionPolicy::Never;
    let answer = search(
        Some(index(false, "Initializing")),
        &[job("j", 2, "Pending")],
        true,
    );
    let decision = look(&object, &answer, 1, 1);
    let Step::Report(Report {
        change: Change::Record(record),
        ..
    }) = &decision.step
    else {
        panic!("{decision:?}");
    };
    assert!(!record.adopted && record.job_id == "j");
}

#[test]
fn an_open_claim_without_trace_is_abandoned_only_with_all_the_evidence() {
    let nothing = search(None, &[], true);
    let is_abandoned = |decision: &Decision| {
        matches!(
            &decision.step,
            Step::Report(Report {
                change: Change::Close {
                    outcome: SubmissionOutcome::Abandoned,
                    ..
                },
                ..
            })
        )
    };
    assert!(is_abandoned(&look(&claimed("Open"), &nothing, 4, 60)));
    assert!(
        !is_abandoned(&look(&claimed("Open"), &nothing, 2, 200)),
        "too few looks"
    );
    assert!(
        !is_abandoned(&look(&claimed("Open"), &nothing, 9, 10)),
        "too soon"
    );
    let no_witness = search(None, &[], false);
    assert!(
        !is_abandoned(&look(&claimed("Open"), &no_witness, 9, 60)),
        "another project's key"
    );
    let mut second = claimed("Open");
    second
        .status
        .as_mut()
        .unwrap()
        .submission
        .as_mut()
        .unwrap()
        .attempt = 2;
    assert!(
        !is_abandoned(&look(&second, &nothing, 4, 60)),
        "patience grows"
    );
    assert!(is_abandoned(&look(&second, &nothing, 7, 60)));
}

#[test]
fn a_claim_whose_index_was_seen_and_went_is_never_sent_again() {
    let situation = Situation::of(&claimed("Open"));
    let mut evidence = Evidence::default();
    evidence.learn(
        &situation,
        &search(Some(index(true, "Ready")), &[], true),
        now(0).boot,
    );
    let gone = search(None, &[], true);
    for round in 1..20 {
        evidence.learn(&situation, &gone, now(round * 60).boot);
        let decision = decide(&situation, &evidence, &gone, &RULES, now(round * 60));
        assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
    }
}

#[test]
fn an_index_without_a_job_is_foreign_only_where_pinecone_said_taken() {
    let answer = search(Some(index(true, "Ready")), &[], true);
    let decision = look(&claimed("Taken"), &answer, 4, 30);
    assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
    let decision = look(&claimed("Open"), &answer, 4, 30);
    assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
    let decision = look(&claimed("Open"), &answer, 4, 1_300);
    assert_eq!(reason(&decision), Some(Reason::SubmissionUnconfirmed));
}

#[test]
fn a_claim_that_cannot_be_looked_for_stays_open() {
    let answer = Answer::FindOurs(Search {
        index: Err(failure(FailureKind::Unavailable)),
        history: Err(failure(FailureKind::Unavailable)),
        backup: None,
    });
    assert_eq!(
        reason(&look(&claimed("Open"), &answer, 50, 60)),
        Some(Reason::ConfirmingSubmission)
    );
    assert_eq!(
        reason(&look(&claimed("Open"), &answer, 70, 60)),
        Some(Reason::SubmissionUnconfirmed)
    );
}

fn follow(job: Option<RestoreJob>, index: Option<Option<Index>>) -> Answer {
    Answer::Follow {
        job: Ok(job),
        index: index.map(Ok),
    }
}

#[test]
fn a_followed_job_says_what_is_true() {
    let running = accepted(json!({"state": "Pending"}), None);
    let ready = Some(Some(index(true, "Ready")));
    let completed = || Some(job("j", 1, "Completed"));
    for (answer, expected) in [
        (
            follow(Some(job("j", 1, "Pending")), None),
            Reason::Restoring,
        ),
        // Ready before its data is there: not ready.
        (
            follow(Some(job("j", 1, "Pending")), ready.clone()),
            Reason::Restoring,
        ),
        (
            follow(
                Some(job("j", 1, "Pending")),
                Some(Some(index(false, "InitializationFailed"))),
            ),
            Reason::IndexFailed,
        ),
        (follow(completed(), ready.clone()), Reason::Restored),
        (
            follow(completed(), Some(Some(index(false, "Initializing")))),
            Reason::IndexNotReady,
        ),
        (
            follow(completed(), Some(Some(index(true, "Terminating")))),
            Reason::IndexFailed,
        ),
        (follow(completed(), Some(None)), Reason::IndexNotReady),
        (
            follow(Some(job("j", 1, "failed")), None),
            Reason::RestoreFailed,
        ),
        (
            follow(Some(job("j", 1, "Cancelled")), None),
            Reason::RestoreCancelled,
        ),
        (follow(None, ready.clone()), Reason::Restoring),
        (follow(None, Some(None)), Reason::Restoring),
    ] {
        assert_eq!(
            reason(&look(&running, &answer, 1, 1)),
            Some(expected),
            "{answer:?}"
        );
    }
    assert_eq!(
        reason(&look(&running, &follow(None, Some(None)), 4, 30)),
        Some(Reason::IndexDeleted)
    );
    assert_eq!(
        reason(&look(&running, &follow(None, ready), 5, 1_000)),
        Some(Reason::RestoreJobNotFound)
    );
}

#[test]
fn one_bad_poll_changes_nothing_and_a_refused_key_is_said_at_once() {
    let running = accepted(json!({"state": "Pending"}), None);
    let bad = |kind| Answer::Follow {
        job: Err(failure(kind)),
        index: None,
    };
    assert_eq!(
        look(&running, &bad(FailureKind::Unavailable), 1, 1).step,
        Step::Keep
    );
    assert_eq!(
        reason(&look(&running, &bad(FailureKind::Unavailable), 3, 1)),
        Some(Reason::ApiUnavailable)
    );
    assert_eq!(
        reason(&look(&running, &bad(FailureKind::Unauthorized), 1, 1)),
        Some(Reason::InvalidApiKey)
    );
}

#[test]
fn a_restored_index_that_went_is_reported_and_nothing_else() {
    let done = accepted(json!({"state": "Completed"}), Some("index.host"));
    assert_eq!(
        ask(&Situation::of(&done), &Evidence::default()),
        Question::StillThere
    );
    for (seen, expected) in [
        (Ok(None), Some(Reason::IndexDeleted)),
        (Ok(Some(index(true, "Ready"))), Some(Reason::Restored)),
        (
            Ok(Some(index(false, "Disabled"))),
            Some(Reason::IndexFailed),
        ),
        (Err(failure(FailureKind::Unauthorized)), None),
    ] {
        assert_eq!(
            reason(&look(&done, &Answer::StillThere(seen), 1, 1)),
            expected
        );
    }
}

#[test]
fn a_copied_claim_counts_for_nothing() {
    let mut copy = accepted(json!({"state": "Completed"}), Some("index.host"));
    copy.metadata.uid = Some("u-2".into());
    assert_eq!(Situation::of(&copy).stage, Stage::Unclaimed { last: None });
    let request = super::report::ClaimRequest {
        nonce: "n-2".into(),
        now: time(9),
    };
    let status = request.status(&copy, &super::findings::pending());
    assert_eq!(status.restore_job_id, None);
    assert_eq!(status.submission.unwrap().uid, "u-2");
}

#[test]
fn a_spec_refused_as_invalid_is_sent_again_only_when_it_changed() {
    let mut refused = claim("Refused");
    refused["reason"] = json!("InvalidRequest");
    let mut object = object(json!({ "submission": refused }));
    assert_eq!(Situation::of(&object).stage, Stage::Rejected);
    object.metadata.generation = Some(4);
    assert!(matches!(
        Situation::of(&object).stage,
        Stage::Unclaimed { .. }
    ));
}

#[test]
fn the_answer_to_the_post_says_what_becomes_of_the_claim() {
    let situation = Situation::of(&claimed("Open"));
    let outcome = |posted: Posted| {
        let status = after_post(&posted, &situation).status(&claimed("Open"), time(1));
        let reason = status.conditions[0].reason.clone();
        (
            status.submission.unwrap().outcome,
            reason,
            status.restore_job_id,
        )
    };
    let created = Created {
        restore_job_id: "j".into(),
        index_id: "i".into(),
        request_id: None,
    };
    assert_eq!(
        outcome(Posted::Accepted(created)),
        (
            SubmissionOutcome::Accepted,
            "Restoring".into(),
            Some("j".into())
        )
    );
    for (kind, expected) in [
        (FailureKind::Invalid, "InvalidRequest"),
        (FailureKind::Unauthorized, "InvalidApiKey"),
        (FailureKind::PaymentRequired, "PaymentRequired"),
        (FailureKind::Forbidden, "QuotaExceeded"),
        (FailureKind::NotFound, "BackupNotFound"),
        (FailureKind::PreconditionFailed, "BackupNotReady"),
        (FailureKind::RateLimited, "RateLimited"),
        (FailureKind::NotConnected, "ApiUnavailable"),
    ] {
        let refused = outcome(Posted::NoEffect(failure(kind)));
        assert_eq!(refused, (SubmissionOutcome::Refused, expected.into(), None));
    }
    let taken = outcome(Posted::Taken(failure(FailureKind::AlreadyExists)));
    assert_eq!(
        taken,
        (
            SubmissionOutcome::Taken,
            "ConfirmingSubmission".into(),
            None
        )
    );
    let unknown = outcome(Posted::Unknown(failure(FailureKind::Unavailable)));
    assert_eq!(
        unknown,
        (SubmissionOutcome::Open, "ConfirmingSubmission".into(), None)
    );
}

#[test]
fn a_new_generation_is_observed_even_where_nothing_else_is_to_do() {
    let mut failed = accepted(json!({"state": "Failed"}), None);
    let report = Report::new(
        crate::api::conditions::Finding::new(Reason::RestoreFailed, "m"),
        Change::Nothing,
    );
    failed.status = Some(report.status(&failed, time(1)));
    assert_eq!(look(&failed, &Answer::Nothing, 1, 1).step, Step::Keep);
    failed.metadata.generation = Some(4);
    let decision = look(&failed, &Answer::Nothing, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::RestoreFailed));
}

trait Delete {
    fn begin_deletion(&mut self);
}

impl Delete for IndexRestore {
    fn begin_deletion(&mut self) {
        self.metadata.deletion_timestamp = Some(
            k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(time(1)),
        );
        self.finalizers_mut().push("somebody.example/else".into());
    }
}

fn any_failure() -> impl Strategy<Value = Failure> {
    use FailureKind::*;
    prop::sample::select(vec![
        Unauthorized,
        PaymentRequired,
        Forbidden,
        AlreadyExists,
        PreconditionFailed,
        Invalid,
        RateLimited,
        NotConnected,
        Unavailable,
    ])
    .prop_map(failure)
}

fn any_index() -> impl Strategy<Value = super::ask::Look<Index>> {
    let states = [
        "Ready",
        "Initializing",
        "Terminating",
        "InitializationFailed",
        "Disabled",
        "Odd",
    ];
    prop_oneof![
        Just(Ok(None)),
        any_failure().prop_map(Err),
        (any::<bool>(), prop::sample::select(states.to_vec()))
            .prop_map(|(ready, state)| Ok(Some(index(ready, state)))),
    ]
}

fn any_job() -> impl Strategy<Value = RestoreJob> {
    let states = ["Pending", "Completed", "Failed", "Cancelled", "Odd"];
    (
        0..3u8,
        -100..100i64,
        prop::sample::select(states.to_vec()),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(id, created, state, same_backup, dated)| {
            let mut job = job(&format!("j{id}"), created, state);
            if !same_backup {
                job.backup_id = "other".into();
            }
            if !dated {
                job.created_at = None;
            }
            job
        })
}

fn any_history() -> impl Strategy<Value = Result<History, Failure>> {
    prop_oneof![
        any_failure().prop_map(Err),
        (prop::collection::vec(any_job(), 0..4), any::<bool>()).prop_map(|(jobs, confirmed)| {
            let confirmed = jobs.first().filter(|_| confirmed).cloned();
            Ok(History { jobs, confirmed })
        }),
    ]
}

fn any_backup() -> impl Strategy<Value = Option<super::ask::Look<Backup>>> {
    prop_oneof![
        Just(None),
        Just(Some(Ok(None))),
        any_failure().prop_map(|failure| Some(Err(failure))),
        prop::sample::select(vec!["Ready", "Initializing", "Failed", "Odd"]).prop_map(backup),
    ]
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        Just(Answer::Nothing),
        Just(Answer::NoKey(KeyProblem::NoSecret("s".into()))),
        (any_index(), prop::option::of(any_history()), any_backup()).prop_map(
            |(index, history, backup)| {
                Answer::MaySubmit(Preflight {
                    index,
                    history,
                    backup,
                    date: None,
                })
            }
        ),
        (any_index(), any_history(), any_backup()).prop_map(|(index, history, backup)| {
            Answer::FindOurs(Search {
                index,
                history,
                backup,
            })
        }),
        (
            prop_oneof![
                Just(Ok(None)),
                any_failure().prop_map(Err),
                any_job().prop_map(|job| Ok(Some(job)))
            ],
            prop::option::of(any_index())
        )
            .prop_map(|(job, index)| Answer::Follow { job, index }),
        any_index().prop_map(Answer::StillThere),
    ]
}

fn any_object() -> impl Strategy<Value = IndexRestore> {
    let outcomes = [
        "Open",
        "Taken",
        "Accepted",
        "Adopted",
        "Refused",
        "Unsent",
        "Abandoned",
    ];
    let states = ["Pending", "Completed", "Failed", "Odd"];
    (
        prop::option::of(prop::sample::select(outcomes.to_vec())),
        any::<(bool, bool, bool, bool)>(),
        prop::sample::select(states.to_vec()),
        1..9i32,
    )
        .prop_map(
            |(outcome, (foreign, has_job, has_host, never), state, attempt)| {
                let mut status = json!({});
                if let Some(outcome) = outcome {
                    status["submission"] = claim(outcome);
                    status["submission"]["attempt"] = json!(attempt);
                }
                if has_job {
                    status["restoreJobId"] = json!("j0");
                    status["restore"] = json!({ "state": state });
                }
                if has_host {
                    status["indexHost"] = json!("host");
                }
                let mut object = object(status);
                if foreign {
                    object.metadata.uid = Some("u-2".into());
                }
                if never {
                    object.spec.adoption_policy = crate::api::AdoptionPolicy::Never;
                }
                object
            },
        )
}

fn recorded(status: &IndexRestoreStatus) -> Option<&str> {
    status.restore_job_id.as_deref()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Whatever is seen, in whatever order: a submission only from an unclaimed
    /// stage, on a free name, with the backup in sight; recorded IDs never change
    /// and belong to this backup and name; what is written twice is written once.
    #[test]
    fn every_decision_keeps_the_promise(
        object in any_object(),
        answers in prop::collection::vec((any_answer(), 0..400i64), 1..8),
    ) {
        let mut object = object;
        let mut evidence = Evidence::default();
        let mut clock = 0;
        for (answer, pause) in answers {
            clock += pause;
            let now = now(clock);
            let situation = Situation::of(&object);
            evidence.learn(&situation, &answer, now.boot);
            let decision = decide(&situation, &evidence, &answer, &RULES, now);
            prop_assert!(decision.again.is_none_or(|again| !again.is_zero()));
            match &decision.step {
                Step::Keep => {}
                Step::Submit { .. } => {
                    let is_unclaimed = matches!(situation.stage, Stage::Unclaimed { .. });
                    prop_assert!(is_unclaimed);
                    let Answer::MaySubmit(seen) = &answer else { panic!("{answer:?}") };
                    prop_assert_eq!(&seen.index, &Ok(None));
                    prop_assert!(matches!(seen.backup, Some(Ok(Some(_)))));
                }
                Step::Report(report) => {
                    let status = report.status(&object, now.wall);
                    if let (Some(before), true) = (object.status.as_ref().and_then(recorded), own_submission(&object).is_some()) {
                        let followed = !matches!(situation.stage, Stage::Unclaimed { .. } | Stage::Claimed(_) | Stage::Rejected);
                        prop_assert!(!followed || recorded(&status) == Some(before));
                    }
                    if let Change::Record(record) = &report.change {
                        prop_assert_eq!((&*record.backup_id, &*record.index_name), ("b", "index"));
                    }
                    object.status = Some(status.clone());
                    prop_assert_eq!(report.status(&object, now.wall), status);
                }
            }
        }
    }
}
