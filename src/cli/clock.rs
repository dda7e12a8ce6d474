//! `parlour clock accept`: accepts the machine's clock after a jump.

use std::path::PathBuf;

use anyhow::bail;

use super::admin::Admin;
use super::output::{minute, print};
use crate::server::admin::{Reply, Request};

/// Have the server take the machine's clock as it is, after a jump.
///
/// A clock that is wrong must not remove what is kept or stamp what is said, so a server holds it against the time of its
/// last commit and against a clock that cannot be set. After a jump of more than a day it says so, and removes nothing that
/// is old by the new time until this command, or for a day where the jump is of a month at most; after one of more than a
/// year it goes on by the time before. docs/time.md has the rules.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour doctor              # what the clock says and what the server knows
  parlour clock accept        # the clock is right: go by it")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Go by the machine's clock from now on, whatever it says.
    Accept {
        /// The folder of the database.
        #[arg(long, value_name = "DIR", default_value = "data")]
        data: PathBuf,
    },
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Command::Accept { data } = args.command;
    let Reply::Clock(now) = Admin::of(data)?.ask(&Request::ClockAccept)? else {
        bail!("an unexpected answer")
    };
    print(&format!("The clock is accepted: {}.\n", minute(now)))
}
