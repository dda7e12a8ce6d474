//! `parlour clock accept`: accepts the machine's clock after a jump.

use anyhow::bail;

use super::Admin;
use crate::cli::folders::DataOptions;
use crate::cli::output::{format_minute, print};
use crate::core::request::admin::Change;
use crate::server::admin::AdminReply;

/// Make the server accept the machine's clock after a jump.
///
/// A wrong clock must not remove messages or give them wrong time stamps, so a server compares it with the time of its
/// last commit and with the monotonic clock. After a jump of more than a day it warns, and removes nothing that is old
/// only by the new time until this command, or for a day if the jump is at most a month. After a jump of more than a
/// year it continues with the previous time. docs/time.md has the rules.
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
    /// Accept the machine's clock from now on, whatever it says.
    Accept {
        #[command(flatten)]
        folder: DataOptions,
    },
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Command::Accept { folder } = args.command;
    let AdminReply::Clock(now) = Admin::open(folder.existing()?)?.request(Change::ClockAccept)? else {
        bail!("an unexpected answer")
    };
    print(&format!("The clock is accepted: {}.\n", format_minute(now)))
}
