//! `parlour import`: takes an export of Parlour, logs of IRC clients, or an export of Slack or Mattermost.

mod irc;
mod mattermost;
mod messages;
mod parlour;
mod people;
mod plan;
mod report;
mod sender;
mod slack;
mod slack_entries;
mod source;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use jiff::tz::TimeZone;

use self::people::Choices;
use self::report::Report;
use self::sender::Sender;
use self::source::Source;
use super::{end_when_stopped, progress_bar};
use crate::cli::access;
use crate::cli::admin::Admin;
use crate::cli::folders::DataOptions;
use crate::cli::output::{note, print};
use crate::client::feed::escape_json;
use crate::server::http::files::folder::FileFolder;
use crate::server::now;
use crate::wire::{ChannelName, Nick, Timestamp};

/// Take accounts, channels and messages from an export or from another program, with or without a running server.
///
/// It takes a folder of `parlour export`, a log or a folder of logs of irssi or WeeChat, and the export of Slack or Mattermost
/// as zip or unpacked. Messages keep their times, and those of Parlour their ids. What is there already stays as it is, so an import
/// that broke off is run again.
///
/// People get accounts without a password, named after them, unless an account of that name is there: `parlour invite create
/// --for NAME` lets one of them log in. Use --dry-run first: it lists them all.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour import school-2025
  parlour import ~/irclogs --me teacher --dry-run
  parlour import slack.zip --as 'Jürgen Müller=jm'
  parlour import mattermost.zip --others archive")]
pub struct Args {
    /// The folder or the file.
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// Format of the source. By default it is detected.
    #[arg(long, value_name = "FORMAT")]
    from: Option<Format>,
    /// Say what would be added and what would be left out, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// The account of a name in the source; may be given several times.
    #[arg(long = "as", value_name = "NAME=ACCOUNT", value_parser = parse_named)]
    named: Vec<(String, Nick)>,
    /// Make no accounts: this one has the messages of everybody who has none, with their names before the text.
    #[arg(long, value_name = "ACCOUNT", value_parser = access::parse_nick)]
    others: Option<Nick>,
    /// Your own nick in IRC logs, which those of direct conversations do not tell.
    #[arg(long, value_name = "NICK")]
    me: Option<String>,
    /// The channel of all IRC logs. Default: those that their files are named after.
    #[arg(long, value_name = "CHANNEL", value_parser = parse_channel)]
    channel: Option<ChannelName>,
    /// The time zone of IRC logs, such as Europe/Berlin. Default: that of this machine.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Print the counts, the reasons and the people as one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folder: DataOptions,
}

/// Formats that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An export of Parlour.
    Parlour,
    /// Logs of irssi or WeeChat.
    Irc,
    /// An export of Slack.
    Slack,
    /// A bulk export of Mattermost.
    Mattermost,
}

/// Options that the importers of other programs have in common.
pub(super) struct Setup {
    /// The choices of the user about people.
    pub choices: Choices,
    /// The accounts of the server.
    pub existing: HashSet<Nick>,
    /// Names of removed accounts, whose messages from an import are theirs, too.
    pub removed: HashSet<Nick>,
    /// The time of the import.
    pub now: Timestamp,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let data = args.folder.existing()?;
    let admin = Admin::open(data.clone())?;
    let mut source = Source::open(&args.path)?;
    let format = match args.from {
        Some(format) => format,
        None => guess(&mut source, &args.path)?,
    };
    let zone = args
        .time_zone
        .as_deref()
        .map(|name| TimeZone::get(name).context("there is no such time zone; write it as Europe/Berlin"));
    let zone = zone.transpose()?.unwrap_or_else(TimeZone::system);
    let name = args.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let note = format!("{}: {name}", format.name());
    let bar = progress_bar(None, "{spinner} {human_pos} items, {per_sec}");
    end_when_stopped(
        &bar,
        if args.dry_run {
            "this was interrupted; nothing was changed".to_owned()
        } else {
            "the import was interrupted; run it again, it goes on where it stopped".to_owned()
        },
    );
    let mut sender = Sender::new(&admin, &data, args.dry_run, note, bar);
    let setup = || -> anyhow::Result<Setup> {
        let users = admin.list_users()?;
        let existing = users.into_iter().map(|user| user.name).collect();
        Ok(Setup {
            choices: Choices { named: args.named.clone(), others: args.others.clone() },
            existing,
            removed: admin.list_removed_names()?,
            now: now(),
        })
    };
    match format {
        Format::Parlour => {
            if parlour::manifest(&mut source)?.is_none() {
                refuse_unfinished(&source, &args.path)?;
                bail!("{} is no complete export: it has no manifest; export again", args.path.display());
            }
            parlour::send(&mut source, &FileFolder::of_data_folder(&data), &mut sender)?;
        }
        Format::Irc => {
            let options = irc::Options { zone, me: args.me.clone(), channel: args.channel.clone() };
            irc::send(&mut source, &options, &setup()?, &mut sender)?;
        }
        Format::Slack => slack::send(&mut source, &setup()?, &mut sender)?,
        Format::Mattermost => {
            let file = mattermost::lines_file(&mut source)
                .context("there is no bulk export of Mattermost; name the file with its JSON Lines")?;
            mattermost::send(&mut source, &file, &setup()?, &mut sender)?;
        }
    }
    sender.bar.finish_and_clear();
    finish(args, format, &sender.report)
}

/// Prints the report, unless nothing could be imported.
fn finish(args: &Args, format: Format, report: &Report) -> anyhow::Result<()> {
    // An empty export of Parlour is one; what another program has no message in is not what the user meant.
    if report.is_empty() && (format != Format::Parlour || !report.left_out.is_empty()) {
        note(&report.to_text());
        bail!(
            "nothing of {} could be imported as {}; see what was left out, and say what it is with --from",
            args.path.display(),
            format.name()
        );
    }
    if args.json {
        print(&(escape_json(&serde_json::to_string(report)?) + "\n"))
    } else {
        print(&report.to_text())
    }
}

impl Format {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Returns the format that a source looks like.
fn guess(source: &mut Source, path: &Path) -> anyhow::Result<Format> {
    if parlour::manifest(source)?.is_some() {
        return Ok(Format::Parlour);
    }
    refuse_unfinished(source, path)?;
    if slack::is_export(source) {
        Ok(Format::Slack)
    } else if mattermost::lines_file(source).is_some() {
        Ok(Format::Mattermost)
    } else if irc::is_log_folder(source) {
        Ok(Format::Irc)
    } else {
        bail!("this looks like no export and no log that can be imported; say what it is with --from")
    }
}

/// Refuses an export that was interrupted.
fn refuse_unfinished(source: &Source, path: &Path) -> anyhow::Result<()> {
    if parlour::is_unfinished(source) {
        bail!(
            "{0} is an export that was interrupted; run `parlour export --to {0}` again, where it was made",
            path.display()
        );
    }
    Ok(())
}

fn parse_named(text: &str) -> Result<(String, Nick), String> {
    let (name, account) = text.rsplit_once('=').ok_or("write it as NAME=ACCOUNT")?;
    if name.is_empty() {
        return Err("write it as NAME=ACCOUNT".to_owned());
    }
    Ok((name.to_owned(), access::parse_nick(account)?))
}

fn parse_channel(text: &str) -> Result<ChannelName, String> {
    ChannelName::parse(text).map_err(|why| format!("this cannot be a channel's name: {why}"))
}
