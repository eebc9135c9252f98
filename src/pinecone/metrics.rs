use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::operation::Operation;

/// Upper bounds of the buckets of a request's duration, in seconds. A request that ends by its
/// timeout is in a bucket of its own: 30 s is the default, and 174 s the longest.
const BUCKETS: [f64; 11] = [
    0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 180.0,
];

/// What the alerts ask for: no answer, the rate limit, and the 5xx of Pinecone and its gateways.
const FAILURES: [u16; 6] = [0, 429, 500, 502, 503, 504];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Metrics of the requests to Pinecone. Clones count in the same metrics.
#[derive(Clone, Debug)]
pub struct RequestMetrics {
    requests: Family<RequestLabels, Counter>,
    duration: Histograms<OperationLabel>,
}

impl Default for RequestMetrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            duration: Histograms::new_with_constructor(|| Histogram::new(BUCKETS)),
        }
    }
}

impl RequestMetrics {
    /// Returns the metrics, which `registry` shows from now on.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "pinecone_requests",
            "Requests to Pinecone by operation and HTTP status; 0 where no answer came",
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "pinecone_request_duration",
            "Time to the end of Pinecone's answer",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        metrics.start_at_zero();
        metrics
    }

    /// Shows the usual counters from the start: Prometheus sees no increase in the first value of a
    /// counter that was not there before.
    fn start_at_zero(&self) {
        for each in Operation::ALL {
            let operation = each.name();
            for code in [each.success()].into_iter().chain(FAILURES) {
                let labels = RequestLabels { operation, code };
                drop(self.requests.get_or_create(&labels));
            }
            drop(self.duration.get_or_create(&OperationLabel { operation }));
        }
    }

    /// Counts one exchange with Pinecone; `code` is 0 where no answer came.
    pub(super) fn observe(&self, operation: &'static str, code: u16, took: Duration) {
        self.requests
            .get_or_create(&RequestLabels { operation, code })
            .inc();
        self.duration
            .get_or_create(&OperationLabel { operation })
            .observe(took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::metrics::{encode, registry};

    #[test]
    fn requests_are_counted_by_operation_and_status() {
        let mut registry = registry("indexrestore", "1", "r");
        let metrics = RequestMetrics::register(&mut registry);
        metrics.observe("describe_index", 200, Duration::from_millis(20));
        let text = encode([&registry]).unwrap();
        let line =
            r#"indexrestore_pinecone_requests_total{operation="describe_index",code="200"} 1"#;
        assert!(text.contains(line), "{line} is missing from\n{text}");
    }

    #[test]
    fn the_default_and_the_longest_timeout_of_requests_are_in_buckets_of_their_own() {
        let mut registry = registry("indexrestore", "1", "r");
        let metrics = RequestMetrics::register(&mut registry);
        for seconds in [29.9, 30.1, 119.0, 174.1] {
            metrics.observe("list_indexes", 0, Duration::from_secs_f64(seconds));
        }
        let text = encode([&registry]).unwrap();
        for (bound, count) in [("30.0", 1), ("60.0", 2), ("120.0", 3), ("180.0", 4)] {
            let line = format!(
                "indexrestore_pinecone_request_duration_seconds_bucket{{le=\"{bound}\",operation=\"list_indexes\"}} {count}\n"
            );
            assert!(text.contains(&line), "{line} is missing from\n{text}");
        }
    }
}
