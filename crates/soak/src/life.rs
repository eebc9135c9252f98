//! One life: an IndexRestore is applied, perhaps edited, deleted or applied again, and taken away.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use index_restore_operator::api::IndexRestore;
use pinecone_emulator::IndexSeed;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use testkit::judge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::observer::Observer;
use crate::people::{self, NAMESPACES, PROJECTS, People};
use crate::tags::{KIND, LIFE};

/// How soon it is noticed that something has happened.
const GLANCE: Duration = Duration::from_millis(300);
/// How long after its object an index is taken away: by then, every request for it has ended.
const AFTERLIFE: Duration = Duration::from_secs(40);

/// A job that is younger than this when its name is claimed counts as the claim's own, because
/// Pinecone's clocks may disagree. That its index is deleted by then is a stated limit.
const CLOCKS: Duration = Duration::from_secs(35);

/// What a life is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    /// `adoptionPolicy: Never`.
    Never,
    /// Deleted some moments after it was applied.
    Early,
    /// Deleted and applied again at once, under the same name.
    Reapplied,
    /// The same after its end, its index deleted in between: a second restore.
    Recreated,
    /// The name belongs to somebody's index, which goes later.
    Freed,
    /// The name belongs to somebody's index, which stays.
    Taken,
    /// The backup comes later, or the spec is corrected.
    MissingBackup,
    /// Two objects ask for the same.
    Twins,
    /// Two objects ask for the same name, from different backups.
    Rivals,
}

/// What is drawn for a life: the same for the same seed and number.
#[derive(Clone, Debug)]
pub struct Plan {
    pub number: u64,
    pub kind: Kind,
    namespace: usize,
    project: usize,
    /// Until what is done to it.
    moment: Duration,
    coin: bool,
    /// Whether the object that is applied again wants its index protected.
    protects: bool,
}

/// Where lives are lived.
pub struct World {
    pub people: People,
    pub observer: Arc<Observer>,
    /// One permit is for one restore that has not settled yet.
    pub starting: Arc<Semaphore>,
    /// One permit lets one object be deleted.
    pub retirements: Semaphore,
    /// From then on, nothing is taken away any more.
    pub closing: CancellationToken,
}

impl Plan {
    pub fn draw(seed: u64, number: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let kind = match random.random_range(0..100) {
            0..46 => Kind::Plain,
            46..54 => Kind::Never,
            54..64 => Kind::Early,
            64..73 => Kind::Reapplied,
            73..80 => Kind::Recreated,
            80..83 => Kind::Freed,
            83..86 => Kind::Taken,
            86..92 => Kind::MissingBackup,
            92..97 => Kind::Twins,
            _ => Kind::Rivals,
        };
        Self {
            number,
            kind,
            namespace: random.random_range(0..NAMESPACES),
            project: random.random_range(0..PROJECTS),
            moment: Duration::from_millis(random.random_range(0..4_000)),
            coin: random.random(),
            protects: random.random(),
        }
    }

    /// How many objects it has at a time.
    pub fn objects(&self) -> u32 {
        match self.kind {
            Kind::Twins | Kind::Rivals => 2,
            _ => 1,
        }
    }

    fn index_name(&self) -> String {
        format!("index-{}", self.number)
    }

    fn late_backup(&self) -> String {
        format!("late-backup-{}", self.number)
    }

    /// An object of this life; `part` distinguishes it from its others.
    fn object(&self, part: &str, backup: &str) -> Result<IndexRestore> {
        let policy = match self.kind {
            Kind::Never => "Never",
            _ => "IfSameBackup",
        };
        let protection = match part == "-again" && self.protects {
            true => "Enabled",
            false => "Disabled",
        };
        let suffix = if part == "-other" { part } else { "" };
        Ok(serde_json::from_value(json!({
            "apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestore",
            "metadata": {
                "name": format!("restore-{}{suffix}", self.number),
                "namespace": people::namespace(self.namespace),
            },
            "spec": {
                "backupId": backup,
                "indexName": self.index_name(),
                "apiKeySecretRef": {"name": people::secret(self.project)},
                "adoptionPolicy": policy,
                "deletionProtection": protection,
                "tags": {LIFE: self.tag(part), KIND: format!("{:?}", self.kind)},
            },
        }))?)
    }

    fn tag(&self, part: &str) -> String {
        format!("{}{part}", self.number)
    }
}

impl World {
    /// Lives a life; ends when its objects are deleted or, once the run closes, when they stay.
    /// `starting` is given back once it has settled.
    pub async fn live(self: Arc<Self>, plan: Plan, starting: OwnedSemaphorePermit) -> Result<()> {
        let backup = people::backup(plan.project);
        let mut parts = vec![""];
        match plan.kind {
            Kind::Plain | Kind::Never => self.apply(&plan, "", &backup).await?,
            Kind::Early => {
                self.apply(&plan, "", &backup).await?;
                tokio::time::sleep(plan.moment).await;
            }
            Kind::Reapplied | Kind::Recreated => {
                parts = vec!["-again"];
                self.again(&plan, &backup).await?;
            }
            Kind::Freed | Kind::Taken => self.taken(&plan, &backup).await?,
            Kind::MissingBackup => self.without_backup(&plan, &backup).await?,
            Kind::Twins | Kind::Rivals => {
                parts.push("-other");
                let other = match plan.kind {
                    Kind::Twins => backup.clone(),
                    _ => people::other_backup(plan.project),
                };
                let second = self.apply(&plan, "-other", &other);
                tokio::try_join!(self.apply(&plan, "", &backup), second)?;
            }
        }
        if plan.kind != Kind::Early {
            // An outage must not keep all others from beginning.
            let patience = Duration::from_secs(30);
            let settled = async {
                for part in &parts {
                    self.until_settled(&plan, part).await;
                }
            };
            let _ = tokio::time::timeout(patience, settled).await;
            drop(starting);
            if !self.may_retire().await {
                return Ok(());
            }
        }
        for part in parts {
            let object = plan.object(part, &backup)?;
            self.delete(&object).await?;
        }
        tokio::spawn(async move {
            tokio::time::sleep(AFTERLIFE).await;
            self.take_away(&plan);
        });
        Ok(())
    }

    async fn apply(&self, plan: &Plan, part: &str, backup: &str) -> Result<()> {
        self.people.create(&plan.object(part, backup)?).await
    }

    async fn delete(&self, object: &IndexRestore) -> Result<()> {
        let metadata = &object.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        let name = metadata.name.as_deref().unwrap_or_default();
        self.people.delete(namespace, name).await
    }

    async fn again(&self, plan: &Plan, backup: &str) -> Result<()> {
        self.apply(plan, "", backup).await?;
        if plan.kind == Kind::Recreated || plan.coin {
            self.until_settled(plan, "").await;
        } else {
            tokio::time::sleep(plan.moment).await;
        }
        self.delete(&plan.object("", backup)?).await?;
        if plan.kind == Kind::Recreated {
            tokio::time::sleep(CLOCKS).await;
            let project = people::project(plan.project);
            // Nothing is there where the restore came to nothing.
            let _ = self
                .people
                .control
                .delete_index(&project, &plan.index_name());
        }
        self.apply(plan, "-again", backup).await
    }

    async fn taken(&self, plan: &Plan, backup: &str) -> Result<()> {
        let project = people::project(plan.project);
        let control = &self.people.control;
        control.add_index(&project, IndexSeed::new(plan.index_name()))?;
        self.apply(plan, "", backup).await?;
        if plan.kind == Kind::Freed {
            self.until_settled(plan, "").await;
            tokio::time::sleep(plan.moment).await;
            control.delete_index(&project, &plan.index_name())?;
            self.until_ready(plan).await;
        }
        Ok(())
    }

    async fn without_backup(&self, plan: &Plan, backup: &str) -> Result<()> {
        let object = plan.object("", &plan.late_backup())?;
        self.people.create(&object).await?;
        self.until_settled(plan, "").await;
        tokio::time::sleep(plan.moment).await;
        if plan.coin {
            self.people.add_backup(plan.project, &plan.late_backup())?;
        } else {
            let namespace = people::namespace(plan.namespace);
            let name = object.metadata.name.as_deref().unwrap_or_default();
            self.people.correct_backup(&namespace, name, backup).await?;
        }
        self.until_ready(plan).await;
        Ok(())
    }

    async fn until_settled(&self, plan: &Plan, part: &str) {
        self.until(&plan.tag(part), judge::is_settled).await;
    }

    /// Until it is no more stalled for what was wrong before.
    async fn until_ready(&self, plan: &Plan) {
        let waits = ["BackupNotFound", "IndexAlreadyExists"];
        self.until(&plan.tag(""), |object| {
            judge::is_settled(object) && !waits.contains(&judge::reason(object))
        })
        .await;
    }

    async fn until(&self, life: &str, holds: impl Fn(&IndexRestore) -> bool) {
        loop {
            {
                let known = self.observer.lock();
                let latest = known.judge.lives.get(life).and_then(|life| life.latest());
                if latest.is_some_and(&holds) {
                    return;
                }
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Waits for a turn to be deleted; not once the run closes.
    async fn may_retire(&self) -> bool {
        tokio::select! {
            () = self.closing.cancelled() => false,
            permit = self.retirements.acquire() => permit.map(|permit| permit.forget()).is_ok(),
        }
    }

    /// Pinecone forgets what is not restored any more, so that its lists stay short.
    fn take_away(&self, plan: &Plan) {
        let place = (people::project(plan.project), plan.index_name());
        let control = &self.people.control;
        // It may never have come to be, or a user may have deleted it before.
        let _ = control.delete_index(&place.0, &place.1);
        let _ = control.remove_backup(&place.0, &plan.late_backup());
        let accepted = self.observer.lock().judge.accepted.remove(&place.1);
        for create in accepted.unwrap_or_default() {
            control.forget_restore_job(&create.restore_job_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_gives_the_same_life_for_the_same_seed() {
        let kinds = |seed| -> Vec<_> { (0..50).map(|n| Plan::draw(seed, n).kind).collect() };
        assert_eq!(kinds(1), kinds(1));
        assert_ne!(kinds(1), kinds(2));
    }

    #[test]
    fn objects_of_a_life_are_valid_and_told_apart_by_their_tags() {
        for number in 0..200 {
            let plan = Plan::draw(3, number);
            let first = plan.object("", "b").unwrap();
            let other = plan.object("-other", "b").unwrap();
            assert_ne!(first.metadata.name, other.metadata.name);
            assert_ne!(first.spec.tags, other.spec.tags);
            assert_eq!(first.spec.index_name, other.spec.index_name);
        }
    }
}
