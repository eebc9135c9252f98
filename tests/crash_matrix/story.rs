//! What happens to the restore beside the crash, and how it has to end.

use std::time::Duration;

use anyhow::Result;
use index_restore_operator::runtime::failpoint::{Side, Site};
use jiff::{SignedDuration, Timestamp};
use kube::api::{Patch, PatchParams};
use pinecone_emulator::{
    DEFAULT_PROJECT, Fault, FaultKind, IndexSeed, JobOutcome, JobSeed, Route, StatusAnswer,
};
use serde_json::json;
use testkit::scene::{BACKUP, Scene};

use crate::cell::{NAME, Point, Recovery};
use crate::suspect::Suspect;

/// A leader that is to be followed soon, and one that stays, however busy the
/// machine: the others wait for the lease itself.
pub const SHORT_LEASE: [&str; 2] = [
    "--leader-elect-lease-duration=6s",
    "--leader-elect-renew-deadline=5s",
];
pub const LONG_LEASE: [&str; 2] = [
    "--leader-elect-lease-duration=60s",
    "--leader-elect-renew-deadline=50s",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// Pinecone answers 202.
    Accepted,
    /// The same, and the job ends once its first look is in the status.
    Followed,
    /// Pinecone acts, and its 202 is lost.
    AnswerLost,
    /// Pinecone acts and answers 409, as to a request that was repeated on its way.
    ConflictWithItself,
    /// Another backup's index takes the name while the backup is read: 409.
    NameTaken,
    /// Pinecone acts and answers 500.
    FailedExecuted,
    /// Pinecone answers 500 and does nothing.
    FailedNotExecuted,
    /// Pinecone refuses with 429.
    Refused,
    /// The index was restored from this backup long ago.
    MadeBefore,
    /// Somebody changes the object before it is claimed.
    ChangedBeforeClaim,
    /// Somebody changes the object before the answer is recorded.
    ChangedBeforeRecord,
    /// The operator gets SIGTERM while its request is open.
    HandedOver,
}

/// How a restore ends: a reason of Ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Restored,
    Adopted,
    IndexAlreadyExists,
    SubmissionUnconfirmed,
}

impl End {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Restored => "Restored",
            Self::Adopted => "Adopted",
            Self::IndexAlreadyExists => "IndexAlreadyExists",
            Self::SubmissionUnconfirmed => "SubmissionUnconfirmed",
        }
    }

    /// What a slow look at such a restore asks first.
    pub fn asks(self) -> Route {
        match self {
            Self::Restored | Self::Adopted => Route::ListIndexes,
            Self::IndexAlreadyExists | Self::SubmissionUnconfirmed => Route::DescribeIndex,
        }
    }

    /// How many creates Pinecone accepted.
    pub fn creates(self) -> usize {
        match self {
            Self::Restored => 1,
            Self::Adopted | Self::IndexAlreadyExists | Self::SubmissionUnconfirmed => 0,
        }
    }
}

impl Story {
    /// Of all operators.
    pub fn flags(self) -> Vec<&'static str> {
        let mut flags = vec![
            "--log-level=info",
            "--request-timeout=2s",
            "--confirm-patience=7500ms",
            "--poll-max=150ms",
            "--leader-elect-retry-period=500ms",
        ];
        if self == Self::NameTaken {
            flags.push("--give-up-patience=3s");
        }
        flags
    }

    /// What is there, and what will go wrong, before the object is made.
    pub fn begin(self, scene: &Scene) {
        scene.pinecone.set_restore_duration(None);
        let after = |status| FaultKind::Status(StatusAnswer::new(status).after_effect());
        let kind = match self {
            Self::AnswerLost => FaultKind::LoseAnswer,
            Self::ConflictWithItself => after(409),
            Self::FailedExecuted => after(500),
            Self::FailedNotExecuted => FaultKind::status(500),
            Self::Refused => FaultKind::status(429),
            Self::MadeBefore => {
                let long_ago = scene.pinecone.now() - SignedDuration::from_hours(1);
                plant(scene, BACKUP, long_ago);
                return;
            }
            _ => return,
        };
        let fault = Fault::new(Route::CreateIndexFromBackup, kind).times(1);
        scene.pinecone.inject(fault);
    }

    /// Where the operator is held while something happens.
    pub fn interruption(self) -> Option<Point> {
        let (site, side) = match self {
            Self::Followed => (Site::REPORT_PUT, Side::After),
            Self::NameTaken | Self::ChangedBeforeClaim => (Site::BACKUP_GET, Side::After),
            Self::ChangedBeforeRecord | Self::HandedOver => (Site::CREATE_POST, Side::After),
            _ => return None,
        };
        Some(Point { site, side, nth: 1 })
    }

    /// What happens meanwhile.
    pub async fn interrupt(self, scene: &Scene, held: &mut Suspect) -> Result<()> {
        match self {
            Self::Followed => finish_jobs(scene),
            Self::NameTaken => {
                let now = scene.pinecone.now();
                plant(scene, "another", now);
            }
            Self::ChangedBeforeClaim | Self::ChangedBeforeRecord => {
                let touch = json!({"metadata": {"labels": {"touched": "yes"}}});
                let (params, patch) = (PatchParams::default(), Patch::Merge(touch));
                scene.restores.patch(NAME, &params, &patch).await?;
            }
            Self::HandedOver => held.terminate()?,
            _ => {}
        }
        Ok(())
    }

    /// The end that a successor reaches that knows nothing of a frozen process.
    pub fn end(self, point: Point) -> End {
        match self {
            Self::MadeBefore => End::Adopted,
            // The 409 is known to the one that was killed or frozen, if to anyone.
            Self::NameTaken if !point.is_recorded() => End::SubmissionUnconfirmed,
            Self::NameTaken => End::IndexAlreadyExists,
            _ => End::Restored,
        }
    }

    /// The end once both processes have recorded what they know.
    pub fn final_end(self, point: Point, recovery: Recovery) -> End {
        match (self, recovery) {
            (Self::NameTaken, Recovery::Thaw) => End::IndexAlreadyExists,
            _ => self.end(point),
        }
    }
}

/// From now on restores end by themselves, and those that run end now.
pub fn let_restores_end(scene: &Scene) {
    scene
        .pinecone
        .set_restore_duration(Duration::from_millis(200));
    finish_jobs(scene);
}

fn finish_jobs(scene: &Scene) {
    for create in scene.accepted(NAME) {
        // One that has ended already is as it should be.
        let _ = scene
            .pinecone
            .finish_job(&create.restore_job_id, JobOutcome::Completed);
    }
}

/// An index of that name, restored from that backup by somebody else.
fn plant(scene: &Scene, backup_id: &str, created: Timestamp) {
    let index = IndexSeed::new(NAME).restored_from(backup_id);
    scene.pinecone.add_index(DEFAULT_PROJECT, index).unwrap();
    let job = JobSeed::new(backup_id, NAME).created_at(created);
    scene
        .pinecone
        .add_restore_job(DEFAULT_PROJECT, job)
        .unwrap();
}
