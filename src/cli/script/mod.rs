//! A session for the commands for scripts, with all that the server sends.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::time::{Instant, sleep_until};

use super::access::{self, Access};
use super::exit_code::Exit;
use crate::client::connect::login::SCRIPT_CAPS;
use crate::client::connect::session::{Session, SessionUpdate};
use crate::client::feed::{Entry, QueryResult};
use crate::client::model::event::{Received, ServerEvent};
use crate::client::model::{Conversation, Event, HistoryRange, Ticket};
use crate::client::plain::output::PlainOutput;
use crate::client::text::clean::clean;
use crate::client::text::count::counted;
use crate::client::text::line::Line;
use crate::wire::Cap;

/// The options that select the server and the login.
#[derive(clap::Args)]
pub struct LoginOptions {
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
    pub screen: PlainOutput<io::Stdout, io::Stderr>,
    /// The progress bar on the terminal that notes go to.
    pub bar: ProgressBar,
    ready: bool,
    awaited_reply: Option<AwaitedReply>,
    /// Steps that arrived during a query and come next.
    earlier_steps: VecDeque<Step>,
}

/// A reply that the server owes.
#[derive(Debug)]
struct AwaitedReply {
    kind: AwaitedKind,
    /// Time of its latest part.
    last_part: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AwaitedKind {
    /// The end of the burst at login.
    Login,
    /// The result of this query, which was sent with this command.
    QueryResult(Ticket, &'static str),
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
    /// A live entry.
    Entry(Box<Entry>),
    /// The result of a history or search query.
    Result(QueryResult),
    /// Another event, such as a QUIT or a refused JOIN.
    Event(Event),
    /// A line that is no entry.
    Line(Box<Received>),
}

impl Script {
    /// Logs in with the capabilities of a script.
    pub async fn open(login: &mut LoginOptions, patience: Option<Duration>) -> anyhow::Result<Self> {
        login.access.extra_capabilities = SCRIPT_CAPS;
        let mut session = login.access.open(login.server.as_deref(), patience, false).await?;
        session.model.emit_received();
        Ok(Self::new(session))
    }

    /// Runs the `work` of a subcommand and closes the session when it is done, or when the user interrupts. The error is
    /// then `interrupted`.
    pub async fn run(
        mut self,
        interrupted: &'static str,
        work: impl AsyncFnOnce(&mut Self) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let done = tokio::select! {
            done = work(&mut self) => done,
            () = access::wait_for_interrupt() => Err(Exit::Failed.error(interrupted)),
        };
        self.session.close("").await;
        done
    }

    fn new(session: Session) -> Self {
        let mut script = Self {
            session,
            screen: access::stdio_screen(),
            bar: ProgressBar::hidden(),
            ready: false,
            awaited_reply: None,
            earlier_steps: VecDeque::new(),
        };
        script.await_reply(AwaitedKind::Login);
        script
    }

    /// Waits for the next step. Returns an error if the server owes a reply for longer than [`access::RECONNECT_TIMEOUT`],
    /// because a server that is alive but does not reply would keep a script waiting unnoticed.
    pub async fn next(&mut self) -> anyhow::Result<Step> {
        if let Some(step) = self.earlier_steps.pop_front() {
            return Ok(step);
        }
        loop {
            let due =
                self.awaited_reply.as_ref().map(|awaited| awaited.last_part + access::RECONNECT_TIMEOUT);
            let update = tokio::select! {
                biased;
                update = self.session.next_update() => update.map_err(access::describe_session_error)?,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => return Err(self.overdue_error()),
            };
            if !matches!(update, SessionUpdate::Event(_)) {
                let Self { screen, session, bar, .. } = self;
                bar.suspend(|| screen.note_connection(&update, session.model.unconfirmed_count()));
            }
            return Ok(match update {
                SessionUpdate::Disconnected { .. } => {
                    self.ready = false;
                    self.awaited_reply = None;
                    Step::Down
                }
                SessionUpdate::Connected => {
                    self.await_reply(AwaitedKind::Login);
                    continue;
                }
                SessionUpdate::Event(Event::Ready { .. }) => {
                    self.ready = true;
                    self.awaited_reply = None;
                    Step::Ready
                }
                SessionUpdate::Event(Event::Received { received, ticket }) => {
                    self.note_part_of(ticket);
                    match Entry::from_received(&received, false) {
                        Some(entry) => Step::Entry(Box::new(entry)),
                        None => Step::Line(received),
                    }
                }
                SessionUpdate::Event(Event::Progress(ticket)) => {
                    self.note_part_of(Some(ticket));
                    continue;
                }
                SessionUpdate::Event(Event::Result(result)) => {
                    self.awaited_reply.take_if(|awaited| awaited.is_for(result.ticket));
                    Step::Result(QueryResult::from_result(&result))
                }
                SessionUpdate::Event(Event::Oversized(_)) => return Err(endless_result_error()),
                SessionUpdate::Event(event) => {
                    if let Event::QueryFailed { ticket, .. } = &event {
                        self.awaited_reply.take_if(|awaited| awaited.is_for(Some(*ticket)));
                    }
                    Step::Event(event)
                }
            });
        }
    }

    /// Queries a part of the history. The result is a [`Step::Result`] or an [`Event::QueryFailed`].
    pub fn history(
        &mut self,
        target: &Conversation,
        past: &HistoryRange,
        limit: usize,
    ) -> anyhow::Result<Ticket> {
        let ticket = self.session.model.query_history(target, past, limit)?;
        self.await_reply(AwaitedKind::QueryResult(ticket, "CHATHISTORY"));
        Ok(ticket)
    }

    /// Sends another query, whose result has the same form or is in lines.
    pub fn query(
        &mut self,
        command: &'static str,
        fill: impl FnOnce(Line) -> Line,
    ) -> anyhow::Result<Ticket> {
        let ticket = self.session.model.query(fill, command)?;
        self.await_reply(AwaitedKind::QueryResult(ticket, command));
        Ok(ticket)
    }

    /// Sends a query with `ask` and waits for its result, repeating it after a broken connection. The inner error is
    /// the server's refusal.
    pub async fn query_part(
        &mut self,
        send_query: impl Fn(&mut Self) -> anyhow::Result<Ticket>,
    ) -> anyhow::Result<Result<QueryResult, String>> {
        let mut open_query = None;
        loop {
            if self.ready && open_query.is_none() {
                open_query = Some(send_query(self)?);
            }
            match self.next().await? {
                Step::Down => open_query = None,
                Step::Result(part) if open_query.is_some() && part.ticket == open_query => {
                    return Ok(Ok(part));
                }
                Step::Event(Event::QueryFailed { ticket, reason, .. }) if open_query == Some(ticket) => {
                    return Ok(Err(clean(&reason)));
                }
                _ => {}
            }
        }
    }

    /// Expects a confirmation while messages are pending. The time limit starts over with each one (`progress`).
    pub fn await_confirmation(&mut self, progress: bool) {
        let waits = matches!(&self.awaited_reply, Some(AwaitedReply { kind: AwaitedKind::Confirmation, .. }));
        if self.session.model.unconfirmed_count() == 0 {
            self.awaited_reply = self.awaited_reply.take().filter(|_| !waits);
        } else if self.ready && (progress || !waits) {
            self.await_reply(AwaitedKind::Confirmation);
        }
    }

    fn await_reply(&mut self, kind: AwaitedKind) {
        self.awaited_reply = Some(AwaitedReply { kind, last_part: Instant::now() });
    }

    fn restart_timeout(&mut self) {
        if let Some(awaited) = &mut self.awaited_reply {
            awaited.last_part = Instant::now();
        }
    }

    /// Starts the time limit over if this is the ticket of the query whose result is owed.
    fn note_part_of(&mut self, ticket: Option<Ticket>) {
        if self.awaited_reply.as_ref().is_some_and(|awaited| awaited.is_for(ticket)) {
            self.restart_timeout();
        }
    }

    fn overdue_error(&self) -> anyhow::Error {
        const WHAT_TO_DO: &str = "try again in a moment, and tell who runs the server if that does not help";
        let seconds = access::RECONNECT_TIMEOUT.as_secs();
        match self.awaited_reply.as_ref().map(|awaited| awaited.kind) {
            Some(AwaitedKind::QueryResult(_, command)) => Exit::Unreachable.error(format!(
                "the server has not answered {command} for {seconds} seconds, and is there all the same; {WHAT_TO_DO}"
            )),
            Some(AwaitedKind::Confirmation) => Exit::Refused.error(format!(
                "the server has confirmed nothing for {seconds} seconds; {} may have arrived or not: \
                 look with `parlour history` before you send again",
                counted(self.session.model.unconfirmed_count(), "message")
            )),
            _ => Exit::Unreachable.error(format!(
                "the login is not over after {seconds} seconds, and the server is there all the same; {WHAT_TO_DO}"
            )),
        }
    }

    /// Returns an error if the server has no history.
    pub fn require_history(&self) -> anyhow::Result<()> {
        if self.session.model.has_cap(Cap::Chathistory) {
            return Ok(());
        }
        Err(Exit::Refused.error("the server keeps no history; `parlour tail` shows what is said from now on"))
    }

    /// Sends a query whose result is in lines. Returns what `pick` takes from the lines, up to and including the one
    /// that `is_last` accepts. Repeats the query after a broken connection.
    pub async fn query_lines<T>(
        &mut self,
        command: &'static str,
        fill: impl Fn(Line) -> Line,
        pick: impl Fn(&ServerEvent) -> Option<T>,
        is_last: impl Fn(&ServerEvent) -> bool,
    ) -> anyhow::Result<Vec<T>> {
        let mut open_query: Option<LineQuery> = None;
        let (mut picked, mut bytes) = (Vec::new(), 0);
        loop {
            if self.ready && open_query.is_none() {
                picked.clear();
                bytes = 0;
                let query = self.query(command, &fill)?;
                open_query = Some(LineQuery { query, barrier: self.session.model.send_barrier()? });
            }
            match self.next().await? {
                Step::Down => open_query = None,
                Step::Line(line) if open_query.is_some() => {
                    if let Some(part) = pick(&line.event) {
                        self.restart_timeout();
                        bytes += line.origin.bytes;
                        picked.push(part);
                    }
                    if is_last(&line.event) {
                        self.awaited_reply = None;
                        return Ok(picked);
                    }
                    if picked.len() > MAX_LINES || bytes > MAX_BYTES {
                        return Err(endless_result_error());
                    }
                }
                Step::Event(Event::QueryFailed { ticket, reason, .. })
                    if open_query.is_some_and(|asked| asked.query == ticket) =>
                {
                    return Err(Exit::Refused.error(format!(
                        "the server refused {command}: {}; check the name and try again",
                        clean(&reason)
                    )));
                }
                // The barrier was sent after the query, so a result would have arrived.
                Step::Event(Event::Barrier(ticket))
                    if open_query.is_some_and(|asked| asked.barrier == ticket) =>
                {
                    return Err(Exit::Refused.error(format!("the server does not answer {command}, and may not know it; `parlour chat` shows what it says about itself")));
                }
                _ => {}
            }
        }
    }
}

/// A query whose result is in lines.
#[derive(Clone, Copy, Debug)]
struct LineQuery {
    query: Ticket,
    /// The barrier behind the query, whose reply comes after the result.
    barrier: Ticket,
}

impl AwaitedReply {
    /// Returns whether this is the ticket of the query whose result is owed.
    fn is_for(&self, ticket: Option<Ticket>) -> bool {
        matches!(self.kind, AwaitedKind::QueryResult(awaited, _) if Some(awaited) == ticket)
    }
}

/// Returns the error of a result that exceeds all limits.
fn endless_result_error() -> anyhow::Error {
    Exit::Refused.error("the server's answer does not end; tell who runs the server")
}

/// Limit of lines in a result.
const MAX_LINES: usize = 1_000_000;

/// Limit of a result, in bytes, approximately.
const MAX_BYTES: usize = 128 * 1024 * 1024;

pub mod channels;
mod existence;
pub mod get;
pub mod history;
pub(super) mod multiline;
pub mod search;
pub mod send;
mod server_time;
pub mod tail;
#[cfg(test)]
mod tests;
pub(super) mod time_argument;
mod transfer;
pub mod who;
