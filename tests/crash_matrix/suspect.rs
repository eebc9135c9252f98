//! The operator process that is killed or frozen.

use std::os::unix::process::ExitStatusExt as _;

use anyhow::{Result, ensure};
use testkit::scene::{Running, Scene};
use testkit::{DEADLINE, eventually};

use crate::cell::{Point, Recovery};

const SIGKILL: i32 = 9;

pub struct Suspect {
    running: Running,
}

impl Suspect {
    /// Starts it with that failpoint, and with the one at which it is held before.
    pub fn start(
        scene: &Scene,
        flags: &[&str],
        holds: Option<Point>,
        end: (Point, Recovery),
    ) -> Self {
        let (point, recovery) = end;
        let hold = holds.map(|point| format!("{point}=stop,"));
        let failpoints = format!("{}{point}={}", hold.unwrap_or_default(), recovery.action());
        let environment = [("INDEX_RESTORE_FAILPOINT", failpoints.as_str())];
        Self {
            running: scene.launch_with(flags, &environment),
        }
    }

    /// Waits until it is killed or frozen there.
    pub async fn reaches(&mut self, point: Point, recovery: Recovery) -> Result<()> {
        if recovery == Recovery::Thaw {
            return self.is_frozen_at(point).await;
        }
        let exit = self.running.process.wait_exit(DEADLINE).await?;
        ensure!(exit.signal() == Some(SIGKILL), "it ended with {exit}");
        self.logged(&format!("failpoint {point} reached"))
    }

    pub async fn is_frozen_at(&self, point: Point) -> Result<()> {
        let path = format!("/proc/{}/stat", self.running.process.pid());
        eventually("the process is stopped", DEADLINE, async || {
            let stat = std::fs::read_to_string(&path)?;
            let state = stat.rsplit_once(") ").map(|(_, fields)| fields);
            Ok(state.is_some_and(|s| s.starts_with('T')).then_some(()))
        })
        .await?;
        self.logged(&format!("failpoint {point} reached"))
    }

    fn logged(&self, text: &str) -> Result<()> {
        ensure!(self.running.process.logs().contains(text), "no {text:?}");
        Ok(())
    }

    pub fn resume(&mut self) -> Result<()> {
        self.running.process.resume()
    }

    pub fn terminate(&mut self) -> Result<()> {
        self.running.process.terminate()
    }

    /// Waits until it has found out that it does not lead, or has ended.
    pub async fn knows_better(&mut self, point: Point) -> Result<()> {
        let passed = format!("failpoint {point} passed");
        eventually("the thawed process follows", DEADLINE, async || {
            self.logged(&passed)?;
            if self.running.process.exited()?.is_some() {
                return Ok(Some(()));
            }
            let (_, text) = self.running.get("/metrics").await?;
            Ok(text.contains("indexrestore_leader 0\n").then_some(()))
        })
        .await
    }

    /// Lets it end what it was at.
    pub async fn ends(&mut self) -> Result<()> {
        if self.running.process.exited()?.is_none() {
            self.running.process.terminate()?;
        }
        let exit = self.running.process.wait_exit(DEADLINE).await?;
        ensure!(exit.success(), "it ended with {exit}");
        Ok(())
    }

    pub fn logs(&self) -> String {
        self.running.process.logs()
    }
}
