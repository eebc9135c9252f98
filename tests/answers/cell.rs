//! One cell of the matrix.

use std::time::Duration;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use kube::api::PostParams;
use pinecone_emulator::{BackupSeed, Fault, FaultKind, IndexSeed, JobSeed, Project, Route};
use serde_json::json;
use testkit::eventually;
use testkit::scene::{KEY, Scene};

use crate::record::{DEADLINE, Reports};

/// A restore with a project, a key, a backup and an index name of its own.
pub struct Cell<'a> {
    pub scene: &'a Scene,
    /// Of the project, the Secret, the IndexRestore and the index.
    pub name: String,
}

/// The outcome of a cell, to be checked against Pinecone's own record.
pub struct Outcome {
    pub end: &'static str,
    /// The number of reports before the fault was cleared.
    pub cleared: usize,
    pub posts: Posts,
    pub accepted: usize,
    /// Whether the index is recorded by the backup that it names, without a restore job.
    pub jobless: bool,
    /// Words that the status must have reported.
    pub words: Option<String>,
}

/// How many create requests Pinecone got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posts {
    Exactly(usize),
    /// That many and more: all but the last were refused.
    Refused(usize),
    /// Two, the second no sooner than the first can have been lost for good.
    Repeated,
}

impl<'a> Cell<'a> {
    pub async fn new(scene: &'a Scene, name: String) -> Self {
        let key = format!("{KEY}_{name}");
        let project = Project {
            index_quota: 10_000,
            ..Project::new(&name, &key)
        };
        scene.pinecone.add_project(project).unwrap();
        let cell = Self { scene, name };
        let backup = BackupSeed::new("nightly", "products").id(cell.backup());
        scene.pinecone.add_backup(&cell.name, backup).unwrap();
        scene.put_secret(&cell.name, "api-key", &key).await;
        cell
    }

    pub fn backup(&self) -> String {
        format!("backup-{}", self.name)
    }

    /// Adds an index that an earlier restore of the same backup created an hour ago.
    pub fn add_earlier_restore(&self) -> Result<()> {
        let pinecone = &self.scene.pinecone;
        let index = IndexSeed::new(&self.name).restored_from(self.backup());
        pinecone.add_index(&self.name, index)?;
        let hour = SignedDuration::from_hours(1);
        let job = JobSeed::new(self.backup(), &self.name).created_at(Timestamp::now() - hour);
        pinecone.add_restore_job(&self.name, job)?;
        Ok(())
    }

    pub fn fault(&self, route: Route, kind: &FaultKind) -> Fault {
        Fault::new(route, kind.clone()).in_project(&self.name)
    }

    pub fn inject(&self, route: Route, kind: &FaultKind) -> u64 {
        self.scene.pinecone.inject(self.fault(route, kind))
    }

    pub async fn apply(&self) -> Result<()> {
        let spec = json!({
            "backupId": self.backup(), "apiKeySecretRef": {"name": self.name},
        });
        let object = self.scene.restore(&self.name, spec);
        let params = PostParams::default();
        self.scene.restores.create(&params, &object).await?;
        Ok(())
    }

    pub async fn until(&self, reason: &str) -> Result<Reports> {
        let is_reported = |reports: &Reports| reports.reason() == reason;
        Reports::until(self.scene, &self.name, reason, is_reported).await
    }

    pub fn reports(&self) -> Reports {
        Reports::of(self.scene, &self.name)
    }

    pub async fn until_met(&self, fault: u64, times: u32) -> Result<()> {
        eventually("the fault is met", DEADLINE, async || {
            Ok((self.scene.pinecone.fault_hits(fault) >= times).then_some(()))
        })
        .await
    }

    /// Ends the fault. Returns the number of reports by then.
    pub fn clear(&self, fault: u64) -> usize {
        assert!(self.scene.pinecone.clear_fault(fault));
        self.reports().all.len()
    }

    /// For that time nothing may happen: what must not come cannot be waited for.
    pub async fn for_a_while(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    pub fn posts(&self) -> usize {
        let requests = self.scene.pinecone.requests();
        let own = requests
            .iter()
            .filter(|r| r.project.as_ref() == Some(&self.name));
        own.filter(|r| r.route == Route::CreateIndexFromBackup)
            .count()
    }
}
