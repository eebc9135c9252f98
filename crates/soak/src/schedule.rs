//! What goes wrong and when: drawn from the seed alone, so that the same seed gives the same.

use std::time::Duration;

use pinecone_emulator::{AnswerBody, Fault, FaultKind, RetryAfter, Route, StatusAnswer};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Between two faults, and between two kills.
pub const FAULT_EVERY: Duration = Duration::from_secs(10);
pub const KILL_EVERY: Duration = Duration::from_secs(30);

/// Nothing lasts longer, so that faults of the cluster do not add up.
const LONGEST: u64 = 8_000;

/// The share of the run after which replica 0 is spared. It leads soon, and lives long enough to show whether it grows.
const SPARED_AFTER: f64 = 0.75;

/// What is done to the installation.
#[derive(Clone, Debug, PartialEq)]
pub enum Blow {
    /// Pinecone misbehaves.
    Pinecone(Vec<Fault>),
    /// SIGSTOP to a replica, and SIGCONT afterwards.
    Freeze(usize),
    /// SIGKILL to a replica, which is started again at once.
    Kill(usize),
    /// SIGSTOP to kube-apiserver, and SIGCONT afterwards.
    PauseApiServer,
    /// SIGKILL to kube-apiserver, which is started again at once.
    RestartApiServer,
    /// People take the statuses of some resources away. The numbers choose among those there are.
    WipeStatuses(Vec<f64>),
    /// People delete the indexes of some restored resources.
    DeleteIndexes(Vec<f64>),
    /// Tools label some resources, which wakes the operator.
    Label(Vec<f64>),
    /// The Secrets of a project are deleted, and are made again afterwards.
    LoseSecrets(usize),
    /// A project gets another API key: the old one is refused before the Secrets have the new one.
    RotateKey(usize),
    /// A project has no room for another index.
    Quota(usize),
    /// The backup that a project restores from is not ready.
    BackupNotReady(usize),
}

/// A blow, its name, when it begins after the start of the run, and for how long it lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub at: Duration,
    pub lasts: Duration,
    pub name: String,
    pub blow: Blow,
}

/// All that happens in that time, in order.
pub fn plan(seed: u64, length: Duration, projects: usize, replicas: usize) -> Vec<Planned> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut all = Vec::new();
    let mut at = FAULT_EVERY;
    while at + Duration::from_millis(LONGEST) < length {
        let (name, blow) = draw(&mut random, projects, replicas);
        let lasts = Duration::from_millis(random.random_range(2_000..=LONGEST));
        all.push(Planned {
            at,
            lasts,
            name,
            blow,
        });
        at += FAULT_EVERY;
    }
    // A kill falls into the middle of a fault, not between two.
    let mut at = KILL_EVERY + Duration::from_secs(2);
    while at + Duration::from_millis(LONGEST) < length {
        let is_spared = replicas > 1 && at > length.mul_f64(SPARED_AFTER);
        let replica = random.random_range(usize::from(is_spared)..replicas);
        all.push(Planned {
            at,
            lasts: Duration::ZERO,
            name: format!("SIGKILL replica {replica}"),
            blow: Blow::Kill(replica),
        });
        at += KILL_EVERY;
    }
    all.sort_by_key(|planned| planned.at);
    all
}

fn draw(random: &mut StdRng, projects: usize, replicas: usize) -> (String, Blow) {
    let project = random.random_range(0..projects);
    let replica = random.random_range(0..replicas);
    match random.random_range(0..22) {
        0..10 => {
            let (name, faults) = pinecone(random);
            (format!("Pinecone: {name}"), Blow::Pinecone(faults))
        }
        10..12 => (format!("SIGSTOP replica {replica}"), Blow::Freeze(replica)),
        12 => ("SIGSTOP kube-apiserver".into(), Blow::PauseApiServer),
        13 => ("restart kube-apiserver".into(), Blow::RestartApiServer),
        14 => ("statuses wiped".into(), Blow::WipeStatuses(some(random))),
        15 => ("indexes deleted".into(), Blow::DeleteIndexes(some(random))),
        16 => ("Secrets deleted".into(), Blow::LoseSecrets(project)),
        17 => ("API key rotated".into(), Blow::RotateKey(project)),
        18 => ("quota exhausted".into(), Blow::Quota(project)),
        19..21 => ("labels edited".into(), Blow::Label(many(random))),
        _ => ("backup not ready".into(), Blow::BackupNotReady(project)),
    }
}

fn many(random: &mut StdRng) -> Vec<f64> {
    (0..30).map(|_| random.random()).collect()
}

fn some(random: &mut StdRng) -> Vec<f64> {
    let count = random.random_range(1..=6);
    (0..count).map(|_| random.random()).collect()
}

/// The create request, which is what all is about, or a read, or everything at once.
fn pinecone(random: &mut StdRng) -> (String, Vec<Fault>) {
    let create = Route::CreateIndexFromBackup;
    let times = random.random_range(1..=12);
    let (name, route, kind) = match random.random_range(0..4) {
        0 | 1 => {
            let (name, kind) = of_create(random);
            (name, create, kind)
        }
        2 => of_read(random),
        _ => of_all(random),
    };
    let fault = Fault::new(route, kind);
    match route == create {
        true => (format!("{name}, {times} times"), vec![fault.times(times)]),
        false => (name, vec![fault]),
    }
}

fn of_create(random: &mut StdRng) -> (String, FaultKind) {
    // Shorter than the patience with an open claim, less the life of a claim: what Pinecone
    // does later than that is a stated limit.
    let wait = Duration::from_millis(random.random_range(500..6_000));
    let lag = Duration::from_millis(random.random_range(500..4_000));
    let all = [
        ("its answer is lost", FaultKind::LoseAnswer),
        ("its answer is reset", FaultKind::ResetAnswer),
        ("creates are dropped", FaultKind::DropBefore),
        ("creates are reset", FaultKind::ResetBefore),
        ("creates take long", FaultKind::Delay(wait)),
        ("answers to creates take long", FaultKind::DelayAnswer(wait)),
        ("500 to creates", FaultKind::status(500)),
        ("503 to creates after their effect", after(503)),
        ("409 to creates after their effect", after(409)),
        ("HTML to creates after their effect", html()),
        ("429 to creates", too_many()),
        ("truncated answers to creates", FaultKind::TruncatedBody),
        ("garbage for answers to creates", FaultKind::GarbageBody),
        ("creates without IDs", FaultKind::MissingIds),
        ("huge answers to creates", FaultKind::HugeBody),
        ("jobs fail", FaultKind::JobFails),
        ("jobs are cancelled", FaultKind::JobCancelled),
        ("indexes get ready early", FaultKind::IndexReadyEarly),
        ("indexes get ready late", FaultKind::IndexNotReadyAfter(lag)),
        ("indexes fail", FaultKind::IndexInitializationFailed),
    ];
    pick(random, &all)
}

fn of_read(random: &mut StdRng) -> (String, Route, FaultKind) {
    // Shorter than the time that the list is given to catch up.
    let lag = Duration::from_millis(random.random_range(500..4_000));
    let jobs = Route::ListRestoreJobs;
    let job = Route::DescribeRestoreJob;
    let all = [
        ("the list of jobs lags", (jobs, FaultKind::ListLag(lag))),
        (
            "the list of jobs is empty",
            (jobs, FaultKind::ListDrop(None)),
        ),
        (
            "the list of jobs repeats rows",
            (jobs, FaultKind::ListRepeat),
        ),
        (
            "the list of jobs has no end",
            (jobs, FaultKind::ListStuckToken),
        ),
        (
            "the list of jobs ends early",
            (jobs, FaultKind::ListEndsEarly),
        ),
        (
            "jobs in lists have no time",
            (jobs, FaultKind::NullCreatedAt),
        ),
        ("jobs have no time", (job, FaultKind::NullCreatedAt)),
        ("jobs are not found", (job, FaultKind::JobNotFound)),
        ("500 to reads of jobs", (job, FaultKind::status(500))),
        ("500 to lists of jobs", (jobs, FaultKind::status(500))),
        (
            "500 to reads of indexes",
            (Route::DescribeIndex, FaultKind::status(500)),
        ),
        (
            "slow reads of indexes",
            (Route::DescribeIndex, FaultKind::SlowBody(lag)),
        ),
        (
            "500 to reads of backups",
            (Route::DescribeBackup, FaultKind::status(500)),
        ),
        (
            "the list of indexes is empty",
            (Route::ListIndexes, FaultKind::ListDrop(None)),
        ),
        (
            "500 to lists of indexes",
            (Route::ListIndexes, FaultKind::status(500)),
        ),
    ];
    let (name, (route, kind)) = pick(random, &all);
    (name, route, kind)
}

fn of_all(random: &mut StdRng) -> (String, Route, FaultKind) {
    let late = Duration::from_millis(random.random_range(2_000..6_000));
    let all = [
        ("503 to everything", FaultKind::status(503)),
        ("500 to everything, after its effect", after(500)),
        ("429 to everything", too_many()),
        ("everything is reset", FaultKind::ResetBefore),
        ("all answers are lost", FaultKind::LoseAnswer),
        ("all answers are late", FaultKind::DelayAnswer(late)),
        ("everything is slow", FaultKind::Delay(late)),
        ("garbage for all answers", FaultKind::GarbageBody),
    ];
    let (name, kind) = pick(random, &all);
    (name, Route::Any, kind)
}

fn pick<T: Clone>(random: &mut StdRng, all: &[(&str, T)]) -> (String, T) {
    let (name, one) = &all[random.random_range(0..all.len())];
    ((*name).to_owned(), one.clone())
}

fn after(status: u16) -> FaultKind {
    FaultKind::Status(StatusAnswer::new(status).after_effect())
}

fn html() -> FaultKind {
    let answer = StatusAnswer::new(502).body(AnswerBody::Html);
    FaultKind::Status(answer.after_effect())
}

fn too_many() -> FaultKind {
    FaultKind::Status(StatusAnswer::new(429).retry_after(RetryAfter::Seconds(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn the_same_seed_gives_the_same_and_another_gives_another() {
        assert_eq!(plan(7, HOUR, 4, 2), plan(7, HOUR, 4, 2));
        assert_ne!(plan(7, HOUR, 4, 2), plan(8, HOUR, 4, 2));
    }

    #[test]
    fn a_fault_every_ten_seconds_and_a_kill_every_thirty() {
        let all = plan(1, HOUR, 4, 2);
        let kills = all.iter().filter(|p| matches!(p.blow, Blow::Kill(_)));
        assert_eq!(kills.count(), 119);
        let faults = all.iter().filter(|p| !matches!(p.blow, Blow::Kill(_)));
        assert_eq!(faults.clone().count(), 359);
        assert!(faults.clone().all(|p| p.lasts < FAULT_EVERY));
    }

    #[test]
    fn the_first_replica_lives_through_the_last_quarter() {
        let kills = |replica| {
            let of_replica = move |planned: &Planned| planned.blow == Blow::Kill(replica);
            let all = plan(1, HOUR, 4, 2).into_iter();
            let late = all.filter(|planned| planned.at > HOUR.mul_f64(SPARED_AFTER));
            late.filter(of_replica).count()
        };
        assert_eq!((kills(0), kills(1)), (0, 30));
    }

    #[test]
    fn an_hour_has_faults_of_every_kind() {
        let all = plan(2, HOUR, 4, 2);
        let mut kinds: Vec<_> = all
            .iter()
            .map(|planned| std::mem::discriminant(&planned.blow))
            .collect();
        kinds.dedup();
        let mut distinct = Vec::new();
        for kind in kinds {
            if !distinct.contains(&kind) {
                distinct.push(kind);
            }
        }
        assert_eq!(distinct.len(), 12);
    }
}
