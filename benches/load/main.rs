//! A load generator for IRC servers over TLS 1.3: `scripts/bench.sh`, which runs `cargo bench --bench load` for Parlour and
//! others. Each scenario prints its figures as one line of JSON.
//!
//! Every member checks that it receives each message once and in its sender's order. Where one does not, the scenario
//! exits with 1, as it does when a session is refused or closed.

mod generator;
mod report;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use serde_json::Value;

#[derive(Parser)]
#[command(name = "load", about = "Measures an IRC server on this machine, over TLS")]
struct Options {
    /// Passed by `cargo bench`
    #[arg(long, hide = true, global = true)]
    bench: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Scenario(generator::Scenario),
    /// Prints tables of the results of many scenarios, compares them, draws them
    Report(report::Report),
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let scenario = match options.command {
        Command::Report(report) => {
            return Ok(if report::run(&report)? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Scenario(scenario) => scenario,
    };
    rlimit::increase_nofile_limit(u64::MAX).context("the limit of open files")?;
    let outcome = generator::run(&scenario)?;
    println!("{}", Value::Object(outcome.figures));
    if outcome.faults.is_clean() {
        Ok(ExitCode::SUCCESS)
    } else {
        eprintln!("load: messages did not arrive once and in order: {:?}", outcome.faults);
        Ok(ExitCode::FAILURE)
    }
}
