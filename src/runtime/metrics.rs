//! The registry of the process's metrics. Each module registers its own; labels are bounded: no
//! names of objects, Secrets, indexes or tags.

use prometheus_client::encoding::text;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Returns a registry that shows the build under `build`; all names begin with `prefix`.
pub fn registry(prefix: &str, version: &'static str, revision: &'static str) -> Registry {
    let mut registry = Registry::with_prefix(prefix);
    let build = Info::new([("version", version), ("revision", revision)]);
    registry.register("build", "The operator that runs", build);
    registry
}

/// Whether this process leads.
#[derive(Clone, Debug, Default)]
pub struct LeaderGauge(Gauge);

impl LeaderGauge {
    /// Returns the gauge, which `registry` shows from now on.
    pub fn register(registry: &mut Registry) -> Self {
        let gauge = Self::default();
        registry.register("leader", "Whether this process leads", gauge.0.clone());
        gauge
    }

    /// Sets whether this process leads.
    pub fn set(&self, leads: bool) {
        self.0.set(leads.into());
    }
}

/// Returns the OpenMetrics text of all metrics in the registries.
///
/// # Errors
/// Only if the text cannot be written to memory.
pub fn encode<'r>(
    registries: impl IntoIterator<Item = &'r Registry>,
) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for registry in registries {
        text::encode_registry(&mut text, registry)?;
    }
    text::encode_eof(&mut text)?;
    Ok(text)
}
