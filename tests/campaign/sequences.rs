//! Random sequences of operations on one restore each, with a seed that repeats them.

use anyhow::{Result, anyhow};
use futures::StreamExt as _;
use index_restore_operator::api::{IndexRestore, Submission, SubmissionOutcome};
use kube::api::DeleteParams;
use pinecone_emulator::{BackupStatus, Fault, FaultKind, Route};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use testkit::scene::{Scene, ready, status};

use crate::consistency;
use crate::differential;
use crate::ground::{Ground, stage};
use crate::health;
use crate::operation::{Expected, SpecOperation, generate};
use crate::tally::{Oracle, Tally};

const PHASE: &str = "in sequences";

/// Sequences, and how many run at the same time.
const SEQUENCES: u64 = 48;
const AT_ONCE: usize = 12;

/// What may be done to a restore beside an edit of its spec.
#[derive(Clone, Copy, Debug)]
enum Step {
    Edit,
    BreakKey,
    MendKey,
    BackupsUnready,
    BackupsReady,
    QuotaSpent,
    QuotaRaised,
    LoseAnswer,
    Recreate,
    Observe,
}

const STEPS: [(Step, u32); 10] = [
    (Step::Edit, 10),
    (Step::BreakKey, 2),
    (Step::MendKey, 2),
    (Step::BackupsUnready, 3),
    (Step::BackupsReady, 2),
    (Step::QuotaSpent, 3),
    (Step::QuotaRaised, 2),
    (Step::LoseAnswer, 2),
    (Step::Recreate, 1),
    (Step::Observe, 3),
];

/// The seed of the first sequence; each further one has the next. `CAMPAIGN_SEED`
/// sets it, and `CAMPAIGN_SEQUENCES` how many follow.
fn seeds() -> std::ops::Range<u64> {
    let given = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = given("CAMPAIGN_SEED").unwrap_or_else(|| u64::from(rand::random::<u32>()));
    first..first + given("CAMPAIGN_SEQUENCES").unwrap_or(SEQUENCES)
}

pub async fn run(schema: &Value, tally: &Tally) {
    let seeds = seeds();
    println!("sequences with CAMPAIGN_SEED={}", seeds.start);
    let (scene, operator) = stage().await;
    let operations = generate(schema);
    let recreated = std::sync::atomic::AtomicUsize::new(0);
    futures::stream::iter(seeds)
        .for_each_concurrent(AT_ONCE, async |seed| {
            if tally.is_hopeless() {
                return;
            }
            let mut sequence = Sequence::begin(&scene, seed, &operations).await;
            let outcome = sequence.play(tally, schema).await;
            let about = format!(
                "CAMPAIGN_SEED={seed} CAMPAIGN_SEQUENCES=1 plays [{}]",
                sequence.played.join(", ")
            );
            tally.judge(Oracle::Recovery, &about, outcome);
            recreated.fetch_add(sequence.objects - 1, std::sync::atomic::Ordering::Relaxed);
        })
        .await;
    // One that is deleted while its request is under way is named as an orphan.
    health::check(&scene, &operator, recreated.into_inner(), tally).await;
    health::created_once(&scene, tally);
}

struct Sequence<'a> {
    ground: Ground<'a>,
    name: String,
    random: StdRng,
    operations: &'a [SpecOperation],
    /// What was done, for whoever reads of a violation.
    played: Vec<String>,
    objects: usize,
    /// Whether the answer to a create request may have been lost.
    is_answer_lost: bool,
}

impl<'a> Sequence<'a> {
    async fn begin(scene: &'a Scene, seed: u64, operations: &'a [SpecOperation]) -> Self {
        let name = format!("seq-{seed}");
        Self {
            ground: Ground::new(scene, &name).await,
            name,
            random: StdRng::seed_from_u64(seed),
            operations,
            played: Vec::new(),
            objects: 1,
            is_answer_lost: false,
        }
    }

    async fn play(&mut self, tally: &Tally, schema: &Value) -> Result<()> {
        let length = self.random.random_range(5..=10);
        self.create(tally).await?;
        for _ in 1..length {
            let step = *STEPS
                .choose_weighted(&mut self.random, |(_, weight)| *weight)
                .unwrap();
            self.step(step.0, tally).await?;
        }
        let object = self.mend_all().await?;
        let about = format!("{} [{}]", self.name, self.played.join(", "));
        let judgement = consistency::recorded(&self.ground, schema, &object);
        tally.judge(Oracle::Consistency, &about, judgement);
        let creates = self.ground.creates();
        let judgement = (creates <= self.objects).then_some(());
        let judgement =
            judgement.ok_or_else(|| anyhow!("{creates} creates, {} objects", self.objects));
        tally.judge(Oracle::Health, &about, judgement);
        self.compare_with_fresh(&object, &about, tally).await
    }

    async fn create(&mut self, tally: &Tally) -> Result<()> {
        tally.operation(PHASE);
        let mut spec = self.ground.spec(&self.name);
        let operation = self.legal();
        operation.apply(&mut spec);
        self.played
            .push(format!("create {} {}", operation.field, operation.what));
        self.ground.create(&self.name, &spec, false).await.map(drop)
    }

    async fn step(&mut self, step: Step, tally: &Tally) -> Result<()> {
        let pinecone = &self.ground.scene.pinecone;
        if !matches!(step, Step::Edit) {
            self.played.push(format!("{step:?}"));
        }
        tally.operation(PHASE);
        match step {
            Step::Edit => return self.edit(tally).await,
            Step::BreakKey => self.ground.put_keys("api-key", "pcsk_canary_wrong").await,
            Step::MendKey => self.ground.mend_keys().await,
            Step::BackupsUnready => self.ground.set_backups(BackupStatus::Initializing),
            Step::BackupsReady => self.ground.set_backups(BackupStatus::Ready),
            Step::QuotaSpent => self.ground.set_quota(0),
            Step::QuotaRaised => self.ground.set_quota(1_000),
            Step::LoseAnswer => {
                let lost = Fault::new(Route::CreateIndexFromBackup, FaultKind::LoseAnswer);
                let own = format!("{}.", self.name);
                pinecone.inject(lost.mentioning(own).times(1));
                self.is_answer_lost = true;
            }
            Step::Recreate => return self.recreate().await,
            Step::Observe => self.observe().await?,
        }
        Ok(())
    }

    /// An operation whose value exists here.
    fn legal(&mut self) -> SpecOperation {
        let mut operation = self.any(|o| o.verdict == Expected::Accepted);
        let one = |pair: [String; 2], random: &mut StdRng| pair[random.random_range(0..2)].clone();
        let value = match operation.field.as_str() {
            _ if operation.value.as_ref().is_none_or(Value::is_null) => return operation,
            "backupId" => one(self.ground.backups(), &mut self.random),
            "indexName" => {
                let renamed = format!("{}-b", self.name);
                one([self.name.clone(), renamed], &mut self.random)
            }
            "apiKeySecretRef.name" => one(self.ground.secrets(), &mut self.random),
            "apiKeySecretRef.key" => "api-key".to_owned(),
            _ => return operation,
        };
        operation.what = value.clone();
        operation.value = Some(json!(value));
        operation
    }

    fn any(&mut self, wanted: impl Fn(&SpecOperation) -> bool) -> SpecOperation {
        let all: Vec<_> = self.operations.iter().filter(|o| wanted(o)).collect();
        (*all.choose(&mut self.random).unwrap()).clone()
    }

    /// An edit is refused where it is illegal, or where the restore was submitted.
    async fn edit(&mut self, tally: &Tally) -> Result<()> {
        let is_illegal = self.random.random_bool(0.25);
        let operation = match is_illegal {
            true => self.any(|o| matches!(o.verdict, Expected::Refused(_) | Expected::Unknown(_))),
            false => self.legal(),
        };
        let about = format!("edit {} {}", operation.field, operation.what);
        self.played.push(about.clone());
        let edited = self
            .ground
            .edit(&self.name, |spec| operation.apply(spec))
            .await;
        let judgement = match (&operation.verdict, &edited) {
            (Expected::Refused(_), Ok(_)) => Err(anyhow!("it was accepted")),
            (Expected::Refused(named), Err(error))
                if !error.to_string().contains(named)
                    && !error.to_string().contains("Forbidden") =>
            {
                Err(anyhow!("{named} is not named: {error}"))
            }
            (Expected::Accepted, Err(error)) if !error.to_string().contains("spec: Forbidden") => {
                Err(anyhow!("it was refused: {error}"))
            }
            _ => Ok(()),
        };
        tally.judge(
            Oracle::Validation,
            &format!("{}: {about}", self.name),
            judgement,
        );
        Ok(())
    }

    async fn recreate(&mut self) -> Result<()> {
        let spec = self.ground.get(&self.name).await?["spec"].clone();
        let restores = &self.ground.scene.restores;
        let deleted = restores.delete(&self.name, &DeleteParams::default()).await;
        deleted.map_err(anyhow::Error::from)?;
        self.objects += 1;
        self.ground.create(&self.name, &spec, false).await.map(drop)
    }

    /// Waits until the operator has observed the newest spec.
    async fn observe(&self) -> Result<()> {
        let is_observed = |object: &IndexRestore| {
            status(object).observed_generation == object.metadata.generation
        };
        let observed = self.ground.until_that(&self.name, is_observed).await;
        observed
            .map(drop)
            .map_err(|error| anyhow!("not observed: {error}"))
    }

    /// Takes every obstacle away: the rest is the operator's. It is at its end once the index
    /// is confirmed again, where the key was broken after the restore.
    async fn mend_all(&mut self) -> Result<IndexRestore> {
        self.ground.mend_keys().await;
        self.ground.set_backups(BackupStatus::Ready);
        self.ground.set_quota(1_000);
        let ends = ["Restored", "Adopted", "DeletionProtectionMismatch"];
        self.ground.until(&self.name, &ends).await?;
        let confirmed = self.ground.until_that(&self.name, |object| {
            let is_end = ends.contains(&ready(object).1.as_str());
            is_end && status(object).unconfirmed_since.is_none()
        });
        let confirmed = confirmed.await;
        confirmed.map_err(|error| anyhow!("it is not confirmed again: {error}"))
    }

    /// The same spec, applied at once to another index, ends with the same status.
    async fn compare_with_fresh(
        &self,
        object: &IndexRestore,
        about: &str,
        tally: &Tally,
    ) -> Result<()> {
        let submission = status(object).submission;
        // What was taken from an earlier object has a status of its own kind.
        let is_own = |submission: &Submission| submission.outcome == SubmissionOutcome::Accepted;
        if !submission.as_ref().is_some_and(is_own) {
            return Ok(());
        }
        let name = format!("{}-fresh", self.name);
        let mut spec = serde_json::to_value(&object.spec).unwrap();
        spec["indexName"] = json!(name);
        self.ground.create(&name, &spec, false).await?;
        let fresh = self.ground.until(&name, &["Restored"]).await?;
        // A refusal whose answer was lost leaves the outcome unknown: it counts as an
        // attempt, and rightly so.
        let judgement = match self.is_answer_lost {
            true => differential::same_but_for_attempts(object, &fresh),
            false => differential::same(object, &fresh),
        };
        tally.judge(Oracle::Differential, about, judgement);
        Ok(())
    }
}
