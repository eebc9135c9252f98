//! What must be true at the end of a cell: the rules of the judge, and what its story is to come to.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context as _, Result, ensure};
use index_restore_operator::api::{IndexRestore, SubmissionOutcome};
use index_restore_operator::runtime::failpoint::{Side, Site};
use jiff::Timestamp;
use pinecone_emulator::{DEFAULT_PROJECT, Route};
use testkit::scene::{BACKUP, Scene, status};

use crate::audit::Audit;
use crate::cell::{Cell, NAME, Recovery};
use crate::story::End;

pub async fn judge(cell: Cell, end: End, scene: &Scene, audit: &Audit) -> Result<()> {
    let versions = scene.history().versions(NAME);
    let last = versions.last().context("there are versions")?;
    requests(cell, end, scene)?;
    recorded(end, scene, last)?;
    let mut trial = scene.trial().await?;
    trial.stored = claims(&versions, &audit.status_writes()?)?;
    let violations = trial.judge();
    let texts: Vec<_> = violations.iter().map(ToString::to_string).collect();
    ensure!(texts.is_empty(), "{}", texts.join("\n"));
    Ok(())
}

/// One create at most had an effect, and nothing was sent once it had.
fn requests(cell: Cell, end: End, scene: &Scene) -> Result<()> {
    let creates = scene.accepted(NAME);
    ensure!(creates.len() == end.creates(), "accepted: {creates:#?}");
    let mut posts = scene.pinecone.requests();
    posts.retain(|request| request.route == Route::CreateIndexFromBackup);
    let answers: Vec<_> = posts.iter().map(|p| (p.status, p.effect)).collect();
    let late = match posts.iter().position(|post| post.effect) {
        Some(first) => &posts[first + 1..],
        None => &[],
    };
    // A process that was frozen between its last look at the clock and the request
    // sends it when it thaws. The name is taken then.
    let may_send_late =
        cell.recovery == Recovery::Thaw && cell.point.is(Site::CREATE_POST, Side::Before);
    ensure!(
        late.len() <= usize::from(may_send_late),
        "sent again: {answers:?}"
    );
    let are_refused = late.iter().all(|post| post.status == Some(409));
    ensure!(are_refused, "{answers:?}");
    for post in &posts {
        let name = post.body.as_ref().map(|body| body["name"].clone());
        ensure!(name == Some(NAME.into()) && post.path.contains(BACKUP));
    }
    Ok(())
}

/// When each claim was asked for, by the API server's audit log: each write of the status made a
/// version.
fn claims(versions: &[IndexRestore], writes: &[Timestamp]) -> Result<HashMap<String, Timestamp>> {
    let mut nonces = BTreeSet::new();
    let written = versions
        .windows(2)
        .filter(|pair| pair[0].status != pair[1].status);
    let opened = written.enumerate().filter_map(|(place, pair)| {
        let submission = status(&pair[1]).submission?;
        let is_claim = submission.outcome == SubmissionOutcome::Open;
        (is_claim && nonces.insert(submission.nonce.clone())).then_some((place, submission.nonce))
    });
    opened
        .map(|(place, nonce)| {
            let time = writes.get(place).context("a claim is in no audit log")?;
            Ok((nonce, *time))
        })
        .collect()
}

/// The status has the IDs and the host of what was made.
fn recorded(end: End, scene: &Scene, object: &IndexRestore) -> Result<()> {
    let status = status(object);
    let jobs = scene.pinecone.restore_jobs(DEFAULT_PROJECT);
    let indexes = scene.pinecone.indexes(DEFAULT_PROJECT);
    ensure!(indexes.len() == 1, "{indexes:#?}");
    match end {
        End::Restored | End::Adopted => {
            let job = jobs.first().context("there is a job")?;
            ensure!(status.restore_job_id.as_ref() == Some(&job.id));
            ensure!(status.index_id.as_ref() == Some(&indexes[0].id));
            ensure!(status.index_host.as_ref() == Some(&indexes[0].host));
        }
        End::IndexAlreadyExists | End::SubmissionUnconfirmed => {
            ensure!(status.restore_job_id.is_none() && status.index_id.is_none());
        }
    }
    if let Some(create) = scene.accepted(NAME).first() {
        ensure!(status.restore_job_id.as_ref() == Some(&create.restore_job_id));
        ensure!(status.index_id.as_ref() == Some(&create.index_id));
    }
    Ok(())
}
