//! CPU time and memory of processes, from `/proc`.

use std::fs;
use std::time::Instant;

use serde_json::{Map, json};

use super::figures::rounded;

/// Ticks of the clock that `/proc` counts CPU time in: `USER_HZ`, which is 100 on every architecture that Parlour runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Returns the CPU seconds of a process with all its threads, in user and system mode.
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program stands in brackets and may have blanks.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// Returns the resident memory of a process in KiB.
pub fn resident_kib(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Returns the seconds that all processors together were idle. (What the kernel counts as busy misses what is shorter than
/// a tick.)
fn idle_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let fields = text.lines().next()?.split_whitespace().skip(4).take(2);
    Some(fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND)
}

/// Returns the count of the machine's processors, of which this process may be on one alone.
fn processors() -> Option<u32> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    u32::try_from(text.lines().skip(1).filter(|line| line.starts_with("cpu")).count()).ok()
}

/// CPU time from a moment on.
pub struct CpuClock {
    pid: Option<u32>,
    start: Instant,
    server: f64,
    load: f64,
    idle: f64,
}

/// CPU time of a span.
#[derive(Clone, Copy, Debug)]
pub struct CpuUse {
    /// Length of the span in seconds.
    pub seconds: f64,
    /// CPU seconds of the server; 0 if its process is not known.
    pub server: f64,
    load: f64,
    others: f64,
}

impl CpuClock {
    /// Starts to measure.
    pub fn start(pid: Option<u32>) -> Self {
        Self {
            pid,
            start: Instant::now(),
            server: pid.and_then(cpu_seconds).unwrap_or(0.0),
            load: cpu_seconds(std::process::id()).unwrap_or(0.0),
            idle: idle_seconds().unwrap_or(0.0),
        }
    }

    /// Returns what was used since the start.
    pub fn elapsed(&self) -> CpuUse {
        let seconds = self.start.elapsed().as_secs_f64();
        let server = self.pid.and_then(cpu_seconds).unwrap_or(0.0) - self.server;
        let load = cpu_seconds(std::process::id()).unwrap_or(0.0) - self.load;
        let all = f64::from(processors().unwrap_or(1)) * seconds;
        let others = all - (idle_seconds().unwrap_or(0.0) - self.idle) - server - load;
        CpuUse { seconds, server, load, others: others.max(0.0) }
    }
}

impl CpuUse {
    /// Adds the shares of a processor that the server, the generator and all others had. Where the generator's is near its
    /// threads, it is what limits; where the others' is not near 0, times are doubtful.
    pub fn add_to(self, figures: &mut Map<String, serde_json::Value>) {
        for (name, used) in [("server", self.server), ("load", self.load), ("others", self.others)] {
            figures.insert(format!("{name}_cores"), json!(rounded(used / self.seconds, 3)));
        }
    }
}
