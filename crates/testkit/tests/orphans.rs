//! However this process ends, its children end with it and their directories are removed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, test_kill_process};
use testkit::{ControlPlane, DEADLINE, Operator, eventually};

const PARENT: &str = "HARNESS_TEST_PARENT";

/// Run by the tests below in a process of its own, which they then end.
#[tokio::test]
async fn parent() -> Result<()> {
    let Ok(how) = std::env::var(PARENT) else {
        return Ok(());
    };
    let control_plane = ControlPlane::shared().await?;
    let operator = Operator::builder("/bin/sh")
        .args(["-c", "trap '' TERM; while :; do sleep 1; done"])
        .start()?;
    for pid in control_plane.pids().into_iter().chain([operator.pid()]) {
        println!("\npid {pid}");
    }
    println!(
        "\ndirectory {}\n\nready",
        control_plane.directory().display()
    );
    if how == "exit" {
        std::process::exit(0);
    }
    // Until it is killed, or for ever if the test that should do so is gone: then stdin ends.
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

#[tokio::test]
async fn a_killed_process_leaves_nothing() -> Result<()> {
    let mut parent = start("wait")?;
    let (pids, directory) = announced(&mut parent)?;
    ensure!(pids.iter().all(|pid| is_alive(*pid)), "all of {pids:?} run");
    parent.kill()?;
    parent.wait()?;
    all_gone(&pids, &directory).await
}

#[tokio::test]
async fn an_ended_process_leaves_nothing() -> Result<()> {
    let mut parent = start("exit")?;
    let (pids, directory) = announced(&mut parent)?;
    ensure!(parent.wait()?.success());
    all_gone(&pids, &directory).await
}

fn start(how: &str) -> Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(["--exact", "parent", "--nocapture"])
        .env(PARENT, how)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting the parent")
}

fn announced(parent: &mut Child) -> Result<(Vec<i32>, String)> {
    let (mut pids, mut directory) = (Vec::new(), String::new());
    for line in BufReader::new(parent.stdout.take().context("no stdout")?).lines() {
        match line?.split_once(' ') {
            Some(("pid", pid)) => pids.push(pid.parse()?),
            Some(("directory", path)) => directory = path.to_owned(),
            _ => {}
        }
        if pids.len() == 3 && !directory.is_empty() {
            return Ok((pids, directory));
        }
    }
    anyhow::bail!("the parent ended before it was ready")
}

async fn all_gone(pids: &[i32], directory: &str) -> Result<()> {
    eventually("children and directory are gone", DEADLINE, async || {
        let alive: Vec<_> = pids.iter().filter(|pid| is_alive(**pid)).collect();
        ensure!(alive.is_empty(), "{alive:?} still run");
        ensure!(!Path::new(directory).exists(), "{directory} still exists");
        Ok(Some(()))
    })
    .await
}

/// A zombie counts as gone: the children's new parent may be slow to reap them.
fn is_alive(pid: i32) -> bool {
    let exists = Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok());
    let state = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output();
    exists
        && state.is_ok_and(|state| {
            !String::from_utf8_lossy(&state.stdout)
                .trim()
                .starts_with('Z')
        })
}
