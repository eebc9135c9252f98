//! What the status of a restore reported, version by version.

use std::time::Duration;

use anyhow::{Context as _, Result};
use index_restore_operator::api::IndexRestore;
use testkit::scene::{Scene, ready};

/// Ample for some hundred restores at once on a slow machine.
pub const DEADLINE: Duration = Duration::from_secs(180);

/// The reports of one restore so far.
#[derive(Default)]
pub struct Reports {
    pub object: Option<IndexRestore>,
    /// Reason and message of Ready, in order, each once for as long as it stayed.
    pub all: Vec<(String, String)>,
}

impl Reports {
    pub fn of(scene: &Scene, name: &str) -> Self {
        let versions = scene.history().versions(name);
        Self::from_versions(versions.iter())
    }

    fn from_versions<'a>(versions: impl Iterator<Item = &'a IndexRestore>) -> Self {
        let mut reports = Self::default();
        for object in versions {
            let (_, reason, message) = ready(object);
            let report = (reason, message);
            if reports.all.last() != Some(&report) {
                reports.all.push(report);
            }
            reports.object = Some(object.clone());
        }
        reports
    }

    /// Waits until the reports are as wanted.
    pub async fn until(
        scene: &Scene,
        name: &str,
        wanted: &str,
        mut holds: impl FnMut(&Self) -> bool,
    ) -> Result<Self> {
        let holds = |versions: &[&IndexRestore]| {
            let reports = Self::from_versions(versions.iter().copied());
            reports.object.is_some() && holds(&reports)
        };
        let found = scene.history().until(name, DEADLINE, holds).await;
        let reports = Self::of(scene, name);
        found.with_context(|| format!("never {wanted}: {:?}", reports.all))?;
        Ok(reports)
    }

    pub fn reason(&self) -> &str {
        self.all.last().map_or("", |(reason, _)| reason)
    }

    pub fn message(&self) -> &str {
        self.all.last().map_or("", |(_, message)| message)
    }

    pub fn ever_reported(&self, words: &str) -> bool {
        let mut all = self.all.iter();
        all.any(|(_, message)| message.contains(words))
    }
}
