//! `parlour reload`: has the running server read its configuration and its certificates again.

use anyhow::bail;

use crate::cli::admin::Admin;
use crate::cli::folders::DataOptions;
use crate::cli::output::{print, print_objects, print_table};
use crate::server::admin::running::{RunningQuery, RunningReply};
use crate::server::admin::{AdminQuery, AdminReply};
use crate::server::config::changes::ChangedKey;
use crate::server::maintenance::reload::Reloaded;

/// Let the running server read parlour.toml and its certificates again, and print what changed and what needs a restart.
///
/// Nobody is disconnected. If one of the files is wrong, nothing is changed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour config check && parlour reload
  parlour reload --json | jq '.changes[] | select(.needs_restart)'")]
pub struct Args {
    /// Print a JSON object: the changes, and the fingerprint of a new certificate.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folder: DataOptions,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let admin = Admin::open(args.folder.existing()?)?;
    let reply = admin.request_running_server(AdminQuery::Running(RunningQuery::Reload))?;
    let AdminReply::Running(RunningReply::Reloaded(reloaded)) = reply else { bail!("an unexpected answer") };
    if args.json {
        return print_objects(&[reloaded]);
    }
    let Reloaded { changes, certificate } = reloaded;
    if changes.is_empty() && certificate.is_none() {
        return print("nothing has changed\n");
    }
    if !changes.is_empty() {
        let mut rows = vec![["KEY", "IN FORCE SO FAR", "IN THE FILE", "EFFECT"].map(ToOwned::to_owned)];
        rows.extend(changes.into_iter().map(change_row));
        print_table(&rows)?;
    }
    if let Some(fingerprint) = certificate {
        print(&format!("the certificate with the SHA-256 {fingerprint} is shown from now on\n"))?;
    }
    Ok(())
}

fn change_row(change: ChangedKey) -> [String; 4] {
    let none = || "-".to_owned();
    let effect = if change.needs_restart { "after a restart" } else { "from now on" };
    [change.key, change.old.unwrap_or_else(none), change.new.unwrap_or_else(none), effect.to_owned()]
}
