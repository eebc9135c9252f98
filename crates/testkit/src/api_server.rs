//! kube-apiserver on loopback, which can be stopped and started again with the same data.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use rustix::process::Signal;

use crate::certificates::Certificates;
use crate::process::Process;

const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
";

/// In the control plane's folder, which goes with it, unless `INDEX_RESTORE_AUDIT_FOLDER` names one for the logs of all to stay in.
pub(crate) fn audit_log(directory: &Path) -> PathBuf {
    let folder = std::env::var_os("INDEX_RESTORE_AUDIT_FOLDER").filter(|path| !path.is_empty());
    match (folder, directory.file_name()) {
        (Some(folder), Some(name)) => Path::new(&folder).join(name).with_extension("audit"),
        _ => directory.join("audit.log"),
    }
}

#[derive(Debug)]
pub(crate) struct ApiServer {
    binary: PathBuf,
    log: PathBuf,
    arguments: Vec<String>,
    process: Option<Process>,
}

impl ApiServer {
    /// Not yet started.
    pub(crate) fn new(
        binary: PathBuf,
        directory: &Path,
        port: u16,
        etcd_port: u16,
        certificates: &Certificates,
    ) -> Result<Self> {
        let policy = directory.join("audit-policy.yaml");
        std::fs::write(&policy, AUDIT_POLICY)?;
        let arguments = [
            format!("--etcd-servers=http://127.0.0.1:{etcd_port}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            // The `kubernetes` Service must not have loopback endpoints, and nothing here needs it.
            "--endpoint-reconciler-type=none".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            "--profiling=false".to_owned(),
            format!("--client-ca-file={}", certificates.path("ca.crt")),
            format!("--tls-cert-file={}", certificates.path("server.crt")),
            format!("--tls-private-key-file={}", certificates.path("server.key")),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            format!(
                "--service-account-key-file={}",
                certificates.path("service-account.pub")
            ),
            format!(
                "--service-account-signing-key-file={}",
                certificates.path("service-account.key")
            ),
            format!("--audit-policy-file={}", policy.display()),
            format!("--audit-log-path={}", audit_log(directory).display()),
        ];
        let log = directory.join("kube-apiserver.log");
        Ok(Self {
            binary,
            log,
            arguments: arguments.to_vec(),
            process: None,
        })
    }

    /// Starts it without waiting until it is ready.
    pub(crate) fn start(&mut self) -> Result<()> {
        if let Some(process) = &mut self.process
            && process.exited()?.is_none()
        {
            bail!("kube-apiserver is running already");
        }
        let arguments = &self.arguments;
        self.process = Some(Process::spawn(
            "kube-apiserver",
            &self.binary,
            &self.log,
            |command| {
                command.args(arguments);
            },
        )?);
        Ok(())
    }

    /// SIGKILL, then waits until it is gone.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.running()?.kill()?;
        self.process = None;
        Ok(())
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> Result<()> {
        self.running()?.signal(signal)
    }

    pub(crate) fn running(&mut self) -> Result<&mut Process> {
        match &mut self.process {
            Some(process) => Ok(process),
            None => bail!("kube-apiserver is stopped"),
        }
    }
}
