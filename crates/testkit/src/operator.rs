//! The operator as a child process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::Process;
use crate::reaper;

/// How to start the operator; start it from the same builder again for a restart or a second replica.
#[derive(Clone, Debug)]
#[must_use]
pub struct OperatorBuilder {
    binary: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl OperatorBuilder {
    /// Adds an argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable. It has no others but PATH, whatever the environment of the tests.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets `KUBECONFIG`.
    pub fn kubeconfig(self, path: &Path) -> Self {
        self.env("KUBECONFIG", path)
    }

    /// Starts it in a temporary directory of its own, without waiting for anything it does.
    ///
    /// # Errors
    /// When the binary isn't there or can't be started.
    pub fn start(&self) -> Result<Operator> {
        let directory = reaper::temporary_directory()?;
        let process = Process::spawn(
            "the operator",
            &self.binary,
            &directory.path().join("log"),
            |command| {
                command
                    .args(&self.arguments)
                    .envs(self.environment.iter().map(|(name, value)| (name, value)))
                    .current_dir(directory.path());
            },
        )?;
        Ok(Operator {
            process,
            _directory: directory,
        })
    }
}

/// A running operator, killed on drop and with this process at the latest.
#[derive(Debug)]
pub struct Operator {
    process: Process,
    // Dropped after the process that writes to it.
    _directory: TempDir,
}

impl Operator {
    /// For the binary at that path: in integration tests `env!("CARGO_BIN_EXE_index-restore-operator")`.
    pub fn builder(binary: impl Into<PathBuf>) -> OperatorBuilder {
        OperatorBuilder {
            binary: binary.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// All that it has written to stdout and stderr, in order.
    pub fn logs(&self) -> String {
        self.process.log()
    }

    /// SIGKILL, then waits until it is gone. Without effect when it has ended before.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        self.process.kill()
    }

    /// SIGTERM, without waiting for the end.
    ///
    /// # Errors
    /// When it has already ended.
    pub fn terminate(&mut self) -> Result<()> {
        self.process.signal(Signal::TERM)
    }

    /// SIGSTOP: it does nothing until [`Operator::resume`].
    ///
    /// # Errors
    /// When it has already ended.
    pub fn suspend(&mut self) -> Result<()> {
        self.process.signal(Signal::STOP)
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// When it has already ended.
    pub fn resume(&mut self) -> Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// The exit status if it has ended.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        self.process.exited()
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it is still running after `deadline`; the message has the end of its log.
    pub async fn wait_exit(&mut self, deadline: Duration) -> Result<ExitStatus> {
        self.process.wait(deadline).await
    }
}
