//! Metrics of restores and of their reconciles.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the buckets of a reconcile's duration and wait, in seconds. Most reconciles find
/// their answer in a cache, in less than a millisecond; others make several requests of up to 174 s
/// each, and a wait for the rate limit takes minutes.
const BUCKETS: [f64; 15] = [
    0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 180.0, 600.0,
];

/// Every outcome of a reconcile: `ok`, an object that cannot be read, and the labels of
/// [`Error`](crate::runtime::api_server::Error).
const RECONCILE_OUTCOMES: [&str; 8] = [
    "ok",
    "malformed",
    "kubernetes_forbidden",
    "kubernetes_not_found",
    "kubernetes_conflict",
    "kubernetes_invalid",
    "kubernetes_error",
    "kubernetes_unavailable",
];

/// Every outcome of a claim: the labels of [`Posted`](crate::pinecone::Posted), and `unsent`.
const SUBMISSION_OUTCOMES: [&str; 5] = ["accepted", "no_effect", "taken", "unknown", "unsent"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// Metrics of restores and of their reconciles. Clones count in the same metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    reconciles: Family<OutcomeLabel, Counter>,
    reconcile_duration: Histogram,
    wait: Histogram,
    submissions: Family<OutcomeLabel, Counter>,
    restores: Family<ReasonLabel, Gauge>,
    unconfirmed: Gauge,
    conflicts: Counter,
    watch_errors: Counter,
    orphaned: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            reconciles: Family::default(),
            reconcile_duration: Histogram::new(BUCKETS),
            wait: Histogram::new(BUCKETS),
            submissions: Family::default(),
            restores: Family::default(),
            unconfirmed: Gauge::default(),
            conflicts: Counter::default(),
            watch_errors: Counter::default(),
            orphaned: Counter::default(),
        }
    }
}

impl Metrics {
    /// Returns the metrics, which `registry` shows from now on.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "reconciles",
            "Reconciles of an IndexRestore by outcome",
            metrics.reconciles.clone(),
        );
        registry.register_with_unit(
            "reconcile_duration",
            "Time of one reconcile of an IndexRestore",
            Unit::Seconds,
            metrics.reconcile_duration.clone(),
        );
        registry.register_with_unit(
            "reconcile_wait",
            "Time that one reconcile waited for a place or for the rate limit of its API key",
            Unit::Seconds,
            metrics.wait.clone(),
        );
        registry.register(
            "submissions",
            "Claims by the answer to their create request; unsent where none was sent",
            metrics.submissions.clone(),
        );
        registry.register(
            "restores",
            "IndexRestores by the reason of their Ready condition",
            metrics.restores.clone(),
        );
        registry.register(
            "unconfirmed",
            "IndexRestores whose restored index cannot be checked",
            metrics.unconfirmed.clone(),
        );
        registry.register(
            "status_write_conflicts",
            "Status writes that lost to a newer version of the object",
            metrics.conflicts.clone(),
        );
        registry.register(
            "watch_errors",
            "Errors while watching IndexRestores",
            metrics.watch_errors.clone(),
        );
        registry.register(
            "orphaned",
            "Accepted restores whose IndexRestore was gone before it could be recorded",
            metrics.orphaned.clone(),
        );
        metrics.start_at_zero();
        metrics
    }

    /// Shows all counters from the start: Prometheus sees no increase in the first value of a
    /// counter that was not there before.
    fn start_at_zero(&self) {
        for outcome in RECONCILE_OUTCOMES {
            drop(self.reconciles.get_or_create(&OutcomeLabel { outcome }));
        }
        for outcome in SUBMISSION_OUTCOMES {
            drop(self.submissions.get_or_create(&OutcomeLabel { outcome }));
        }
    }

    /// Counts one reconcile and its duration; `outcome` is `ok` or a bounded error label.
    pub fn reconciled(&self, outcome: &'static str, took: Duration) {
        self.reconciles
            .get_or_create(&OutcomeLabel { outcome })
            .inc();
        self.reconcile_duration.observe(took.as_secs_f64());
    }

    /// Counts how long one reconcile waited for a place or for the rate limit of its API key.
    pub fn waited(&self, time: Duration) {
        self.wait.observe(time.as_secs_f64());
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
}

#[cfg(test)]
mod tests {
    use kube::error::Status;

    use super::*;
    use crate::runtime::api_server::Error;
    use crate::runtime::metrics::{LeaderGauge, encode, registry};

    #[test]
    fn the_outcomes_of_reconciles_contain_every_label_of_an_error() {
        let call = "get";
        let answered = |code| Error::Call {
            call,
            source: Box::new(kube::Error::Api(Box::new(Status {
                code,
                ..Status::default()
            }))),
        };
        let after = Duration::ZERO;
        let errors = (100..600).map(answered);
        let mut labels: Vec<_> = errors.map(|error| error.label()).collect();
        labels.push(Error::Deadline { call, after }.label());
        labels.sort_unstable();
        labels.dedup();
        let mut expected = RECONCILE_OUTCOMES[2..].to_vec();
        expected.sort_unstable();
        assert_eq!(labels, expected);
    }

    #[test]
    fn reconciles_of_a_millisecond_and_of_minutes_are_in_buckets_of_their_own() {
        let mut registry = registry("indexrestore", "1", "r");
        let metrics = Metrics::register(&mut registry);
        for seconds in [0.0002, 0.0009, 0.002, 31.0, 175.0, 500.0] {
            metrics.reconciled("ok", Duration::from_secs_f64(seconds));
        }
        let text = encode([&registry]).unwrap();
        for (bound, count) in [
            ("0.0003", 1),
            ("0.001", 2),
            ("0.003", 3),
            ("30.0", 3),
            ("60.0", 4),
            ("180.0", 5),
            ("600.0", 6),
        ] {
            let line = format!(
                "indexrestore_reconcile_duration_seconds_bucket{{le=\"{bound}\"}} {count}\n"
            );
            assert!(text.contains(&line), "{line} is missing from\n{text}");
        }
    }

    #[test]
    fn metrics_are_shown_under_their_documented_names() {
        let mut registry = registry("indexrestore", "1", "r");
        LeaderGauge::register(&mut registry);
        let metrics = Metrics::register(&mut registry);
        metrics.submitted("accepted");
        metrics.count_restores([("Restored", 3), ("Pending", 0)], 2);
        let text = encode([&registry]).unwrap();
        for line in [
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
