//! `parlour send`: messages from scripts.

use std::collections::HashMap;
use std::io;

use anyhow::{anyhow, bail};
use tokio::sync::mpsc::Receiver;

use super::access::{self, Access};
use crate::client::clean::clean;
use crate::client::model::{Event, Kind, Target, Ticket};
use crate::client::screen::Screen;
use crate::client::session::{Session, Update};

/// Send messages and exit 0 when the server has confirmed them all.
///
/// Without TEXT each line of standard input is a message; empty lines are left out. A channel is joined first
/// where needed. A connection that breaks is taken up again, and what was not confirmed is sent again without
/// a duplicate.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour send '#lobby' 'The build is green'
  make 2>&1 | parlour send '#builds' --notice
  parlour send alice < letter.txt
  (cat password; echo hello) | parlour send '#lobby' --password-stdin")]
pub struct Args {
    /// A channel (#name) or a person.
    #[arg(value_parser = target)]
    target: Target,
    /// The message.
    text: Option<String>,
    /// A server you have joined, by name or address; by default the one used last.
    #[arg(long, value_name = "SERVER")]
    server: Option<String>,
    /// Send notices, which programs do not answer, instead of messages.
    #[arg(long)]
    notice: bool,
    #[command(flatten)]
    access: Access,
}

/// For clap.
pub fn target(text: &str) -> Result<Target, String> {
    Target::parse(text).map_err(|error| error.to_string())
}

/// So many messages may be on their way before more lines are read.
const WINDOW: usize = 64;

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    if args.text.as_ref().is_some_and(|text| text.trim().is_empty()) {
        bail!("there is nothing to send: TEXT is empty");
    }
    access::run(async {
        let session = args.access.open(args.server.as_deref(), Some(access::PATIENCE), false).await?;
        let (one, input) = match args.text {
            Some(text) => (Some(text), None),
            None => (None, Some(access::lines())),
        };
        let kind = if args.notice { Kind::Notice } else { Kind::Text };
        let mut sender = Sender {
            session,
            screen: access::screen(),
            target: args.target,
            kind,
            lines: HashMap::new(),
            count: 0,
            failed: 0,
        };
        let done = tokio::select! {
            done = sender.all(one, input) => done,
            () = access::interrupted() => Err(match sender.session.model.pending() {
                0 => anyhow!("stopped before the end of the input"),
                pending => anyhow!("stopped before the server confirmed {pending} messages; they may have arrived or not"),
            }),
        };
        sender.session.close("").await;
        done?;
        if sender.failed > 0 {
            bail!("{} of {} messages were not delivered, see above", sender.failed, sender.count);
        }
        Ok(())
    })
}

struct Sender<T, N> {
    session: Session,
    screen: Screen<T, N>,
    target: Target,
    kind: Kind,
    /// The line of the input that each message on its way came from.
    lines: HashMap<Ticket, usize>,
    count: usize,
    failed: usize,
}

impl<T: io::Write, N: io::Write> Sender<T, N> {
    async fn all(
        &mut self,
        one: Option<String>,
        mut input: Option<Receiver<io::Result<String>>>,
    ) -> anyhow::Result<()> {
        let mut ready = false;
        let mut number = 0;
        if let Target::Channel(channel) = &self.target {
            self.session.model.join(channel);
        }
        loop {
            if ready && input.is_none() && self.session.model.is_settled() {
                return Ok(());
            }
            let open = ready && self.session.model.pending() < WINDOW;
            tokio::select! {
                update = self.session.next() => {
                    if self.update(update.map_err(access::ended)?)? && !ready {
                        ready = true;
                        if let Some(text) = &one {
                            self.send(1, text);
                        }
                    }
                }
                line = read(&mut input), if open => match line.transpose()? {
                    Some(line) => {
                        number += 1;
                        self.send(number, &line);
                    }
                    None => input = None,
                },
            }
        }
    }

    fn send(&mut self, number: usize, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        for ticket in self.session.model.say(&self.target, self.kind, text) {
            self.lines.insert(ticket, number);
            self.count += 1;
        }
    }

    /// Takes what happened. Has the login come to its end?
    fn update(&mut self, update: Update) -> anyhow::Result<bool> {
        self.screen.connection(&update, self.session.model.pending());
        let Update::Event(event) = update else { return Ok(false) };
        match event {
            Event::Ready { .. } => return Ok(true),
            Event::Confirmed(ticket) => {
                self.lines.remove(&ticket);
            }
            Event::Failed { ticket, target, reason } => {
                self.failed += 1;
                let line = self.lines.remove(&ticket).unwrap_or_default();
                eprintln!("parlour: line {line} was not delivered to {target}: {}", clean(&reason));
            }
            Event::JoinFailed { channel, reason } => bail!("cannot join {channel}: {}", clean(&reason)),
            Event::Error(text) => self.screen.note(&clean(&text)),
            _ => {}
        }
        Ok(false)
    }
}

async fn read(input: &mut Option<Receiver<io::Result<String>>>) -> Option<io::Result<String>> {
    match input {
        Some(input) => input.recv().await,
        None => std::future::pending().await,
    }
}
