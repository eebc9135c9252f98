use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::runtime::metrics::seconds;

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
            duration: Histograms::new_with_constructor(seconds),
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
        metrics
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
        let text = encode(&registry).unwrap();
        let line =
            r#"indexrestore_pinecone_requests_total{operation="describe_index",code="200"} 1"#;
        assert!(text.contains(line), "{line} is missing from\n{text}");
    }
}
