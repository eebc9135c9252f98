//! One cell: a story, a failpoint, and who goes on.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;

use anyhow::{Context as _, Result, ensure};
use index_restore_operator::api::{IndexRestore, SubmissionOutcome};
use index_restore_operator::runtime::failpoint::{Side, Site};
use serde_json::json;
use testkit::scene::{Running, Scene, ready, status};
use testkit::{DEADLINE, eventually};

use crate::audit::Audit;
use crate::story::{End, LONG_LEASE, SHORT_LEASE, Story, let_restores_end};
use crate::suspect::Suspect;
use crate::verdict;

/// Of the object and its index.
pub const NAME: &str = "restored";

/// The `nth` time that a process comes to that side of that I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub site: Site,
    pub side: Side,
    pub nth: u32,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.site.name(), self.side.name(), self.nth)
    }
}

impl Point {
    pub fn is(self, site: Site, side: Side) -> bool {
        (self.site, self.side, self.nth) == (site, side, 1)
    }

    /// Whether the answer to the request is in the status there.
    pub fn is_recorded(self) -> bool {
        self.is(Site::RECORD_PUT, Side::After)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// It is killed, and started again.
    Restart,
    /// It is killed, and a standby takes over.
    Standby,
    /// It is frozen, a standby takes over and ends the restore, and it goes on.
    Thaw,
}

impl Recovery {
    pub const ALL: [Self; 3] = [Self::Restart, Self::Standby, Self::Thaw];

    pub fn action(self) -> &'static str {
        match self {
            Self::Restart | Self::Standby => "abort",
            Self::Thaw => "stop",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub story: Story,
    pub point: Point,
    pub recovery: Recovery,
}

impl Cell {
    pub fn name(self) -> String {
        format!("{:?}::{:?}::{}", self.recovery, self.story, self.point)
    }

    /// Plays it and judges the outcome. What it hits is added to `reached`.
    pub async fn play(self, reached: &Mutex<BTreeSet<String>>) -> Result<()> {
        let mut scene = Scene::new().await;
        if !self.elects() {
            scene = scene.without_election();
        }
        self.story.begin(&scene);
        let flags = self.story.flags();
        let audit = Audit::from_now(&scene).await?;
        let end = (self.point, self.recovery);
        let short = [&flags[..], &SHORT_LEASE].concat();
        let mut first = Suspect::start(&scene, &short, self.story.interruption(), end);
        scene.create(NAME, json!({})).await;
        let fallen = self.fall(&scene, &mut first).await;
        fallen.with_context(|| tail("the first", &first.logs()))?;
        let site = format!("{}/{}", self.point.site.name(), self.point.side.name());
        reached.lock().unwrap().insert(site);

        let_restores_end(&scene);
        let second = scene.launch(&[&flags[..], &LONG_LEASE].concat());
        let played = async {
            let end = self.recover(&scene, &mut first, &second).await?;
            verdict::judge(self, end, &scene, &audit).await
        };
        Box::pin(played)
            .await
            .with_context(|| tail("the second", &second.process.logs()))
            .with_context(|| tail("the first", &first.logs()))
            .with_context(|| scene.history().describe(NAME))
    }

    /// A killed leader's lease has to run out, and nothing else is tried by waiting
    /// for that in each cell.
    fn elects(self) -> bool {
        let is_election = matches!(
            self.point.site,
            Site::LEASE_GET | Site::LEASE_PUT | Site::LEASE_RELEASE
        );
        is_election || self.recovery != Recovery::Restart
    }

    /// Until the first process is killed or frozen where it should.
    async fn fall(self, scene: &Scene, first: &mut Suspect) -> Result<()> {
        if let Some(point) = self.story.interruption() {
            first.is_frozen_at(point).await?;
            self.story.interrupt(scene, first).await?;
            first.resume()?;
        }
        first.reaches(self.point, self.recovery).await?;
        self.check_order(scene).await
    }

    /// What is written and what was sent at that moment: the claim comes before the
    /// request, and the request before its record.
    async fn check_order(self, scene: &Scene) -> Result<()> {
        use Side::{After, Before};
        let point = self.point;
        let sent = point.is(Site::CREATE_POST, After) || point.is(Site::RECORD_PUT, Before);
        let claimed = point.is(Site::CLAIM_PUT, After) || point.is(Site::CREATE_POST, Before);
        let unclaimed = [Site::SECRET_GET, Site::INDEX_GET, Site::BACKUP_GET];
        let is_unclaimed = point.is(Site::CLAIM_PUT, Before)
            || (unclaimed.contains(&point.site) && point.nth == 1)
            || (self.story == Story::ChangedBeforeClaim);
        let status = status(&scene.restores.get(NAME).await?);
        let outcome = status.submission.map(|submission| submission.outcome);
        let state = format!("{outcome:?} and {} requests", scene.posts());
        if is_unclaimed {
            ensure!(
                outcome.is_none() && scene.posts() == 0,
                "before the claim: {state}"
            );
        } else if claimed {
            let is_open = outcome == Some(SubmissionOutcome::Open);
            ensure!(is_open && scene.posts() == 0, "after the claim: {state}");
        } else if sent {
            let is_open = outcome == Some(SubmissionOutcome::Open);
            ensure!(is_open && scene.posts() == 1, "after the request: {state}");
            ensure!(status.restore_job_id.is_none(), "recorded: {state}");
        }
        Ok(())
    }

    async fn recover(self, scene: &Scene, first: &mut Suspect, second: &Running) -> Result<End> {
        // What is known to be done already must not hide that nobody took over.
        leads(second).await?;
        let object = self.until(scene, self.story.end(self.point)).await?;
        let end = self.story.final_end(self.point, self.recovery);
        if self.recovery == Recovery::Thaw {
            let (before, posts) = (object, scene.posts());
            first.resume()?;
            first.knows_better(self.point).await?;
            self.until(scene, end).await?;
            quiet(scene, end, second).await?;
            first.ends().await?;
            // It had checked its leadership right before it was frozen.
            let checked = usize::from(self.point.is(Site::CREATE_POST, Side::Before));
            let more = scene.posts() - posts;
            ensure!(more <= checked, "{more} requests of the thawed process");
            let is_news = end != self.story.end(self.point);
            let version = |object: &IndexRestore| object.metadata.resource_version.clone();
            let now = scene.restores.get(NAME).await?;
            ensure!(
                is_news || version(&now) == version(&before),
                "the thawed process wrote: {now:?}"
            );
        } else {
            quiet(scene, end, second).await?;
        }
        let last = scene.restores.get(NAME).await?;
        scene.history().up_to(&last).await?;
        Ok(end)
    }

    async fn until(self, scene: &Scene, end: End) -> Result<IndexRestore> {
        let holds = |object: &IndexRestore| {
            let is_observed = status(object).observed_generation == object.metadata.generation;
            is_observed && ready(object).1 == end.reason()
        };
        let found = scene.until_that(NAME, holds).await;
        found.with_context(|| format!("it is not {}", end.reason()))
    }
}

/// The leader continues to observe, and neither writes nor sends.
async fn quiet(scene: &Scene, end: End, worker: &Running) -> Result<()> {
    let version = async || anyhow::Ok(scene.restores.get(NAME).await?.metadata.resource_version);
    let (before, posts, asked) = (version().await?, scene.posts(), scene.asked(end.asks()));
    let observed = eventually("it was observed twice more", DEADLINE, async || {
        Ok((scene.asked(end.asks()) >= asked + 2).then_some(()))
    });
    observed.await.context("after the end")?;
    if end != End::SubmissionUnconfirmed {
        ensure!(version().await? == before, "it is written again and again");
    }
    ensure!(scene.posts() == posts, "it is sent once more");
    leads(worker).await
}

async fn leads(worker: &Running) -> Result<()> {
    eventually("the successor leads", DEADLINE, async || {
        let (_, text) = worker.get("/metrics").await?;
        Ok(text.contains("indexrestore_leader 1\n").then_some(()))
    })
    .await
}

fn tail(who: &str, log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    let last = &lines[lines.len().saturating_sub(40)..];
    format!("--- {who}:\n{}\n", last.join("\n"))
}
