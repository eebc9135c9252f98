//! The metrics that the operator counts. Labels are bounded: no names of objects, Secrets,
//! indexes or tags.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pinecone_requests: Family<RequestLabels, Counter>,
    pinecone_duration: Histograms<OperationLabel>,
    reconciles: Family<OutcomeLabel, Counter>,
    reconcile_duration: Histogram,
    submissions: Family<OutcomeLabel, Counter>,
    restores: Family<ReasonLabel, Gauge>,
    unconfirmed: Gauge,
    conflicts: Counter,
    watch_errors: Counter,
    orphaned: Counter,
    leader: Gauge,
}

fn seconds() -> Histogram {
    Histogram::new([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("indexrestore"),
            pinecone_requests: Family::default(),
            pinecone_duration: Histograms::new_with_constructor(seconds),
            reconciles: Family::default(),
            reconcile_duration: seconds(),
            submissions: Family::default(),
            restores: Family::default(),
            unconfirmed: Gauge::default(),
            conflicts: Counter::default(),
            watch_errors: Counter::default(),
            orphaned: Counter::default(),
            leader: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "pinecone_requests",
            "Requests to Pinecone by operation and HTTP status; 0 where no answer came",
            self.pinecone_requests.clone(),
        );
        registry.register_with_unit(
            "pinecone_request_duration",
            "Time to the end of Pinecone's answer",
            Unit::Seconds,
            self.pinecone_duration.clone(),
        );
        registry.register(
            "reconciles",
            "Passes over an IndexRestore by outcome",
            self.reconciles.clone(),
        );
        registry.register_with_unit(
            "reconcile_duration",
            "Time of one pass over an IndexRestore",
            Unit::Seconds,
            self.reconcile_duration.clone(),
        );
        registry.register(
            "submissions",
            "Create requests sent to Pinecone by what their answer said",
            self.submissions.clone(),
        );
        registry.register(
            "restores",
            "IndexRestores by the reason of their Ready condition",
            self.restores.clone(),
        );
        registry.register(
            "unconfirmed",
            "IndexRestores whose restored index cannot be checked",
            self.unconfirmed.clone(),
        );
        registry.register(
            "status_write_conflicts",
            "Status writes that lost to a newer version of the object",
            self.conflicts.clone(),
        );
        registry.register(
            "watch_errors",
            "Errors while watching IndexRestores",
            self.watch_errors.clone(),
        );
        registry.register(
            "orphaned",
            "Accepted restores whose IndexRestore was gone before it could be recorded",
            self.orphaned.clone(),
        );
        registry.register(
            "leader",
            "Whether this process leads and works on IndexRestores",
            self.leader.clone(),
        );
        let build = Info::new([
            ("version", env!("CARGO_PKG_VERSION")),
            ("revision", crate::REVISION),
        ]);
        registry.register("build", "The operator that runs", build);
    }

    /// One exchange with Pinecone; `code` is 0 where no answer came.
    pub fn pinecone_request(&self, operation: &'static str, code: u16, took: Duration) {
        self.pinecone_requests
            .get_or_create(&RequestLabels { operation, code })
            .inc();
        self.pinecone_duration
            .get_or_create(&OperationLabel { operation })
            .observe(took.as_secs_f64());
    }

    /// Counts one reconcile and its duration; `outcome` is `ok` or a bounded error label.
    pub fn reconciled(&self, outcome: &'static str, took: Duration) {
        self.reconciles
            .get_or_create(&OutcomeLabel { outcome })
            .inc();
        self.reconcile_duration.observe(took.as_secs_f64());
    }

    /// Counts one claim by its outcome: the label of the answer to its request, or `unsent`.
    pub fn submitted(&self, outcome: &'static str) {
        self.submissions
            .get_or_create(&OutcomeLabel { outcome })
            .inc();
    }

    /// Counts a status write that lost against a newer version of the object.
    pub fn conflicted(&self) {
        self.conflicts.inc();
    }

    /// Counts an error of a watch on IndexRestores. The watch is restarted.
    pub fn watch_failed(&self) {
        self.watch_errors.inc();
    }

    /// Counts an accepted restore that no IndexRestore records, because its object is gone.
    pub fn orphaned(&self) {
        self.orphaned.inc();
    }

    /// Sets whether this process leads.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// Sets the number of restores of each reason, and the number of those whose restored
    /// index cannot be checked.
    pub fn count_restores(
        &self,
        by_reason: impl IntoIterator<Item = (&'static str, i64)>,
        unconfirmed: i64,
    ) {
        self.unconfirmed.set(unconfirmed);
        for (reason, count) in by_reason {
            self.restores
                .get_or_create(&ReasonLabel { reason })
                .set(count);
        }
    }

    /// The OpenMetrics text of all metrics.
    ///
    /// # Errors
    /// Only if the text cannot be written to memory.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown_under_documented_names() {
        let metrics = Metrics::default();
        metrics.pinecone_request("describe_index", 200, Duration::from_millis(20));
        metrics.submitted("accepted");
        metrics.count_restores([("Restored", 3), ("Pending", 0)], 2);
        let text = metrics.encode().unwrap();
        for line in [
            r#"indexrestore_pinecone_requests_total{operation="describe_index",code="200"} 1"#,
            r#"indexrestore_submissions_total{outcome="accepted"} 1"#,
            r#"indexrestore_restores{reason="Restored"} 3"#,
            r#"indexrestore_restores{reason="Pending"} 0"#,
            "indexrestore_unconfirmed 2",
            "indexrestore_orphaned_total 0",
            "indexrestore_leader 0",
        ] {
            assert!(text.contains(line), "{line} is missing from\n{text}");
        }
    }
}
