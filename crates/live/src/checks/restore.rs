//! A restore from the create to the ready index.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use serde_json::Value;

use super::{Restored, Session};
use crate::assumption::Verdict;
use crate::client::{Call, Reply};
use crate::pause::Pause;

/// How long an index or a job may take to be visible.
const VISIBLE: Duration = Duration::from_secs(60);
/// How many observations in a row may fail.
const FAILURES_MAX: u32 = 10;

const STATES: [&str; 4] = ["Pending", "Completed", "Failed", "Cancelled"];

/// What is being waited for.
struct Watch {
    name: String,
    job_id: String,
    accepted: Instant,
    /// The `Date` of the accepted create.
    date: Option<Timestamp>,
    /// The job is listed, or was not for too long.
    is_list_done: bool,
    is_shown: bool,
    /// The index, once it is ready.
    index: Option<Value>,
    is_complete: bool,
    failures: u32,
}

impl Session {
    /// Restores the backup and waits until the job is complete and the index ready: L5, L6, L13, L14.
    pub(super) async fn restore(&mut self, number: u32) -> Result<Restored> {
        let name = self.name(number);
        let reply = self.client.send(Call::get(&["indexes", &name])).await?;
        if !reply.is_error(404) {
            bail!("The name {name} is not free: {}", reply.brief());
        }
        let reply = self
            .ledger
            .create(&self.client, &self.backup.id, &name)
            .await?;
        if !reply.is_success() {
            bail!("Pinecone rejected the create: {}", reply.brief());
        }
        let job_id = reply.json["restore_job_id"].as_str();
        let job_id = job_id
            .context("Pinecone accepted the create without restore_job_id")?
            .to_owned();
        self.check_visible(&name, &reply).await?;
        if number == 1 {
            self.check_conflict(&name).await?;
        }
        self.watch(Watch {
            name,
            job_id,
            accepted: reply.received,
            date: reply.date,
            is_list_done: false,
            is_shown: false,
            index: None,
            is_complete: false,
            failures: 0,
        })
        .await
    }

    /// L5a and L14a, right after the create.
    async fn check_visible(&self, name: &str, created: &Reply) -> Result<()> {
        let reply = self.client.send(Call::get(&["indexes", name])).await?;
        let after = created.received.elapsed().as_millis();
        let evidence = format!("{} within {after} ms of the 202.", reply.brief());
        self.findings
            .record("L5a", Verdict::of(reply.is_success()), evidence);
        let evidence = match created.date {
            Some(date) => format!("{} with Date {date}.", created.brief()),
            None => format!("{} without a Date that can be parsed.", created.brief()),
        };
        self.findings
            .record("L14a", Verdict::of(created.date.is_some()), evidence);
        Ok(())
    }

    /// L7: the same name while its index exists.
    async fn check_conflict(&self, name: &str) -> Result<()> {
        let reply = self
            .ledger
            .create(&self.client, &self.backup.id, name)
            .await?;
        let evidence = format!("{}.", reply.brief());
        self.findings
            .record("L7", Verdict::of(reply.is_error(409)), evidence);
        if reply.is_success() {
            bail!("Pinecone accepted a second create of the name {name}");
        }
        Ok(())
    }

    async fn watch(&mut self, mut watch: Watch) -> Result<Restored> {
        let mut pause = Pause::new();
        loop {
            self.observed.polls += 1;
            // The index first: if it is ready and the job, asked for later, is not complete, the index was ready before.
            let is_ready = self.watch_index(&mut watch).await?;
            self.watch_job(&mut watch, is_ready).await?;
            self.watch_list(&mut watch).await?;
            let is_over = watch.is_complete && watch.is_list_done;
            if let Some(index) = watch.index.clone().filter(|_| is_over) {
                return Ok(Restored {
                    name: watch.name,
                    job_id: watch.job_id,
                    index,
                });
            }
            pause.wait().await;
        }
    }

    async fn watch_index(&self, watch: &mut Watch) -> Result<bool> {
        let call = Call::get(&["indexes", &watch.name]);
        let Some(reply) = watch.observe(self.client.send(call).await)? else {
            return Ok(false);
        };
        let state = reply.json["status"]["state"].as_str().unwrap_or_default();
        if ["InitializationFailed", "Failed", "Disabled"].contains(&state) {
            bail!("The index {} is {state}", watch.name);
        }
        let is_ready = reply.json["status"]["ready"] == true;
        watch.index = is_ready.then_some(reply.json);
        Ok(is_ready)
    }

    async fn watch_job(&mut self, watch: &mut Watch, was_ready: bool) -> Result<()> {
        let call = Call::get(&["restore-jobs", &watch.job_id]);
        let Some(reply) = watch.observe(self.client.send(call).await)? else {
            return Ok(());
        };
        if !reply.is_success() {
            if !watch.is_shown && watch.accepted.elapsed() > VISIBLE {
                let evidence = format!("After 60 s: {}.", reply.brief());
                self.findings.record("L5c", Verdict::Refuted, evidence);
            }
            return Ok(());
        }
        let job = &reply.json;
        let state = job["status"].as_str().unwrap_or("none").to_owned();
        if !watch.is_shown {
            watch.is_shown = true;
            self.record_shown(watch, job);
        }
        self.record_state(job, &state);
        let elapsed = seconds(watch.accepted);
        if was_ready && state == "Pending" {
            let evidence =
                format!("The index was Ready after {elapsed}, and the job still Pending.");
            self.findings.record("L13", Verdict::Refuted, evidence);
        }
        match state.as_str() {
            "Completed" if !watch.is_complete => {
                watch.is_complete = true;
                self.observed.jobs_completed += 1;
                let (jobs, polls) = (self.observed.jobs_completed, self.observed.polls);
                let evidence = format!(
                    "{jobs} restores, {polls} observations; the last job was Completed after {elapsed}."
                );
                self.findings.record("L13", Verdict::Confirmed, evidence);
            }
            "Failed" | "Cancelled" => bail!("The restore job {} is {state}", watch.job_id),
            _ => {}
        }
        Ok(())
    }

    /// L5c, L14b and L14c, when the job is shown for the first time.
    fn record_shown(&mut self, watch: &Watch, job: &Value) {
        self.observed.lags_of_job.push(seconds(watch.accepted));
        let lags = self.observed.lags_of_job.join(", ");
        let in_time = watch.accepted.elapsed() <= VISIBLE;
        let evidence = format!("Shown {lags} after each create.");
        self.findings.record("L5c", Verdict::of(in_time), evidence);

        let created_at = &job["created_at"];
        let evidence = format!("created_at is {created_at}.");
        self.findings
            .record("L14c", Verdict::of(created_at.is_string()), evidence);
        let created: Option<Timestamp> = created_at.as_str().and_then(|text| text.parse().ok());
        if let (Some(created), Some(date)) = (created, watch.date) {
            let apart = date.duration_since(created).abs().as_secs_f64();
            let evidence = format!("Date {date}, created_at {created}: {apart:.1} s apart.");
            self.findings
                .record("L14b", Verdict::of(apart <= 30.0), evidence);
        }
    }

    /// L6a and L6b.
    fn record_state(&mut self, job: &Value, state: &str) {
        self.observed.states.insert(state.to_owned());
        let states: Vec<&str> = self.observed.states.iter().map(String::as_str).collect();
        let known = states.iter().all(|state| STATES.contains(state));
        let evidence = format!("States seen: {}.", states.join(", "));
        self.findings.record("L6a", Verdict::of(known), evidence);

        let (percent, completed_at) = (&job["percent_complete"], &job["completed_at"]);
        let evidence = format!("{state}: percent_complete {percent}, completed_at {completed_at}.");
        if state == "Completed" {
            let holds = percent.as_f64() == Some(100.0) && completed_at.is_string();
            self.findings.record("L6b", Verdict::of(holds), evidence);
        } else if !(percent.is_null() && completed_at.is_null()) {
            self.findings.record("L6b", Verdict::Refuted, evidence);
        }
    }

    /// L5b.
    async fn watch_list(&mut self, watch: &mut Watch) -> Result<()> {
        if watch.is_list_done {
            return Ok(());
        }
        let is_late = watch.accepted.elapsed() > VISIBLE;
        let list = match self.list_jobs().await {
            Ok(list) => list,
            Err(error) => {
                watch.is_list_done = is_late;
                return watch.tolerate(&format!("{error:#}"));
            }
        };
        if list.position(&watch.job_id).is_some() {
            watch.is_list_done = true;
            self.observed.lags_of_list.push(seconds(watch.accepted));
            let lags = self.observed.lags_of_list.join(", ");
            let evidence = format!("Listed {lags} after each create.");
            self.findings.record("L5b", Verdict::of(!is_late), evidence);
        } else if is_late {
            watch.is_list_done = true;
            let rows = list.rows.len();
            let evidence = format!("Not in the {rows} rows that were read 60 s after the create.");
            let verdict = match list.is_whole {
                true => Verdict::Refuted,
                false => Verdict::NotDetermined,
            };
            self.findings.record("L5b", verdict, evidence);
        }
        Ok(())
    }
}

impl Watch {
    /// An answer that says something; `None` if it is transient or there is none.
    fn observe(&mut self, outcome: Result<Reply>) -> Result<Option<Reply>> {
        match outcome {
            Ok(reply) if reply.is_transient() => self.tolerate(&reply.brief()).map(|()| None),
            Ok(reply) => {
                self.failures = 0;
                Ok(Some(reply))
            }
            Err(error) => self.tolerate(&format!("{error:#}")).map(|()| None),
        }
    }

    fn tolerate(&mut self, failure: &str) -> Result<()> {
        self.failures += 1;
        if self.failures > FAILURES_MAX {
            bail!("{FAILURES_MAX} requests in a row failed, the last one: {failure}");
        }
        Ok(())
    }
}

fn seconds(since: Instant) -> String {
    format!("{:.1} s", since.elapsed().as_secs_f64())
}
