//! State of one session, shared by the hub and the connection's task.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::line_form::LineForm;
use super::outbox::Outbox;
use crate::core::record::AccountId;
use crate::core::{Command, Login, Query, QueryResult, SessionId};
use crate::wire::{Label, Reply};

/// Maximum count of commands of a session that wait for the hub; at the limit its connection is not read.
const MAX_INBOX_LINES: usize = 64;

/// One session, from its login to its end.
#[derive(Debug)]
pub(in crate::server) struct Session {
    /// Set by the hub when it takes the login.
    id: OnceLock<SessionId>,
    /// Account of the session.
    pub account: AccountId,
    /// Address of the client.
    pub peer: IpAddr,
    /// Output to the client.
    pub outbox: Outbox,
    inbox: Mutex<Inbox>,
    tasks: Mutex<TaskQueue>,
    /// Time at which the client last sent something, in seconds of [`ReadySessions::uptime_seconds`].
    last_received: AtomicU32,
}

/// A line on its way to the core.
#[derive(Debug)]
pub(in crate::server) struct ClientLine {
    pub label: Option<Label>,
    /// `None` for a line that does nothing by itself, such as one of a multiline message.
    pub command: Option<Result<Command, Reply>>,
}

impl ClientLine {
    /// A line that does nothing by itself.
    pub const EMPTY: Self = Self { label: None, command: None };

    /// Returns true if the command has an effect even without a client to reply to.
    pub fn applies_after_disconnect(&self) -> bool {
        match &self.command {
            Some(Ok(command)) => command.writes() || matches!(command, Command::Quit(_)),
            _ => false,
        }
    }
}

/// Result of a query, for the core, with the label of the reply.
#[derive(Debug)]
pub(in crate::server) struct LabeledResult {
    pub label: Option<Label>,
    pub result: QueryResult,
}

/// Output to the session that takes time.
#[derive(Debug)]
pub(in crate::server) enum Task {
    /// A query, with the label of its reply.
    Query(Option<Label>, Query),
    /// Lines that are sent in parts as the client reads them.
    Send(Bytes),
}

/// Tasks that wait for the one before them.
#[derive(Debug, Default)]
struct TaskQueue {
    waiting: VecDeque<Task>,
    /// True while something runs them.
    is_running: bool,
}

/// Input from the client. Bounded by [`MAX_INBOX_LINES`]; only lines that were read with the login may exceed it.
#[derive(Debug, Default)]
pub(in crate::server) struct Inbox {
    /// The login that opened the session, until the hub takes it.
    pub login: Option<Box<Login>>,
    /// Count of tasks that are not done. While there are any, the hub takes no input.
    open_tasks: usize,
    /// Results of queries, with which the core continues.
    pub results: Vec<LabeledResult>,
    pub lines: Vec<ClientLine>,
    /// Reason why the client will send nothing more. Pending output still goes out before the connection ends.
    pub input_close_reason: Option<Arc<str>>,
    /// Reason why the connection ended; the last input of a session.
    pub disconnect_reason: Option<Arc<str>>,
    /// True if the session is in the list of [`ReadySessions`], or in the schedule.
    is_listed: bool,
    /// True if the session is in the schedule.
    is_scheduled: bool,
    waker: Option<Waker>,
}

/// Input that the hub takes at once, independent of the account's turn.
#[derive(Debug, Default)]
pub(in crate::server) struct ImmediateInput {
    /// Results of queries, as in [`Inbox`].
    pub results: Vec<LabeledResult>,
    /// Reason why the client will send nothing more, as in [`Inbox`].
    pub input_close_reason: Option<Arc<str>>,
    /// Reason why the connection ended, as in [`Inbox`].
    pub disconnect_reason: Option<Arc<str>>,
    /// True if a login or commands wait for the account's turn, and the session must be added to the schedule.
    pub needs_scheduling: bool,
}

impl Session {
    /// Creates the session of a client that is sent lines in this form.
    pub fn new(login: Login, now: u32, peer: IpAddr, form: LineForm) -> Self {
        let account = login.account;
        let inbox = Inbox { login: Some(Box::new(login)), ..Inbox::default() };
        Self {
            id: OnceLock::new(),
            account,
            peer,
            outbox: Outbox::new(form),
            inbox: Mutex::new(inbox),
            tasks: Mutex::default(),
            last_received: AtomicU32::new(now),
        }
    }

    /// Returns the id that the hub gave.
    pub fn id(&self) -> Option<SessionId> {
        self.id.get().copied()
    }

    /// Sets the id, once.
    pub fn set_id(&self, id: SessionId) {
        // A second id would mean a second login of the same session, which the connection never makes.
        let _ = self.id.set(id);
    }

    /// Ready with the count of lines that there is room for, if any.
    ///
    /// There is room before the hub has taken the last line. So a client that sends one line at a time is not woken
    /// only because its line was taken.
    pub fn poll_inbox_room(&self, cx: &mut Context<'_>) -> Poll<usize> {
        let mut inbox = self.inbox.lock();
        if inbox.lines.len() < MAX_INBOX_LINES {
            return Poll::Ready(MAX_INBOX_LINES - inbox.lines.len());
        }
        inbox.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes the input that need not wait for the account's turn: results, and the end if no command is before it.
    pub fn take_immediate_input(&self) -> ImmediateInput {
        let mut inbox = self.inbox.lock();
        let mut input = ImmediateInput::default();
        if inbox.open_tasks > 0 {
            return input;
        }
        input.results = std::mem::take(&mut inbox.results);
        if inbox.disconnect_reason.is_some() {
            // Replies do not reach the client any more.
            inbox.login = None;
            inbox.lines.retain(ClientLine::applies_after_disconnect);
        }
        if inbox.login.is_some() || !inbox.lines.is_empty() {
            input.needs_scheduling = !std::mem::replace(&mut inbox.is_scheduled, true);
        } else {
            input.input_close_reason = inbox.input_close_reason.take();
            input.disconnect_reason = inbox.disconnect_reason.take();
            inbox.is_listed = inbox.is_scheduled;
        }
        input
    }

    /// Takes all input; `None` while a task is not done.
    pub fn take_inbox(&self) -> Option<Inbox> {
        let mut inbox = self.inbox.lock();
        inbox.is_scheduled = false;
        if inbox.open_tasks > 0 {
            return None;
        }
        let waker = inbox.waker.take();
        let taken = std::mem::take(&mut *inbox);
        drop(inbox);
        if let Some(waker) = waker {
            waker.wake();
        }
        Some(taken)
    }

    /// Notes a task that must be done before more input is taken.
    pub fn open_task(&self) {
        self.inbox.lock().open_tasks += 1;
    }

    /// Returns true if a task is not done yet.
    pub fn has_open_task(&self) -> bool {
        self.inbox.lock().open_tasks > 0
    }

    /// Puts the rest of the taken input back, before later input. `is_scheduled` is true if the session is in the
    /// schedule.
    pub fn put_back(&self, mut rest: Inbox, is_scheduled: bool) {
        let mut inbox = self.inbox.lock();
        rest.lines.append(&mut inbox.lines);
        inbox.lines = rest.lines;
        inbox.input_close_reason = rest.input_close_reason.or(inbox.input_close_reason.take());
        inbox.disconnect_reason = rest.disconnect_reason.or(inbox.disconnect_reason.take());
        (inbox.is_listed, inbox.is_scheduled) = (true, is_scheduled);
    }

    /// Adds a task. Returns true if nothing runs the tasks, so that the caller must begin to.
    pub fn enqueue_task(&self, task: Task) -> bool {
        let mut tasks = self.tasks.lock();
        tasks.waiting.push_back(task);
        !std::mem::replace(&mut tasks.is_running, true)
    }

    /// Takes the next task. `None` if there is none; then the caller must end.
    pub fn next_task(&self) -> Option<Task> {
        let mut tasks = self.tasks.lock();
        let next = tasks.waiting.pop_front();
        tasks.is_running = next.is_some();
        if next.is_none() {
            // An idle session holds neither capacity nor the caller, whose waker would keep its memory.
            tasks.waiting = VecDeque::new();
            self.outbox.forget_drain_waker();
        }
        next
    }

    pub fn note_received(&self, now: u32) {
        self.last_received.store(now, Ordering::Relaxed);
    }

    /// Returns the seconds since the client last sent something.
    pub fn idle_seconds(&self, now: u32) -> u32 {
        now.saturating_sub(self.last_received.load(Ordering::Relaxed))
    }
}

/// Sessions with work for the hub, each once, in the order of arrival.
#[derive(Debug)]
pub(in crate::server) struct ReadySessions {
    list: Mutex<Vec<Arc<Session>>>,
    notify: Notify,
    started: std::time::Instant,
}

impl ReadySessions {
    pub fn new() -> Self {
        Self { list: Mutex::default(), notify: Notify::new(), started: std::time::Instant::now() }
    }

    /// Returns the seconds since the server started, for time-outs.
    pub fn uptime_seconds(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_secs()).unwrap_or(u32::MAX)
    }

    /// Puts input into a session's inbox and notifies the hub.
    pub fn push_input(&self, session: &Arc<Session>, fill: impl FnOnce(&mut Inbox)) {
        let mut inbox = session.inbox.lock();
        fill(&mut inbox);
        let was_listed = std::mem::replace(&mut inbox.is_listed, true);
        drop(inbox);
        if !was_listed {
            let mut list = self.list.lock();
            list.push(session.clone());
            let first = list.len() == 1;
            drop(list);
            if first {
                self.notify.notify_one();
            }
        }
    }

    /// Notes that a task is done: later input can be taken, unless another task is open. `result` is for the core.
    pub fn complete_task(&self, session: &Arc<Session>, result: Option<LabeledResult>) {
        let mut inbox = session.inbox.lock();
        debug_assert!(inbox.open_tasks > 0, "the hub opened the task");
        inbox.open_tasks = inbox.open_tasks.saturating_sub(1);
        inbox.results.extend(result);
        inbox.is_listed = true;
        drop(inbox);
        // A session that is in the list already is taken twice, which does no harm.
        self.list.lock().push(session.clone());
        self.notify.notify_one();
    }

    /// Waits until the list is not empty.
    pub async fn wait(&self) {
        while self.list.lock().is_empty() {
            self.notify.notified().await;
        }
    }

    /// Moves the list into `taken`, which must be empty.
    pub fn take_sessions(&self, taken: &mut Vec<Arc<Session>>) {
        std::mem::swap(&mut *self.list.lock(), taken);
    }
}
