//! Measurements of each phase, and the table at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::check::CheckResult;
use crate::figures::EchoTimes;
use crate::load::Load;
use crate::server::{Host, resident_mib};

/// The most that the server's memory may be, in MiB.
const MAX_MEMORY_MIB: f64 = 400.0;

/// Limit of the echo's 99th percentile beside an attack, in multiples of the quiet around it.
const MAX_ECHO_RATIO: f64 = 3.0;

/// The longest that a login may take beside an attack, in milliseconds.
const MAX_LOGIN_MS: f64 = 2000.0;

/// A phase that is under way.
pub struct Phase {
    name: String,
    started: Instant,
    confirmed: usize,
    disconnects: usize,
}

struct Row {
    name: String,
    rate: f64,
    echo: EchoTimes,
    /// The quiet before it and after it, together.
    quiet_echo: EchoTimes,
    /// 99th percentile of how late the process that measures was woken, in milliseconds.
    wake_delay: f64,
    logins: (usize, usize, f64),
    peak_mib: f64,
    disconnects: usize,
    note: String,
}

/// The table, filled phase by phase.
pub struct Report {
    load: Arc<Load>,
    start_mib: f64,
    sampler: Arc<Sampler>,
    rows: Vec<Row>,
    /// Echo times of the quiet before the present phase.
    samples_before: Vec<f64>,
    /// Logins of the quiet between phases that failed.
    failed_logins_between: usize,
}

/// Looks at the server's memory several times a second.
struct Sampler {
    pid: AtomicUsize,
    peak: Mutex<f64>,
    over: AtomicBool,
}

impl Report {
    pub fn new(load: Arc<Load>, start_mib: f64) -> Self {
        let sampler = Arc::new(Sampler {
            pid: AtomicUsize::new(0),
            peak: Mutex::new(0.0),
            over: AtomicBool::new(false),
        });
        let watched = sampler.clone();
        std::thread::spawn(move || {
            while !watched.over.load(Ordering::Relaxed) {
                let pid = u32::try_from(watched.pid.load(Ordering::Relaxed)).unwrap_or(0);
                if let Some(mib) = resident_mib(pid) {
                    let mut peak = watched.peak.lock();
                    *peak = peak.max(mib);
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self {
            load,
            start_mib,
            sampler,
            rows: Vec::new(),
            samples_before: Vec::new(),
            failed_logins_between: 0,
        }
    }

    pub fn begin_phase(&mut self, name: &str) -> Phase {
        drop(self.load.take_samples());
        *self.sampler.peak.lock() = 0.0;
        Phase {
            name: name.to_owned(),
            started: Instant::now(),
            confirmed: self.load.confirmed.load(Ordering::Relaxed),
            disconnects: self.load.disconnects.load(Ordering::Relaxed),
        }
    }

    /// Names the process whose memory is watched, at the start and after each restart.
    pub fn watch(&self, host: &Host) {
        self.sampler.pid.store(usize::try_from(host.pid()).unwrap_or(0), Ordering::Relaxed);
    }

    pub fn end_phase(&mut self, phase: Phase, host: &Host, note: String) {
        let samples = self.load.take_samples();
        let confirmed = self.load.confirmed.load(Ordering::Relaxed) - phase.confirmed;
        let worst_login = samples.logins.iter().copied().fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let rate = confirmed as f64 / phase.started.elapsed().as_secs_f64();
        let peak_mib = self.sampler.peak.lock().max(host.memory_mib());
        self.watch(host);
        self.rows.push(Row {
            name: phase.name,
            rate,
            echo: EchoTimes::from_values(samples.echo),
            quiet_echo: EchoTimes::default(),
            wake_delay: EchoTimes::from_values(samples.late).p99.value,
            logins: (samples.logins.len(), samples.failed_logins, worst_login),
            peak_mib,
            disconnects: self.load.disconnects.load(Ordering::Relaxed) - phase.disconnects,
            note,
        });
    }

    /// Begins a quiet between two phases.
    pub fn begin_quiet(&mut self) {
        let failed = self.load.take_samples().failed_logins;
        self.count_failed(failed);
    }

    /// Logins that failed between phases; behind a fault they are its.
    fn count_failed(&mut self, count: usize) {
        if !self.rows.last().is_some_and(Row::is_fault) {
            self.failed_logins_between += count;
        }
    }

    /// Ends a quiet between two phases: it is the baseline of the one before it, with the quiet before that, and of the
    /// next.
    pub fn end_quiet(&mut self) {
        let samples = self.load.take_samples();
        self.count_failed(samples.failed_logins);
        let mut around = std::mem::replace(&mut self.samples_before, samples.echo);
        around.extend(&self.samples_before);
        let Some(row) = self.rows.last_mut() else { return };
        row.quiet_echo = EchoTimes::from_values(around);
        println!("{}", format_row(row));
    }

    /// Returns whether every login outside of faults succeeded, and the memory stayed within bounds and came back. Neither
    /// depends on the speed of the machine.
    pub fn is_within_limits(&self, final_mib: f64) -> bool {
        let fine = |row: &Row| row.peak_mib <= MAX_MEMORY_MIB && (row.is_fault() || row.logins.1 == 0);
        // What was there from the beginning grows by what the load itself leaves.
        self.failed_logins_between == 0
            && self.rows.iter().all(fine)
            && final_mib <= 1.2 * self.start_mib.max(100.0)
    }

    /// Returns whether every attack left other members within the limits, and prints each that did not. It compares the
    /// lower bound of the percentile beside the attack with the upper bound in the quiet around it, so that only what the
    /// samples show with confidence counts.
    pub fn is_within_targets(&self) -> bool {
        let mut all = true;
        for row in self.rows.iter().filter(|row| !row.is_fault()) {
            let mut fail = |why: String| {
                println!("{}: {why}", row.name);
                all = false;
            };
            if row.echo.count.min(row.quiet_echo.count) < EchoTimes::MIN_SAMPLES {
                fail(format!("too few echoes for a 99th percentile, it takes {}", EchoTimes::MIN_SAMPLES));
            } else if row.echo.p99.low >= MAX_ECHO_RATIO * row.quiet_echo.p99.high {
                fail(format!("the echo takes over {MAX_ECHO_RATIO} times as long as in the quiet around it"));
            }
            if row.logins.2 >= MAX_LOGIN_MS {
                fail("a login takes over two seconds".to_owned());
            }
        }
        all
    }

    pub fn print(&self, checked: &CheckResult, final_mib: f64, unexpected_ends: usize) {
        self.sampler.over.store(true, Ordering::Relaxed);
        println!();
        println!(
            "| phase | load, msg/s | echoes | echo p50, ms | p99, ms (95 %) | quiet around it p50 | p99 (95 %) | p99 ÷ quiet | probe late p99, ms | logins | failed | slowest, ms | memory, MiB | sessions lost | note |"
        );
        println!(
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        );
        for row in &self.rows {
            println!("{}", format_row(row));
        }
        println!();
        println!(
            "sent {}, confirmed {}, refused {}, in the history {}",
            checked.sent, checked.confirmed, checked.refused, checked.stored
        );
        println!(
            "lost {}, doubled {}, reordered {}, skipped {}, wrongly received {}, refused but kept {}",
            checked.lost,
            checked.duplicated,
            checked.reordered,
            checked.skipped,
            checked.received_wrong,
            checked.refused_but_stored
        );
        println!("unexpected ends of the server: {unexpected_ends}");
        println!("logins that failed between phases: {}", self.failed_logins_between);
        println!("memory: {:.0} MiB at the start, {final_mib:.0} MiB at the end", self.start_mib);
    }
}

impl Row {
    /// A fault stops the server for a while: its echoes and logins say how long.
    fn is_fault(&self) -> bool {
        crate::fault::FAULTS.contains(&self.name.as_str())
    }
}

fn format_row(row: &Row) -> String {
    let (p99, quiet) = (row.echo.p99, row.quiet_echo.p99);
    let (logins, failed, worst) = row.logins;
    format!(
        "| {} | {:.0} | {} | {:.1} | {:.1} ({:.1}–{:.1}) | {:.1} | {:.1} ({:.1}–{:.1}) | {:.1} | {:.1} | {logins} | {failed} | {worst:.0} | {:.0} | {} | {} |",
        row.name,
        row.rate,
        row.echo.count,
        row.echo.p50,
        p99.value,
        p99.low,
        p99.high,
        row.quiet_echo.p50,
        quiet.value,
        quiet.low,
        quiet.high,
        p99.value / quiet.value,
        row.wake_delay,
        row.peak_mib,
        row.disconnects,
        row.note
    )
}
