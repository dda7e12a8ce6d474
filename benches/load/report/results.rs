//! Results of scenarios: one line of JSON for each run.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value};

/// The server whose ratios to others are printed.
pub const PARLOUR: &str = "Parlour";

/// Figures that are printed. A scenario may have several.
pub const MEASURES: &[Measure] = &[
    Measure::cost("login", "cpu_us_per_login", "CPU of a login, µs", 0),
    Measure::cost("herd", "cpu_us_per_return", "CPU of a return, µs", 0),
    Measure::time("herd", "handshakes_per_return", "CPU of a return, in handshakes", 2),
    Measure::time("herd", "seconds", "seconds until all are back", 2),
    Measure::cost("idle", "kib_per_session", "KiB a session", 1),
    Measure::time("idle", "cpu_percent", "% of a processor", 2),
    Measure::time("memory", "rss_before_mib", "MiB before", 1),
    Measure::cost("memory", "rss_peak_mib", "MiB at most", 1),
    Measure::time("memory", "rss_after_mib", "MiB afterwards", 1),
    Measure::rate("fan-out", "deliveries_per_cpu_s", "deliveries a CPU second"),
    Measure::time("fan-out", "deliveries_per_s", "deliveries a second", 0),
    Measure::time("rate", "delivery_p50_ms", "median ms", 2),
    Measure::time("rate", "delivery_p99_ms", "99 % ms", 2),
    Measure::cost("echo", "cpu_us_per_echo", "CPU of an echo, µs", 1),
    Measure::time("echo", "echo_p50_ms", "median ms", 2),
    Measure::time("echo", "echo_p99_ms", "99 % ms", 2),
];

/// A printed figure.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Scenario that has it.
    pub scenario: &'static str,
    /// Its name in the results.
    pub key: &'static str,
    /// Its title in the tables.
    pub title: &'static str,
    /// Decimals that are printed.
    pub decimals: usize,
    /// Direction in which it gets better; `None` if it is too unsteady to be compared between two days.
    pub comparison: Option<Better>,
}

/// Direction in which a figure gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// More is better, as of things done in a second of CPU.
    More,
    /// Less is better, as of CPU or memory for one thing.
    Less,
}

impl Measure {
    const fn new(scenario: &'static str, key: &'static str, title: &'static str, decimals: usize) -> Self {
        Self { scenario, key, title, decimals, comparison: None }
    }

    /// CPU or memory that something takes.
    const fn cost(scenario: &'static str, key: &'static str, title: &'static str, decimals: usize) -> Self {
        Self { comparison: Some(Better::Less), ..Self::new(scenario, key, title, decimals) }
    }

    /// Things done in a second of CPU.
    const fn rate(scenario: &'static str, key: &'static str, title: &'static str) -> Self {
        Self { comparison: Some(Better::More), ..Self::new(scenario, key, title, 0) }
    }

    /// A figure that depends on what else the machine does, or on the server alone.
    const fn time(scenario: &'static str, key: &'static str, title: &'static str, decimals: usize) -> Self {
        Self::new(scenario, key, title, decimals)
    }

    /// Returns how many times as good `ours` is as `theirs`.
    pub fn ratio(self, ours: f64, theirs: f64) -> Option<f64> {
        let ratio = match self.comparison? {
            Better::More => ours / theirs,
            Better::Less => theirs / ours,
        };
        ratio.is_finite().then_some(ratio)
    }
}

/// All results of a measurement.
pub struct Results(Vec<Map<String, Value>>);

impl Results {
    /// Parses lines of JSON.
    ///
    /// # Errors
    /// When there are none, or one is not of a scenario.
    pub fn parse(text: &str) -> Result<Self> {
        let parse = |line: &str| -> Result<Map<String, Value>> {
            let result: Map<String, Value> =
                serde_json::from_str(line).with_context(|| format!("not a result: {line}"))?;
            for key in ["server", "scenario", "name"] {
                ensure!(result.get(key).is_some_and(Value::is_string), "a result without {key}: {line}");
            }
            Ok(result)
        };
        let results: Vec<_> =
            text.lines().filter(|line| !line.trim().is_empty()).map(parse).collect::<Result<_>>()?;
        ensure!(!results.is_empty(), "there are no results");
        Ok(Self(results))
    }

    /// Returns the servers in the order in which they come first, Parlour before all others.
    pub fn servers(&self) -> Vec<&str> {
        let mut servers = self.distinct("server");
        servers.sort_by_key(|server| *server != PARLOUR);
        servers
    }

    /// Returns the names of the measurements with their scenarios, in their order.
    pub fn measurements(&self) -> Vec<(&str, &str)> {
        let names = self.distinct("name").into_iter();
        names
            .filter_map(|name| Some((name, self.of(name, None).next()?.get("scenario")?.as_str()?)))
            .collect()
    }

    /// Returns the median of a figure over all runs.
    pub fn median(&self, name: &str, server: &str, key: &str) -> Option<f64> {
        let figures = self.of(name, Some(server)).filter_map(|result| result.get(key)?.as_f64());
        median(figures.collect())
    }

    fn of<'a>(
        &'a self,
        name: &'a str,
        server: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Map<String, Value>> {
        let is = |result: &Map<String, Value>, key: &str, value: &str| {
            result.get(key).and_then(Value::as_str) == Some(value)
        };
        self.0.iter().filter(move |result| {
            is(result, "name", name) && server.is_none_or(|server| is(result, "server", server))
        })
    }

    fn distinct(&self, key: &str) -> Vec<&str> {
        let mut found = Vec::new();
        for value in self.0.iter().filter_map(|result| result.get(key)?.as_str()) {
            if !found.contains(&value) {
                found.push(value);
            }
        }
        found
    }
}

/// Returns the median of numbers; of an even count the mean of the two in the middle.
pub fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let upper = *numbers.get(middle)?;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*numbers.get(middle.checked_sub(1)?)?, upper))
}
