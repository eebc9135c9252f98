//! Every row of the decision, then what must hold for all of them.

mod adopted;
mod answer;
mod arms;
mod claimed;
mod finished;
mod followed;
mod gaps;
mod observations;
mod origins;
mod pauses;
mod posted;
mod properties;
mod reports;
mod rivals;
mod unclaimed;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::{IndexRestore, Reason};
use crate::pinecone::{
    Backup, BackupState, Failure, FailureKind, Index, IndexHealth, JobState, Lookup, RestoreJob,
    SourceBackup,
};
use crate::restore::jobs::RestoreJobs;
use crate::restore::observation::{Check, Preflight, Search};
use crate::restore::{Decision, Evidence, Intervals, Patience, Rules, Situation, Step, decide};
use crate::runtime::clock::{BootTime, Now};
use answer::{Answer, question};

const START: i64 = 1_800_000_000;

const RULES: Rules = Rules {
    intervals: Intervals {
        poll_min: Duration::from_secs(2),
        poll_max: Duration::from_secs(60),
    },
    patience: Patience {
        confirm: Duration::from_secs(180),
        catch_up: Duration::from_secs(60),
        give_up: Duration::from_secs(3_600),
        job_outage: Duration::from_secs(300),
        max_gap: Duration::from_secs(600),
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
    Index {
        name: "index".into(),
        host: Some("index.host".into()),
        health: IndexHealth::parse(state, ready),
        word: state.into(),
        source: SourceBackup::NotShown,
        tags: [].into(),
        is_protected: false,
    }
}

fn job(id: &str, created: i64, status: &str) -> RestoreJob {
    RestoreJob {
        restore_job_id: id.into(),
        backup_id: "b".into(),
        target_index_name: "index".into(),
        target_index_id: "i".into(),
        state: JobState::parse(status),
        word: status.into(),
        created_at: Some(time(created)),
        completed_at: None,
        percent_complete: None,
    }
}

fn backup(status: &str) -> Option<Result<Backup, Failure>> {
    Some(Ok(Backup {
        backup_id: "b".into(),
        state: BackupState::parse(status),
        word: status.into(),
    }))
}

fn failure(kind: FailureKind) -> Failure {
    Failure::without_answer(kind, "words")
}

fn restore_jobs(
    jobs: &[RestoreJob],
    confirmed: Option<&RestoreJob>,
) -> Result<RestoreJobs, Failure> {
    Ok(RestoreJobs {
        listed: jobs.to_vec(),
        is_complete: true,
        confirmed: confirmed.cloned(),
        ..RestoreJobs::default()
    })
}

/// The answer as of that moment.
fn ended(answer: &Answer, at: Now) -> Answer {
    match answer {
        Answer::FindOurs(search) => Answer::FindOurs(Search {
            ended: at.wall,
            ..search.clone()
        }),
        other => other.clone(),
    }
}

/// A restored index, the job of which is shown.
fn still(index: Lookup<Index>) -> Answer {
    Answer::StillThere(Check {
        job: Some(Ok(Some(()))),
        ..Check::from(index)
    })
}

fn learn(evidence: &mut Evidence, situation: &Situation, answer: &Answer, at: Now) {
    let during = at.boot..at.boot;
    let observation = ended(answer, at).to(situation, evidence);
    evidence.learn(situation, &observation, during, RULES.patience);
}

/// Observes `times` times, `every` seconds apart, and decides after each.
fn decision_after(object: &IndexRestore, answer: &Answer, times: u32, every: i64) -> Decision {
    let situation = Situation::of(object);
    let mut evidence = Evidence::default();
    let mut decision = None;
    for round in 0..times {
        let now = now(i64::from(round) * every);
        learn(&mut evidence, &situation, answer, now);
        let observation = ended(answer, now).to(&situation, &evidence);
        decision = Some(decide(&situation, &evidence, &observation, &RULES, now));
    }
    decision.unwrap()
}

fn reason(decision: &Decision) -> Option<Reason> {
    match &decision.step {
        Step::Report(report) => Some(report.message.reason),
        _ => None,
    }
}

fn preflight(index: Option<Index>, backup: Option<Result<Backup, Failure>>) -> Preflight {
    Preflight {
        index: Ok(index),
        jobs: None,
        backup,
        date: Some(time(0)),
    }
}
