//! Memory: of sessions that do nothing, and before, during and after a load.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use super::figures::{Outcome, to_number};
use super::process::{CpuClock, resident_kib};
use super::sessions::{CAPABILITIES, log_in_all};
use super::target::{Dialer, Target};
use super::traffic::{self, Exchange, Pace};

/// Time for the server to finish what the last login caused; no longer than what is measured then.
const SETTLING: Duration = Duration::from_secs(2);

/// Time between two looks at the server's memory.
const SAMPLING: Duration = Duration::from_millis(50);

/// Sessions that do nothing.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Idle {
    /// Sessions
    #[arg(long, default_value_t = 5000)]
    sessions: usize,
    /// Sessions in each channel
    #[arg(long, default_value_t = 50)]
    per_channel: usize,
    /// Seconds for which their CPU time is measured
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

/// The server's memory around a load.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Memory {
    /// Sessions in one channel
    #[arg(long, default_value_t = 500)]
    sessions: usize,
    /// Those of them that write
    #[arg(long, default_value_t = 5)]
    senders: usize,
    /// Own messages that a sender has under way
    #[arg(long, default_value_t = 32)]
    window: usize,
    /// Seconds of the load
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds after the last session has left
    #[arg(long, default_value_t = 60.0)]
    rest: f64,
}

/// Measures idle sessions.
pub async fn run(target: &Target, options: &Idle) -> Result<Outcome> {
    let pid = target.pid.context("idle sessions need --pid")?;
    let memory = || resident_kib(pid).context("the server's memory");
    let dialer = Arc::new(Dialer::new(target)?);
    let per_channel = options.per_channel.max(1);
    let lost = Arc::new(AtomicUsize::new(0));
    let ended = lost.clone();
    let before = memory()?;
    let clock = CpuClock::start(Some(pid));
    log_in_all(&dialer, options.sessions, (target.proof, CAPABILITIES), move |number, mut client| {
        let ended = ended.clone();
        async move {
            client.join(&format!("#idle{}", number / per_channel)).await?;
            tokio::spawn(async move {
                // It stays until the end of this process.
                let _ = client.stay().await;
                ended.fetch_add(1, Ordering::Relaxed);
            });
            Ok(())
        }
    })
    .await?;
    let logins = clock.elapsed();
    tokio::time::sleep(SETTLING.min(Duration::from_secs_f64(options.seconds))).await;
    let clock = CpuClock::start(Some(pid));
    tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
    let used = clock.elapsed();
    let after = memory()?;
    let lost = lost.load(Ordering::Relaxed);
    ensure!(lost == 0, "{lost} sessions were closed");
    let sessions = to_number(options.sessions as u64);
    let mut outcome = Outcome::default();
    outcome.add("sessions", options.sessions);
    outcome.add("tls", dialer.negotiated());
    outcome.add_number("kib_per_session", (after - before) / sessions, 2);
    outcome.add_number("rss_before_mib", before / 1024.0, 1);
    outcome.add_number("rss_mib", after / 1024.0, 1);
    outcome.add_number("login_seconds", logins.seconds, 2);
    outcome.add_number("cpu_percent", used.server / used.seconds * 100.0, 2);
    used.add_to(&mut outcome.figures);
    Ok(outcome)
}

/// Measures memory before, during and after a load.
pub async fn run_memory(target: &Target, options: &Memory) -> Result<Outcome> {
    let pid = target.pid.context("memory needs --pid")?;
    let memory = || resident_kib(pid).context("the server's memory");
    let before = memory()?;
    let exchange = Exchange {
        members: options.sessions,
        senders: options.senders,
        pace: Pace::Window(options.window),
        seconds: options.seconds,
        ..Exchange::default()
    };
    let members = traffic::log_in_members(target, &exchange).await?;
    tokio::time::sleep(SETTLING.min(Duration::from_secs_f64(options.seconds))).await;
    let with_sessions = memory()?;
    let mut peak = with_sessions;
    let watch = async {
        loop {
            peak = peak.max(resident_kib(pid).unwrap_or(0.0));
            tokio::time::sleep(SAMPLING).await;
        }
    };
    let mut outcome = tokio::select! {
        outcome = traffic::exchange(target, &exchange, members) => outcome?,
        () = watch => bail!("unreachable"),
    };
    tokio::time::sleep(Duration::from_secs_f64(options.rest)).await;
    let after = memory()?;
    outcome.add_number("rss_before_mib", before / 1024.0, 1);
    outcome.add_number("rss_with_sessions_mib", with_sessions / 1024.0, 1);
    outcome.add_number("rss_peak_mib", peak / 1024.0, 1);
    outcome.add_number("rss_after_mib", after / 1024.0, 1);
    Ok(outcome)
}
