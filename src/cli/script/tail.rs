//! `parlour tail`: follows conversations.

use super::send::target;
use super::when::When;
use super::{Login, Script, Step};
use crate::cli::access;
use crate::cli::exit::{self, Exit};
use crate::cli::output;
use crate::cli::script;
use crate::client::clean::clean;
use crate::client::feed::{Entry, Follow, Told};
use crate::client::model::{Event, Target};
use crate::wire::Cap;

/// Follow channels and direct conversations.
///
/// A channel is joined first if necessary. With --since it starts with the history since then and continues with new
/// messages, without gaps or duplicates; --no-follow ends after the history. A broken connection is re-established, and
/// missed messages are printed first. With --json each line is an object, described in docs/scripting.md.
#[derive(clap::Args)]
#[command(after_help = exit::help("\
Examples:
  parlour tail '#lobby'
  parlour tail '#builds' '#ops' alice --json
  parlour tail '#builds' --since 2h --no-follow
  parlour tail '#ops' --json | jq -r 'select(.kind == \"message\").text'"))]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch")]
pub struct Args {
    /// Channels (#name) and accounts.
    #[arg(required = true, value_name = "TARGET", value_parser = target)]
    targets: Vec<Target>,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
    /// Print messages only, without joins, reactions and other events.
    #[arg(long)]
    messages: bool,
    /// Start with the history since TIME: 2026-03-01T09:30:00Z, 2026-03-01, '2026-03-01 09:30', or 2h, 7d for a time
    /// ago.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// Continue until stopped; this is the default.
    #[arg(long, overrides_with = "no_follow")]
    follow: bool,
    /// End when the history since --since is printed.
    #[arg(long, requires = "since")]
    no_follow: bool,
    #[command(flatten)]
    login: Login,
}

/// Runs the subcommand.
pub fn run(mut args: Args) -> anyhow::Result<()> {
    access::run(async {
        let since = args.since.map(When::millis);
        let ends = args.no_follow && !args.follow;
        let patience = ends.then_some(access::PATIENCE);
        let mut script = Script::open(&mut args.login, patience).await?;
        if since.is_some() {
            script.remembers()?;
        }
        for target in &args.targets {
            if let Target::Channel(channel) = target {
                script.session.model.join(channel);
            }
        }
        let mut follow = Follow::new(args.targets.iter().cloned(), since, ends);
        let done = tokio::select! {
            done = tail(&mut script, &mut follow, &args) => done,
            () = output::unread() => Ok(()),
            () = access::interrupted() => {
                if ends { Err(Exit::Failed.error("stopped before all was printed; run it again")) } else { Ok(()) }
            }
        };
        script.session.close("").await;
        done
    })
}

async fn tail(script: &mut Script, follow: &mut Follow, args: &Args) -> anyhow::Result<()> {
    let mut was_down = false;
    loop {
        let entries = match script.next().await? {
            Step::Ready => {
                follow.connected(script.session.model.can(Cap::Chathistory));
                Vec::new()
            }
            Step::Down => {
                was_down = true;
                follow.disconnected();
                Vec::new()
            }
            Step::Told(Told::Now(entry)) => follow.now(entry),
            Step::Told(Told::Past(part)) => {
                if part.cut {
                    return Err(script::endless());
                }
                follow.past(part)
            }
            Step::Event(event) => {
                if let Event::NoHistory { ticket, reason, .. } = &event
                    && let Some(target) = follow.refused(*ticket)
                {
                    let why = format!("cannot load the history of {target}: {}", clean(reason));
                    if !was_down {
                        return Err(Exit::Refused.error(format!(
                            "{why}; check the name with `parlour channels` or `parlour who`"
                        )));
                    }
                    // This account may have been removed from the channel meanwhile.
                    script.screen.note(&why);
                }
                let mut entries = other(script, follow, &event)?;
                entries.extend(follow.told());
                entries
            }
            Step::Line(_) => Vec::new(),
        };
        if !print(script, &entries, args)? || follow.is_done() {
            return Ok(());
        }
        if let Some((target, past, limit)) = follow.wants() {
            follow.asked(script.history(&target, &past, limit)?);
        }
    }
}

fn other(script: &mut Script, follow: &mut Follow, event: &Event) -> anyhow::Result<Vec<Entry>> {
    match event {
        Event::Quit { who, channels, reason, time } => {
            return Ok(follow.quit(who, channels, reason, *time));
        }
        Event::JoinFailed { channel, reason } => {
            let why = format!("cannot join {channel}: {}", clean(reason));
            return Err(Exit::Refused.error(format!("{why}; ask one of its operators, or check the name")));
        }
        Event::Dropped { channel } if follow.targets().any(|t| *t == Target::Channel(channel.clone())) => {
            script.screen.note(&format!("you left {channel} from another session"));
        }
        Event::Error(text) => script.screen.note(&clean(text)),
        _ => {}
    }
    Ok(Vec::new())
}

/// Prints the entries. Returns whether the reader is still there.
fn print(script: &mut Script, entries: &[Entry], args: &Args) -> anyhow::Result<bool> {
    for entry in entries.iter().filter(|entry| entry.kind.is_said() || !args.messages) {
        let line = if args.json { entry.json() } else { entry.text(&script.screen.zone) };
        if !output::quiet_when_unread(script.screen.talk(&line))? {
            return Ok(false);
        }
    }
    Ok(true)
}
