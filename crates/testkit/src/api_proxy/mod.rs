//! A proxy between a client and the API server, which answers wrongly, hides and delays by its rules.
//!
//! It speaks plain HTTP to its client and passes the client's token on, so that RBAC is that of the client.

mod answer;
mod call;
mod journal;
mod rule;
mod serve;
mod stream;
mod upstream;
mod view;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use kube::config::Kubeconfig;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::ControlPlane;
use journal::Journal;
use upstream::Upstream;
use view::{Ending, View};

pub use call::Call;
pub use journal::Seen;
pub use rule::{Armed, Fault, Reply, Rule};
pub use view::{Event, Treatment};

/// The resource whose lists and watches can be made to show something else.
const RESOURCE: &str = "indexrestores";

/// A running proxy. It stops when it is dropped.
pub struct ApiProxy {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

struct State {
    upstream: Upstream,
    /// Where lists and watches go.
    reads: Mutex<Upstream>,
    rules: Mutex<Vec<Arc<Armed>>>,
    journal: Journal,
    view: Arc<View>,
    away: tokio::sync::watch::Sender<bool>,
}

impl State {
    fn fault(&self, call: &Call) -> Option<(Arc<Armed>, Fault)> {
        lock(&self.rules)
            .iter()
            .find_map(|armed| armed.meets(call).map(|fault| (Arc::clone(armed), fault)))
    }

    fn reads(&self) -> Upstream {
        lock(&self.reads).clone()
    }
}

impl ApiProxy {
    /// A proxy to that control plane, on the current tokio runtime.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn start(control_plane: &ControlPlane) -> Result<Self> {
        let upstream = Upstream::new(&control_plane.admin_kubeconfig()).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            reads: Mutex::new(upstream.clone()),
            upstream,
            rules: Mutex::default(),
            journal: Journal::default(),
            view: Arc::default(),
            away: tokio::sync::watch::Sender::new(false),
        });
        let accepting = tokio::spawn(serve::accept(listener, Arc::clone(&state)));
        Ok(Self {
            address,
            state,
            accepting,
        })
    }

    /// Writes a kubeconfig with the same credentials that leads here.
    ///
    /// # Errors
    /// When the one can't be read or the other not be written.
    pub fn kubeconfig(&self, control_plane: &ControlPlane, path: &Path) -> Result<PathBuf> {
        let mut kubeconfig = Kubeconfig::read_from(path)?;
        for cluster in &mut kubeconfig.clusters {
            let cluster = cluster.cluster.as_mut().context("an empty cluster")?;
            cluster.server = Some(format!("http://{}", self.address));
        }
        control_plane.write_kubeconfig(&kubeconfig)
    }

    /// Puts a rule in force; of several the first counts.
    pub fn arm(&self, rule: Rule) -> Arc<Armed> {
        let armed = Armed::new(rule);
        lock(&self.state.rules).push(Arc::clone(&armed));
        armed
    }

    /// What the API server answered, in order.
    pub fn journal(&self) -> Vec<Seen> {
        self.state.journal.all()
    }

    /// From now on watch events of IndexRestores are treated so; what was held is judged again.
    pub fn treat(&self, treat: impl Fn(&Event) -> Treatment + Send + Sync + 'static) {
        self.state.view.treat(Box::new(treat), false);
    }

    /// Delivers what was held, the last event first, and all that follows as it comes.
    pub fn deliver_reversed(&self) {
        let pass = Box::new(|_: &Event| Treatment::Pass);
        self.state.view.treat(pass, true);
    }

    /// Breaks the watches of IndexRestores that are open.
    pub fn cut_watches(&self) {
        self.state.view.end(Ending::Cut);
    }

    /// Ends them with the event that their resource version is too old.
    pub fn expire_watches(&self) {
        self.state.view.end(Ending::Gone);
    }

    /// Lists of IndexRestores answer that, whatever is stored; `None`: the truth.
    pub fn show(&self, list: Option<Value>) {
        self.state.view.show(list);
    }

    /// Lists and watches go to that API server, all else still to the first.
    ///
    /// # Errors
    /// When the kubeconfig isn't usable.
    pub async fn read_from(&self, kubeconfig: &Kubeconfig) -> Result<()> {
        *lock(&self.state.reads) = Upstream::new(kubeconfig).await?;
        Ok(())
    }

    /// Whether the API server is out of reach: connections break as they begin.
    pub fn set_away(&self, away: bool) {
        self.state.away.send_replace(away);
    }
}

impl Drop for ApiProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
