//! `parlour history`: what was said, from the server's history.

use std::io::{self, BufWriter, Write as _};

use super::access;
use super::exit::{self, Exit};
use super::progress::Progress;
use super::script::{self, Login, Script, Step};
use super::send::target;
use super::when::When;
use crate::client::clean::clean;
use crate::client::feed::{Export, Told, Wanted};
use crate::client::model::{Event, Target};

/// Print what was said in a channel or with a person.
///
/// All of it, in order, however much that is; or a part, by time or by number. A channel's history is for its members:
/// this joins none. With --json each line is an object, the same as those of `parlour tail`. How far it has come is
/// shown on standard error, where that is a terminal and the output is none.
#[derive(clap::Args)]
#[command(after_help = exit::help("\
Examples:
  parlour history '#lobby' --limit 50
  parlour history '#ops' --since 2026-03-01 --until 2026-04-01 --json > march.jsonl
  parlour history alice --messages | grep -i invoice"))]
pub struct Args {
    /// A channel (#name) or a person.
    #[arg(value_parser = target)]
    target: Target,
    /// Print an object a line, for programs.
    #[arg(long)]
    json: bool,
    /// Print text, for people; that is what it does.
    #[arg(long, conflicts_with = "json")]
    #[allow(dead_code)] // Says what is done anyway.
    text: bool,
    /// Only what was said, without joins, reactions and other events.
    #[arg(long)]
    messages: bool,
    /// From TIME on: 2026-03-01T09:30:00Z, 2026-03-01, '2026-03-01 09:30', or 2h, 7d ago.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// Up to TIME.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    until: Option<When>,
    /// The latest N lines of it.
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
            () = access::interrupted() => Err(Exit::Failed.error("stopped before all was printed")),
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
    let mut progress = Progress::new(wanted.since, wanted.until);
    let mut export = Export::new(wanted);
    let mut out = BufWriter::new(io::stdout());
    let (mut ready, mut asked) = (false, None);
    while let Some((past, limit)) = export.wants() {
        if ready && asked.is_none() {
            asked = Some(script.history(&args.target, &past, limit)?);
        }
        match script.next().await? {
            Step::Ready => ready = true,
            // It is asked again on the next connection.
            Step::Down => (ready, asked) = (false, None),
            Step::Told(Told::Past(part)) if part.ticket == asked => {
                asked = None;
                if part.cut {
                    return Err(script::endless());
                }
                let entries = export.past(part);
                for entry in &entries {
                    let line = if args.json { entry.json() } else { entry.text(&script.screen.zone) };
                    if !access::quiet_when_unread(writeln!(out, "{line}"))? {
                        return Ok(());
                    }
                }
                if let Some(last) = entries.last() {
                    progress.at(entries.len(), last.time);
                }
            }
            Step::Event(Event::NoHistory { ticket, reason }) if asked == Some(ticket) => {
                let (target, reason) = (&args.target, clean(&reason));
                let hint = match target {
                    Target::Channel(_) => {
                        format!("a channel's history is for its members: `parlour tail '{target}'` joins it")
                    }
                    Target::Person(_) => "check the name".to_owned(),
                };
                return Err(
                    Exit::Refused.error(format!("cannot read what was said in {target}: {reason}; {hint}"))
                );
            }
            _ => {}
        }
    }
    progress.done();
    access::quiet_when_unread(out.flush())?;
    Ok(())
}
