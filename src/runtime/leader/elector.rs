//! Runs leader election until the process ends.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use tokio_util::sync::CancellationToken;

use super::candidate::Candidate;
use super::evaluate::LeaseAction;
use super::{Identity, Leadership, Timing, lease};
use crate::runtime::api_server::Error;
use crate::runtime::clock::BootTime;
use crate::runtime::failpoint::Site;

/// The Lease of the election, and the identity and timing of this candidate.
pub struct LeaseConfig {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Written as `holderIdentity`.
    pub identity: Identity,
    /// Intervals of the election.
    pub timing: Timing,
}

/// Holds the lease, or waits for it.
pub struct Elector {
    api: Api<Lease>,
    name: String,
    timing: Timing,
    candidate: Candidate,
    /// The Lease as last read or written; none while that is not known.
    lease: Option<Lease>,
    leadership: Arc<Leadership>,
    failures: u32,
}

impl Elector {
    /// Returns a candidate that has not read the Lease yet; it publishes its term in `leadership`.
    pub fn new(client: Client, config: LeaseConfig, leadership: Arc<Leadership>) -> Self {
        Self {
            api: Api::namespaced(client, &config.namespace),
            name: config.name,
            timing: config.timing,
            candidate: Candidate::new(config.identity, config.timing),
            lease: None,
            leadership,
            failures: 0,
        }
    }

    /// Reads the lease once, to learn early whether that is allowed.
    ///
    /// # Errors
    /// Those of the read.
    pub async fn check(&mut self) -> Result<(), Error> {
        self.read_lease().await
    }

    /// Leads whenever it can, until `stop` is cancelled; then releases the lease. Whoever cancels
    /// `stop` has finished what only a leader may do.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            self.round().await;
            let wait = self.wait(BootTime::now());
            let slept = stop.run_until_cancelled(tokio::time::sleep(wait)).await;
            if slept.is_none() {
                break;
            }
        }
        self.release().await;
    }

    async fn round(&mut self) {
        let mut result = self.try_acquire_or_renew().await;
        if result.as_ref().is_err_and(Error::is_conflict) {
            // Another candidate wrote the lease: read it again.
            result = self.try_acquire_or_renew().await;
        }
        match result {
            Ok(()) => self.failures = 0,
            Err(error) if error.is_conflict() => {}
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures == 1 {
                    tracing::warn!(%error, "acquiring or renewing the lease failed; retrying");
                } else {
                    tracing::debug!(%error, failures = self.failures, "acquiring or renewing the lease failed");
                }
            }
        }
        self.publish();
    }

    /// Acquires or renews the lease, or reads who holds it.
    async fn try_acquire_or_renew(&mut self) -> Result<(), Error> {
        // A leader writes without reading first: a conflict shows that another candidate wrote.
        if self.lease.is_none() || !self.candidate.leads(BootTime::now()) {
            self.read_lease().await?;
        }
        match self.candidate.action(BootTime::now()) {
            LeaseAction::Wait(_) => Ok(()),
            LeaseAction::Acquire | LeaseAction::Inherit | LeaseAction::Renew => {
                self.write_lease().await
            }
        }
    }

    async fn read_lease(&mut self) -> Result<(), Error> {
        let before = self.candidate.holder().map(str::to_owned);
        self.lease = None;
        self.lease = lease::read(&self.api, &self.name, self.deadline()).await?;
        let record = self.lease.as_ref();
        let record = record.map(|lease| lease::record(lease, self.timing.lease_duration));
        self.candidate.saw(record, BootTime::now());
        self.publish();
        let holder = self.candidate.holder();
        if holder != before.as_deref() && !self.candidate.holds() {
            match self.candidate.action(BootTime::now()) {
                LeaseAction::Inherit => {
                    tracing::info!(
                        holder,
                        "taking over the lease of this pod's earlier container"
                    );
                }
                _ => tracing::info!(holder, "standing by for the lease"),
            }
        }
        Ok(())
    }

    async fn write_lease(&mut self) -> Result<(), Error> {
        let record = self.candidate.held_record(Timestamp::now());
        let before = self.lease.take();
        let began = BootTime::now();
        let write = lease::write(
            Site::LEASE_PUT,
            &self.api,
            &self.name,
            before.as_ref(),
            &record,
            self.deadline(),
        );
        let written = write.await?;
        let record = lease::record(&written, self.timing.lease_duration);
        self.candidate.wrote(record, began, BootTime::now());
        self.lease = Some(written);
        Ok(())
    }

    fn publish(&self) {
        let until = self.candidate.leads_until();
        self.leadership.update(until, BootTime::now());
    }

    /// Returns the deadline of one call; a leader's call ends with its leadership at the latest.
    fn deadline(&self) -> Duration {
        let own = self.timing.renew_deadline / 2;
        let left = self.left(BootTime::now());
        left.map_or(own, |left| left.min(own))
    }

    /// Returns the time until the next round.
    fn wait(&self, now: BootTime) -> Duration {
        let period = self.timing.retry_period;
        if let Some(left) = self.left(now) {
            return period.min(left);
        }
        // Candidates read more often than a leader renews, so that one takes over a released lease
        // soon; the random part keeps them apart.
        let until_read = period.mul_f64(0.5 + rand::random::<f64>() / 4.0);
        match self.candidate.action(now) {
            LeaseAction::Wait(left) => until_read.min(left),
            LeaseAction::Acquire | LeaseAction::Inherit | LeaseAction::Renew => until_read,
        }
    }

    /// Returns how long this process still leads, if it does.
    fn left(&self, now: BootTime) -> Option<Duration> {
        let until = self.candidate.leads_until()?;
        Some(until.since(now)).filter(|left| !left.is_zero())
    }

    async fn release(mut self) {
        self.leadership.update(None, BootTime::now());
        if self.lease.is_none() && self.candidate.holds() && self.read_lease().await.is_err() {
            tracing::warn!("releasing the lease failed; it expires after the lease duration");
            return;
        }
        let Some(record) = self.candidate.released_record(Timestamp::now()) else {
            return;
        };
        let deadline = self.timing.renew_deadline / 2;
        let write = lease::write(
            Site::LEASE_RELEASE,
            &self.api,
            &self.name,
            self.lease.as_ref(),
            &record,
            deadline,
        );
        match write.await {
            Ok(_) => tracing::info!("released the lease"),
            Err(error) => {
                tracing::warn!(%error, "releasing the lease failed; it expires after the lease duration")
            }
        }
    }
}
