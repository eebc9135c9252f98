use proptest::prelude::*;

use super::*;
use crate::api::{AdoptionPolicy, IndexRestoreStatus};
use crate::caches::KeyProblem;
use crate::pinecone::found;
use crate::restore::submission::own_submission;
use crate::restore::{Change, Stage};

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

fn any_index() -> impl Strategy<Value = Lookup<Index>> {
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
        (
            any::<bool>(),
            prop::sample::select(states.to_vec()),
            any_source()
        )
            .prop_map(|(ready, state, source)| {
                Ok(Some(Index {
                    source,
                    ..index(ready, state)
                }))
            }),
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

fn any_restore_jobs() -> impl Strategy<Value = Result<RestoreJobs, Failure>> {
    prop_oneof![
        any_failure().prop_map(Err),
        (prop::collection::vec(any_job(), 0..4), any::<bool>()).prop_map(|(jobs, confirmed)| {
            let confirmed = jobs.first().filter(|_| confirmed).cloned();
            Ok(RestoreJobs {
                listed: jobs,
                is_complete: true,
                confirmed,
                ..RestoreJobs::default()
            })
        }),
    ]
}

fn any_backup() -> impl Strategy<Value = Option<Result<Backup, Failure>>> {
    prop_oneof![
        Just(None),
        Just(Some(Err(failure(FailureKind::NotFound)))),
        any_failure().prop_map(|failure| Some(Err(failure))),
        prop::sample::select(vec!["Ready", "Initializing", "Failed", "Odd"]).prop_map(backup),
    ]
}

fn any_shown() -> impl Strategy<Value = Option<Lookup<()>>> {
    prop_oneof![
        Just(None),
        Just(Some(Ok(None))),
        Just(Some(Ok(Some(())))),
        any_failure().prop_map(|failure| Some(Err(failure))),
    ]
}

fn any_source() -> impl Strategy<Value = SourceBackup> {
    prop::sample::select(vec![
        SourceBackup::NotShown,
        SourceBackup::None,
        SourceBackup::Id("b".into()),
        SourceBackup::Id("other".into()),
    ])
}

/// An answer for whichever stage asks.
#[derive(Clone, Debug)]
struct AnyAnswer {
    has_key: bool,
    preflight: Preflight,
    search: Search,
    follow: (Lookup<RestoreJob>, Option<Lookup<Index>>),
    check: Check,
}

impl AnyAnswer {
    fn to_stage(&self, stage: &Stage) -> Answer {
        if !self.has_key {
            return Answer::NoKey(KeyProblem::NoSecret("s".into()));
        }
        match stage {
            Stage::Unclaimed { .. } => Answer::MaySubmit(self.preflight.clone()),
            Stage::Claimed(_) => Answer::FindOurs(self.search.clone()),
            Stage::Submitted(_) => {
                let (job, index) = self.follow.clone();
                Answer::Follow { job, index }
            }
            Stage::Finished(_) => Answer::StillThere(self.check.clone()),
            Stage::Rejected | Stage::Failed => Answer::Nothing,
        }
    }
}

fn any_preflight() -> impl Strategy<Value = Preflight> {
    let jobs = prop::option::of(any_restore_jobs());
    (any_index(), jobs, any_backup()).prop_map(|(index, jobs, backup)| Preflight {
        index,
        jobs,
        backup,
        date: None,
    })
}

fn any_search() -> impl Strategy<Value = Search> {
    (any_index(), any_restore_jobs(), any_backup()).prop_map(|(index, jobs, backup)| Search {
        ended: time(0),
        index,
        jobs,
        backup,
    })
}

fn any_follow() -> impl Strategy<Value = (Lookup<RestoreJob>, Option<Lookup<Index>>)> {
    let job = prop_oneof![
        Just(Ok(None)),
        any_failure().prop_map(Err),
        any_job().prop_map(|job| Ok(Some(job)))
    ];
    (job, prop::option::of(any_index()))
}

fn any_check() -> impl Strategy<Value = Check> {
    (any_index(), any_shown(), any_backup()).prop_map(|(index, job, backup)| Check {
        index,
        job,
        backup: backup.map(found),
    })
}

fn any_answer() -> impl Strategy<Value = AnyAnswer> {
    let answers = (any_preflight(), any_search(), any_follow(), any_check());
    (prop::bool::weighted(0.9), answers).prop_map(|(has_key, answers)| {
        let (preflight, search, follow, check) = answers;
        AnyAnswer {
            has_key,
            preflight,
            search,
            follow,
            check,
        }
    })
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
                    object.spec.adoption_policy = AdoptionPolicy::Never;
                }
                object
            },
        )
}

fn recorded(status: &IndexRestoreStatus) -> Option<&str> {
    status.restore_job_id.as_deref()
}

/// The longest wait until the next reconcile that a message names.
fn longest_wait(message: &str) -> Option<Duration> {
    let after = |word: &str| message.rsplit_once(word).map(|(_, time)| time);
    let times = [" every ", " within "].into_iter().filter_map(after);
    times
        .filter_map(|time| {
            let (number, unit) = time.split_once(' ')?;
            let seconds = match unit.get(..1)? {
                "s" => 1,
                "m" => 60,
                _ => 3_600,
            };
            Some(Duration::from_secs(number.parse::<u64>().ok()? * seconds))
        })
        .max()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Whatever is seen, in whatever order: a submission only from an unclaimed
    /// stage, on a free name, with the backup in sight; recorded IDs never change
    /// and belong to this backup and name; what is written twice is written once. No wait is
    /// longer than the message says.
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
            let answer = ended(&answer.to_stage(&situation.stage), now);
            learn(&mut evidence, &situation, &answer, now);
            let observation = answer.to(&situation, &evidence);
            let decision = decide(&situation, &evidence, &observation, &RULES, now);
            prop_assert!(decision.requeue_after.is_none_or(|requeue_after| !requeue_after.is_zero()));
            match &decision.step {
                Step::Keep => {}
                Step::Submit { .. } => {
                    let is_unclaimed = matches!(situation.stage, Stage::Unclaimed { .. });
                    prop_assert!(is_unclaimed);
                    let Answer::MaySubmit(seen) = &answer else { panic!("{answer:?}") };
                    prop_assert_eq!(&seen.index, &Ok(None));
                    prop_assert!(matches!(seen.backup, Some(Ok(_))));
                }
                Step::Report(report) => {
                    let status = report.status(&object, now.wall);
                    if let (Some(said), Some(pause)) = (longest_wait(&report.message.text), decision.requeue_after) {
                        prop_assert!(pause <= said, "{pause:?}: {}", report.message.text);
                    }
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
