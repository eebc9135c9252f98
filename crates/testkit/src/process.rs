//! A child process whose output goes to a file and which can't outlive us.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::reaper::reaper;

// The program starts only once the reaper knows its pid: if we die in between, `read` sees the end of its pipe and gives up.
const GATE: &str = r#"read -r _ && exec "$@""#;

const POLL: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with no environment but PATH, and with stdout and stderr appended to `log`.
    /// `prepare` adds arguments and environment; the process has a process group of its own.
    pub(crate) fn spawn(
        name: &str,
        program: &Path,
        log: &Path,
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Self> {
        if !program.is_file() {
            bail!("starting {name}: there is no file {}", program.display());
        }
        let program = std::path::absolute(program)?;
        let output = OpenOptions::new().create(true).append(true).open(log);
        let output = output.with_context(|| format!("opening {}", log.display()))?;
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .args([GATE, name].map(OsStr::new))
            .arg(program)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0);
        prepare(&mut command);
        let child = command
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let mut process = Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        };
        reaper()?.adopt(process.pid())?;
        let mut gate = process
            .child
            .stdin
            .take()
            .context("the child has no stdin")?;
        gate.write_all(b"go\n")
            .with_context(|| format!("starting {name}"))?;
        Ok(process)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The exit status, if it has ended.
    pub(crate) fn exited(&mut self) -> Result<Option<ExitStatus>> {
        let status = self
            .child
            .try_wait()
            .with_context(|| format!("waiting for {}", self.name))?;
        if status.is_some() {
            reaper()?.release(self.pid())?;
        }
        Ok(status)
    }

    /// Waits without a deadline, blocking the thread; `tick` runs about fifty times a second.
    pub(crate) fn wait_blocking(&mut self, mut tick: impl FnMut()) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.exited()? {
                return Ok(status);
            }
            tick();
            std::thread::sleep(POLL);
        }
    }

    pub(crate) async fn wait(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let end = tokio::time::Instant::now() + deadline;
        loop {
            if let Some(status) = self.exited()? {
                return Ok(status);
            }
            if tokio::time::Instant::now() >= end {
                bail!(
                    "{} is still running after {deadline:?}\n{}",
                    self.name,
                    self.log_tail()
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Sends the signal; an error when the process has ended.
    pub(crate) fn signal(&mut self, signal: Signal) -> Result<()> {
        if let Some(status) = self.exited()? {
            bail!(
                "{} has already ended: {status}\n{}",
                self.name,
                self.log_tail()
            );
        }
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        let pid = pid.with_context(|| format!("{} has no valid pid", self.name))?;
        kill_process(pid, signal).with_context(|| format!("sending {signal:?} to {}", self.name))
    }

    /// SIGKILL, then waits until it is gone. Nothing happens when it has ended before.
    pub(crate) fn kill(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.exited()? {
            return Ok(status);
        }
        self.child
            .kill()
            .with_context(|| format!("killing {}", self.name))?;
        reaper()?.release(self.pid())?;
        self.child
            .wait()
            .with_context(|| format!("waiting for {}", self.name))
    }

    /// All that it has written to stdout and stderr, in order.
    pub(crate) fn log(&self) -> String {
        match std::fs::read(&self.log) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("({} can't be read: {error})", self.log.display()),
        }
    }

    /// The end of the log, for error messages.
    pub(crate) fn log_tail(&self) -> String {
        const LINES: usize = 30;
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = &lines[lines.len().saturating_sub(LINES)..];
        format!(
            "--- the last lines of {}'s log:\n{}\n---",
            self.name,
            tail.join("\n")
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("{error:#}");
        }
    }
}
