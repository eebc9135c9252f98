//! What must be true of a cell, by Pinecone's journal and the object's history.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use index_restore_operator::api::{IndexRestore, Submission, SubmissionOutcome};
use index_restore_operator::runtime::failpoint::{Side, Site};
use jiff::Timestamp;
use pinecone_emulator::{DEFAULT_PROJECT, Request, Route};
use testkit::scene::{BACKUP, Scene, ready, status};

use crate::audit::Audit;
use crate::cell::{Cell, NAME, Recovery};
use crate::history::History;
use crate::story::End;

pub async fn judge(
    cell: Cell,
    end: End,
    scene: &Scene,
    history: &History,
    audit: &Audit,
) -> Result<()> {
    let versions = history.versions();
    let last = versions.last().context("there are versions")?;
    requests(cell, end, scene, &versions)?;
    claimed_first(scene, &versions, &audit.status_writes()?)?;
    recorded(end, scene, last)?;
    unchanging(&versions)?;
    events(scene, &versions).await
}

/// One create at most had an effect, and nothing was sent once it had.
fn requests(cell: Cell, end: End, scene: &Scene, versions: &[IndexRestore]) -> Result<()> {
    let creates = scene.accepted(NAME);
    ensure!(creates.len() == end.creates(), "accepted: {creates:#?}");
    let requests = scene.pinecone.requests();
    let (posts, others): (Vec<_>, Vec<_>) = requests
        .into_iter()
        .partition(|request| request.route == Route::CreateIndexFromBackup);
    let is_read = |request: &Request| request.method == "GET";
    ensure!(others.iter().all(is_read), "something was changed");
    let told = posts.iter().map(|p| (p.status, p.effect));
    let told = format!("{:?}", told.collect::<Vec<_>>());
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
        "sent again: {told}"
    );
    ensure!(late.iter().all(|post| post.status == Some(409)), "{told}");
    for post in &posts {
        let name = post.body.as_ref().map(|body| body["name"].clone());
        ensure!(name == Some(NAME.into()) && post.path.contains(BACKUP));
    }
    let claims = claims(versions).len();
    ensure!(posts.len() <= claims, "{told} under {claims} claims");
    Ok(())
}

/// By the API server's audit log: when a request came to Pinecone, as many claims had
/// been asked for that were written.
fn claimed_first(scene: &Scene, versions: &[IndexRestore], writes: &[Timestamp]) -> Result<()> {
    let requests = scene.pinecone.requests();
    let posts = requests
        .iter()
        .filter(|request| request.route == Route::CreateIndexFromBackup);
    for (post, claim) in posts.zip(claims(versions)) {
        let written = writes.get(claim).context("a claim is in no audit log")?;
        ensure!(*written <= post.time, "sent before the claim was written");
    }
    Ok(())
}

/// Which of the writes of the status made an open claim, for each nonce once.
fn claims(versions: &[IndexRestore]) -> Vec<usize> {
    let mut nonces = BTreeSet::new();
    let writes = versions
        .windows(2)
        .filter(|pair| pair[0].status != pair[1].status);
    let made = writes.enumerate().filter_map(|(place, pair)| {
        let submission = status(&pair[1]).submission?;
        let is_claim = submission.outcome == SubmissionOutcome::Open;
        (is_claim && nonces.insert(submission.nonce)).then_some(place)
    });
    made.collect()
}

/// The status tells the IDs and the host of what was made.
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

/// What is recorded stays, and so does the outcome that it belongs to.
fn unchanging(versions: &[IndexRestore]) -> Result<()> {
    for pair in versions.windows(2) {
        let (before, after) = (status(&pair[0]), status(&pair[1]));
        let stays =
            |before: Option<String>, after: Option<String>| before.is_none() || before == after;
        ensure!(stays(before.restore_job_id.clone(), after.restore_job_id));
        ensure!(stays(before.index_id, after.index_id));
        ensure!(stays(before.index_host, after.index_host));
        let is_known = before.restore_job_id.is_some();
        ensure!(!is_known || before.submission == after.submission);
        let attempt = |submission: &Option<Submission>| {
            submission
                .as_ref()
                .map_or(0, |submission| submission.attempt)
        };
        ensure!(attempt(&before.submission) <= attempt(&after.submission));
    }
    Ok(())
}

/// No more events of a reason than changes to it. One that a process was killed
/// before is lost.
async fn events(scene: &Scene, versions: &[IndexRestore]) -> Result<()> {
    let mut changes = BTreeMap::<String, i32>::new();
    for pair in versions.windows(2) {
        let (before, after) = (ready(&pair[0]).1, ready(&pair[1]).1);
        if before != after {
            *changes.entry(after).or_default() += 1;
        }
    }
    let mut told = BTreeMap::<String, i32>::new();
    for event in scene.events().await {
        let count = event.series.map_or(1, |series| series.count);
        *told.entry(event.reason.unwrap_or_default()).or_default() += count;
    }
    for (reason, count) in &told {
        let changed = changes.get(reason).copied().unwrap_or(0);
        ensure!(*count <= changed, "{count} events {reason}: {changes:?}");
    }
    Ok(())
}
