//! `parlour history`: prints a conversation's history.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};

use super::send::parse_target;
use super::time_argument::TimeArgument;
use super::{LoginOptions, Script};
use crate::cli::access;
use crate::cli::exit_code::{self, Exit};
use crate::cli::output;
use crate::cli::progress::HistoryProgress;
use crate::client::feed::{Export, ExportSelection};
use crate::client::model::{Conversation, HistoryRange};

/// Print the history of a channel or a direct conversation.
///
/// Prints all of it in order, or a part by time or number. A channel's history is for its members only, and this
/// command joins no channel. With --json each line is an object as in `parlour tail`. Progress is shown on standard
/// error, if that is a terminal and the output is not.
#[derive(clap::Args)]
#[command(after_help = exit_code::exit_codes_help("\
Examples:
  parlour history '#lobby' --limit 50
  parlour history '#ops' --since 2026-03-01 --until 2026-03-31 --json > march.jsonl
  parlour history alice --messages | grep -i invoice"))]
pub struct Args {
    /// A channel (#name) or an account.
    #[arg(value_parser = parse_target)]
    target: Conversation,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
    /// Print text; this is the default.
    #[arg(long, conflicts_with = "json")]
    #[allow(dead_code)] // The option only names the default.
    text: bool,
    /// Print messages only, without joins, reactions and other events.
    #[arg(long)]
    messages: bool,
    /// Start at TIME: 2026-03-01T09:30:00Z, 2026-03-01, '2026-03-01 09:30', 09:30 for a time of today, or 2h, 7d for a
    /// time ago.
    #[arg(long, value_name = "TIME", value_parser = TimeArgument::parse_since)]
    since: Option<TimeArgument>,
    /// End at TIME; a date is the end of that day.
    #[arg(long, value_name = "TIME", value_parser = TimeArgument::parse_until)]
    until: Option<TimeArgument>,
    /// Print only the latest N entries.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    login: LoginOptions,
}

/// Runs the subcommand.
pub fn run(mut args: Args) -> anyhow::Result<()> {
    let interrupted = "stopped before all was printed; run it again, --since and --limit make it shorter";
    access::run_client(async {
        let script = Script::open(&mut args.login, Some(access::RECONNECT_TIMEOUT)).await?;
        script
            .run(interrupted, async |script| {
                script.require_history()?;
                export(script, &args).await
            })
            .await
    })
}

async fn export(script: &mut Script, args: &Args) -> anyhow::Result<()> {
    let [since, until] = script.time_stamps([args.since, args.until]).await?;
    let wanted = ExportSelection { since, until, last: args.limit, messages_only: args.messages };
    let mut progress = HistoryProgress::new(wanted.since, wanted.until, !io::stdout().is_terminal());
    script.bar = progress.bar();
    if progress.is_shown() {
        // The time stamp of the last message is the end of the progress bar, because the time since then may be silent.
        let (end, limit) = Export::new(ExportSelection { last: Some(1), ..wanted })
            .next_query()
            .unwrap_or((HistoryRange::Latest, 1));
        let part = script.query_part(|script| script.history(&args.target, &end, limit.min(1))).await?;
        progress.set_end(part.ok().and_then(|part| part.entries.last().map(|entry| entry.time)));
    }
    let mut export = Export::new(wanted);
    let mut out = BufWriter::new(io::stdout());
    while let Some((past, limit)) = export.next_query() {
        let answer = script.query_part(|script| script.history(&args.target, &past, limit)).await?;
        let entries =
            export.handle_result(answer.map_err(|reason| history_refused_error(&args.target, &reason))?);
        for entry in &entries {
            let line = if args.json { entry.to_json() } else { entry.to_text(&script.screen.zone) };
            if !output::ignore_broken_pipe(writeln!(out, "{line}"))? {
                return Ok(());
            }
        }
        if let Some(last) = entries.last() {
            progress.add_entries(entries.len(), last.time);
        }
    }
    drop(progress);
    output::ignore_broken_pipe(out.flush())?;
    Ok(())
}

fn history_refused_error(target: &Conversation, reason: &str) -> anyhow::Error {
    let hint = match target {
        Conversation::Channel(_) => {
            format!("a channel's history is for its members: `parlour tail '{target}'` joins it")
        }
        Conversation::Direct(_) => "check the name with `parlour who`".to_owned(),
    };
    Exit::Refused.error(format!("cannot load the history of {target}: {reason}; {hint}"))
}
