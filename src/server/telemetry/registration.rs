//! Making of metrics that a registry knows.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Name and value of a metric's only label.
pub(super) type Label = [(&'static str, &'static str); 1];

/// Registers a counter under this name, with a description.
pub fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

/// Registers counters with a label under this name, with a description.
pub fn counter_family(registry: &mut Registry, name: &str, help: &str) -> Family<Label, Counter> {
    let counters = Family::default();
    registry.register(name, help, counters.clone());
    counters
}

/// Registers a gauge under this name, with a description.
pub fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

/// Registers gauges with a label under this name, with a description.
pub fn gauge_family(registry: &mut Registry, name: &str, help: &str) -> Family<Label, Gauge> {
    let gauges = Family::default();
    registry.register(name, help, gauges.clone());
    gauges
}
