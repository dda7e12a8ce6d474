//! Figures of a run: latencies, rates, and their form in JSON.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use super::ledger::Faults;

/// Longest latency that is told apart from longer ones: a minute, in microseconds.
const MAX_MICROS: u64 = 60_000_000;

/// Result of a scenario: what was measured, and what was wrong.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The figures by their names.
    pub figures: Map<String, Value>,
    /// What members lost, had twice or in another order. Any of it fails the run.
    pub faults: Faults,
}

impl Outcome {
    /// Adds a figure.
    pub fn add(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }

    /// Adds a number with this many decimals.
    pub fn add_number(&mut self, name: &str, value: f64, decimals: i32) {
        self.add(name, json!(rounded(value, decimals)));
    }

    /// Adds the median and the 99th percentile in milliseconds.
    pub fn add_latency(&mut self, name: &str, latencies: &Latencies) {
        for (quantile, value) in [("p50", 0.5), ("p99", 0.99)] {
            self.add_number(&format!("{name}_{quantile}_ms"), latencies.millis_at(value), 3);
        }
    }
}

/// A histogram of latencies.
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// Makes an empty one.
    pub fn new() -> Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, MAX_MICROS, 3)?))
    }

    /// Adds a latency.
    pub fn record(&mut self, latency: Duration) {
        self.record_micros(u64::try_from(latency.as_micros()).unwrap_or(MAX_MICROS));
    }

    /// Adds a latency in microseconds.
    pub fn record_micros(&mut self, micros: u64) {
        self.0.saturating_record(micros);
    }

    /// Adds those of another histogram.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    /// Returns the latency at a quantile, in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn millis_at(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1000.0
    }
}

/// Rounds for output.
pub fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

/// Returns a count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
pub fn to_number(count: u64) -> f64 {
    count as f64
}
