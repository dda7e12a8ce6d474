//! Load, attacks and faults against one server, with an independent check of the messages that it stored:
//! `scripts/soak.sh [MINUTES]`, which runs `cargo bench --bench soak`.
//!
//! One server with the default limits runs in a temporary folder. Members write in `#load` all the time, probes measure
//! the echo of a message and the time of a login, and one phase after the other attacks the server or breaks something
//! around it. At the end the history, read like by any client, is compared with the messages that every member sent,
//! saw confirmed and received: no confirmed message may be missing, and none may be there twice or in another order.
//!
//! The server runs on the first processor and everything else on the second if there are two, the attackers with the
//! lowest priority, so that they do not slow down the measurements.

mod attack;
mod check;
mod client;
mod fault;
mod figures;
mod load;
mod probe;
mod report;
mod server;
mod storm;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use client::Dialer;
use report::{Phase, Report};
use server::Host;

#[derive(Parser)]
#[command(name = "soak", about = "Runs a server under load, attacks and faults, and checks what it kept")]
struct Options {
    /// Whole length of the run, in minutes; a phase and the quiet after it are at least six seconds long
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Only the phases whose name contains one of these words, separated by commas
    #[arg(long, value_delimiter = ',', global = true)]
    only: Vec<String>,
    /// Fail also when an attack triples the echo's 99th percentile against the quiet around it, or a login takes over two
    /// seconds
    #[arg(long)]
    strict: bool,
    /// Program of the server under test, instead of the one that was built with this program
    #[arg(long, global = true)]
    server: Option<PathBuf>,
    /// Passed by `cargo bench`
    #[arg(long, hide = true, global = true)]
    bench: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// One attack, in a process of its own
    Attack {
        name: String,
        #[arg(long)]
        address: SocketAddr,
        #[arg(long)]
        pin: String,
        #[arg(long)]
        seconds: f64,
    },
    /// The probes of the echo, in a process of their own
    #[command(hide = true)]
    Probe {
        #[arg(long)]
        address: SocketAddr,
        #[arg(long)]
        pin: String,
    },
    /// Many logins at one moment instead of a soak: 240 wrong ones, 100 right ones, 2,500 accounts that come back
    Storm {
        /// Folder of a memory cgroup that the server is put into
        #[arg(long)]
        cgroup: Option<PathBuf>,
        /// Seconds after a storm at which the memory is looked at again
        #[arg(long, default_value_t = 60)]
        rest: u64,
    },
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if let Some(server) = &options.server {
        let server = server.canonicalize().with_context(|| server.display().to_string())?;
        // Set here alone.
        let _ = server::PROGRAM.set(server);
    }
    rlimit::increase_nofile_limit(u64::MAX).context("the limit of open files")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    match options.command {
        Some(Command::Attack { name, address, pin, seconds }) => {
            let dialer = Dialer::new(address, &pin)?;
            runtime.block_on(attack::run(&name, dialer, Duration::from_secs_f64(seconds)))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Probe { address, pin }) => {
            runtime.block_on(probe::run(Dialer::new(address, &pin)?))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Storm { cgroup, rest }) => {
            runtime.block_on(storm::run(cgroup, Duration::from_secs(rest), &options.only))?;
            Ok(ExitCode::SUCCESS)
        }
        None => runtime.block_on(soak(&options)),
    }
}

async fn soak(options: &Options) -> Result<ExitCode> {
    let total = Duration::from_secs_f64(options.minutes * 60.0);
    let chosen =
        |name: &str| options.only.is_empty() || options.only.iter().any(|word| name.contains(word.as_str()));
    let attacks: Vec<&str> =
        attack::ATTACKS.iter().map(|(name, _)| *name).filter(|name| chosen(name)).collect();
    let faults: Vec<&str> = fault::FAULTS.iter().copied().filter(|name| chosen(name)).collect();
    let rest = (total / 5).clamp(Duration::from_secs(8), Duration::from_mins(1));
    let phases = u32::try_from(attacks.len() + faults.len()).unwrap_or(1).max(1);
    let slot = (total.saturating_sub(rest) / phases).max(Duration::from_secs(6));
    let (each, quiet) = (slot.mul_f64(0.55), slot.mul_f64(0.45));

    let names = server::accounts();
    eprintln!("soak: starting a server with {} accounts", names.len());
    let mut host = Host::start(&names)?;
    let dialer = Dialer::new(host.address, &host.pin)?;
    let load = load::Load::start(dialer.clone()).await?;
    let probes = probe::spawn(&host, &load)?;
    // Until the probes are in.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut report = Report::new(load.clone(), host.memory_mib());
    report.watch(&host);

    run_quiet_phase(&mut report, 2 * quiet).await;
    for name in attacks {
        run_phase(&mut report, &host, name, each, Some(name)).await?;
        run_quiet_phase(&mut report, quiet).await;
    }
    for name in faults {
        let phase = report.begin_phase(name);
        fault::run(name, &mut host, &load, each).await.with_context(|| format!("fault {name}"))?;
        report.end_phase(phase, &host, String::new());
        run_quiet_phase(&mut report, quiet).await;
    }
    run_phase(&mut report, &host, "afterwards", rest, None).await?;
    run_quiet_phase(&mut report, quiet).await;

    let final_memory = host.memory_mib();
    drop(probes);
    load.stop().await;
    let checked = check::check_history(&dialer, &load).await.context("reading the history back")?;
    let unexpected = host.unexpected_ends();
    host.stop()?;
    report.print(&checked, final_memory, unexpected);
    let passed = checked.is_clean() && unexpected == 0 && report.is_within_limits(final_memory);
    Ok(if passed && (!options.strict || report.is_within_targets()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs one phase of some length, with or without an attack beside the load.
async fn run_phase(
    report: &mut Report,
    host: &Host,
    name: &str,
    length: Duration,
    attack: Option<&str>,
) -> Result<()> {
    eprintln!("soak: {name} for {:.0} s", length.as_secs_f64());
    let phase: Phase = report.begin_phase(name);
    let note = match attack {
        Some("control-socket") => fault::silent_control_callers(host, length).await?,
        Some(attack) => attack::spawn(attack, host, length).await?,
        None => {
            tokio::time::sleep(length).await;
            String::new()
        }
    };
    report.end_phase(phase, host, note);
    Ok(())
}

/// Lets connections end and queues drain, then measures the load alone.
async fn run_quiet_phase(report: &mut Report, length: Duration) {
    tokio::time::sleep(Duration::from_millis(500)).await;
    report.begin_quiet();
    tokio::time::sleep(length).await;
    report.end_quiet();
}

/// A value that tasks share.
type Shared<T> = Arc<parking_lot::Mutex<T>>;

/// Returns the milliseconds since `start`, for output.
fn millis_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}
