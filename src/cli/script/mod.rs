//! A session for the commands for scripts, with lines as received.

use std::io;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::time::{Instant, sleep_until};

use super::access::{self, Access};
use super::exit::Exit;
use crate::client::clean::clean;
use crate::client::connect::login::SCRIPT;
use crate::client::connect::session::{Session, Update};
use crate::client::feed::{Feed, Part, Told};
use crate::client::line::Line;
use crate::client::lines::output::Screen;
use crate::client::model::{Event, Heard, Past, Target, Ticket};
use crate::wire::Cap;

/// The options that select the server and the login.
#[derive(clap::Args)]
pub struct Login {
    /// A server you have joined, by name or address; by default the one used last.
    #[arg(long, value_name = "SERVER")]
    server: Option<String>,
    #[command(flatten)]
    access: Access,
}

/// A session of a script.
pub struct Script {
    /// The session that it runs on.
    pub session: Session,
    /// Output of results and notes.
    pub screen: Screen<io::Stdout, io::Stderr>,
    /// The progress bar on the terminal that notes go to.
    pub bar: ProgressBar,
    feed: Feed,
    ready: bool,
    awaited: Option<Awaited>,
}

/// A reply that the server owes.
#[derive(Debug)]
struct Awaited {
    what: What,
    /// Time of its latest part.
    heard: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The end of the burst at login.
    Login,
    /// The result of this query, which was sent with this command.
    Answer(Ticket, &'static str),
    /// The confirmation of a message.
    Confirmation,
}

/// The next step of a session.
#[derive(Debug)]
pub enum Step {
    /// The login is complete, initially or after a broken connection.
    Ready,
    /// The connection broke. It is being re-established.
    Down,
    /// A live entry, or the result of a query.
    Told(Told),
    /// Another event, such as a QUIT or a refused JOIN.
    Event(Event),
    /// A line as received that belongs to none of these.
    Line(Box<Heard>),
}

impl Script {
    /// Logs in with the capabilities of a script.
    pub async fn open(login: &mut Login, patience: Option<Duration>) -> anyhow::Result<Self> {
        login.access.more = SCRIPT;
        let mut session = login.access.open(login.server.as_deref(), patience, false).await?;
        session.model.tap();
        Ok(Self::new(session))
    }

    fn new(session: Session) -> Self {
        let mut script = Self {
            session,
            screen: access::screen(),
            bar: ProgressBar::hidden(),
            feed: Feed::default(),
            ready: false,
            awaited: None,
        };
        script.awaits(What::Login);
        script
    }

    /// Waits for the next step. Returns an error if the server owes a reply for longer than [`access::PATIENCE`],
    /// because a server that is alive but does not reply would keep a script waiting unnoticed.
    pub async fn next(&mut self) -> anyhow::Result<Step> {
        loop {
            let due = self.awaited.as_ref().map(|awaited| awaited.heard + access::PATIENCE);
            let update = tokio::select! {
                biased;
                update = self.session.next() => update.map_err(access::ended)?,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => return Err(self.overdue()),
            };
            if !matches!(update, Update::Event(_)) {
                let Self { screen, session, bar, .. } = self;
                bar.suspend(|| screen.connection(&update, session.model.pending()));
            }
            return Ok(match update {
                Update::Down { .. } => {
                    self.feed.disconnected();
                    self.ready = false;
                    self.awaited = None;
                    Step::Down
                }
                Update::Up => {
                    self.awaits(What::Login);
                    continue;
                }
                Update::Event(Event::Ready { .. }) => {
                    self.ready = true;
                    self.awaited = None;
                    Step::Ready
                }
                Update::Event(Event::Line(line)) => {
                    let ticket = self.feed.answers(&line);
                    if ticket.is_some() && ticket == self.question() {
                        self.heard();
                    }
                    match self.feed.take(&line, self.session.model.me()) {
                        Some(told) => {
                            if matches!(&told, Told::Past(part) if part.ticket.is_some() && part.ticket == self.question())
                            {
                                self.awaited = None;
                            }
                            Step::Told(told)
                        }
                        None => Step::Line(line),
                    }
                }
                Update::Event(event) => {
                    if matches!(&event, Event::NoHistory { ticket, .. } if self.question() == Some(*ticket)) {
                        self.awaited = None;
                    }
                    Step::Event(event)
                }
            });
        }
    }

    /// Queries a part of the history. The result is a [`Told::Past`] or an [`Event::NoHistory`].
    pub fn history(&mut self, target: &Target, past: &Past, limit: usize) -> anyhow::Result<Ticket> {
        let ticket = self.session.model.history(target, past, limit)?;
        self.awaits(What::Answer(ticket, "CHATHISTORY"));
        Ok(ticket)
    }

    /// Sends another query, whose result has the same form or is in lines.
    pub fn query(
        &mut self,
        command: &'static str,
        fill: impl FnOnce(Line) -> Line,
    ) -> anyhow::Result<Ticket> {
        let ticket = self.session.model.query(fill, command)?;
        self.awaits(What::Answer(ticket, command));
        Ok(ticket)
    }

    /// Sends a query with `ask` and waits for its result, repeating it after a broken connection. The inner error is
    /// the server's refusal.
    pub async fn part(
        &mut self,
        ask: impl Fn(&mut Self) -> anyhow::Result<Ticket>,
    ) -> anyhow::Result<Result<Part, String>> {
        let mut asked = None;
        loop {
            if self.ready && asked.is_none() {
                asked = Some(ask(self)?);
            }
            match self.next().await? {
                Step::Down => asked = None,
                Step::Told(Told::Past(part)) if asked.is_some() && part.ticket == asked => {
                    return if part.cut { Err(endless()) } else { Ok(Ok(part)) };
                }
                Step::Event(Event::NoHistory { ticket, reason, .. }) if asked == Some(ticket) => {
                    return Ok(Err(clean(&reason)));
                }
                _ => {}
            }
        }
    }

    /// Expects a confirmation while messages are pending. The time limit starts over with each one (`progress`).
    pub fn sending(&mut self, progress: bool) {
        let waits = matches!(&self.awaited, Some(Awaited { what: What::Confirmation, .. }));
        if self.session.model.pending() == 0 {
            self.awaited = self.awaited.take().filter(|_| !waits);
        } else if self.ready && (progress || !waits) {
            self.awaits(What::Confirmation);
        }
    }

    fn awaits(&mut self, what: What) {
        self.awaited = Some(Awaited { what, heard: Instant::now() });
    }

    fn heard(&mut self) {
        if let Some(awaited) = &mut self.awaited {
            awaited.heard = Instant::now();
        }
    }

    fn question(&self) -> Option<Ticket> {
        match self.awaited.as_ref()?.what {
            What::Answer(ticket, _) => Some(ticket),
            What::Login | What::Confirmation => None,
        }
    }

    fn overdue(&self) -> anyhow::Error {
        const WHAT_TO_DO: &str = "try again in a moment, and tell who runs the server if that does not help";
        let seconds = access::PATIENCE.as_secs();
        match self.awaited.as_ref().map(|awaited| awaited.what) {
            Some(What::Answer(_, command)) => Exit::Unreachable.error(format!(
                "the server has not answered {command} for {seconds} seconds, and is there all the same; {WHAT_TO_DO}"
            )),
            Some(What::Confirmation) => Exit::Refused.error(format!(
                "the server has confirmed nothing for {seconds} seconds; {} messages may have arrived or not: \
                 look with `parlour history` before you send them again",
                self.session.model.pending()
            )),
            _ => Exit::Unreachable.error(format!(
                "the login is not over after {seconds} seconds, and the server is there all the same; {WHAT_TO_DO}"
            )),
        }
    }

    /// Returns an error if the server has no history.
    pub fn remembers(&self) -> anyhow::Result<()> {
        if self.session.model.can(Cap::Chathistory) {
            return Ok(());
        }
        Err(Exit::Refused.error("the server keeps no history; `parlour tail` shows what is said from now on"))
    }

    /// Sends a query whose result is in lines. Returns the lines that `part` accepts, up to and including the one that
    /// `last` accepts. Repeats the query after a broken connection.
    pub async fn gather(
        &mut self,
        command: &'static str,
        fill: impl Fn(Line) -> Line,
        part: impl Fn(&Heard) -> bool,
        last: impl Fn(&Heard) -> bool,
    ) -> anyhow::Result<Vec<Heard>> {
        let mut asked: Option<(Ticket, Ticket)> = None;
        let (mut lines, mut bytes) = (Vec::new(), 0);
        loop {
            if self.ready && asked.is_none() {
                lines.clear();
                bytes = 0;
                let question = self.query(command, &fill)?;
                asked = Some((question, self.session.model.barrier()?));
            }
            match self.next().await? {
                Step::Down => asked = None,
                Step::Line(line) if asked.is_some() => {
                    let done = last(&line);
                    if part(&line) {
                        self.heard();
                        bytes += line.bytes();
                        lines.push(*line);
                    }
                    if done {
                        self.awaited = None;
                        return Ok(lines);
                    }
                    if lines.len() > MOST || bytes > MOST_BYTES {
                        return Err(endless());
                    }
                }
                Step::Event(Event::NoHistory { ticket, reason, .. })
                    if asked.is_some_and(|(asked, _)| asked == ticket) =>
                {
                    return Err(Exit::Refused.error(format!(
                        "the server refused {command}: {}; check the name and try again",
                        clean(&reason)
                    )));
                }
                // The barrier was sent after the query, so a result would have arrived.
                Step::Event(Event::Barrier(ticket)) if asked.is_some_and(|(_, end)| end == ticket) => {
                    return Err(Exit::Refused.error(format!("the server does not answer {command}, and may not know it; `parlour chat` shows what it says about itself")));
                }
                _ => {}
            }
        }
    }
}

/// Returns the error of a result that exceeds all limits.
pub fn endless() -> anyhow::Error {
    Exit::Refused.error("the server's answer does not end; tell who runs the server")
}

/// Limit of lines in a result.
const MOST: usize = 1_000_000;

/// Limit of a result, in bytes, approximately.
const MOST_BYTES: usize = 128 * 1024 * 1024;

pub mod channels;
pub mod history;
pub mod search;
pub mod send;
pub mod tail;
#[cfg(test)]
mod tests;
pub(super) mod together;
pub(super) mod when;
pub mod who;
