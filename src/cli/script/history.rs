//! `parlour history`: prints a conversation's history.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};

use super::send::target;
use super::when::When;
use super::{Login, Script};
use crate::cli::access;
use crate::cli::exit::{self, Exit};
use crate::cli::output;
use crate::cli::progress::Progress;
use crate::client::feed::{Export, Wanted};
use crate::client::model::{Past, Target};

/// Print the history of a channel or a direct conversation.
///
/// Prints all of it in order, or a part by time or number. A channel's history is for its members only, and this
/// command joins no channel. With --json each line is an object as in `parlour tail`. Progress is shown on standard
/// error, if that is a terminal and the output is not.
#[derive(clap::Args)]
#[command(after_help = exit::help("\
Examples:
  parlour history '#lobby' --limit 50
  parlour history '#ops' --since 2026-03-01 --until 2026-04-01 --json > march.jsonl
  parlour history alice --messages | grep -i invoice"))]
pub struct Args {
    /// A channel (#name) or an account.
    #[arg(value_parser = target)]
    target: Target,
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
    /// Start at TIME: 2026-03-01T09:30:00Z, 2026-03-01, '2026-03-01 09:30', or 2h, 7d for a time ago.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// End at TIME.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    until: Option<When>,
    /// Print only the latest N entries.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    login: Login,
}

/// Runs the subcommand.
pub fn run(mut args: Args) -> anyhow::Result<()> {
    access::run(async {
        let patience = Some(access::PATIENCE);
        let mut script = Script::open(&mut args.login, patience).await?;
        script.remembers()?;
        let done = tokio::select! {
            done = export(&mut script, &args) => done,
            () = access::interrupted() => Err(Exit::Failed.error("stopped before all was printed; run it again, --since and --limit make it shorter")),
        };
        script.session.close("").await;
        done
    })
}

async fn export(script: &mut Script, args: &Args) -> anyhow::Result<()> {
    let wanted = Wanted {
        since: args.since.map(When::millis),
        until: args.until.map(When::millis),
        last: args.limit,
        said: args.messages,
    };
    let mut progress = Progress::new(wanted.since, wanted.until, !io::stdout().is_terminal());
    script.bar = progress.bar();
    if progress.is_shown() {
        // The time stamp of the last message is the end of the progress bar, because the time since then may be silent.
        let (end, limit) =
            Export::new(Wanted { last: Some(1), ..wanted }).wants().unwrap_or((Past::Latest, 1));
        let part = script.part(|script| script.history(&args.target, &end, limit.min(1))).await?;
        progress.ends(part.ok().and_then(|part| part.entries.last().map(|entry| entry.time)));
    }
    let mut export = Export::new(wanted);
    let mut out = BufWriter::new(io::stdout());
    while let Some((past, limit)) = export.wants() {
        let answer = script.part(|script| script.history(&args.target, &past, limit)).await?;
        let entries = export.past(answer.map_err(|reason| refused(&args.target, &reason))?);
        for entry in &entries {
            let line = if args.json { entry.json() } else { entry.text(&script.screen.zone) };
            if !output::quiet_when_unread(writeln!(out, "{line}"))? {
                return Ok(());
            }
        }
        if let Some(last) = entries.last() {
            progress.at(entries.len(), last.time);
        }
    }
    drop(progress);
    output::quiet_when_unread(out.flush())?;
    Ok(())
}

fn refused(target: &Target, reason: &str) -> anyhow::Error {
    let hint = match target {
        Target::Channel(_) => {
            format!("a channel's history is for its members: `parlour tail '{target}'` joins it")
        }
        Target::Person(_) => "check the name with `parlour who`".to_owned(),
    };
    Exit::Refused.error(format!("cannot load the history of {target}: {reason}; {hint}"))
}
