//! etcd and kube-apiserver together.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use k8s_openapi::api::core::v1::Namespace;
use kube::config::Kubeconfig;
use kube::{Api, Client};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::api_server::{ApiServer, audit_log};
use crate::certificates::Certificates;
use crate::process::Process;
use crate::{assets, etcd, kubeconfig, kubernetes, ports, reaper};

/// How long kube-apiserver may take until it is ready.
const START_DEADLINE: Duration = Duration::from_secs(90);

/// Starts with new ports when another process was quicker to take one.
const START_ATTEMPTS: usize = 5;

/// A real etcd and kube-apiserver on 127.0.0.1, stopped on drop and with this process at the latest.
#[derive(Debug)]
pub struct ControlPlane {
    api_server: Mutex<ApiServer>,
    pub(crate) etcd: Mutex<Process>,
    pub(crate) etcd_program: PathBuf,
    pub(crate) etcd_port: u16,
    pub(crate) admin: Kubeconfig,
    pub(crate) certificates: Certificates,
    pub(crate) port: u16,
    shared: bool,
    // Dropped after the processes that write to it.
    directory: TempDir,
}

impl ControlPlane {
    /// The control plane that all tests of this process share, started at first use. Tests keep apart by namespaces; what is not
    /// namespaced (a CRD, a ClusterRole) they share.
    ///
    /// # Errors
    /// As [`ControlPlane::start`]; a failed start is not tried again, every later call gives the same error.
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<ControlPlane, String>> = OnceLock::new();
        let get = || {
            SHARED.get_or_init(|| match Self::start_blocking() {
                Ok(control_plane) => Ok(Self {
                    shared: true,
                    ..control_plane
                }),
                Err(error) => Err(format!("{error:#}")),
            })
        };
        let started = match SHARED.get() {
            Some(started) => started,
            None => on_a_thread(get).await?,
        };
        started.as_ref().map_err(|error| anyhow!(error.clone()))
    }

    /// Starts a control plane of one's own, in seconds; in minutes when its programs have to be built first, which shows progress on
    /// stderr.
    ///
    /// # Errors
    /// When its programs are neither found nor can be built, or when it isn't ready within 90 s; the message says what helps, or has
    /// the end of the failing server's log.
    pub async fn start() -> Result<Self> {
        on_a_thread(Self::start_blocking).await?
    }

    /// A runtime of its own, so that nothing is bound to that of the test that happens to be first.
    fn start_blocking() -> Result<Self> {
        let etcd = assets::find(&assets::ETCD)?;
        let kube_apiserver = assets::find(kubernetes::selected()?)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut attempt = 1;
        loop {
            let started = Self::launch(&etcd, &kube_apiserver)
                .and_then(|launched| runtime.block_on(launched.ready()).map(|()| launched));
            match started {
                Err(error) if attempt < START_ATTEMPTS && is_port_taken(&error) => attempt += 1,
                started => return started.context("the control plane did not start"),
            }
        }
    }

    fn launch(etcd: &Path, kube_apiserver: &Path) -> Result<Self> {
        let directory = reaper::temporary_directory()?;
        let certificates = Certificates::create(directory.path())?;
        let (etcd_port, port) = (ports::free_port()?, ports::free_port()?);
        let etcd_program = etcd.to_owned();
        let etcd = etcd::start(etcd, directory.path(), etcd_port)?;
        let mut api_server = ApiServer::new(
            kube_apiserver.to_owned(),
            directory.path(),
            port,
            etcd_port,
            &certificates,
        )?;
        api_server.start()?;
        Ok(Self {
            api_server: Mutex::new(api_server),
            etcd: Mutex::new(etcd),
            etcd_program,
            etcd_port,
            admin: kubeconfig::admin(port, &certificates)?,
            certificates,
            port,
            shared: false,
            directory,
        })
    }

    /// Waits for /readyz and for the namespace `default`, which comes a little later.
    async fn ready(&self) -> Result<()> {
        let client = self.client().await?;
        let end = Instant::now() + START_DEADLINE;
        loop {
            self.check_alive()?;
            let error = match tokio::time::timeout_at(end, is_ready(&client)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => format!("{error:#}"),
                Err(_) => "no answer".to_owned(),
            };
            if Instant::now() >= end {
                let tail = self.lock_api_server().running()?.log_tail();
                bail!("kube-apiserver is not ready after {START_DEADLINE:?}: {error}\n{tail}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn check_alive(&self) -> Result<()> {
        let mut etcd = self.etcd.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(status) = etcd.exited()? {
            bail!("etcd ended with {status}\n{}", etcd.log_tail());
        }
        let mut api_server = self.lock_api_server();
        let process = api_server.running()?;
        if let Some(status) = process.exited()? {
            bail!("kube-apiserver ended with {status}\n{}", process.log_tail());
        }
        Ok(())
    }

    /// The API server's address.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// etcd's address, without TLS: what is stored, past the API server.
    pub fn etcd_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.etcd_port)
    }

    /// The audit log: one JSON event of level Metadata per line, with who did what to which object and the answer's code.
    pub fn audit_log(&self) -> PathBuf {
        audit_log(self.directory.path())
    }

    /// What kube-apiserver has written to stdout and stderr, all its starts together.
    pub fn api_server_log(&self) -> String {
        let path = self.directory.path().join("kube-apiserver.log");
        std::fs::read_to_string(&path)
            .unwrap_or_else(|error| format!("({} can't be read: {error})", path.display()))
    }

    /// Kills kube-apiserver, as if its node was lost; its data stays in etcd.
    ///
    /// # Errors
    /// On the shared control plane, and when it is stopped already.
    pub fn stop_api_server(&self) -> Result<()> {
        self.private()?.stop()
    }

    /// Starts kube-apiserver again on the same port with the same data, and waits until it is ready.
    ///
    /// # Errors
    /// On the shared control plane, when it is running already, or when it isn't ready within 90 s.
    pub async fn start_api_server(&self) -> Result<()> {
        self.private()?.start()?;
        self.ready().await
    }

    /// SIGSTOP to kube-apiserver: connections stay open, and nothing is answered.
    ///
    /// # Errors
    /// On the shared control plane, and when it isn't running.
    pub fn suspend_api_server(&self) -> Result<()> {
        self.private()?.signal(Signal::STOP)
    }

    /// Lets a suspended kube-apiserver go on.
    ///
    /// # Errors
    /// On the shared control plane, and when it isn't running.
    pub fn resume_api_server(&self) -> Result<()> {
        self.private()?.signal(Signal::CONT)
    }

    /// The pids of etcd and, if it isn't stopped, kube-apiserver.
    pub fn pids(&self) -> Vec<u32> {
        let etcd = self
            .etcd
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pid();
        let api_server = self
            .lock_api_server()
            .running()
            .ok()
            .map(|process| process.pid());
        std::iter::once(etcd).chain(api_server).collect()
    }

    /// The folder of its data and logs.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn private(&self) -> Result<MutexGuard<'_, ApiServer>> {
        if self.shared {
            bail!(
                "other tests use the shared control plane too: start a private one to disturb it"
            );
        }
        Ok(self.lock_api_server())
    }

    fn lock_api_server(&self) -> MutexGuard<'_, ApiServer> {
        self.api_server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) async fn is_ready(client: &Client) -> Result<()> {
    client
        .request_text(http::Request::get("/readyz").body(Vec::new())?)
        .await?;
    Api::<Namespace>::all(client.clone()).get("default").await?;
    Ok(())
}

fn is_port_taken(error: &anyhow::Error) -> bool {
    format!("{error:#}").contains("address already in use")
}

/// Unlike a blocking task, a thread doesn't hold up the end of a runtime that is being stopped.
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("control-plane".to_owned())
        .spawn(move || drop(sender.send(work())))
        .context("starting a thread")?;
    receiver
        .await
        .context("the thread that starts the control plane ended early")
}
