//! A load generator for IRC servers over TLS 1.3, and the ceiling: a server without rules to compare with.
//!
//! Each scenario logs clients in, measures, and returns figures and faults. Servers without accounts are measured with
//! `--proof none`.

mod ceiling;
mod client;
mod devices;
mod echo;
mod figures;
mod idle;
pub mod ledger;
pub mod line;
mod logins;
mod process;
mod sessions;
mod target;
mod traffic;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};

pub use figures::Outcome;
use serde_json::json;
use target::Target;
use traffic::{Exchange, Pace};

/// A scenario of the generator.
#[derive(Subcommand)]
pub enum Scenario {
    /// Clients log in and leave, by the proof that `--proof` names
    Login {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: logins::Logins,
    },
    /// Sessions break off and come back at once, compared with plain handshakes
    Herd {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: logins::Herd,
    },
    /// Sessions that do nothing: memory of each
    Idle {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: idle::Idle,
    },
    /// Memory before, during and after a load
    Memory {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: idle::Memory,
    },
    /// Members of one channel, as many messages as the server takes
    FanOut {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        channel: Channel,
        /// Own messages that a sender has under way
        #[arg(long, default_value_t = 32)]
        window: usize,
    },
    /// The same at a fixed rate, for latencies
    Rate {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        channel: Channel,
        /// Messages a second of all senders together
        #[arg(long, default_value_t = 500.0)]
        rate: f64,
    },
    /// Clients send to themselves or in channels of their own, one message at a time
    Echo {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        options: echo::Echo,
    },
    /// Serves as the ceiling, until it is killed: logs everybody in and passes lines on, with no rules
    Ceiling(ceiling::Ceiling),
}

/// The members of a channel.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Channel {
    /// Sessions in the channel, with those that write
    #[arg(long, default_value_t = 50)]
    members: usize,
    /// Members that write
    #[arg(long, default_value_t = 5)]
    senders: usize,
    /// Bytes of each text
    #[arg(long, default_value_t = 100)]
    bytes: usize,
    /// Seconds that are measured
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

/// Runs a scenario to its end.
pub fn run(scenario: &Scenario) -> Result<Outcome> {
    let (name, target) = match scenario {
        Scenario::Login { target, .. } => ("login", target),
        Scenario::Herd { target, .. } => ("herd", target),
        Scenario::Idle { target, .. } => ("idle", target),
        Scenario::Memory { target, .. } => ("memory", target),
        Scenario::FanOut { target, .. } => ("fan-out", target),
        Scenario::Rate { target, .. } => ("rate", target),
        Scenario::Echo { target, .. } => ("echo", target),
        Scenario::Ceiling(ceiling) => return ceiling::run(ceiling),
    };
    let runtime = runtime(target.threads)?;
    let measured = runtime.block_on(measure(scenario, target));
    // The clients that are still connected go with it, and nobody waits for them.
    runtime.shutdown_background();
    let mut outcome = measured.with_context(|| format!("{name} of {}", target.server))?;
    let faults = outcome.faults;
    outcome.add("server", target.server.clone());
    outcome.add("scenario", name);
    outcome.add("name", target.name.as_deref().unwrap_or(name));
    for (name, count) in [
        ("lost", faults.lost),
        ("repeated", faults.repeated),
        ("reordered", faults.reordered),
        ("unknown", faults.unknown),
    ] {
        outcome.add(name, json!(count));
    }
    Ok(outcome)
}

async fn measure(scenario: &Scenario, target: &Target) -> Result<Outcome> {
    let (channel, pace) = match scenario {
        Scenario::Login { options, .. } => return logins::run(target, options).await,
        Scenario::Herd { options, .. } => return logins::run_herd(target, options).await,
        Scenario::Idle { options, .. } => return idle::run(target, options).await,
        Scenario::Memory { options, .. } => return idle::run_memory(target, options).await,
        Scenario::Echo { options, .. } => return echo::run(target, options).await,
        Scenario::FanOut { channel, window, .. } => (channel, Pace::Window(*window)),
        Scenario::Rate { channel, rate, .. } => (channel, Pace::Rate(*rate)),
        Scenario::Ceiling(_) => return Ok(Outcome::default()),
    };
    let Channel { members, senders, bytes, seconds } = *channel;
    let exchange = Exchange { members, senders, pace, bytes, seconds };
    let clients = traffic::log_in_members(target, &exchange).await?;
    traffic::exchange(target, &exchange, clients).await
}

/// Makes a runtime: on this thread alone, or with more of them.
fn runtime(threads: usize) -> Result<tokio::runtime::Runtime> {
    let mut builder = match threads {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    Ok(builder.worker_threads(threads.max(1)).enable_all().build()?)
}
