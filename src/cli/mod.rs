//! The command line, with one file for each subcommand. Only this module may use all others and `anyhow`. Each error
//! that it prints ends with a remedy.

#[macro_use]
mod output;

mod access;
mod admin;
pub mod certs;
pub mod channels;
pub mod chat;
pub mod clock;
pub mod device;
pub mod discover;
pub mod doctor;
pub mod echo;
mod exit;
mod folders;
mod foreground;
pub mod history;
mod import;
pub mod invite;
pub mod join;
pub mod metrics;
mod progress;
mod qr;
mod script;
pub mod search;
pub mod send;
pub mod serve;
pub mod servers;
pub mod tail;
mod together;
mod usage;
pub mod user;
mod when;
pub mod who;

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
    History(history::Args),
    Search(search::Args),
    Who(who::Args),
    Channels(channels::Args),
    Servers(servers::Args),
    Device(device::Args),
    Discover(discover::Args),
    Doctor(doctor::Args),
    Certs(certs::Args),
    Metrics(metrics::Args),
    Clock(clock::Args),
    User(user::Args),
    Invite(invite::Args),
}

/// Returns the tree of subcommands and arguments, for tests that try each.
pub fn tree() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Parses the command line, runs the subcommand and turns its result into an exit code.
///
/// Results go to stdout, everything else to stderr. Exit codes: 0 for success, 1 for a failure with an error of one
/// line, 2 for wrong usage (from clap). The commands for scripts have more codes (docs/scripting.md), and `doctor` has
/// its own.
pub fn main() -> ExitCode {
    output::report_panics();
    let cli = match usage::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return usage::explain(error),
    };
    let script = cli.command.is_for_scripts();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            note!("parlour: {}", output::explained(&error));
            if script { exit::Exit::of(&error).into() } else { ExitCode::FAILURE }
        }
    }
}

impl Command {
    /// Returns whether the command ends with the codes of [`exit::CODES`].
    fn is_for_scripts(&self) -> bool {
        matches!(
            self,
            Self::Echo(_)
                | Self::Send(_)
                | Self::Tail(_)
                | Self::History(_)
                | Self::Search(_)
                | Self::Who(_)
                | Self::Channels(_)
        )
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let done = match cli.command {
        Command::Serve(args) => return Ok(serve::run(&args)),
        Command::Join(args) => join::run(args),
        Command::Chat(args) => chat::run(args),
        Command::Echo(args) => echo::run(&args),
        Command::Send(args) => send::run(args),
        Command::Tail(args) => tail::run(args),
        Command::History(args) => history::run(args),
        Command::Search(args) => search::run(args),
        Command::Who(args) => who::run(args),
        Command::Channels(args) => channels::run(args),
        Command::Servers(args) => servers::run(args),
        Command::Device(args) => device::run(args),
        Command::Discover(args) => discover::run(&args),
        Command::Doctor(args) => return Ok(doctor::run(&args)),
        Command::Certs(args) => certs::run(args),
        Command::Metrics(args) => metrics::run(args),
        Command::Clock(args) => clock::run(args),
        Command::User(args) => user::run(args),
        Command::Invite(args) => invite::run(args),
    };
    done.map(|()| ExitCode::SUCCESS)
}
