//! The demo itself: what is set up, what happens when, and what is said about it.

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

/// For all stories together.
const DEADLINE: Duration = Duration::from_secs(90);
const GLANCE: Duration = Duration::from_millis(250);

pub struct Performance<'a> {
    pub screen: &'a mut Screen,
    pub cluster: Cluster,
    pub account: Account,
    /// Every version of the IndexRestores.
    pub history: History,
    /// What the API server said about the manifest that it refused; `None` if it took it.
    pub refusal: Option<String>,
    /// Stories whose end was told.
    told: HashSet<&'static str>,
    end: Instant,
}

/// Setting up.
impl<'a> Performance<'a> {
    pub async fn prepare(screen: &'a mut Screen, api_version: &str) -> Result<Self> {
        screen.heading("Restoring Pinecone indexes with kubectl apply");
        screen.say(
            "A real Kubernetes API server and the operator run on this machine; Pinecone is emulated. No account is needed, \
             nothing leaves the machine.",
        );
        screen.heading("Setting up");
        screen.say("Starting etcd and kube-apiserver, and building the operator ...");
        let account = Account::open().await?;
        let shared = RefCell::new(&mut *screen);
        let (control_plane, binary) = tokio::try_join!(
            timed(
                &shared,
                "Kubernetes: etcd and kube-apiserver run",
                ControlPlane::start()
            ),
            timed(
                &shared,
                "Operator: built",
                binary::build(env!("CARGO_PKG_NAME"))
            ),
        )?;
        let url = account.emulator.url();
        let cluster = Cluster::furnish(control_plane, binary, &url, api_version).await?;
        let control = account.emulator.control();
        let history = History::of(&cluster.restores, move || control.now()).await?;
        let secret = stories::secret(DEFAULT_API_KEY);
        cluster.apply(&secret).await?;
        screen.success("Installed: the CRD, the operator's ServiceAccount and its rules, a Secret with the API key");
        screen.success("Pinecone: two backups, products and articles, and an index articles that somebody made");
        Ok(Self {
            screen,
            cluster,
            account,
            history,
            refusal: None,
            told: HashSet::new(),
            end: Instant::now() + DEADLINE,
        })
    }
}

/// Says when it is done, and how long it took.
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

/// The acts.
impl Performance<'_> {
    pub async fn play(&mut self) -> Result<()> {
        self.end = Instant::now() + DEADLINE;
        self.one_apply_one_index().await?;
        self.five_more().await?;
        self.at_most_once().await
    }

    /// The operator dies at the worst time: Pinecone has accepted the create, and nobody in the cluster knows it.
    async fn one_apply_one_index(&mut self) -> Result<()> {
        self.screen.heading("One apply, one index");
        self.account.hold_back_answer("products-restored");
        self.apply(&PLAIN).await?;
        self.until("Pinecone accepts the create of plain", |this, _| {
            this.account.accepted(Some("products-restored")) == 1
        })
        .await?;
        self.cluster.kill_operator()?;
        self.screen.say(
            "kill -9 operator: Pinecone has accepted this restore, but its answer has not arrived yet. Starting the operator \
             again; a careless one would now ask a second time.",
        );
        self.cluster.start_operator()?;
        self.until("plain is Restoring", |_, table| {
            matches!(status(table, PLAIN.name).as_str(), "Restoring" | "Restored")
        })
        .await?;
        self.screen.success("plain: it asked Pinecone what became of its request, found the restore job and follows it.");
        Ok(())
    }

    async fn five_more(&mut self) -> Result<()> {
        self.screen.heading("Five more manifests");
        self.refuse().await?;
        for story in stories::ALL {
            if story.name != PLAIN.name {
                self.apply(&story).await?;
            }
        }
        self.until("late-secret waits for its Secret", |_, table| {
            status(table, LATE_SECRET.name) == "SecretNotFound"
        })
        .await?;
        self.linger(Duration::from_secs(2)).await?;
        self.screen.say("kubectl create secret generic pinecone-from-vault: here comes the Secret of late-secret");
        let secret = stories::late_secret(DEFAULT_API_KEY);
        self.cluster.apply(&secret).await?;
        self.until("every restore comes to its end", |this, _| {
            this.told.len() == stories::ALL.len()
        })
        .await?;
        self.screen.settle();
        Ok(())
    }

    async fn refuse(&mut self) -> Result<()> {
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
        self.screen.success(
            "refused: mistakes that can be seen in the manifest alone never get into the cluster.",
        );
        self.refusal = Some(answer.message.clone());
        Ok(())
    }

    /// Applying again, and deleting and creating again as a rebuilt cluster does.
    async fn at_most_once(&mut self) -> Result<()> {
        self.screen.heading("At most once, whatever happens");
        let before = self.cluster.restores.get(PLAIN.name).await?;
        self.apply(&PLAIN).await?;
        self.linger(Duration::from_secs(1)).await?;
        let after = self.cluster.restores.get(PLAIN.name).await?;
        if (after.metadata.generation, &after.status)
            != (before.metadata.generation, &before.status)
        {
            bail!("applying plain.yaml a second time changed it: {after:?}");
        }
        self.screen
            .success("plain: applied a second time, nothing changed.");
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
            "tags-and-protection: deleting it left the index alone; the new one found the index of its backup and adopted it.",
        );
        self.screen.settle();
        Ok(())
    }
}

/// Steps of the acts.
impl Performance<'_> {
    async fn apply(&mut self, story: &Story) -> Result<()> {
        self.screen.say(&format!(
            "kubectl apply -f deploy/samples/{}.yaml",
            story.name
        ));
        self.cluster.apply(story.manifest).await
    }

    /// Shows the table until `done`.
    async fn until(
        &mut self,
        what: &str,
        mut done: impl FnMut(&Self, &Table) -> bool,
    ) -> Result<()> {
        loop {
            let table = self.glance().await?;
            if done(self, &table) {
                return Ok(());
            }
            if Instant::now() >= self.end {
                bail!(
                    "waited {DEADLINE:?} in vain until {what}.{}",
                    self.unfinished(&table)
                );
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    async fn linger(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        self.until("time passes", |_, _| Instant::now() >= end)
            .await
    }

    async fn glance(&mut self) -> Result<Table> {
        self.cluster.check_operator()?;
        let table = Table::fetch(&self.cluster.client).await?;
        self.screen.table(&table);
        for story in stories::ALL {
            if status(&table, story.name) == story.end.as_str() && self.told.insert(story.name) {
                self.tell_end(&story).await?;
            }
        }
        Ok(table)
    }

    async fn tell_end(&mut self, story: &Story) -> Result<()> {
        self.screen
            .success(&format!("{}: {}", story.name, story.lesson));
        let restore = self
            .cluster
            .restores
            .get(story.name)
            .await
            .context("reading a story's end")?;
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
            .filter(|story| !self.told.contains(story.name));
        let line = |story: Story| {
            let now = status(table, story.name);
            format!(
                "\n{} should end as {}, but is {now:?}.",
                story.name,
                story.end.as_str()
            )
        };
        unfinished.map(line).collect()
    }

    pub fn show_log(&mut self) {
        self.screen.heading("The end of the operator's log");
        let log = self.cluster.log_tail();
        self.screen.lines(&[log]);
    }

    /// What a person can try now.
    pub fn keep(&mut self) -> Result<()> {
        let kubeconfig = self.cluster.kubeconfig()?;
        let url = self.account.emulator.url();
        self.screen
            .heading("Everything keeps running until ctrl-c. To look around, in another terminal:");
        let sample = "sed 's/name: plain/name: again/; s/products-restored/products-again/' deploy/samples/plain.yaml";
        self.screen.lines(&[
            format!("  export KUBECONFIG={}", kubeconfig.display()),
            "  kubectl get idxr -A -w".to_owned(),
            "  kubectl explain indexrestore.spec".to_owned(),
            format!("  kubectl describe idxr plain -n {NAMESPACE}"),
            format!("  {sample} | kubectl apply -n {NAMESPACE} -f -"),
            format!("\n  Pinecone is {url}; its indexes:"),
            format!("  curl -H 'Api-Key: {DEFAULT_API_KEY}' -H 'X-Pinecone-Api-Version: 2025-10' {url}/indexes"),
        ]);
        Ok(())
    }
}

/// The STATUS of an IndexRestore; empty if it has none.
fn status(table: &Table, name: &str) -> String {
    table.cell(name, "Status").unwrap_or_default()
}
