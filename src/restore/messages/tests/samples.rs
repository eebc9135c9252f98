//! One sample at least of each message, with IDs as Pinecone makes them and without Pinecone's words.

use std::time::Duration;

use jiff::Timestamp;

use super::super::*;
use crate::api::IndexRestore;
use crate::pinecone::{
    FailureKind, Index, IndexHealth, InvalidKey, JobState, RestoreJob, SourceBackup,
};
use crate::restore::Patience;
use crate::restore::jobs::RestoreJobs;
use crate::restore::situation::{Situation, Submitted, Wanted};

/// A message and the function that makes it.
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) message: StatusMessage,
}

const INTERVALS: Intervals = Intervals {
    poll_min: Duration::from_secs(2),
    poll_max: Duration::from_secs(60),
};
const BACKUP: &str = "670e8400-e29b-41d4-a716-446655440000";
const JOB: &str = "550e8400-e29b-41d4-a716-446655440000";
const INDEX: &str = "products-restored";
const WHY: &str = "HTTP 503";
const TIME: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn situation(shown: Option<StatusMessage>) -> Situation {
    let object: IndexRestore = serde_json::from_value(serde_json::json!({
        "apiVersion": "restore.pinecone.io/v1alpha1",
        "kind": "IndexRestore",
        "metadata": {"name": "products"},
        "spec": {
            "backupId": BACKUP,
            "indexName": INDEX,
            "apiKeySecretRef": {"name": "pinecone"},
        },
    }))
    .unwrap();
    Situation {
        shown,
        ..Situation::of(&object)
    }
}

fn failure(kind: FailureKind) -> Failure {
    Failure {
        http: Some(503),
        ..Failure::without_answer(kind, "")
    }
}

fn job() -> RestoreJob {
    RestoreJob {
        restore_job_id: JOB.into(),
        backup_id: BACKUP.into(),
        target_index_name: INDEX.into(),
        target_index_id: JOB.into(),
        state: JobState::Pending,
        word: "Pending".into(),
        created_at: None,
        completed_at: None,
        percent_complete: None,
    }
}

fn index(source: SourceBackup) -> Index {
    Index {
        name: INDEX.into(),
        host: None,
        health: IndexHealth::Ready,
        word: "Ready".into(),
        source,
        tags: [("team".into(), "ads".into())].into(),
        is_protected: false,
    }
}

fn submitted(job_id: Option<&str>) -> Submitted {
    Submitted {
        job_id: job_id.map(Into::into),
        adopted: true,
        host: None,
        since: TIME,
        last_confirmed: None,
        unconfirmed_since: None,
    }
}

fn wanted(is_protected: bool) -> Wanted {
    Wanted {
        tags: is_protected.then(Default::default),
        is_protected,
    }
}

fn of(name: &'static str, message: StatusMessage) -> Sample {
    Sample { name, message }
}

pub(super) fn samples() -> Vec<Sample> {
    let mut all = before_the_submission();
    all.extend(of_failures());
    all.extend(of_the_submission());
    all.extend(of_the_job());
    all.extend(of_the_origin());
    let of_the_index = of_the_index();
    for Sample { message, .. } in &of_the_index {
        let situation = situation(Some(message.clone()));
        for last in [Some(TIME), None] {
            let message = unconfirmed_index(&situation, last, TIME, WHY, INTERVALS);
            all.push(of("unconfirmed_index", message));
        }
    }
    all.extend(of_the_index);
    all
}

fn before_the_submission() -> Vec<Sample> {
    let (name, key) = ("pinecone".to_owned(), "api-key".to_owned());
    let problems = [
        KeyProblem::NoSecret(name.clone()),
        KeyProblem::NoKey {
            name: name.clone(),
            key: key.clone(),
        },
        KeyProblem::Invalid {
            name: name.clone(),
            key: key.clone(),
            why: InvalidKey::Empty,
        },
        KeyProblem::Invalid {
            name: name.clone(),
            key,
            why: InvalidKey::NotAHeader,
        },
        KeyProblem::Forbidden(name),
    ];
    let mut all: Vec<_> = problems
        .iter()
        .map(|problem| of("no_key", no_key(problem, INTERVALS)))
        .collect();
    let every = Duration::from_secs(16);
    all.extend([
        of("pending", pending()),
        of("waiting", waiting("pinecone")),
        of("crd_outdated", crd_outdated(INTERVALS)),
        of(
            "backup_not_ready",
            backup_not_ready(BACKUP, "Initializing", every),
        ),
        of("backup_failed", backup_failed(BACKUP, "Failed")),
        of(
            "backup_not_found",
            backup_not_found(BACKUP, &failure(FailureKind::NotFound), INTERVALS),
        ),
    ]);
    all
}

fn of_failures() -> Vec<Sample> {
    let situation = situation(None);
    let by_kind = |kind| {
        let failure = failure(kind);
        [
            of("of_read", of_read(&failure, INTERVALS)),
            of("of_refusal", of_refusal(&failure, &situation, INTERVALS)),
        ]
    };
    FailureKind::ALL.into_iter().flat_map(by_kind).collect()
}

fn of_the_submission() -> Vec<Sample> {
    let situation = situation(None);
    let gap = Duration::from_secs(600);
    vec![
        of("confirming", confirming(WHY, INTERVALS)),
        of("abandoned", abandoned(INTERVALS)),
        of("unconfirmed", unconfirmed(&situation, WHY)),
        of("unobserved", unobserved(&situation, WHY, TIME, gap)),
        of(
            "unobserved",
            unobserved(&situation, WHY, TIME, Duration::ZERO),
        ),
        of("submitted", super::super::submitted(JOB, JOB, INTERVALS)),
        of("recovered", recovered(&job())),
    ]
}

fn of_the_job() -> Vec<Sample> {
    let (job, index) = (job(), index(SourceBackup::NotShown));
    let give_up = Patience::default().give_up;
    let mut all = vec![
        of("restoring", restoring(&job, INTERVALS)),
        of("job_failed", job_failed(&job)),
        of("job_cancelled", job_cancelled(&job)),
    ];
    for id in [Some(JOB), None] {
        let submitted = submitted(id);
        all.push(of("job_not_shown", job_not_shown(&submitted, INTERVALS)));
        all.push(of("job_lost", job_lost(&submitted, &index, give_up)));
    }
    all
}

fn of_the_origin() -> Vec<Sample> {
    let (situation, job) = (situation(None), job());
    let none = RestoreJobs::default();
    let doubted = RestoreJobs {
        doubted: Some(job.clone()),
        ..RestoreJobs::default()
    };
    let foreign = RestoreJobs {
        foreign: Some(job.clone()),
        ..RestoreJobs::default()
    };
    let unknown = index(SourceBackup::NotShown);
    let mut all = vec![
        of(
            "conflict_undetermined",
            conflict_undetermined(&situation, &unknown),
        ),
        of("left_by_failed_job", left_by_failed_job(&job)),
        of("never_adopt", never_adopt(&job)),
        of("never_adopt_index", never_adopt_index(&unknown)),
        of("name_being_freed", name_being_freed(INDEX, INTERVALS)),
        of("adopting", adopting(&job)),
        of("recording_index", recording_index(&unknown)),
        of("frozen", frozen(job_failed(&job))),
        of("frozen", frozen(never_adopt_index(&unknown))),
    ];
    for source in [SourceBackup::Id(JOB.into()), SourceBackup::None] {
        let message = name_taken(&situation, &index(source), &none);
        all.push(of("name_taken", message));
    }
    for jobs in [&none, &doubted, &foreign] {
        all.push(of("name_taken", name_taken(&situation, &unknown, jobs)));
        all.push(of(
            "looking_for_origin",
            looking_for_origin(INDEX, jobs, TIME, None),
        ));
    }
    all
}

fn of_the_index() -> Vec<Sample> {
    let index = index(SourceBackup::NotShown);
    let failing = Index {
        word: "Terminating".into(),
        ..index.clone()
    };
    let mut all = vec![
        of("index_failed", index_failed(&failing, INTERVALS.stalled())),
        of(
            "index_not_ready",
            index_not_ready(INDEX, "Initializing", INTERVALS),
        ),
        of("index_deleted", index_deleted(INDEX)),
        of("index_replaced", index_replaced(INDEX)),
        of("not_protected", not_protected(&index, &wanted(true))),
    ];
    for id in [Some(JOB), None] {
        let submitted = submitted(id);
        all.extend([
            of("origin_doubtful", origin_doubtful(&index, &submitted)),
            of(
                "not_visible",
                not_visible(&index, &submitted, BACKUP, INTERVALS),
            ),
            of("restored", restored(INDEX, &submitted)),
            of("adopted", adopted(&index, &submitted, &wanted(false))),
            of("adopted", adopted(&index, &submitted, &wanted(true))),
        ]);
    }
    all
}
