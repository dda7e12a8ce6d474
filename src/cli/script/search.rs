//! `parlour search`: searches the history.

use std::fmt::Write as _;

use super::send::parse_target;
use super::time_argument::TimeArgument;
use super::{LoginOptions, Script};
use crate::cli::access;
use crate::cli::exit_code::{self, Exit};
use crate::cli::output;
use crate::cli::progress::HistoryProgress;
use crate::client::feed::HistorySearch;
use crate::client::model::Conversation;
use crate::wire::message::escape;
use crate::wire::{Cap, Nick, Timestamp};

/// Search messages in your channels and direct conversations.
///
/// Finds messages with all the WORDS, or with words that begin with them, ignoring case and accents. Prints the latest
/// 100, oldest first. With --json each line is an object as in `parlour history`.
#[derive(clap::Args)]
#[command(after_help = exit_code::exit_codes_help("\
Examples:
  parlour search deploy failed
  parlour search invoice --in alice --since 2026-01-01
  parlour search release --in '#ops' --from bob --limit 5000 --json"))]
pub struct Args {
    /// The words to search for.
    #[arg(required = true)]
    words: Vec<String>,
    /// Search only in this channel (#name) or the direct conversation with this account.
    #[arg(long, value_name = "TARGET", value_parser = parse_target)]
    r#in: Option<Conversation>,
    /// Search only messages from this account.
    #[arg(long, value_name = "NAME", value_parser = access::parse_nick)]
    from: Option<Nick>,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
    /// Start at TIME: 2026-03-01T09:30:00Z, 2026-03-01, '2026-03-01 09:30', 09:30 for a time of today, or 2h, 7d for a
    /// time ago.
    #[arg(long, value_name = "TIME", value_parser = TimeArgument::parse_since)]
    since: Option<TimeArgument>,
    /// End at TIME; a date is the end of that day.
    #[arg(long, value_name = "TIME", value_parser = TimeArgument::parse_until)]
    until: Option<TimeArgument>,
    /// Print only the latest N results.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    login: LoginOptions,
}

/// Runs the subcommand.
pub fn run(mut args: Args) -> anyhow::Result<()> {
    let interrupted = "stopped before all was searched; run it again, --since and --in make it shorter";
    access::run_client(async {
        let script = Script::open(&mut args.login, Some(access::RECONNECT_TIMEOUT)).await?;
        script
            .run(interrupted, async |script| {
                if !script.session.model.has_cap(Cap::Search) {
                    return Err(Exit::Refused
                        .error("the server has no search; `parlour history TARGET | grep` finds it too"));
                }
                search(script, &args).await
            })
            .await
    })
}

async fn search(script: &mut Script, args: &Args) -> anyhow::Result<()> {
    let [since, until] = script.time_stamps([args.since, args.until]).await?;
    let mut find = HistorySearch::new(since, args.limit);
    let send_query = |script: &mut Script, after, limit| {
        script.query("SEARCH", |line| line.trailing(&search_attributes(args, after, until, limit)))
    };
    // Nothing is printed before the end of the search, so the bar may be shown.
    let mut progress = HistoryProgress::new(since, until, true);
    script.bar = progress.bar();
    if progress.is_shown() && matches!(find.next_query(), Some((Some(_), _))) {
        // The time stamp of the last result is the end of the progress bar.
        let latest = script.query_part(|script| send_query(script, None, 1)).await?;
        progress.set_end(latest.ok().and_then(|part| part.entries.last().map(|entry| entry.time)));
    }
    while let Some((after, limit)) = find.next_query() {
        let part = script.query_part(|script| send_query(script, after, limit)).await?.map_err(|reason| {
            let why = format!("the server refused the search: {reason}");
            Exit::Refused.error(format!("{why}; check the names with `parlour channels` and `parlour who`"))
        })?;
        if let Some((count, time)) = find.handle_result(part) {
            progress.add_entries(count, time);
        }
    }
    drop(progress);
    let zone = &script.screen.zone;
    let lines =
        find.results().map(|entry| if args.json { entry.to_json() } else { entry.to_text(zone) } + "\n");
    output::ignore_broken_pipe(output::write_stdout(&lines.collect::<String>())).map(|_| ())
}

/// Returns the attributes of the SEARCH command
/// ([search](https://codeberg.org/emersion/soju/src/branch/master/doc/ext/search.md)).
fn search_attributes(
    args: &Args,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    limit: usize,
) -> String {
    let mut out = format!("text={};limit={limit}", escape(&args.words.join(" ")));
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(out, ";{key}={}", escape(&value));
        }
    };
    put("in", args.r#in.as_ref().map(ToString::to_string));
    put("from", args.from.as_ref().map(ToString::to_string));
    put("after", after.map(|time| time.to_string()));
    put("before", before.map(|time| time.to_string()));
    out
}
