//! CPU time and memory of processes, from /proc.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Of USER_HZ, which is 100 on every Linux that Rust runs on.
const TICK_MILLIS: u64 = 10;

/// What a process holds.
pub struct Memory {
    pub rss_mib: f64,
    /// The highest RSS since its start.
    pub peak_mib: f64,
}

/// Returns the CPU time that the processes have used, in user and system mode.
pub fn cpu(pids: &[u32]) -> Result<Duration> {
    pids.iter().map(|pid| cpu_of(*pid)).sum()
}

fn cpu_of(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    let stat = stat.with_context(|| format!("process {pid} has ended"))?;
    // The name before it may have blanks.
    let (_, fields) = stat.rsplit_once(')').context("reading /proc/PID/stat")?;
    ticks(fields.split_whitespace().skip(11).take(2))
}

/// Returns the time that all cores together were busy since the machine's start.
fn busy() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat").context("reading /proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    // user, nice, system; then idle and iowait; irq, softirq.
    let fields: Vec<&str> = line.split_whitespace().skip(1).collect();
    ticks(fields.iter().take(3).copied())
        .and_then(|busy| Ok(busy + ticks(fields.iter().skip(5).take(2).copied())?))
}

fn ticks<'a>(fields: impl Iterator<Item = &'a str>) -> Result<Duration> {
    let mut all = 0;
    for field in fields {
        all += field.parse::<u64>().context("reading CPU time")?;
    }
    Ok(Duration::from_millis(TICK_MILLIS * all))
}

pub fn memory(pid: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.with_context(|| format!("process {pid} has ended"))?;
    let mib = |name: &str| -> Result<f64> {
        let line = status.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        let kib: f64 = kib.context("reading /proc/PID/status")?.parse()?;
        Ok(kib / 1024.0)
    };
    Ok(Memory {
        rss_mib: mib("VmRSS:")?,
        peak_mib: mib("VmHWM:")?,
    })
}

/// The processes of a measurement, by what their CPU time counts for.
#[derive(Clone)]
pub struct Processes {
    pub subject: u32,
    pub control_plane: Vec<u32>,
    /// The emulator and the bench.
    pub others: Vec<u32>,
}

/// What was used when a measurement began.
pub struct Window {
    processes: Processes,
    began: Instant,
    before: Used,
}

struct Used {
    subject: Duration,
    control_plane: Duration,
    others: Duration,
    machine: Duration,
}

/// What was used in a window.
pub struct Spent {
    pub subject: Duration,
    pub control_plane: Duration,
    /// Cores that unrelated processes used, on average.
    pub other_load: f64,
    pub length: Duration,
}

impl Spent {
    /// CPU time of what is measured, in percent of one core.
    pub fn share(&self) -> f64 {
        100.0 * self.subject.as_secs_f64() / self.length.as_secs_f64()
    }
}

impl Processes {
    fn used(&self) -> Result<Used> {
        Ok(Used {
            subject: cpu(&[self.subject])?,
            control_plane: cpu(&self.control_plane)?,
            others: cpu(&self.others)?,
            machine: busy()?,
        })
    }
}

impl Window {
    pub fn open(processes: Processes) -> Result<Self> {
        Ok(Self {
            before: processes.used()?,
            began: Instant::now(),
            processes,
        })
    }

    pub fn spent(&self) -> Result<Spent> {
        let length = self.began.elapsed();
        let (before, now) = (&self.before, self.processes.used()?);
        let subject = now.subject.saturating_sub(before.subject);
        let control_plane = now.control_plane.saturating_sub(before.control_plane);
        let own = subject + control_plane + now.others.saturating_sub(before.others);
        let machine = now.machine.saturating_sub(before.machine);
        Ok(Spent {
            subject,
            control_plane,
            other_load: machine.saturating_sub(own).as_secs_f64() / length.as_secs_f64(),
            length,
        })
    }
}

/// Returns the number of cores and the processor's name.
pub fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model);
    format!("{cores} cores, {model}")
}
