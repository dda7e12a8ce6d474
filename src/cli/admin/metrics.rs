//! `parlour metrics`: prints the metrics of the running server.

use anyhow::bail;

use super::Admin;
use crate::cli::folders::DataOptions;
use crate::cli::output::print;
use crate::server::admin::{AdminQuery, AdminReply};

/// Print the metrics of the running server, in Prometheus' text format.
///
/// A Prometheus on the same machine can read them over HTTP instead: `listen` of [metrics] in parlour.toml. Without that,
/// write the output to a file regularly, for the textfile collector of its node exporter.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour metrics
  parlour metrics > metrics.new && mv metrics.new /var/lib/node_exporter/parlour.prom
  parlour metrics | awk '$1 == \"parlour_sessions\" { print $2 }'")]
pub struct Args {
    #[command(flatten)]
    folder: DataOptions,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let AdminReply::Metrics(text) =
        Admin::open(args.folder.existing()?)?.request_running_server(AdminQuery::Metrics)?
    else {
        bail!("an unexpected answer")
    };
    print(&text)
}
