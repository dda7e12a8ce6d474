//! Measurements of each phase, and the table at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::check::Checked;
use crate::load::Load;
use crate::server::{Host, resident_mib};

/// Memory limit of the server, in MiB.
const MEMORY_MIB: f64 = 400.0;

/// A phase in progress.
pub struct Phase {
    name: String,
    started: Instant,
    confirmed: usize,
    disconnects: usize,
}

struct Row {
    name: String,
    rate: f64,
    echo: (usize, f64, f64),
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
}

/// Samples the server's memory several times a second.
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
        Self { load, start_mib, sampler, rows: Vec::new() }
    }

    pub fn begin(&mut self, name: &str) -> Phase {
        drop(self.load.take_samples());
        *self.sampler.peak.lock() = 0.0;
        Phase {
            name: name.to_owned(),
            started: Instant::now(),
            confirmed: self.load.confirmed.load(Ordering::Relaxed),
            disconnects: self.load.disconnects.load(Ordering::Relaxed),
        }
    }

    /// Sets the process whose memory is sampled, at the start and after each restart.
    pub fn watch(&self, host: &Host) {
        self.sampler.pid.store(usize::try_from(host.pid()).unwrap_or(0), Ordering::Relaxed);
    }

    pub fn end(&mut self, phase: Phase, host: &Host, note: String) {
        let samples = self.load.take_samples();
        let confirmed = self.load.confirmed.load(Ordering::Relaxed) - phase.confirmed;
        let echo = quantiles(samples.echo);
        let worst_login = samples.logins.iter().copied().fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let rate = confirmed as f64 / phase.started.elapsed().as_secs_f64();
        let peak_mib = self.sampler.peak.lock().max(host.memory());
        self.watch(host);
        let row = Row {
            name: phase.name,
            rate,
            echo,
            logins: (samples.logins.len(), samples.failed_logins, worst_login),
            peak_mib,
            disconnects: self.load.disconnects.load(Ordering::Relaxed) - phase.disconnects,
            note,
        };
        println!("{}", self.line(&row));
        self.rows.push(row);
    }

    /// Returns true if no attack affected other clients beyond the limits, and the memory returned to normal.
    pub fn within_reach(&self, final_mib: f64) -> bool {
        let Some(quiet) = self.rows.first() else { return false };
        let fine = |row: &Row| {
            let faulty = crate::fault::FAULTS.contains(&row.name.as_str());
            row.peak_mib <= MEMORY_MIB
                && (faulty || (row.echo.2 < 3.0 * quiet.echo.2 && row.logins.1 == 0 && row.logins.2 < 2000.0))
        };
        self.rows.iter().all(fine) && final_mib <= 1.2 * quiet.peak_mib
    }

    fn line(&self, row: &Row) -> String {
        let quiet = self.rows.first().map_or(row.echo.2, |quiet| quiet.echo.2);
        let (count, p50, p99) = row.echo;
        let (logins, failed, worst) = row.logins;
        format!(
            "| {} | {:.0} | {count} | {p50:.1} | {p99:.1} | {:.1} | {logins} | {failed} | {worst:.0} | {:.0} | {} | {} |",
            row.name,
            row.rate,
            p99 / quiet,
            row.peak_mib,
            row.disconnects,
            row.note
        )
    }

    pub fn print(&self, checked: &Checked, final_mib: f64, unexpected_ends: usize) {
        self.sampler.over.store(true, Ordering::Relaxed);
        println!();
        println!(
            "| phase | load, msg/s | echoes | echo p50, ms | p99, ms | p99 ÷ quiet | logins | failed | slowest, ms | memory, MiB | sessions lost | note |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        for row in &self.rows {
            println!("{}", self.line(row));
        }
        println!();
        println!(
            "sent {}, confirmed {}, refused {}, in the history {}",
            checked.sent, checked.confirmed, checked.refused, checked.kept
        );
        println!(
            "lost {}, doubled {}, reordered {}, skipped {}, wrongly received {}, refused but kept {}",
            checked.lost,
            checked.doubled,
            checked.reordered,
            checked.skipped,
            checked.received_wrong,
            checked.refused_but_kept
        );
        println!("unexpected ends of the server: {unexpected_ends}");
        println!("memory: {:.0} MiB at the start, {final_mib:.0} MiB at the end", self.start_mib);
    }
}

/// Returns the count, the median and the 99th percentile.
fn quantiles(mut values: Vec<f64>) -> (usize, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |per_cent: usize| {
        let index = (values.len() * per_cent).div_ceil(100).saturating_sub(1);
        values.get(index).copied().unwrap_or(f64::NAN)
    };
    (values.len(), at(50), at(99))
}
