//! The list of restore jobs: its order, and the jobs of deleted indexes.

use anyhow::{Result, bail};
use jiff::Timestamp;
use serde_json::Value;

use super::{Restored, Session};
use crate::assumption::Verdict;
use crate::client::Call;

/// The maximum number of rows of a page.
const LIMIT: usize = 100;
/// The maximum number of pages.
const PAGES_MAX: usize = 10;

/// Restore jobs in the order in which they are listed.
pub(super) struct JobList {
    pub(super) rows: Vec<Value>,
    /// Whether the list was read to its end.
    pub(super) is_whole: bool,
}

impl JobList {
    /// The place of a job in the list.
    pub(super) fn position(&self, job_id: &str) -> Option<usize> {
        self.rows
            .iter()
            .position(|job| job["restore_job_id"] == job_id)
    }

    /// The order of the rows by `created_at`.
    fn order(&self) -> &'static str {
        let times: Vec<Timestamp> = self
            .rows
            .iter()
            .filter_map(|job| job["created_at"].as_str()?.parse().ok())
            .collect();
        match (times.is_sorted(), times.is_sorted_by(|a, b| a >= b)) {
            (true, false) => "oldest first",
            (false, true) => "newest first",
            (true, true) => "with equal times",
            (false, false) => "unsorted",
        }
    }
}

impl Session {
    /// Reads the list of restore jobs, up to ten pages.
    pub(super) async fn list_jobs(&self) -> Result<JobList> {
        let first = Call::get(&["restore-jobs"]);
        let mut call = first.clone().query("limit", LIMIT.to_string());
        let mut rows = Vec::new();
        for _ in 0..PAGES_MAX {
            let reply = self.client.send(call).await?;
            let Some(data) = reply.json["data"].as_array() else {
                bail!("GET /restore-jobs: {}", reply.brief());
            };
            rows.extend_from_slice(data);
            let Some(next) = reply.json["pagination"]["next"].as_str() else {
                let is_whole = true;
                return Ok(JobList { rows, is_whole });
            };
            call = first.clone().query("paginationToken", next);
        }
        let is_whole = false;
        Ok(JobList { rows, is_whole })
    }

    /// L1.
    pub(super) async fn check_order(&self, older: &Restored, newer: &Restored) -> Result<()> {
        let list = self.list_jobs().await?;
        let places = (list.position(&older.job_id), list.position(&newer.job_id));
        let (Some(older), Some(newer)) = places else {
            let evidence = format!(
                "Not both jobs of this run are in the {} rows that were read.",
                list.rows.len()
            );
            self.findings.record("L1", Verdict::NotDetermined, evidence);
            return Ok(());
        };
        let order = list.order();
        let evidence = format!(
            "{} rows {order} by created_at; the older job of this run is row {}, the newer one row {}.",
            list.rows.len(),
            older + 1,
            newer + 1
        );
        let holds = newer < older && order == "newest first";
        self.findings.record("L1", Verdict::of(holds), evidence);
        Ok(())
    }

    /// L2a and L2c. A later observation replaces an earlier one.
    pub(super) async fn check_deleted(&self, deleted: &Restored, when: &str) -> Result<()> {
        let list = self.list_jobs().await?;
        let rows = list.rows.len();
        let (verdict, evidence) = match list.position(&deleted.job_id) {
            Some(place) => (
                Verdict::Refuted,
                format!("Row {} of {rows}, {when}.", place + 1),
            ),
            None if list.is_whole => (
                Verdict::Confirmed,
                format!("Not in the {rows} rows, {when}."),
            ),
            None => (
                Verdict::NotDetermined,
                format!("Not in the {rows} rows that were read, {when}; more follow."),
            ),
        };
        self.findings.replace("L2a", verdict, evidence);

        let call = Call::get(&["restore-jobs", &deleted.job_id]);
        let reply = self.client.send(call).await?;
        let evidence = format!("{}, {when}.", reply.brief());
        let verdict = match reply.is_transient() {
            true => Verdict::NotDetermined,
            false => Verdict::of(reply.is_error(404)),
        };
        self.findings.replace("L2c", verdict, evidence);
        Ok(())
    }

    /// L2b: a page with a limit such that the deleted index's job is its last row, between the jobs of two existing indexes.
    pub(super) async fn check_page(
        &self,
        before: &Restored,
        deleted: &Restored,
        after: &Restored,
    ) -> Result<()> {
        let list = self.list_jobs().await?;
        if list.position(&deleted.job_id).is_some() {
            let evidence = "The job of the deleted index is still listed.";
            self.findings.record("L2b", Verdict::Refuted, evidence);
            return Ok(());
        }
        let places = (list.position(&before.job_id), list.position(&after.job_id));
        let first = match places {
            (Some(a), Some(b)) if a.abs_diff(b) == 1 && a.min(b) + 2 <= LIMIT => a.min(b),
            _ => {
                let evidence = "The job of the deleted index is not within the first 100 rows, or foreign jobs are next to it.";
                self.findings
                    .record("L2b", Verdict::NotDetermined, evidence);
                return Ok(());
            }
        };
        let limit = first + 2;
        let call = Call::get(&["restore-jobs"]).query("limit", limit.to_string());
        let reply = self.client.send(call).await?;
        let Some(data) = reply.json["data"].as_array() else {
            bail!("GET /restore-jobs: {}", reply.brief());
        };
        let (count, all) = (data.len(), list.rows.len());
        let next = match reply.json["pagination"]["next"].is_string() {
            true => "has a next token",
            false => "has no next token",
        };
        let evidence =
            format!("limit={limit} has {count} rows and {next}; limit={LIMIT} shows {all} rows.");
        let holds = count < limit && all > count;
        self.findings.record("L2b", Verdict::of(holds), evidence);
        Ok(())
    }
}
