//! `parlour tail`: follows conversations.

use super::send::parse_target;
use super::time_argument::TimeArgument;
use super::{LoginOptions, Script, Step};
use crate::cli::access;
use crate::cli::exit_code::{self, Exit};
use crate::cli::output;
use crate::client::feed::{Entry, Follow};
use crate::client::model::{Conversation, Event};
use crate::client::text::clean::clean;
use crate::wire::Cap;

/// Follow channels and direct conversations.
///
/// A channel is joined first if necessary. With --since it starts with the history since then and continues with new
/// messages, without gaps or duplicates; --no-follow ends after the history. A broken connection is re-established, and
/// missed messages are printed first. With --json each line is an object, described in docs/scripting.md.
#[derive(clap::Args)]
#[command(after_help = exit_code::exit_codes_help("\
Examples:
  parlour tail '#lobby'
  parlour tail '#builds' '#ops' alice --json
  parlour tail '#builds' --since 2h --no-follow
  parlour tail '#ops' --json | jq -r 'select(.kind == \"message\").text'"))]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch")]
pub struct Args {
    /// Channels (#name) and accounts.
    #[arg(required = true, value_name = "TARGET", value_parser = parse_target)]
    targets: Vec<Conversation>,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
    /// Print messages only, without joins, reactions and other events.
    #[arg(long)]
    messages: bool,
    /// Start with the history since TIME: 2026-03-01T09:30:00Z, 2026-03-01, '2026-03-01 09:30', 09:30 for a time of
    /// today, or 2h, 7d for a time ago.
    #[arg(long, value_name = "TIME", value_parser = TimeArgument::parse_since)]
    since: Option<TimeArgument>,
    /// Continue until stopped; this is the default.
    #[arg(long, overrides_with = "no_follow")]
    follow: bool,
    /// End when the history since --since is printed.
    #[arg(long, requires = "since")]
    no_follow: bool,
    #[command(flatten)]
    login: LoginOptions,
}

/// Runs the subcommand.
pub fn run(mut args: Args) -> anyhow::Result<()> {
    access::run_client(async {
        let ends = args.no_follow && !args.follow;
        let patience = ends.then_some(access::RECONNECT_TIMEOUT);
        let mut script = Script::open(&mut args.login, patience).await?;
        if args.since.is_some() {
            script.require_history()?;
        }
        for target in &args.targets {
            if let Conversation::Channel(channel) = target {
                script.session.model.join(channel);
            }
        }
        let done = tokio::select! {
            done = tail(&mut script, &args, ends) => done,
            () = output::wait_until_unread() => Ok(()),
            () = access::wait_for_interrupt() => {
                if ends { Err(Exit::Failed.error("stopped before all was printed; run it again")) } else { Ok(()) }
            }
        };
        script.session.close("").await;
        done
    })
}

async fn tail(script: &mut Script, args: &Args, ends: bool) -> anyhow::Result<()> {
    let [since] = script.time_stamps([args.since]).await?;
    let follow = &mut Follow::new(args.targets.iter().cloned(), since, ends);
    let mut was_down = false;
    loop {
        let entries = match script.next().await? {
            Step::Ready => {
                follow.connected(script.session.model.has_cap(Cap::Chathistory));
                Vec::new()
            }
            Step::Down => {
                was_down = true;
                follow.disconnected();
                Vec::new()
            }
            Step::Entry(entry) => follow.handle_live(*entry),
            Step::Result(part) => follow.handle_result(part),
            Step::Event(event) => {
                if let Event::QueryFailed { ticket, reason, .. } = &event
                    && let Some(target) = follow.query_refused(*ticket)
                {
                    let why = format!("cannot load the history of {target}: {}", clean(reason));
                    if !was_down {
                        return Err(Exit::Refused.error(format!(
                            "{why}; check the name with `parlour channels` or `parlour who`"
                        )));
                    }
                    // This account may have been removed from the channel meanwhile.
                    script.screen.write_note(&why);
                }
                let mut entries = handle_event(script, follow, &event)?;
                entries.extend(follow.take_ready());
                entries
            }
            Step::Line(_) => Vec::new(),
        };
        if !print_entries(script, &entries, args)? || follow.is_done() {
            return Ok(());
        }
        if let Some((target, past, limit)) = follow.next_query() {
            follow.query_sent(script.history(&target, &past, limit)?);
        }
    }
}

fn handle_event(script: &mut Script, follow: &mut Follow, event: &Event) -> anyhow::Result<Vec<Entry>> {
    match event {
        Event::Quit { nick: who, channels, reason, time } => {
            return Ok(follow.handle_quit(who, channels, reason, *time));
        }
        Event::JoinFailed { channel, reason } => {
            let why = format!("cannot join {channel}: {}", clean(reason));
            return Err(Exit::Refused.error(format!("{why}; ask one of its operators, or check the name")));
        }
        Event::MembershipLost { channel }
            if follow.targets().any(|t| *t == Conversation::Channel(channel.clone())) =>
        {
            script.screen.write_note(&format!("you left {channel} from another session"));
        }
        Event::Error(text) => script.screen.write_note(&clean(text)),
        _ => {}
    }
    Ok(Vec::new())
}

/// Prints the entries. Returns whether the reader is still there.
fn print_entries(script: &mut Script, entries: &[Entry], args: &Args) -> anyhow::Result<bool> {
    for entry in entries.iter().filter(|entry| entry.kind.is_message() || !args.messages) {
        let line = if args.json { entry.to_json() } else { entry.to_text(&script.screen.zone) };
        if !output::ignore_broken_pipe(script.screen.write_message(&line))? {
            return Ok(false);
        }
    }
    Ok(true)
}
