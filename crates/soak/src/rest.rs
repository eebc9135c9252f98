//! The end: everything settles and reports the actual state, and then nothing more is written or requested.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use pinecone_emulator::{Request, Route};
use serde_json::Value;
use testkit::{ControlPlane, judge};
use tokio::time::Instant;

use crate::life::World;
use crate::people::PROJECTS;

/// For the last restores to settle: patience doubles with each attempt that left no trace.
const SETTLED: Duration = Duration::from_secs(300);
/// How long the rest is watched.
const REST: Duration = Duration::from_secs(60);

/// What was found at rest.
pub struct Rest {
    pub ready: usize,
    pub lists: usize,
}

/// Waits until all restores report the actual state.
pub async fn settled(world: &World) -> Result<()> {
    let end = Instant::now() + SETTLED;
    while !world.observer.wrong().is_empty() {
        if Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(500)).await;
            continue;
        }
        let mut all = world.observer.wrong();
        all.truncate(5);
        let judge = &mut world.observer.lock().judge;
        for wrong in all {
            let rule = "every restore reports the actual state at the end";
            judge.accuse(rule, wrong.detail, Some(&wrong.life));
        }
        break;
    }
    Ok(())
}

/// Deletes what requires manual action: the operator checks it slowly and without end.
pub async fn delete_stalled(world: &World) -> Result<usize> {
    let stalled: Vec<_> = {
        let known = world.observer.lock();
        let latest = known.living().map(|(_, _, object)| object);
        latest
            .filter(|object| !judge::is_ready(object))
            .cloned()
            .collect()
    };
    for object in &stalled {
        let metadata = &object.metadata;
        let namespace = metadata.namespace.as_deref().context("no namespace")?;
        let name = metadata.name.as_deref().context("no name")?;
        world.people.delete(namespace, name).await?;
    }
    Ok(stalled.len())
}

/// Watches that nothing is written, and nothing asked but one list of indexes a key and period.
/// Where indexes do not name their backups, a list of jobs comes to it, and each job that the list
/// does not show.
pub async fn rest(
    world: &World,
    control_plane: &ControlPlane,
    lists_allowed: usize,
) -> Result<Rest> {
    quiet(world).await?;
    let audit = Audit::from_now(&control_plane.audit_log())?;
    let control = &world.people.control;
    world.observer.rest();
    let before = world.observer.lock().counts;
    let mut listed = world.observer.listed_jobs();
    tokio::time::sleep(REST).await;
    let asked = control.take_requests(Timestamp::now());
    let at_end = world.observer.listed_jobs();
    listed.retain(|job| at_end.contains(job));
    let after = world.observer.lock().counts;
    let written = audit.writes()?;
    let writes = after.versions - before.versions + after.event_writes - before.event_writes;
    if writes > 0 || !written.is_empty() {
        let what = format!("{writes} writes: {written:?}");
        world.observer.accuse("at rest nothing is written", what);
    }
    let lists = asked
        .iter()
        .filter(|r| r.route == Route::ListIndexes)
        .count();
    let shows_source = world.observer.shows_source;
    let is_other = |request: &&Request| {
        !(request.route == Route::ListIndexes || !shows_source && is_of_jobs(request, &listed))
    };
    let others: Vec<_> = asked.iter().filter(is_other).collect();
    let pages = asked.iter().filter(|r| r.route == Route::ListRestoreJobs);
    let pages_allowed = lists_allowed * world.observer.pages_of_jobs();
    if !others.is_empty() || lists > lists_allowed * PROJECTS || pages.count() > pages_allowed {
        let what = format!(
            "{} requests, {lists} of them lists of indexes: {others:?}",
            asked.len()
        );
        world
            .observer
            .accuse("at rest nothing is asked but the slow check", what);
    }
    let known = world.observer.lock();
    Ok(Rest {
        ready: known
            .living()
            .filter(|(_, _, object)| judge::is_ready(object))
            .count(),
        lists,
    })
}

/// Whether it asks for the list of jobs, or for one that the list does not show.
fn is_of_jobs(request: &Request, listed: &HashSet<String>) -> bool {
    let id = request.path.rsplit('/').next().unwrap_or_default();
    match request.route {
        Route::ListRestoreJobs => true,
        Route::DescribeRestoreJob => !listed.contains(id),
        _ => false,
    }
}

/// How long the rest lasts, in periods of the slow check, and the one that is under way.
pub fn lists_allowed(period: Duration) -> usize {
    (REST.as_secs() / period.as_secs().max(1) + 1) as usize
}

/// Until nothing was written for some seconds.
async fn quiet(world: &World) -> Result<()> {
    let end = Instant::now() + SETTLED;
    let mut seen = (0, Instant::now());
    while seen.1.elapsed() < Duration::from_secs(10) {
        let counts = world.observer.lock().counts;
        let writes = counts.versions + counts.event_writes;
        if writes != seen.0 {
            seen = (writes, Instant::now());
        }
        if Instant::now() > end {
            bail!("it does not come to rest within {SETTLED:?}");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

/// The API server's audit log from some moment on.
struct Audit {
    file: File,
}

impl Audit {
    fn from_now(path: &Path) -> Result<Self> {
        let mut file = File::open(path).context("opening the audit log")?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file })
    }

    /// What was written to IndexRestores and events, changes or not.
    fn writes(mut self) -> Result<Vec<String>> {
        let mut text = String::new();
        self.file.read_to_string(&mut text)?;
        let lines = text.lines();
        let events = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let writes = events.filter(is_write).map(|event| {
            let object = &event["objectRef"];
            format!("{} {}", event["verb"], object)
        });
        Ok(writes.collect())
    }
}

fn is_write(event: &Value) -> bool {
    let resource = event["objectRef"]["resource"].as_str().unwrap_or_default();
    let verb = event["verb"].as_str().unwrap_or_default();
    ["indexrestores", "events"].contains(&resource) && !["get", "list", "watch"].contains(&verb)
}
