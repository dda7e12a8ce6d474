//! `parlour who`: lists accounts that are online.

use serde::Serialize;

use super::{LoginOptions, Script};
use crate::cli::access;
use crate::cli::exit_code::{self, Exit};
use crate::cli::output::{self, print_table};
use crate::client::model::event::{ServerEvent, WhoxReply};
use crate::client::text::clean::clean;
use crate::wire::ChannelName;

/// Show who is online, on the server or in a channel.
///
/// Prints a row, or with --json one object per line, for each account: its name, whether it is away, the seconds since
/// its last message, its real name, and its status in the channel. Sessions of scripts, such as this one, do not count.
#[derive(clap::Args)]
#[command(after_help = exit_code::exit_codes_help("\
Examples:
  parlour who
  parlour who '#lobby'
  parlour who 'al*' --json"))]
pub struct Args {
    /// A channel (#name), or a pattern for names with the wildcards * and ?; by default all accounts.
    #[arg(value_name = "CHANNEL")]
    mask: Option<String>,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    login: LoginOptions,
}

/// An account in the JSON format of docs/scripting.md.
#[derive(Serialize)]
struct WhoEntry {
    name: String,
    away: bool,
    rank: &'static str,
    admin: bool,
    bot: bool,
    idle: Option<u64>,
    realname: String,
}

/// The token that identifies this query's replies ([WHOX](https://ircv3.net/specs/extensions/whox)).
const WHOX_TOKEN: &str = "417";

/// Runs the subcommand.
pub fn run(mut args: Args) -> anyhow::Result<()> {
    let mask = args.mask.as_deref().unwrap_or("*").to_owned();
    let channel = mask.starts_with('#');
    access::run_client(async {
        let script = Script::open(&mut args.login, Some(access::RECONNECT_TIMEOUT)).await?;
        script
            .run("stopped before the server answered", async |script| {
                let entries = script
                    .query_lines(
                        "WHO",
                        |line| line.arg(&mask).arg(&format!("%tnflr,{WHOX_TOKEN}")),
                        |event| match event {
                            ServerEvent::WhoxReply(reply) if reply.token == WHOX_TOKEN => {
                                Some(parse_who_entry(reply, channel))
                            }
                            _ => None,
                        },
                        |event| matches!(event, ServerEvent::WhoEnd),
                    )
                    .await?;
                let may_be_empty =
                    ChannelName::parse(&mask).is_ok_and(|name| script.session.model.is_in(&name));
                print_who_entries(entries, &mask, channel, may_be_empty, args.json)
            })
            .await
    })
}

fn print_who_entries(
    mut entries: Vec<WhoEntry>,
    mask: &str,
    channel: bool,
    may_be_empty: bool,
    json: bool,
) -> anyhow::Result<()> {
    entries.sort_by_key(|entry| entry.name.to_ascii_lowercase());
    if entries.is_empty() && !may_be_empty {
        let (mask, hint) = (clean(mask), "`parlour channels` shows the channels, `parlour who` the people");
        return Err(Exit::Refused.error(if channel {
            format!("there is no {mask}, or you cannot see who is in it; {hint}")
        } else {
            format!("nobody of that name is online: {mask}; {hint}")
        }));
    }
    if json {
        return output::print_objects(&entries);
    }
    let mut rows = vec![["NAME", "RANK", "STATE", "IDLE", "REAL NAME"].map(str::to_owned)];
    rows.extend(entries.iter().map(|entry| {
        let state = match (entry.away, entry.bot) {
            (true, _) => "away",
            (false, true) => "bot",
            (false, false) => "here",
        };
        let idle = entry.idle.map_or_else(String::new, |seconds| {
            humantime::format_duration(std::time::Duration::from_secs(round_idle(seconds))).to_string()
        });
        let rank = if entry.rank.is_empty() && entry.admin { "admin" } else { entry.rank };
        [clean(&entry.name), rank.to_owned(), state.to_owned(), idle, clean(&entry.realname)]
    }));
    print_table(&rows)
}

/// Rounds to the minute, or to the hour after a day.
fn round_idle(seconds: u64) -> u64 {
    const HOUR: u64 = 60 * 60;
    match seconds {
        0..60 => seconds,
        60..86_400 => seconds / 60 * 60,
        _ => seconds / HOUR * HOUR,
    }
}

fn parse_who_entry(reply: &WhoxReply, channel: bool) -> WhoEntry {
    let flags = &reply.flags;
    let rank = match flags.chars().find(|c| "~&@%+".contains(*c)).filter(|_| channel) {
        Some('~') => "founder",
        Some('&' | '@') => "operator",
        Some('%') => "half-operator",
        Some('+') => "voice",
        _ => "",
    };
    WhoEntry {
        name: reply.nick.clone(),
        rank,
        away: flags.starts_with('G'),
        admin: flags.contains('*'),
        bot: flags.contains('B'),
        idle: reply.idle,
        realname: reply.realname.clone(),
    }
}
