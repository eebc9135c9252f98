//! What happens to the IndexRestores of a scene is recorded from its beginning, and judged at its
//! end.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use index_restore_operator::api::IndexRestore;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;
use pinecone_emulator::Control;

use crate::history::History;
use crate::judge::{Facts, Trial, Violation};

/// How long a failed test waits for the judge.
const SOON: Duration = Duration::from_secs(5);

/// Records a scene, and panics on drop if a rule was broken; of a test that has failed already, it
/// prints the rules.
pub(super) struct Witness {
    pub(super) history: History,
    pinecone: Control,
    events: Api<Event>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    /// The scene whose Pinecone is used, which judges this one too.
    host: Option<Arc<Mutex<Known>>>,
    /// How many scenes use this one's Pinecone, and what those recorded that have ended.
    guests: usize,
    ended: Vec<Trial>,
    is_excused: bool,
    overwritten: HashSet<String>,
    /// The names of objects, each with a rule that does not hold for it.
    waived: HashSet<(String, &'static str)>,
}

impl Witness {
    pub(super) async fn of(
        restores: &Api<IndexRestore>,
        events: Api<Event>,
        pinecone: Control,
    ) -> Result<Self> {
        let clock = pinecone.clone();
        Ok(Self {
            history: History::of(restores, move || clock.now()).await?,
            pinecone,
            events,
            known: Arc::default(),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        locked(&self.known)
    }

    pub(super) fn excuse(&self) {
        self.known().is_excused = true;
    }

    pub(super) fn visit(&self, host: &Self) {
        self.known().host = Some(Arc::clone(&host.known));
        host.known().guests += 1;
    }

    pub(super) fn overwritten(&self, object: &IndexRestore) {
        let version = object.metadata.resource_version.clone();
        self.known().overwritten.extend(version);
    }

    pub(super) fn waive(&self, name: &str, rule: &'static str) {
        self.known().waived.insert((name.to_owned(), rule));
    }

    /// What was recorded of the scene's own objects.
    async fn record(&self) -> Result<Trial> {
        self.history.complete().await?;
        let events = self.events.list(&ListParams::default()).await?.items;
        let facts = Facts {
            overwritten: self.known().overwritten.clone(),
            ..Facts::default()
        };
        Ok(Trial {
            facts,
            versions: self.history.all(),
            has_gap: self.history.has_gap(),
            deleted: self.history.deleted(),
            events,
            ..Trial::default()
        })
    }

    pub(super) async fn trial(&self) -> Result<Trial> {
        let mut trial = self.record().await?;
        for guest in self.known().ended.clone() {
            trial.absorb(guest);
        }
        Ok(trial.with_pinecone(&self.pinecone))
    }

    /// Prints the rules that were broken by a test that has failed already.
    fn print(&self) {
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let judged = wait_for(tokio::time::timeout(SOON, self.violations()));
        for violation in judged.into_iter().flatten().flatten() {
            eprintln!("{violation}");
        }
    }

    pub(super) async fn violations(&self) -> Result<Vec<Violation>> {
        let mut violations = self.trial().await?.judge();
        let names = self.history.names();
        let waived = self.known().waived.clone();
        violations.retain(|violation| {
            let name = violation.life.as_ref().and_then(|uid| names.get(uid));
            name.is_none_or(|name| !waived.contains(&(name.clone(), violation.rule)))
        });
        Ok(violations)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        if self.known().is_excused {
            return;
        }
        if std::thread::panicking() {
            return self.print();
        }
        let (host, guests, ended) = {
            let known = self.known();
            (known.host.clone(), known.guests, known.ended.len())
        };
        if let Some(host) = host {
            let record = wait_for(self.record());
            let record = record.unwrap_or_else(|error| panic!("recording the scene: {error:#}"));
            locked(&host).ended.push(record);
            return;
        }
        assert_eq!(ended, guests, "scenes that use its Pinecone end before");
        let judged = wait_for(self.violations());
        let violations = judged.unwrap_or_else(|error| panic!("judging the scene: {error:#}"));
        let texts: Vec<_> = violations.iter().map(ToString::to_string).collect();
        assert!(texts.is_empty(), "{}", texts.join("\n"));
    }
}

fn locked(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits where nothing is awaited: in a drop, on a runtime with several threads.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}
