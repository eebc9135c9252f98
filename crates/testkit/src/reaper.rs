//! The end of children that would outlive this process.
//!
//! One `sh` per process reads what to clean up from a pipe that only we hold. The kernel closes that pipe however we end, even by
//! SIGKILL; the shell then kills the children still registered and removes the temporary directories.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, Result, anyhow, bail};

// Each child leads a process group, so that its own children end too. A process that is being killed may still add a file while its
// directory is removed, hence the repeated rm.
const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT
pids=
while IFS= read -r line; do
  case $line in
    +*) pids="$pids ${line#+}" ;;
    -*) kept=
        for pid in $pids; do [ "$pid" = "${line#-}" ] || kept="$kept $pid"; done
        pids=$kept ;;
    'dir '*) set -- "$@" "${line#dir }" ;;
  esac
done
for pid in $pids; do kill -9 "-$pid" || kill -9 "$pid"; done
for dir in "$@"; do
  tries=0
  until rm -rf "$dir" || [ "$tries" -ge 50 ]; do tries=$((tries + 1)); sleep 0.1; done
done
"#;

/// The shell that outlives this process for a moment.
#[derive(Debug)]
pub(crate) struct Reaper {
    shell: Mutex<Child>,
}

/// The reaper of this process, started at first use.
///
/// # Errors
/// When `/bin/sh` can't be started; every later call repeats that error.
pub(crate) fn reaper() -> Result<&'static Reaper> {
    static REAPER: OnceLock<Result<Reaper, String>> = OnceLock::new();
    let started = REAPER.get_or_init(|| Reaper::start().map_err(|error| format!("{error:#}")));
    started.as_ref().map_err(|error| anyhow!(error.clone()))
}

impl Reaper {
    fn start() -> Result<Self> {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "reaper"])
            .stdin(Stdio::piped())
            // Inherited outputs would keep `cargo test | less` waiting, and a terminal's ctrl-c must not reach the shell.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting /bin/sh as the reaper of child processes")?;
        Ok(Self {
            shell: Mutex::new(shell),
        })
    }

    /// From now on `pid` is killed when this process ends.
    pub(crate) fn adopt(&self, pid: u32) -> Result<()> {
        self.send(&format!("+{pid}"))
    }

    /// To be called before `pid` is waited for: afterwards the number may be another process's.
    pub(crate) fn release(&self, pid: u32) -> Result<()> {
        self.send(&format!("-{pid}"))
    }

    /// From now on the directory is removed when this process ends.
    pub(crate) fn remove_at_end(&self, directory: &Path) -> Result<()> {
        match directory.to_str() {
            Some(path) if directory.is_absolute() && !path.contains('\n') => {
                self.send(&format!("dir {path}"))
            }
            _ => bail!(
                "{} is not an absolute UTF-8 path on one line",
                directory.display()
            ),
        }
    }

    fn send(&self, line: &str) -> Result<()> {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        let pipe = shell.stdin.as_mut().context("the reaper has no pipe")?;
        pipe.write_all(format!("{line}\n").as_bytes())
            .context("the reaper of child processes is gone")
    }
}

/// A directory under the system's temporary one, removed on drop or, at the latest, when this process has ended.
pub(crate) fn temporary_directory() -> Result<tempfile::TempDir> {
    let directory = tempfile::Builder::new()
        .prefix("index-restore-operator-")
        .tempdir()
        .context("making a temporary directory")?;
    reaper()?.remove_at_end(&std::path::absolute(directory.path())?)?;
    Ok(directory)
}
