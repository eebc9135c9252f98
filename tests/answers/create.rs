//! The column of the create request. Where it is not known whether it took effect, both
//! are tried.

use std::time::Duration;

use anyhow::{Result, ensure};
use kube::api::{Patch, PatchParams};
use pinecone_emulator::Route;
use serde_json::json;

use crate::cell::{Cell, Outcome, Posts};
use crate::kinds::{Class, Kind, kinds, kinds_of_create};
use crate::matrix::{run, stage};
use crate::record::Reports;

const CREATE: Route = Route::CreateIndexFromBackup;

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_the_create_request() {
    let mut rows = Vec::new();
    for kind in kinds().into_iter().chain(kinds_of_create()) {
        let is_open = matches!(kind.post, Class::Taken | Class::Unknown);
        if let Some(fault) = kind.after_effect().filter(|_| is_open) {
            let kind = Kind {
                fault,
                ..kind.clone()
            };
            rows.push((format!("{}-acted", kind.name), kind));
        }
        rows.push((kind.name.to_owned(), kind));
    }
    run(stage().await, "post", rows, async |cell, kind| {
        let fault = cell.fault(CREATE, &kind.fault);
        let is_once = matches!(kind.post, Class::Taken | Class::Unknown);
        let fault = if is_once { fault.times(1) } else { fault };
        // Before the object exists: the operator may be faster than this test.
        let fault = cell.scene.pinecone.inject(fault);
        cell.apply().await?;
        let words = kind.status().map(|status| format!("HTTP {status}"));
        let outcome = match kind.post {
            Class::NoEffect(reason) => refused(cell, fault, reason).await?,
            Class::Rejected => rejected(cell, fault).await?,
            Class::Taken | Class::Unknown => unknown(cell, kind).await?,
        };
        Ok(Outcome { words, ..outcome })
    })
    .await;
}

fn restored(cleared: usize, posts: Posts) -> Outcome {
    Outcome {
        end: "Restored",
        cleared,
        posts,
        accepted: 1,
        jobless: false,
        words: None,
    }
}

/// The refusal is reported, the request is repeated with backoff, and it succeeds once the cause is gone.
async fn refused(cell: &Cell<'_>, fault: u64, reason: &str) -> Result<Outcome> {
    cell.until(reason).await?;
    cell.until_met(fault, 3).await?;
    Ok(restored(cell.clear(fault), Posts::Refused(4)))
}

/// It is not sent again until somebody edits the spec.
async fn rejected(cell: &Cell<'_>, fault: u64) -> Result<Outcome> {
    cell.until("InvalidRequest").await?;
    cell.for_a_while(Duration::from_secs(4)).await;
    let cleared = cell.clear(fault);
    ensure!(cell.posts() == 1, "sent again without an edit");
    let edit = Patch::Merge(json!({"spec": {"tags": {"team": "search"}}}));
    let params = PatchParams::default();
    let edited = cell.scene.restores.patch(&cell.name, &params, &edit).await;
    edited?;
    Ok(restored(cleared, Posts::Exactly(2)))
}

/// Its outcome is read, found where it took effect, and sent again only once it is certain
/// that it did not.
async fn unknown(cell: &Cell<'_>, kind: &Kind) -> Result<Outcome> {
    let wanted = "ConfirmingSubmission";
    let is_reported = |reports: &Reports| reports.all.iter().any(|(reason, _)| reason == wanted);
    let reports = Reports::until(cell.scene, &cell.name, wanted, is_reported).await?;
    let acted = kind.is_after_effect() || kind.after_effect() == Some(kind.fault.clone());
    let posts = match acted {
        true => Posts::Exactly(1),
        false => Posts::Repeated,
    };
    Ok(restored(reports.all.len(), posts))
}
