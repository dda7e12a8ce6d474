//! `parlour tail`: follow what is said.

use anyhow::bail;

use super::access::{self, Access};
use super::send::target;
use crate::client::clean::clean;
use crate::client::model::{Event, Target};
use crate::client::render;
use crate::client::screen::Screen;
use crate::client::session::{Session, Update};

/// Follow channels and people until stopped.
///
/// A channel is joined first where needed. A connection that breaks is taken up again. With --json each line is
/// an object with `type` (message, notice, action, join, part, quit, kick, topic), `time` (UTC), `target`,
/// `from`, `text`, and `msgid` for messages or `by` for kicks.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour tail '#lobby'
  parlour tail '#builds' '#ops' --json | jq -r 'select(.type == \"message\").text'")]
pub struct Args {
    /// Channels (#name) and people.
    #[arg(required = true, value_name = "TARGET", value_parser = target)]
    targets: Vec<Target>,
    /// Print an object a line, for programs.
    #[arg(long)]
    json: bool,
    /// A server you have joined, by name or address; by default the one used last.
    #[arg(long, value_name = "SERVER")]
    server: Option<String>,
    #[command(flatten)]
    access: Access,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    access::run(async {
        let mut session = args.access.open(args.server.as_deref(), None, false).await?;
        for target in &args.targets {
            if let Target::Channel(channel) = target {
                session.model.join(channel);
            }
        }
        let done = tokio::select! {
            done = follow(&mut session, &args.targets, args.json) => done,
            () = access::interrupted() => Ok(()),
        };
        session.close("").await;
        done
    })
}

async fn follow(session: &mut Session, targets: &[Target], json: bool) -> anyhow::Result<()> {
    let mut screen = access::screen();
    loop {
        let update = session.next().await.map_err(access::ended)?;
        screen.connection(&update, session.model.pending());
        let Update::Event(event) = update else { continue };
        if !access::quiet_when_unread(show(&mut screen, &event, targets, json))? {
            return Ok(());
        }
        if let Event::JoinFailed { channel, reason } = event {
            bail!("cannot join {channel}: {}", clean(&reason));
        }
    }
}

fn show<T: std::io::Write, N: std::io::Write>(
    screen: &mut Screen<T, N>,
    event: &Event,
    targets: &[Target],
    json: bool,
) -> std::io::Result<()> {
    let channel = |name: &crate::wire::ChannelName| targets.contains(&Target::Channel(name.clone()));
    let wanted = match event {
        Event::Said(said) => targets.contains(&said.place),
        Event::Joined { channel: name, .. }
        | Event::Left { channel: name, .. }
        | Event::Topic { channel: name, .. } => channel(name),
        Event::Quit { channels, who, .. } => {
            channels.iter().any(channel) || targets.contains(&Target::Person(who.clone()))
        }
        Event::Dropped { .. } | Event::Error(_) => true,
        _ => false,
    };
    match render::json(event).filter(|_| json) {
        _ if !wanted => Ok(()),
        Some(line) => screen.talk(&line),
        None => screen.show(event),
    }
}
