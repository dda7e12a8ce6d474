//! `parlour audit`: lists what admins and moderators did.

use anyhow::bail;
use serde::Serialize;

use super::Admin;
use crate::cli::folders::DataOptions;
use crate::cli::output::{format_minute, format_table, print, print_objects};
use crate::cli::script::time_argument::TimeArgument;
use crate::client::text::clean::clean;
use crate::core::effects::query::{AuditFilter, NamedAuditEntry};
use crate::server::admin::{AdminQuery, AdminReply};
use crate::server::now;

/// List the latest actions of admins and moderators, with or without a running server.
///
/// These are the entries that /audit lists in the chat: accounts, invites and devices that were made, changed or removed,
/// and what moderators did in channels. The newest comes first. Times are in UTC.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour audit
  parlour audit 200 --by alice --since 7d
  parlour audit --text 'user remove'
  parlour audit --by '*' --json               # what was done on the command line")]
pub struct Args {
    /// Largest number of entries, up to 500.
    #[arg(value_name = "NUMBER", default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(AuditFilter::MAX_ENTRIES)))]
    number: u32,
    /// Only what this account did; '*' stands for the command line.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Only entries whose action, target or details have this text, in any case.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only entries since then: a time, a date, or how long ago, such as 7d.
    #[arg(long, value_name = "TIME", value_parser = TimeArgument::parse_since)]
    since: Option<TimeArgument>,
    /// Only entries until then; a date is the end of that day.
    #[arg(long, value_name = "TIME", value_parser = TimeArgument::parse_until)]
    until: Option<TimeArgument>,
    /// Print one JSON object per line: time, by, action, target, detail.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folder: DataOptions,
}

/// An entry as JSON.
#[derive(Serialize)]
struct JsonEntry {
    time: String,
    /// Null for the command line.
    by: Option<String>,
    action: String,
    target: String,
    detail: String,
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { number, by, text, since, until, json, folder } = args;
    let now = now();
    let time = |argument: Option<TimeArgument>| argument.map(|argument| argument.to_time_stamp(now));
    let filter = AuditFilter { limit: number, by, text, since: time(since), until: time(until) };
    let AdminReply::Audit(entries) = Admin::open(folder.existing()?)?.request(AdminQuery::Audit(filter))?
    else {
        bail!("an unexpected answer")
    };
    if json {
        print_objects(&entries.into_iter().map(JsonEntry::from).collect::<Vec<_>>())
    } else {
        list(&entries)
    }
}

fn list(entries: &[NamedAuditEntry]) -> anyhow::Result<()> {
    let mut rows = vec![["WHEN", "BY", "ACTION"].map(ToOwned::to_owned)];
    for entry in entries {
        let by = entry.by.as_deref().unwrap_or("command line");
        // Names of channels and reasons come from others.
        rows.push([format_minute(entry.at), clean(by), clean(&entry.describe())]);
    }
    print(&format_table(&rows))
}

impl From<NamedAuditEntry> for JsonEntry {
    fn from(entry: NamedAuditEntry) -> Self {
        let NamedAuditEntry { at, by, action, target, detail } = entry;
        Self { time: at.to_string(), by, action, target, detail }
    }
}
