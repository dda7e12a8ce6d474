//! `parlour status`: the state of a server at a glance.

use anyhow::bail;
use indicatif::{HumanBytes, HumanCount};

use crate::cli::admin::Admin;
use crate::cli::folders::DataOptions;
use crate::cli::output::{format_minute, print, print_objects};
use crate::server::admin::running::{RunningQuery, RunningReply};
use crate::server::admin::status::{LastBackup, LastMinute, Running, Status, Storage};
use crate::server::admin::{AdminQuery, AdminReply};

/// Print the state of a server: people, channels, rates, sizes, certificate, last backup.
///
/// Without a running server it prints what the data folder has. Is something wrong, parlour doctor says more.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour status
  parlour status --json | jq .running.accounts_online")]
pub struct Args {
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folder: DataOptions,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let admin = Admin::open(args.folder.existing()?)?;
    let AdminReply::Running(RunningReply::Status(status)) =
        admin.request(AdminQuery::Running(RunningQuery::Status))?
    else {
        bail!("an unexpected answer")
    };
    if args.json {
        return print_objects(&[*status]);
    }
    let text = describe(&status)
        .into_iter()
        .fold(String::new(), |text, (label, value)| text + &format!("{label:<14}{value}\n"));
    print(&text)
}

fn describe(status: &Status) -> Vec<(&'static str, String)> {
    let Status { version, running, accounts, channels, files, storage, last_backup } = status;
    let mut lines = Vec::new();
    match running {
        Some(running) => lines.push((
            "server",
            format!(
                "parlour {version}, runs since {} ({})",
                format_minute(running.started),
                format_duration(running.uptime_s)
            ),
        )),
        None => lines.push(("server", format!("does not run; this program is parlour {version}"))),
    }
    match running {
        Some(running) => lines.extend(describe_running(running, *accounts)),
        None => lines.push(("accounts", HumanCount(*accounts as u64).to_string())),
    }
    lines.push(("channels", HumanCount(*channels as u64).to_string()));
    let Storage { database_bytes, log_bytes, search_bytes, disk_bytes, disk_free_bytes } = *storage;
    let size = |bytes| HumanBytes(bytes).to_string();
    lines.push(("files", format!("{}, {}", HumanCount(files.count as u64), size(files.bytes))));
    lines.push((
        "database",
        format!("{}, log {}, search index {}", size(database_bytes), size(log_bytes), size(search_bytes)),
    ));
    if let Some((free, all)) = disk_free_bytes.zip(disk_bytes) {
        lines.push(("disk", format!("{} free of {}", size(free), size(all))));
    }
    lines.push(("last backup", describe_backup(last_backup.as_ref())));
    lines
}

fn describe_running(running: &Running, accounts: usize) -> Vec<(&'static str, String)> {
    let LastMinute { seconds, messages, commits, commit_mean_us, commit_slowest_us } = running.last_minute;
    let count = |count: usize| HumanCount(count as u64);
    let mut lines = vec![
        ("accounts", format!("{}, {} of them online", count(accounts), count(running.accounts_online))),
        ("sessions", format!("{}, of {} connections", count(running.sessions), running.connections)),
        (
            "messages",
            format!(
                "{} since the start, {} of them in the last {seconds} s",
                HumanCount(running.messages_stored),
                HumanCount(messages)
            ),
        ),
        (
            "commits",
            format!(
                "{} in the last {seconds} s, {} on average, {} at most",
                HumanCount(commits),
                format_micros(commit_mean_us),
                format_micros(commit_slowest_us)
            ),
        ),
    ];
    if !running.store_writable {
        lines.push(("store", "FAILS: messages are refused; the log says why".to_owned()));
    }
    if let Some(certificate) = running.certificate {
        let renewal = if certificate.renews { "renewed by the server" } else { "to be renewed by hand" };
        lines.push(("certificate", format!("until {}, {renewal}", format_minute(certificate.valid_until))));
    }
    lines
}

fn describe_backup(last: Option<&LastBackup>) -> String {
    let Some(LastBackup { at, age_s, to, bytes, secrets }) = last else {
        return "none; parlour backup FILE makes one".to_owned();
    };
    let secrets = if *secrets { "" } else { ", without secrets" };
    format!(
        "{} ago ({}), {}{secrets}, to {to}",
        format_duration(*age_s),
        format_minute(*at),
        HumanBytes(*bytes)
    )
}

fn format_micros(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros} µs"),
        _ => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
    }
}

fn format_duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_that_fits() {
        assert_eq!([0, 999, 1000, 12_345].map(format_micros), ["0 µs", "999 µs", "1.0 ms", "12.3 ms"]);
        let shown = [5, 60, 7200, 172_800].map(format_duration);
        assert_eq!(shown, ["5 s", "1 min", "2 h", "2 days"]);
    }
}
