//! The command line, with one file for each subcommand. Only this module may use all others and `anyhow`. Each error
//! that it prints ends with a remedy.

#[macro_use]
mod output;

mod access;
mod account_names;
mod admin;
mod arguments;
mod backup;
pub mod certs;
pub mod client;
mod completions;
mod confirm;
pub mod doctor;
mod exit_code;
mod folders;
mod man;
mod moving;
mod progress;
mod script;
pub mod serve;
mod service;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::platform::terminal;

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
    Join(client::join::Args),
    Login(client::login::Args),
    Logout(client::logout::Args),
    Chat(client::chat::Args),
    Web(client::web::Args),
    Client(client::config::Args),
    Echo(client::echo::Args),
    Send(script::send::Args),
    Get(script::get::Args),
    Tail(script::tail::Args),
    History(script::history::Args),
    Search(script::search::Args),
    Who(script::who::Args),
    Channels(script::channels::Args),
    Servers(client::servers::Args),
    Device(client::device::Args),
    Discover(client::discover::Args),
    Doctor(doctor::Args),
    Certs(certs::Args),
    Metrics(admin::metrics::Args),
    Clock(admin::clock::Args),
    User(admin::people::user::Args),
    Group(admin::people::group::Args),
    Invite(admin::invite::Args),
    Hook(admin::hook::Args),
    Token(admin::token::Args),
    Channel(admin::channel::Args),
    Ban(admin::channel::ban::Args),
    Status(admin::running::status::Args),
    Session(admin::running::session::Args),
    Config(admin::running::config::Args),
    Reload(admin::running::reload::Args),
    Audit(admin::audit::Args),
    Backup(backup::Args),
    Verify(backup::verify::Args),
    Restore(backup::restore::Args),
    Export(moving::export::Args),
    Import(moving::import::Args),
    Completions(completions::Args),
    Man(man::Args),
    #[command(hide = !crate::platform::service::IS_SUPPORTED)]
    Service(service::Args),
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
    let _sequences = terminal::EscapeSequences::enable();
    let cli = match arguments::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return arguments::print_error(error),
    };
    let script = cli.command.is_script_command();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            note!("parlour: {}", output::describe_error(&error));
            if script { exit_code::Exit::from_error(&error).into() } else { ExitCode::FAILURE }
        }
    }
}

impl Command {
    /// Returns whether the command ends with the codes of [`exit_code::CODES`].
    fn is_script_command(&self) -> bool {
        matches!(
            self,
            Self::Echo(_)
                | Self::Send(_)
                | Self::Get(_)
                | Self::Tail(_)
                | Self::History(_)
                | Self::Search(_)
                | Self::Who(_)
                | Self::Channels(_)
                | Self::Login(_)
                | Self::Logout(_)
        )
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let done = match cli.command {
        Command::Serve(args) => return Ok(serve::run(&args)),
        Command::Join(args) => client::join::run(args),
        Command::Login(args) => client::login::run(&args),
        Command::Logout(args) => client::logout::run(&args),
        Command::Chat(args) => client::chat::run(args),
        Command::Web(args) => client::web::run(args),
        Command::Client(args) => client::config::run(&args),
        Command::Echo(args) => client::echo::run(&args),
        Command::Send(args) => script::send::run(args),
        Command::Get(args) => script::get::run(&args),
        Command::Tail(args) => script::tail::run(args),
        Command::History(args) => script::history::run(args),
        Command::Search(args) => script::search::run(args),
        Command::Who(args) => script::who::run(args),
        Command::Channels(args) => script::channels::run(args),
        Command::Servers(args) => client::servers::run(args),
        Command::Device(args) => client::device::run(args),
        Command::Discover(args) => client::discover::run(&args),
        Command::Doctor(args) => return Ok(doctor::run(&args)),
        Command::Certs(args) => certs::run(args),
        Command::Metrics(args) => admin::metrics::run(&args),
        Command::Clock(args) => admin::clock::run(args),
        Command::User(args) => admin::people::user::run(args),
        Command::Group(args) => admin::people::group::run(args),
        Command::Invite(args) => admin::invite::run(args),
        Command::Hook(args) => admin::hook::run(args),
        Command::Token(args) => admin::token::run(args),
        Command::Channel(args) => admin::channel::run(args),
        Command::Ban(args) => admin::channel::ban::run(args),
        Command::Status(args) => admin::running::status::run(&args),
        Command::Session(args) => admin::running::session::run(args),
        Command::Config(args) => admin::running::config::run(args),
        Command::Reload(args) => admin::running::reload::run(&args),
        Command::Audit(args) => admin::audit::run(args),
        Command::Backup(args) => backup::run(args),
        Command::Verify(args) => backup::verify::run(&args),
        Command::Restore(args) => backup::restore::run(&args),
        Command::Export(args) => moving::export::run(&args),
        Command::Import(args) => moving::import::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Service(args) => service::run(args),
    };
    done.map(|()| ExitCode::SUCCESS)
}
