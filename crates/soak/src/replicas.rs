//! The operator's replicas: started, killed, frozen, and started again as a kubelet would.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use testkit::judge::{CANARY, NO_KEY};
use testkit::{Operator, OperatorBuilder};

use crate::gauge::{Sample, Trend, sample};
use crate::observer::Observer;

/// An operator that finds no API server when it starts gives up, and is started again.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// How many logs of processes that ended are kept.
const LOGS: usize = 8;

pub struct Replicas {
    builder: OperatorBuilder,
    observer: Arc<Observer>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Vec<Process>,
    logs: VecDeque<String>,
    /// Of all processes together, in the order of time; as old as the youngest.
    samples: Vec<Sample>,
    trends: Vec<Trend>,
    kills: u32,
    starts: u32,
}

struct Process {
    operator: Operator,
    started: Instant,
    samples: Vec<Sample>,
}

/// The account of all processes.
pub struct Account {
    pub kills: u32,
    pub starts: u32,
    /// Of all processes together, over the run.
    pub overall: Option<Trend>,
    /// Of each process that lived long enough.
    pub each: Vec<Trend>,
    pub peak_rss_kib: u64,
    pub peak_descriptors: u64,
}

impl Replicas {
    pub fn start(builder: OperatorBuilder, count: usize, observer: Arc<Observer>) -> Result<Self> {
        let replicas = Self {
            builder,
            observer,
            state: Mutex::default(),
        };
        for _ in 0..count {
            let process = replicas.spawn()?;
            replicas.lock().running.push(process);
        }
        Ok(replicas)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self) -> Result<Process> {
        let operator = self.builder.start()?;
        self.lock().starts += 1;
        Ok(Process {
            operator,
            started: Instant::now(),
            samples: Vec::new(),
        })
    }

    /// Puts a new process in the place of that one.
    fn replace(&self, number: usize) -> Result<()> {
        let next = self.spawn()?;
        let mut state = self.lock();
        let last = std::mem::replace(&mut state.running[number], next);
        self.bury(&mut state, last);
        Ok(())
    }

    fn bury(&self, state: &mut State, process: Process) {
        let log = process.operator.logs();
        for (text, rule) in [
            (CANARY, NO_KEY),
            ("panicked at", "the operator does not panic"),
        ] {
            if let Some(line) = log.lines().find(|line| line.contains(text)) {
                self.observer.accuse(rule, line.to_owned());
            }
        }
        state.trends.extend(Trend::of(&process.samples));
        if state.logs.len() == LOGS {
            state.logs.pop_front();
        }
        state.logs.push_back(log);
    }

    /// SIGKILL, and another process at once.
    pub fn kill(&self, number: usize) -> Result<()> {
        {
            let mut state = self.lock();
            state.running[number].operator.kill()?;
            state.kills += 1;
        }
        self.replace(number)
    }

    /// SIGSTOP; returns the PID.
    pub fn freeze(&self, number: usize) -> u32 {
        let mut state = self.lock();
        let operator = &mut state.running[number].operator;
        // It may have ended by itself just now; that is found out elsewhere.
        let _ = operator.suspend();
        operator.pid()
    }

    /// SIGCONT, unless that process is no more.
    pub fn thaw(&self, number: usize, pid: u32) {
        let mut state = self.lock();
        let operator = &mut state.running[number].operator;
        if operator.pid() == pid {
            let _ = operator.resume();
        }
    }

    /// Samples each replica, and restarts those that ended.
    pub fn look_after(&self) -> Result<()> {
        let mut ended = Vec::new();
        {
            let mut state = self.lock();
            let mut together = Vec::new();
            for (number, process) in state.running.iter_mut().enumerate() {
                let age = process.started.elapsed();
                if let Some(status) = process.operator.exited()? {
                    ended.push((number, age, status));
                } else if let Some(sample) = sample(process.operator.pid(), age) {
                    process.samples.push(sample);
                    together.push(sample);
                }
            }
            if together.len() == state.running.len() {
                state.samples.extend(Sample::sum(&together));
            }
        }
        for (number, age, status) in ended {
            if age > STARTS_WITHIN {
                let what = format!("replica {number} ended after {age:?}: {status}");
                self.observer
                    .accuse("the operator does not end by itself", what);
            }
            self.replace(number)?;
        }
        Ok(())
    }

    /// The lines of all logs at hand that mention one of the texts.
    pub fn log_lines(&self, texts: &[String]) -> String {
        let state = self.lock();
        let running = state.running.iter().map(|process| process.operator.logs());
        let all: Vec<String> = state.logs.iter().cloned().chain(running).collect();
        let mut lines = String::new();
        for line in all.iter().flat_map(|log| log.lines()) {
            if texts.iter().any(|text| line.contains(text)) {
                lines += &format!("  log {line}\n");
            }
        }
        lines
    }

    /// Ends all, and returns their account.
    pub fn end(&self) -> Result<Account> {
        let mut state = self.lock();
        for mut process in std::mem::take(&mut state.running) {
            process.operator.kill()?;
            self.bury(&mut state, process);
        }
        Ok(Account {
            kills: state.kills,
            starts: state.starts,
            overall: Trend::of(&state.samples),
            each: state.trends.clone(),
            peak_rss_kib: state.samples.iter().map(|s| s.rss_kib).max().unwrap_or(0),
            peak_descriptors: state
                .samples
                .iter()
                .map(|s| s.descriptors)
                .max()
                .unwrap_or(0),
        })
    }
}
