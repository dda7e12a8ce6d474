//! The command line: one file a subcommand. The only place that sees every module and that uses
//! `anyhow`; each error it prints ends with what to do next.

mod access;
mod admin;
pub mod certs;
pub mod chat;
pub mod device;
pub mod discover;
pub mod doctor;
pub mod echo;
mod folders;
mod import;
pub mod invite;
pub mod join;
pub mod metrics;
mod output;
mod qr;
pub mod send;
pub mod serve;
pub mod tail;
mod usage;
pub mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Encrypted, authenticated chat for the people on your network.
#[derive(Parser)]
#[command(name = "parlour", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Args),
    Join(join::Args),
    Chat(chat::Args),
    Echo(echo::Args),
    Send(send::Args),
    Tail(tail::Args),
    Device(device::Args),
    Discover(discover::Args),
    Doctor(doctor::Args),
    Certs(certs::Args),
    Metrics(metrics::Args),
    User(user::Args),
    Invite(invite::Args),
}

/// Parses the command line, runs the subcommand and turns its result into an exit code.
///
/// Results go to stdout, everything else to stderr. Exit codes: 0 success, 1 failure with one
/// clear line, 2 wrong usage (from clap). Only `doctor` has codes of its own.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::explain(&error),
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("parlour: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let done = match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Join(args) => join::run(args),
        Command::Chat(args) => chat::run(args),
        Command::Echo(args) => echo::run(&args),
        Command::Send(args) => send::run(args),
        Command::Tail(args) => tail::run(&args),
        Command::Device(args) => device::run(args),
        Command::Discover(args) => discover::run(&args),
        Command::Doctor(args) => return Ok(doctor::run(&args)),
        Command::Certs(args) => certs::run(args),
        Command::Metrics(args) => metrics::run(args),
        Command::User(args) => user::run(args),
        Command::Invite(args) => invite::run(args),
    };
    done.map(|()| ExitCode::SUCCESS)
}
