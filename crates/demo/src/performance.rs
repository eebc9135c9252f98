//! The demo: its setup, its steps, and the texts about them.

use std::cell::RefCell;
use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use index_restore_operator::api::conditions::find;
use pinecone_emulator::DEFAULT_API_KEY;
use testkit::history::History;
use testkit::{ControlPlane, binary};

use crate::account::Account;
use crate::cluster::{Cluster, NAMESPACE};
use crate::screen::Screen;
use crate::stories::{self, LATE_SECRET, PLAIN, Story, TAGS_AND_PROTECTION};
use crate::table::Table;

/// The maximum duration of all stories together.
const DEADLINE: Duration = Duration::from_secs(90);
const POLL_INTERVAL: Duration = Duration::from_millis(250);

pub struct Performance<'a> {
    pub screen: &'a mut Screen,
    pub cluster: Cluster,
    pub account: Account,
    /// Every version of the IndexRestores.
    pub history: History,
    /// The message with which the API server rejected a manifest; `None`: it accepted it.
    pub refusal: Option<String>,
    /// The names of the stories that reached their expected result.
    finished: HashSet<&'static str>,
    end: Instant,
}

/// The setup.
impl<'a> Performance<'a> {
    pub async fn prepare(screen: &'a mut Screen, api_version: &str) -> Result<Self> {
        screen.heading("Restoring Pinecone indexes with kubectl apply");
        screen.say(
            "A real Kubernetes API server and the operator run on this machine. Pinecone is emulated: no account is needed, \
             and no request leaves the machine.",
        );
        screen.heading("Setup");
        screen.say("Starting etcd and kube-apiserver, and building the operator …");
        let account = Account::open().await?;
        let shared = RefCell::new(&mut *screen);
        let (control_plane, binary) = tokio::try_join!(
            timed(
                &shared,
                "Kubernetes: etcd and kube-apiserver are running",
                ControlPlane::start()
            ),
            timed(
                &shared,
                "Operator: built",
                binary::build(env!("CARGO_PKG_NAME"))
            ),
        )?;
        let url = account.emulator.url();
        let cluster = Cluster::start(control_plane, binary, &url, api_version).await?;
        let control = account.emulator.control();
        let history = History::of(&cluster.restores, move || control.now()).await?;
        let secret = stories::secret(DEFAULT_API_KEY);
        cluster.apply(&secret).await?;
        screen.success("Installed: the CRD, the operator's ServiceAccount and roles, and a Secret with the API key");
        screen.success("Pinecone: the backups products and articles, and an index articles that the operator did not create");
        Ok(Self {
            screen,
            cluster,
            account,
            history,
            refusal: None,
            finished: HashSet::new(),
            end: Instant::now() + DEADLINE,
        })
    }
}

/// Reports that a step is done, and its duration.
async fn timed<T>(
    screen: &RefCell<&mut Screen>,
    what: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let started = Instant::now();
    let done = work.await?;
    let line = format!("{what} ({} s)", started.elapsed().as_secs());
    screen.borrow_mut().success(&line);
    Ok(done)
}

/// The steps.
impl Performance<'_> {
    pub async fn run(&mut self) -> Result<()> {
        self.end = Instant::now() + DEADLINE;
        self.restore_through_a_crash().await?;
        self.apply_the_other_samples().await?;
        self.apply_again().await
    }

    /// The operator is killed after Pinecone accepted the create, and before it received the answer.
    async fn restore_through_a_crash(&mut self) -> Result<()> {
        self.screen
            .heading("One manifest, one index, despite a crash");
        self.account.delay_answer("products-restored");
        self.apply(&PLAIN).await?;
        self.until("Pinecone accepts the create of plain", |this, _| {
            this.account.accepted(Some("products-restored")) == 1
        })
        .await?;
        self.cluster.kill_operator()?;
        self.screen.say(
            "kill -9 operator: Pinecone accepted the create, but the operator did not receive the answer. It \
             restarts, and must not send the create again.",
        );
        self.cluster.start_operator()?;
        self.until("plain is Restoring", |_, table| {
            matches!(status(table, PLAIN.name).as_str(), "Restoring" | "Restored")
        })
        .await?;
        self.screen.success(
            "plain: the operator found the restore job of its request in Pinecone, and polls it.",
        );
        Ok(())
    }

    async fn apply_the_other_samples(&mut self) -> Result<()> {
        self.screen.heading("The other samples");
        self.apply_the_rejected_sample().await?;
        for story in stories::ALL {
            if story.name != PLAIN.name {
                self.apply(&story).await?;
            }
        }
        self.until("late-secret has the status SecretNotFound", |_, table| {
            status(table, LATE_SECRET.name) == "SecretNotFound"
        })
        .await?;
        self.wait(Duration::from_secs(2)).await?;
        self.screen.say("kubectl create secret generic pinecone-from-vault  (the Secret that late-secret waits for)");
        let secret = stories::late_secret(DEFAULT_API_KEY);
        self.cluster.apply(&secret).await?;
        self.until("every restore has its expected result", |this, _| {
            this.finished.len() == stories::ALL.len()
        })
        .await?;
        self.screen.keep_table();
        Ok(())
    }

    async fn apply_the_rejected_sample(&mut self) -> Result<()> {
        self.screen
            .say("kubectl apply -f deploy/samples/refused.yaml");
        let Err(error) = self.cluster.apply(stories::REFUSED).await else {
            return Ok(());
        };
        let answer = error
            .chain()
            .find_map(|cause| cause.downcast_ref::<kube::Error>());
        let Some(kube::Error::Api(answer)) = answer else {
            return Err(error);
        };
        self.screen.quote("The API server", &answer.message);
        self.screen
            .success("refused: the API server rejects a manifest that is invalid by itself.");
        self.refusal = Some(answer.message.clone());
        Ok(())
    }

    /// Applies a manifest again, and deletes and recreates an IndexRestore, as a rebuilt cluster does.
    async fn apply_again(&mut self) -> Result<()> {
        self.screen
            .heading("Applying again, deleting and recreating");
        let before = self.cluster.restores.get(PLAIN.name).await?;
        self.apply(&PLAIN).await?;
        self.wait(Duration::from_secs(1)).await?;
        let after = self.cluster.restores.get(PLAIN.name).await?;
        if (after.metadata.generation, &after.status)
            != (before.metadata.generation, &before.status)
        {
            bail!("applying plain.yaml again changed the resource: {after:?}");
        }
        self.screen
            .success("plain: applying it again changed nothing.");
        self.screen.say(&format!(
            "kubectl delete indexrestore {}",
            TAGS_AND_PROTECTION.name
        ));
        self.cluster.delete(TAGS_AND_PROTECTION.name).await?;
        self.apply(&TAGS_AND_PROTECTION).await?;
        self.until("the new tags-and-protection is Adopted", |_, table| {
            status(table, TAGS_AND_PROTECTION.name) == "Adopted"
        })
        .await?;
        self.screen.success(
            "tags-and-protection: deleting the IndexRestore kept its index; the new IndexRestore adopted the index, \
             because it came from the same backup.",
        );
        self.screen.keep_table();
        Ok(())
    }
}

/// Parts of the steps.
impl Performance<'_> {
    async fn apply(&mut self, story: &Story) -> Result<()> {
        self.screen.say(&format!(
            "kubectl apply -f deploy/samples/{}.yaml",
            story.name
        ));
        self.cluster.apply(story.manifest).await
    }

    /// Shows the table until `done` returns true.
    async fn until(
        &mut self,
        what: &str,
        mut done: impl FnMut(&Self, &Table) -> bool,
    ) -> Result<()> {
        loop {
            let table = self.poll().await?;
            if done(self, &table) {
                return Ok(());
            }
            if Instant::now() >= self.end {
                bail!(
                    "timed out after {DEADLINE:?}, waiting until {what}.{}",
                    self.unfinished(&table)
                );
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    async fn wait(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        self.until("the time has passed", |_, _| Instant::now() >= end)
            .await
    }

    async fn poll(&mut self) -> Result<Table> {
        self.cluster.check_operator()?;
        let table = Table::fetch(&self.cluster.client).await?;
        self.screen.table(&table);
        for story in stories::ALL {
            if status(&table, story.name) == story.end.as_str() && self.finished.insert(story.name)
            {
                self.report_result(&story).await?;
            }
        }
        Ok(table)
    }

    async fn report_result(&mut self, story: &Story) -> Result<()> {
        self.screen
            .success(&format!("{}: {}", story.name, story.lesson));
        let restore = self
            .cluster
            .restores
            .get(story.name)
            .await
            .context("reading the result of a story")?;
        let conditions = restore
            .status
            .map(|status| status.conditions)
            .unwrap_or_default();
        if let Some(ready) = find(&conditions, "Ready").filter(|ready| ready.status != "True") {
            self.screen.quote("The operator", &ready.message);
        }
        Ok(())
    }

    fn unfinished(&self, table: &Table) -> String {
        let unfinished = stories::ALL
            .into_iter()
            .filter(|story| !self.finished.contains(story.name));
        let line = |story: Story| {
            let now = status(table, story.name);
            format!(
                "\n{}: expected status {}, found {now:?}.",
                story.name,
                story.end.as_str()
            )
        };
        unfinished.map(line).collect()
    }

    pub fn show_log(&mut self) {
        self.screen.heading("Last lines of the operator's log");
        let log = self.cluster.log_tail();
        self.screen.lines(&[log]);
    }

    /// Prints commands to try.
    pub fn keep(&mut self) -> Result<()> {
        let kubeconfig = self.cluster.kubeconfig()?;
        let url = self.account.emulator.url();
        self.screen
            .heading("Everything runs until Ctrl-C. In another terminal, try:");
        let sample = "sed 's/name: plain/name: again/; s/products-restored/products-again/' deploy/samples/plain.yaml";
        self.screen.lines(&[
            format!("  export KUBECONFIG={}", kubeconfig.display()),
            "  kubectl get idxr -A -w".to_owned(),
            "  kubectl explain indexrestore.spec".to_owned(),
            format!("  kubectl describe idxr plain -n {NAMESPACE}"),
            format!("  {sample} | kubectl apply -n {NAMESPACE} -f -"),
            "\n  # the indexes in the emulated Pinecone:".to_owned(),
            format!("  curl -H 'Api-Key: {DEFAULT_API_KEY}' -H 'X-Pinecone-Api-Version: 2025-10' {url}/indexes"),
        ]);
        Ok(())
    }
}

/// Returns the STATUS of an IndexRestore; empty if it has none.
fn status(table: &Table, name: &str) -> String {
    table.cell(name, "Status").unwrap_or_default()
}
