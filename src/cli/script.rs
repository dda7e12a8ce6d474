//! What the commands for scripts share: a session whose lines are read as they came.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::access::{self, Access};
use super::exit::Exit;
use super::output::minute;
use crate::client::clean::clean;
use crate::client::feed::{Feed, Told};
use crate::client::line::Line;
use crate::client::login::SCRIPT;
use crate::client::model::{Event, Heard, Ticket};
use crate::client::screen::Screen;
use crate::client::session::{Session, Update};
use crate::wire::{Cap, Millis};

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
    feed: Feed,
    ready: bool,
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
        Ok(Self { session, screen: access::screen(), feed: Feed::default(), ready: false })
    }

    /// Waits for what comes next.
    pub async fn next(&mut self) -> anyhow::Result<Step> {
        loop {
            let update = self.session.next().await.map_err(access::ended)?;
            self.screen.connection(&update, self.session.model.pending());
            return Ok(match update {
                Update::Down { .. } => {
                    self.feed.disconnected();
                    self.ready = false;
                    Step::Down
                }
                Update::Up => continue,
                Update::Event(Event::Ready { .. }) => {
                    self.ready = true;
                    Step::Ready
                }
                Update::Event(Event::Line(line)) => match self.feed.take(&line, self.session.model.me()) {
                    Some(told) => Step::Told(told),
                    None => Step::Line(line),
                },
                Update::Event(event) => Step::Event(event),
            });
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
        command: &str,
        fill: impl Fn(Line) -> Line,
        part: impl Fn(&Heard) -> bool,
        last: impl Fn(&Heard) -> bool,
    ) -> anyhow::Result<Vec<Heard>> {
        let mut asked: Option<(Ticket, Ticket)> = None;
        let mut lines = Vec::new();
        loop {
            if self.ready && asked.is_none() {
                lines.clear();
                let question = self.session.model.query(&fill, command)?;
                asked = Some((question, self.session.model.barrier()?));
            }
            match self.next().await? {
                Step::Down => asked = None,
                Step::Line(line) if asked.is_some() => {
                    let done = last(&line);
                    if part(&line) {
                        lines.push(*line);
                    }
                    if done {
                        return Ok(lines);
                    }
                    if lines.len() > MOST {
                        return Err(Exit::Refused.error("the server's answer does not end; ask for less"));
                    }
                }
                Step::Event(Event::NoHistory { ticket, reason })
                    if asked.is_some_and(|(asked, _)| asked == ticket) =>
                {
                    return Err(Exit::Refused.error(format!("the server refused it: {}", clean(&reason))));
                }
                // Behind the question, so the answer would have come.
                Step::Event(Event::Barrier(ticket)) if asked.is_some_and(|(_, end)| end == ticket) => {
                    return Err(Exit::Refused.error(format!("the server does not answer {command}")));
                }
                _ => {}
            }
        }
    }
}

/// Most lines of an answer.
const MOST: usize = 1_000_000;

/// How far a long read of the past has come, on standard error where that is a terminal and the result goes elsewhere.
pub struct Progress {
    bar: ProgressBar,
    from: Option<Millis>,
    to: Millis,
    count: u64,
}

impl Progress {
    /// A bar from one moment, or the first that is seen, to another, or now.
    pub fn new(from: Option<Millis>, to: Option<Millis>) -> Self {
        let bar = if io::stdout().is_terminal() || !io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(STEPS)
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent}% {msg}, {eta} to go") {
            bar.set_style(style);
        }
        let now = Millis(u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0));
        Self { bar, from, to: to.unwrap_or(now), count: 0 }
    }

    /// So many more, up to this moment.
    pub fn at(&mut self, more: usize, time: Millis) {
        let from = *self.from.get_or_insert(time);
        self.count += more as u64;
        let (done, all) = (time.0.saturating_sub(from.0), self.to.0.saturating_sub(from.0).max(1));
        self.bar.set_position((done.saturating_mul(STEPS) / all).min(STEPS));
        self.bar.set_message(format!("{} lines, up to {}", HumanCount(self.count), minute(time)));
    }

    /// The end.
    pub fn done(&self) {
        self.bar.finish_and_clear();
    }
}

const STEPS: u64 = 1000;
