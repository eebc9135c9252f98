//! The list of restore jobs, which lags, loses and repeats rows, and goes on or round for
//! ever. Each of its faults meets a restore that was made, one that never arrived, and one
//! whose name an earlier restore of the same backup has.

use std::time::Duration;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use pinecone_emulator::{FaultKind, IndexSeed, JobSeed, Route};
use testkit::scene::{shows_source, status};

use crate::cell::{Cell, Outcome, Posts};
use crate::kinds::{Class, Kind, Read};
use crate::matrix::{CONFIRM, run, stage};

const LIST: Route = Route::ListRestoreJobs;
const CREATE: Route = Route::CreateIndexFromBackup;

/// A fault of the list, and how many jobs are in front of the one that is wanted;
/// `many` is a row that takes many pages. The indexes of those in front exist, but for
/// `deleted`: Pinecone leaves their jobs out of a page, and the page that gets shorter by
/// it is the last.
fn rows(many: &'static str) -> Vec<(String, Kind)> {
    let nothing = || FaultKind::ListDrop(Some(Vec::new()));
    [
        ("lag-3", FaultKind::ListLag(Duration::from_secs(3))),
        ("dropped-3", FaultKind::ListDrop(None)),
        ("repeated-150", FaultKind::ListRepeat),
        ("stuck-250", FaultKind::ListStuckToken),
        ("cut-150", FaultKind::ListEndsEarly),
        ("undated-150", FaultKind::NullCreatedAt),
        ("plain-0", nothing()),
        ("plain-100", nothing()),
        ("plain-101", nothing()),
        ("deleted-100", nothing()),
        (many, nothing()),
    ]
    .into_iter()
    .map(|(name, fault)| {
        let kind = Kind {
            name,
            fault,
            post: Class::Unknown,
            read: Read::NotThere,
        };
        (name.to_owned(), kind)
    })
    .collect()
}

impl Cell<'_> {
    /// Other restores of the project, newer than what is there now.
    fn add_others(&self, kind: &Kind) -> Result<()> {
        let count: usize = kind.name.rsplit('-').next().unwrap().parse()?;
        let pinecone = &self.scene.pinecone;
        for number in 0..count {
            let name = format!("another-{number}");
            if !kind.name.starts_with("deleted") {
                pinecone.add_index(&self.name, IndexSeed::new(&name))?;
            }
            let job = JobSeed::new("another", name).created_at(Timestamp::now());
            pinecone.add_restore_job(&self.name, job)?;
        }
        Ok(())
    }

    /// Ends what is wrong with the list.
    fn outcome(&self, fault: u64) -> Outcome {
        let cleared = self.clear(fault);
        let pinecone = &self.scene.pinecone;
        let jobs = pinecone.restore_jobs(&self.name).into_iter();
        for job in jobs.filter(|job| job.backup_id == "another") {
            pinecone.forget_restore_job(&job.id);
        }
        Outcome {
            end: "Restored",
            cleared,
            posts: Posts::Exactly(1),
            accepted: 1,
            jobless: false,
            words: None,
        }
    }

    /// The list cannot be read before the fault is in place.
    fn hold_list(&self) -> u64 {
        self.inject(LIST, &FaultKind::status(500))
    }
}

/// Whether a list that comes to its end lacks the job for good.
fn lacks(kind: &Kind) -> bool {
    let ends = matches!(
        kind.fault,
        FaultKind::ListDrop(None) | FaultKind::ListEndsEarly
    );
    ends || kind.name.starts_with("deleted")
}

/// Accepted, and the answer lost: found wherever it is in the list, never sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_is_found_in_every_list() {
    run(
        stage().await,
        "made",
        rows("plain-4950"),
        async |cell, kind| {
            let held = cell.hold_list();
            let lost = cell.fault(CREATE, &FaultKind::LoseAnswer).times(1);
            cell.scene.pinecone.inject(lost);
            cell.apply().await?;
            cell.until("ConfirmingSubmission").await?;
            cell.add_others(kind)?;
            let fault = cell.inject(LIST, &kind.fault);
            cell.clear(held);
            let jobless = lacks(kind) && shows_source();
            if jobless {
                // The name was free before the claim, and the index names its backup.
                cell.until("Restored").await?;
            } else if lacks(kind) || kind.fault == FaultKind::ListStuckToken {
                // Longer than it takes to believe an absence.
                cell.for_a_while(CONFIRM + Duration::from_secs(3)).await;
                let reports = cell.reports();
                let is_confirming = reports.reason() == "ConfirmingSubmission";
                ensure!(is_confirming, "{:?}", reports.all);
            } else {
                cell.until("Restored").await?;
            }
            ensure!(cell.posts() == 1, "sent again");
            // A list that lags longer than it is given is too late for an index that names its backup.
            let is_late = shows_source() && matches!(kind.fault, FaultKind::ListLag(_));
            let object = cell.reports().object;
            let is_unrecorded =
                object.is_some_and(|object| status(&object).restore_job_id.is_none());
            Ok(Outcome {
                jobless: jobless || (is_late && is_unrecorded),
                ..cell.outcome(fault)
            })
        },
    )
    .await;
}

/// Never arrived: sent again, but not on a list that has no end.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_in_no_list_is_sent_again() {
    run(
        stage().await,
        "never",
        rows("plain-350"),
        async |cell, kind| {
            cell.add_others(kind)?;
            let fault = cell.inject(LIST, &kind.fault);
            let lost = cell.fault(CREATE, &FaultKind::DropBefore).times(1);
            cell.scene.pinecone.inject(lost);
            cell.apply().await?;
            cell.until("ConfirmingSubmission").await?;
            if kind.fault == FaultKind::ListStuckToken {
                cell.for_a_while(CONFIRM + Duration::from_secs(3)).await;
                ensure!(cell.posts() == 1, "sent again on a list without an end");
            } else {
                cell.until("Restored").await?;
            }
            let posts = Posts::Repeated;
            Ok(Outcome {
                posts,
                ..cell.outcome(fault)
            })
        },
    )
    .await;
}

/// Restored before from this backup: adopted wherever its job is in the list, or the index
/// names the backup.
#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_restore_is_found_in_every_list() {
    run(
        stage().await,
        "earlier",
        rows("plain-350"),
        async |cell, kind| {
            cell.add_earlier_restore()?;
            cell.add_others(kind)?;
            let fault = cell.inject(LIST, &kind.fault);
            cell.apply().await?;
            let reason = match kind.fault {
                // Without an end, it proves nothing.
                FaultKind::ListStuckToken => "Pending",
                // Nothing shows where the index came from, for as long as that lasts.
                _ if lacks(kind) && !shows_source() => "IndexAlreadyExists",
                _ => "Adopted",
            };
            cell.until(reason).await?;
            if reason != "Adopted" {
                cell.until_met(fault, 9).await?;
            }
            let reports = cell.reports();
            ensure!(reports.reason() == reason, "{:?}", reports.all);
            Ok(Outcome {
                end: "Adopted",
                posts: Posts::Exactly(0),
                accepted: 0,
                ..cell.outcome(fault)
            })
        },
    )
    .await;
}
