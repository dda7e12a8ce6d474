//! `parlour who`: lists accounts that are online.

use serde::Serialize;

use super::{Login, Script};
use crate::cli::access;
use crate::cli::exit::{self, Exit};
use crate::cli::output::{self, print_table};
use crate::client::clean::clean;
use crate::client::model::Heard;

/// Show who is online, on the server or in a channel.
///
/// Prints a row, or with --json one object per line, for each account: its name, whether it is away, the seconds since
/// its last message, its real name, and its status in the channel.
#[derive(clap::Args)]
#[command(after_help = exit::help("\
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
    login: Login,
}

/// An account in the JSON format of docs/scripting.md.
#[derive(Serialize)]
struct Person {
    name: String,
    away: bool,
    rank: &'static str,
    admin: bool,
    bot: bool,
    idle: Option<u64>,
    realname: String,
}

/// The token that identifies this query's replies ([WHOX](https://ircv3.net/specs/extensions/whox)).
const TOKEN: &str = "417";

/// Idle time from which an account has never sent a message. Such an account counts as idle since 1970, and twenty
/// years exceed any real value.
const NEVER: u64 = 20 * 365 * 86_400;

/// Runs the subcommand.
pub fn run(mut args: Args) -> anyhow::Result<()> {
    access::run(async {
        let patience = Some(access::PATIENCE);
        let mut script = Script::open(&mut args.login, patience).await?;
        let mask = args.mask.as_deref().unwrap_or("*").to_owned();
        let channel = mask.starts_with('#');
        let done = tokio::select! {
            found = script.gather(
                "WHO",
                |line| line.arg(&mask).arg(&format!("%tnflr,{TOKEN}")),
                |line| line.command == "354" && line.param(1) == TOKEN,
                |line| line.command == "315",
            ) => found.and_then(|lines| show(&lines, &mask, channel, args.json)),
            () = access::interrupted() => Err(Exit::Failed.error("stopped before the server answered")),
        };
        script.session.close("").await;
        done
    })
}

fn show(lines: &[Heard], mask: &str, channel: bool, json: bool) -> anyhow::Result<()> {
    let mut people: Vec<Person> = lines.iter().map(|line| person(line, channel)).collect();
    people.sort_by_key(|person| person.name.to_ascii_lowercase());
    if people.is_empty() {
        let (mask, hint) = (clean(mask), "`parlour channels` shows the channels, `parlour who` the people");
        return Err(Exit::Refused.error(if channel {
            format!("there is no {mask}, or you cannot see who is in it; {hint}")
        } else {
            format!("nobody of that name is online: {mask}; {hint}")
        }));
    }
    if json {
        return output::print_objects(&people);
    }
    let mut rows = vec![["NAME", "RANK", "STATE", "IDLE", "REAL NAME"].map(str::to_owned)];
    rows.extend(people.iter().map(|person| {
        let state = match (person.away, person.bot) {
            (true, _) => "away",
            (false, true) => "bot",
            (false, false) => "here",
        };
        let idle = person.idle.map_or_else(String::new, |seconds| {
            humantime::format_duration(std::time::Duration::from_secs(coarse(seconds))).to_string()
        });
        let rank = if person.rank.is_empty() && person.admin { "admin" } else { person.rank };
        [clean(&person.name), rank.to_owned(), state.to_owned(), idle, clean(&person.realname)]
    }));
    print_table(&rows)
}

/// Rounds to the minute, or to the hour after a day.
fn coarse(seconds: u64) -> u64 {
    const HOUR: u64 = 60 * 60;
    match seconds {
        0..60 => seconds,
        60..86_400 => seconds / 60 * 60,
        _ => seconds / HOUR * HOUR,
    }
}

/// Parses `354 me token nick flags idle :realname`.
fn person(line: &Heard, channel: bool) -> Person {
    let flags = line.param(3);
    let rank = match flags.chars().find(|c| "~&@%+".contains(*c)).filter(|_| channel) {
        Some('~') => "founder",
        Some('&' | '@') => "operator",
        Some('%') => "half-operator",
        Some('+') => "voice",
        _ => "",
    };
    Person {
        name: line.param(2).to_owned(),
        rank,
        away: flags.starts_with('G'),
        admin: flags.contains('*'),
        bot: flags.contains('B'),
        idle: line.param(4).parse().ok().filter(|idle| *idle < NEVER),
        realname: line.param(5).to_owned(),
    }
}
