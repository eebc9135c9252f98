//! The columns of the reads, each at the stage that makes it.

use std::time::Duration;

use anyhow::{Result, ensure};
use pinecone_emulator::{FaultKind, JobOutcome, Route};
use testkit::judge::records::DELETED;
use testkit::judge::rules::ENDS_STAY;
use testkit::scene::status;

use crate::cell::{Cell, Outcome, Posts};
use crate::kinds::{Kind, Read, kinds};
use crate::matrix::{CONFIRM, run, stage};

fn rows() -> Vec<(String, Kind)> {
    let named = kinds().into_iter();
    named.map(|kind| (kind.name.to_owned(), kind)).collect()
}

fn outcome(cell: &Cell<'_>, kind: &Kind, fault: u64) -> Outcome {
    Outcome {
        end: "Restored",
        cleared: cell.clear(fault),
        posts: Posts::Exactly(1),
        accepted: 1,
        jobless: false,
        words: kind.status().map(|status| format!("HTTP {status}")),
    }
}

/// Before anything is sent: the failure is reported, nothing is sent, and the restore continues afterwards.
async fn before_the_create(cell: &Cell<'_>, kind: &Kind, route: Route) -> Result<Outcome> {
    let fault = cell.inject(route, &kind.fault);
    cell.apply().await?;
    let reason = match (kind.read, route) {
        (Read::Failure(reason), _) => reason,
        (Read::NotThere, Route::DescribeBackup) => "BackupNotFound",
        // The name seems free, and is; afterwards the index seems to be gone.
        (Read::NotThere, _) => "IndexDeleted",
    };
    cell.until(reason).await?;
    cell.until_met(fault, 3).await?;
    let was_sent = reason == "IndexDeleted";
    ensure!(cell.posts() == usize::from(was_sent), "sent all the same");
    let outcome = outcome(cell, kind, fault);
    let words = outcome.words.filter(|_| !was_sent);
    Ok(Outcome { words, ..outcome })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_the_read_of_the_index() {
    let scene = stage().await;
    // Pinecone answers that the restored index does not exist, and then that it does.
    scene.waive("index-404", DELETED);
    scene.waive("index-404", ENDS_STAY);
    run(scene, "index", rows(), async |cell, kind| {
        before_the_create(cell, kind, Route::DescribeIndex).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_the_read_of_the_backup() {
    run(stage().await, "backup", rows(), async |cell, kind| {
        before_the_create(cell, kind, Route::DescribeBackup).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_the_read_of_the_job() {
    let scene = stage().await;
    scene.pinecone.set_restore_duration(None);
    run(scene, "job", rows(), async |cell, kind| {
        cell.apply().await?;
        let reports = cell.until("Restoring").await?;
        let job = status(&reports.object.unwrap()).restore_job_id.unwrap();
        let fault = cell.inject(Route::DescribeRestoreJob, &kind.fault);
        let (reason, words) = match kind.read {
            Read::Failure(reason) => (reason, None),
            Read::NotThere => ("Restoring", Some("does not show".to_owned())),
        };
        cell.until(reason).await?;
        cell.until_met(fault, 4).await?;
        let outcome = outcome(cell, kind, fault);
        cell.scene
            .pinecone
            .finish_job(&job, JobOutcome::Completed)?;
        let words = words.or(outcome.words);
        Ok(Outcome { words, ..outcome })
    })
    .await;
}

/// The request never arrived. As long as the list cannot be read, that is not known, and
/// it is not sent again however long that lasts.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_the_list_of_jobs_while_a_submission_is_open() {
    let scene = stage().await;
    run(scene, "list", rows(), async |cell, kind| {
        let fault = cell.inject(Route::ListRestoreJobs, &kind.fault);
        let create = Route::CreateIndexFromBackup;
        let lost = cell.fault(create, &FaultKind::DropBefore).times(1);
        cell.scene.pinecone.inject(lost);
        cell.apply().await?;
        cell.until("ConfirmingSubmission").await?;
        cell.for_a_while(CONFIRM + Duration::from_secs(3)).await;
        cell.until_met(fault, 3).await?;
        ensure!(cell.posts() == 1, "sent again on an unreadable list");
        let outcome = outcome(cell, kind, fault);
        let posts = Posts::Repeated;
        Ok(Outcome { posts, ..outcome })
    })
    .await;
}

/// The name is taken, by an index that an earlier restore of the same backup made.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_the_list_of_jobs_where_the_name_is_taken() {
    let scene = stage().await;
    run(scene, "origin", rows(), async |cell, kind| {
        cell.add_earlier_restore()?;
        let fault = cell.inject(Route::ListRestoreJobs, &kind.fault);
        cell.apply().await?;
        let reason = match kind.read {
            Read::Failure(reason) => reason,
            // A list cannot be missing.
            Read::NotThere => "ApiUnavailable",
        };
        cell.until(reason).await?;
        cell.until_met(fault, 3).await?;
        Ok(Outcome {
            end: "Adopted",
            posts: Posts::Exactly(0),
            accepted: 0,
            ..outcome(cell, kind, fault)
        })
    })
    .await;
}

/// The slow check of a restored index: a failed read changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_the_list_of_indexes() {
    let scene = stage().await;
    run(scene, "present", rows(), async |cell, kind| {
        cell.apply().await?;
        cell.until("Restored").await?;
        let fault = cell.inject(Route::ListIndexes, &kind.fault);
        cell.until_met(fault, 2).await?;
        let reports = cell.reports();
        ensure!(reports.reason() == "Restored", "{:?}", reports.all);
        Ok(Outcome {
            words: None,
            ..outcome(cell, kind, fault)
        })
    })
    .await;
}
