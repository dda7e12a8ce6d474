//! What the commands for scripts share: a session whose lines are read as they came.

use std::io;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::time::{Instant, sleep_until};

use super::access::{self, Access};
use super::exit::Exit;
use crate::client::clean::clean;
use crate::client::feed::{Feed, Part, Told};
use crate::client::line::Line;
use crate::client::login::SCRIPT;
use crate::client::model::{Event, Heard, Past, Target, Ticket};
use crate::client::screen::Screen;
use crate::client::session::{Session, Update};
use crate::wire::Cap;

/// The options that say where to log in, and as whom.
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
    /// The session.
    pub session: Session,
    /// Where results and notes go.
    pub screen: Screen<io::Stdout, io::Stderr>,
    /// What is drawn meanwhile on the terminal that notes go to.
    pub bar: ProgressBar,
    feed: Feed,
    ready: bool,
    awaited: Option<Awaited>,
}

/// What the server is to do next.
#[derive(Debug)]
struct Awaited {
    what: What,
    /// When something of it came last.
    heard: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Say all that belongs to a login.
    Login,
    /// Answer this question, which was asked with this command.
    Answer(Ticket, &'static str),
    /// Confirm a message.
    Confirmation,
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// The login is over, at first or after a connection that broke.
    Ready,
    /// The connection is gone. It will be back.
    Down,
    /// Something happens, or happened.
    Told(Told),
    /// Somebody went offline, a channel cannot be joined, and the like.
    Event(Event),
    /// A line as it came, that tells nothing of these.
    Line(Box<Heard>),
}

impl Script {
    /// Logs in.
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

    /// Waits for what comes next, but not for ever where it is the server's turn: one that is alive and silent about what
    /// it was asked would keep a script waiting unseen.
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

    /// Asks for a part of the past, which [`Told::Past`] answers, or [`Event::NoHistory`].
    pub fn history(&mut self, target: &Target, past: &Past, limit: usize) -> anyhow::Result<Ticket> {
        let ticket = self.session.model.history(target, past, limit)?;
        self.awaits(What::Answer(ticket, "CHATHISTORY"));
        Ok(ticket)
    }

    /// Asks something else that is answered in the same way, or in lines.
    pub fn query(
        &mut self,
        command: &'static str,
        fill: impl FnOnce(Line) -> Line,
    ) -> anyhow::Result<Ticket> {
        let ticket = self.session.model.query(fill, command)?;
        self.awaits(What::Answer(ticket, command));
        Ok(ticket)
    }

    /// Asks in one of these ways for a part of the past and waits for it, also over a connection that breaks. The inner
    /// error is what the server said to refuse it.
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
                Step::Event(Event::NoHistory { ticket, reason }) if asked == Some(ticket) => {
                    return Ok(Err(clean(&reason)));
                }
                _ => {}
            }
        }
    }

    /// Messages are on their way, and one of them was confirmed just now, or this is the first.
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

    /// Can the server tell what was said?
    pub fn remembers(&self) -> anyhow::Result<()> {
        if self.session.model.can(Cap::Chathistory) {
            return Ok(());
        }
        Err(Exit::Refused.error("the server keeps no history; `parlour tail` shows what is said from now on"))
    }

    /// Asks something that is answered by lines, and takes those that `part` says yes to, up to the one that `last`
    /// knows. Asks again after a connection that broke.
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
                Step::Event(Event::NoHistory { ticket, reason })
                    if asked.is_some_and(|(asked, _)| asked == ticket) =>
                {
                    return Err(Exit::Refused.error(format!(
                        "the server refused {command}: {}; check the name and try again",
                        clean(&reason)
                    )));
                }
                // Behind the question, so the answer would have come.
                Step::Event(Event::Barrier(ticket)) if asked.is_some_and(|(_, end)| end == ticket) => {
                    return Err(Exit::Refused.error(format!("the server does not answer {command}, and may not know it; `parlour chat` shows what it says about itself")));
                }
                _ => {}
            }
        }
    }
}

/// An answer that is longer than any has to be.
pub fn endless() -> anyhow::Error {
    Exit::Refused.error("the server's answer does not end; tell who runs the server")
}

/// Most lines of an answer.
const MOST: usize = 1_000_000;

/// Most bytes of them, about.
const MOST_BYTES: usize = 128 * 1024 * 1024;

#[cfg(test)]
mod tests;
