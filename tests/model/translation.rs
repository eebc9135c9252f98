//! Conversion between the model's compact values and the product's own types.

use index_restore_operator::api::{
    AdoptionPolicy, ApiKeySecretRef, DeletionProtection, IndexRestore, IndexRestoreSpec,
    IndexRestoreStatus, REQUESTED_AT, RestoreStatus, Submission as RealSubmission,
};
use index_restore_operator::api::{Reason, StatusMessage};
use index_restore_operator::pinecone::{
    Backup as RealBackup, BackupState, Failure, FailureKind, Index as RealIndex, IndexHealth,
    JobState, RestoreJob, SourceBackup,
};
use index_restore_operator::restore::jobs::RestoreJobs;
use index_restore_operator::restore::{Rivals, Situation};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time as KubeTime;

use crate::evidence::ticks;
use crate::product::TICK;
use crate::world::{
    Backup, Index, Listing, Object, Progress, Project, Rival, Row, Submission, Time,
};

const EPOCH: i64 = 1_000_000_000;
/// The interval between two points in time, longer than the margin of the clocks.
const STEP: i64 = 10_000;
pub const NAME: &str = "index";

pub fn timestamp(time: Time) -> Timestamp {
    Timestamp::from_second(EPOCH + i64::from(time) * STEP).unwrap()
}

pub fn time(at: Timestamp) -> Time {
    Time::try_from((at.as_second() - EPOCH) / STEP).unwrap()
}

/// The number in an ID such as `j3` or `u3`.
pub fn text(kind: char, number: u8) -> String {
    format!("{kind}{number}")
}

pub fn number(text: &str) -> u8 {
    text[1..].parse().unwrap()
}

pub fn nonce(number: u8) -> String {
    text('n', number)
}

pub fn backup_id(backup: Backup) -> &'static str {
    match backup {
        Backup::A => "a",
        Backup::B => "b",
    }
}

pub fn backup(id: &str) -> Backup {
    match id {
        "a" => Backup::A,
        "b" => Backup::B,
        other => panic!("no such backup: {other}"),
    }
}

fn state_word(state: Progress) -> String {
    format!("{state:?}")
}

pub fn progress(word: &str) -> Progress {
    match JobState::parse(word) {
        JobState::Pending => Progress::Pending,
        JobState::Completed => Progress::Completed,
        JobState::Failed | JobState::Cancelled => Progress::Failed,
    }
}

impl Object {
    /// The resource for the product's functions.
    pub fn expanded(&self, adoption: AdoptionPolicy, now: Timestamp) -> IndexRestore {
        let spec = IndexRestoreSpec {
            backup_id: backup_id(self.backup).into(),
            index_name: NAME.into(),
            tags: None,
            deletion_protection: DeletionProtection::Disabled,
            api_key_secret_ref: ApiKeySecretRef {
                name: "pinecone".into(),
                key: "api-key".into(),
            },
            adoption_policy: adoption,
        };
        let mut object = IndexRestore::new("restore", spec);
        object.metadata.uid = Some(text('u', self.uid));
        object.metadata.generation = Some(1);
        if self.request != 0 {
            let request = (REQUESTED_AT.to_owned(), text('t', self.request));
            object.metadata.annotations = Some([request].into());
        }
        object.status = Some(self.expanded_status(now));
        object
    }

    fn expanded_status(&self, now: Timestamp) -> IndexRestoreStatus {
        let shown = self.shown.map(|reason| {
            let message = StatusMessage::new(reason, "");
            message.conditions(self.host.is_some(), 1, &[], timestamp(0))
        });
        IndexRestoreStatus {
            observed_generation: Some(if self.observed { 1 } else { -1 }),
            submission: self
                .submission
                .as_ref()
                .map(|own| expanded_submission(own, now)),
            restore_job_id: self.job.map(|job| text('j', job)),
            index_id: self.job.map(|job| text('i', job)),
            index_host: self.host.map(|project| host(project).into()),
            restore: self.state.map(expanded_state),
            last_confirmed_time: self.host.map(|_| KubeTime(timestamp(0))),
            unconfirmed_since: self.unconfirmed.then(|| KubeTime(timestamp(0))),
            last_handled_request: (self.handled != 0).then(|| text('t', self.handled)),
            conditions: shown.unwrap_or_default(),
        }
    }

    /// The model's object for the product's resource, as of the given time; ages are limited to `longest` ticks.
    pub fn with(&self, status: &IndexRestoreStatus, now: Timestamp, longest: u8) -> Self {
        let job = status.restore_job_id.as_deref().map(number);
        assert_eq!(job, status.index_id.as_deref().map(number));
        Self {
            uid: self.uid,
            backup: self.backup,
            request: self.request,
            handled: status.last_handled_request.as_deref().map_or(0, number),
            observed: status.observed_generation == Some(1),
            submission: status.submission.as_ref().map(|own| Submission {
                uid: number(&own.uid),
                attempt: u8::try_from(own.attempt).unwrap(),
                // An index that was adopted without a job has no nonce.
                nonce: own.nonce.get(1..).map_or(0, |_| number(&own.nonce)),
                start: time(own.start_time.0),
                unobserved: own
                    .last_observed_time
                    .as_ref()
                    .map_or(0, |until| ticks(until.0.min(now), now).min(longest)),
                index_seen: own.index_seen,
                backup: backup(&own.backup_id),
                outcome: own.outcome,
                reason: own.reason.as_deref().and_then(Reason::named),
            }),
            job,
            state: status
                .restore
                .as_ref()
                .map(|restore| restore.state.as_deref().map_or(Progress::Pending, progress)),
            host: status.index_host.as_deref().map(project),
            unconfirmed: status.unconfirmed_since.is_some(),
            shown: StatusMessage::shown(&status.conditions).map(|message| message.reason),
        }
    }
}

fn expanded_submission(own: &Submission, now: Timestamp) -> RealSubmission {
    let unobserved = TICK * u32::from(own.unobserved);
    RealSubmission {
        uid: text('u', own.uid),
        attempt: i32::from(own.attempt),
        nonce: nonce(own.nonce),
        start_time: KubeTime(timestamp(own.start)),
        last_observed_time: Some(KubeTime(now - unobserved)),
        index_seen: own.index_seen,
        generation: 1,
        backup_id: backup_id(own.backup).into(),
        index_name: NAME.into(),
        outcome: own.outcome,
        reason: own.reason.map(|reason| reason.as_str().to_owned()),
    }
}

impl Rival {
    /// The object at the given time, which determines the age of its claim.
    fn expanded(&self, now: Timestamp) -> IndexRestore {
        let mut object = Object::fresh(self.uid, Backup::A);
        object.job = self.job;
        object.submission = Some(Submission {
            uid: self.uid,
            attempt: 1,
            nonce: 0,
            start: 0,
            unobserved: 0,
            index_seen: false,
            backup: Backup::A,
            outcome: self.outcome,
            reason: None,
        });
        let mut rival = object.expanded(AdoptionPolicy::Never, now);
        let claim = rival.status.as_mut().and_then(|s| s.submission.as_mut());
        claim.unwrap().start_time = KubeTime(now - TICK * u32::from(self.age));
        rival
    }
}

pub fn expanded_state(state: Progress) -> RestoreStatus {
    RestoreStatus {
        state: Some(state_word(state)),
        ..RestoreStatus::default()
    }
}

impl Row {
    pub fn expanded(&self) -> RestoreJob {
        RestoreJob {
            restore_job_id: text('j', self.id),
            backup_id: backup_id(self.backup).into(),
            target_index_name: NAME.into(),
            target_index_id: text('i', self.id),
            state: JobState::parse(&state_word(self.state)),
            word: state_word(self.state),
            created_at: Some(timestamp(self.created)),
            completed_at: None,
            percent_complete: None,
        }
    }
}

impl Listing {
    /// Every row twice, because Pinecone repeats rows across pages.
    pub fn jobs(&self) -> Vec<RestoreJob> {
        let rows = || self.rows.iter().flatten().map(Row::expanded);
        rows().chain(rows()).collect()
    }

    /// The list in the product's type. Other objects are listed only if a job could be this one's own.
    pub fn expanded(&self, situation: &Situation, now: Timestamp) -> RestoreJobs {
        let mut rivals = Rivals::default();
        if let Some(rival) = self.rival.filter(|_| situation.since.is_some()) {
            rivals.add(situation, &rival.expanded(now));
        }
        let doubted = self.doubted.map(|id| Row {
            id,
            backup: Backup::A,
            created: 0,
            state: Progress::Completed,
        });
        let mut shown = RestoreJobs {
            listed: self.jobs(),
            is_complete: true,
            confirmed: None,
            doubted: doubted.as_ref().map(Row::expanded),
            rivals,
            ..RestoreJobs::default()
        };
        if let Some(job) = self.confirmed {
            shown.confirm(situation, job.expanded());
        }
        shown
    }
}

/// The host of an index, which depends on its name and project only.
pub fn host(project: Project) -> &'static str {
    match project {
        Project::Right => "index-right.svc.pinecone.io",
        Project::Other => "index-other.svc.pinecone.io",
    }
}

pub fn project(host: &str) -> Project {
    let projects = [Project::Right, Project::Other];
    let found = projects
        .into_iter()
        .find(|known| self::host(*known) == host);
    found.unwrap()
}

pub fn expanded_index(index: &Index, shows_source: bool) -> RealIndex {
    RealIndex {
        name: NAME.into(),
        host: Some(host(index.project).into()),
        health: match index.ready {
            true => IndexHealth::Ready,
            false => IndexHealth::NotReady,
        },
        word: String::new(),
        source: match index.job {
            _ if !shows_source => SourceBackup::NotShown,
            None => SourceBackup::None,
            Some((_, backup)) => SourceBackup::Id(backup_id(backup).into()),
        },
        tags: [].into(),
        is_protected: false,
    }
}

pub fn expanded_backup(backup: Backup) -> RealBackup {
    RealBackup {
        backup_id: backup_id(backup).into(),
        state: BackupState::Ready,
        word: "Ready".into(),
    }
}

pub fn failure(kind: FailureKind) -> Failure {
    Failure::without_answer(kind, "")
}
