//! State of one session, shared by the hub and the connection's task.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::outbox::Outbox;
use crate::core::record::AccountId;
use crate::core::{Answer, Ask, Command, Login, SessionId};
use crate::wire::Reply;

/// Maximum count of commands of a session that wait for the hub; at the limit its connection is not read.
const ROOM: usize = 64;

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
    questions: Mutex<Questions>,
    /// Time at which the client last sent something, in seconds of [`Ready::seconds`].
    heard: AtomicU32,
}

/// A line on its way to the core.
#[derive(Debug)]
pub(in crate::server) struct Said {
    pub label: Option<Box<str>>,
    /// `None` for a line that does nothing by itself, such as one of a multiline message.
    pub command: Option<Result<Command, Reply>>,
}

impl Said {
    /// A line that does nothing by itself.
    pub const NOTHING: Self = Self { label: None, command: None };

    /// Returns true if the command has an effect even without a client to reply to.
    pub fn outlasts_client(&self) -> bool {
        match &self.command {
            Some(Ok(command)) => command.writes() || matches!(command, Command::Quit(_)),
            _ => false,
        }
    }
}

/// A query of the core for this session, with the label of its reply.
#[derive(Debug)]
pub(in crate::server) struct Question {
    pub label: Option<Box<str>>,
    pub ask: Ask,
}

/// Result of a query, for the core.
#[derive(Debug)]
pub(in crate::server) struct Answered {
    pub label: Option<Box<str>>,
    pub answer: Answer,
}

/// Queries that wait for the one before them.
#[derive(Debug, Default)]
struct Questions {
    waiting: VecDeque<Question>,
    /// True while a task runs them.
    busy: bool,
}

/// Input from the client. Bounded by [`ROOM`]; only lines that were read with the login may exceed it.
#[derive(Debug, Default)]
pub(in crate::server) struct Inbox {
    /// The login that opened the session, until the hub takes it.
    pub login: Option<Box<Login>>,
    /// Count of queries without a result. While there are any, the hub takes no input.
    asking: usize,
    /// Results of queries, with which the core continues.
    pub answered: Vec<Answered>,
    pub said: Vec<Said>,
    /// Reason why the client will send nothing more. Pending output still goes out before the connection ends.
    pub hung_up: Option<Arc<str>>,
    /// Reason why the connection ended; the last input of a session.
    pub ended: Option<Arc<str>>,
    /// True if the session is in the list of [`Ready`], or in the schedule.
    listed: bool,
    /// True if the session is in the schedule.
    queued: bool,
    waker: Option<Waker>,
}

/// Input that the hub takes at once, independent of the account's turn.
#[derive(Debug, Default)]
pub(in crate::server) struct Urgent {
    /// Results of queries, as in [`Inbox`].
    pub answered: Vec<Answered>,
    /// Reason why the client will send nothing more, as in [`Inbox`].
    pub hung_up: Option<Arc<str>>,
    /// Reason why the connection ended, as in [`Inbox`].
    pub ended: Option<Arc<str>>,
    /// True if a login or commands wait for the account's turn, and the session must be added to the schedule.
    pub to_queue: bool,
}

impl Session {
    pub fn new(login: Login, now: u32, peer: IpAddr) -> Self {
        let account = login.account;
        let inbox = Inbox { login: Some(Box::new(login)), ..Inbox::default() };
        Self {
            id: OnceLock::new(),
            account,
            peer,
            outbox: Outbox::default(),
            inbox: Mutex::new(inbox),
            questions: Mutex::default(),
            heard: AtomicU32::new(now),
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
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<usize> {
        let mut inbox = self.inbox.lock();
        if inbox.said.len() < ROOM {
            return Poll::Ready(ROOM - inbox.said.len());
        }
        inbox.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes the input that need not wait for the account's turn: results, and the end if no command is before it.
    pub fn take_urgent(&self) -> Urgent {
        let mut inbox = self.inbox.lock();
        let mut urgent = Urgent::default();
        if inbox.asking > 0 {
            return urgent;
        }
        urgent.answered = std::mem::take(&mut inbox.answered);
        if inbox.ended.is_some() {
            // Replies do not reach the client any more.
            inbox.login = None;
            inbox.said.retain(Said::outlasts_client);
        }
        if inbox.login.is_some() || !inbox.said.is_empty() {
            urgent.to_queue = !std::mem::replace(&mut inbox.queued, true);
        } else {
            urgent.hung_up = inbox.hung_up.take();
            urgent.ended = inbox.ended.take();
            inbox.listed = inbox.queued;
        }
        urgent
    }

    /// Takes all input; `None` while a query has no result.
    pub fn take(&self) -> Option<Inbox> {
        let mut inbox = self.inbox.lock();
        inbox.queued = false;
        if inbox.asking > 0 {
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

    /// Notes a query whose result must come before more input is taken.
    pub fn asks(&self) {
        self.inbox.lock().asking += 1;
    }

    /// Returns true if a query has no result yet.
    pub fn is_asking(&self) -> bool {
        self.inbox.lock().asking > 0
    }

    /// Puts the rest of the taken input back, before later input. `queued` is true if the session is in the schedule.
    pub fn put_back(&self, mut rest: Inbox, queued: bool) {
        let mut inbox = self.inbox.lock();
        rest.said.append(&mut inbox.said);
        inbox.said = rest.said;
        inbox.hung_up = rest.hung_up.or(inbox.hung_up.take());
        inbox.ended = rest.ended.or(inbox.ended.take());
        (inbox.listed, inbox.queued) = (true, queued);
    }

    /// Adds a query. Returns true if no task runs the queries, so that the caller must start one.
    pub fn ask(&self, question: Question) -> bool {
        let mut questions = self.questions.lock();
        questions.waiting.push_back(question);
        !std::mem::replace(&mut questions.busy, true)
    }

    /// Takes the next query. `None` if there is none; then the task that runs them must end.
    pub fn next_question(&self) -> Option<Question> {
        let mut questions = self.questions.lock();
        let next = questions.waiting.pop_front();
        questions.busy = next.is_some();
        next
    }

    pub fn heard(&self, now: u32) {
        self.heard.store(now, Ordering::Relaxed);
    }

    /// Returns the seconds since the client last sent something.
    pub fn silent_for(&self, now: u32) -> u32 {
        now.saturating_sub(self.heard.load(Ordering::Relaxed))
    }
}

/// Sessions with work for the hub, each once, in the order of arrival.
#[derive(Debug)]
pub(in crate::server) struct Ready {
    list: Mutex<Vec<Arc<Session>>>,
    more: Notify,
    started: std::time::Instant,
}

impl Ready {
    pub fn new() -> Self {
        Self { list: Mutex::default(), more: Notify::new(), started: std::time::Instant::now() }
    }

    /// Returns the seconds since the server started, for time-outs.
    pub fn seconds(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_secs()).unwrap_or(u32::MAX)
    }

    /// Puts input into a session's inbox and notifies the hub.
    pub fn put(&self, session: &Arc<Session>, fill: impl FnOnce(&mut Inbox)) {
        let mut inbox = session.inbox.lock();
        fill(&mut inbox);
        let listed = std::mem::replace(&mut inbox.listed, true);
        drop(inbox);
        if !listed {
            let mut list = self.list.lock();
            list.push(session.clone());
            let first = list.len() == 1;
            drop(list);
            if first {
                self.more.notify_one();
            }
        }
    }

    /// Notes that a query has its result: later input can be taken, unless another query is open.
    pub fn answered(&self, session: &Arc<Session>, answered: Option<Answered>) {
        let mut inbox = session.inbox.lock();
        inbox.asking = inbox.asking.saturating_sub(1);
        inbox.answered.extend(answered);
        inbox.listed = true;
        drop(inbox);
        // A session that is in the list already is taken twice, which does no harm.
        self.list.lock().push(session.clone());
        self.more.notify_one();
    }

    /// Waits until the list is not empty.
    pub async fn wait(&self) {
        while self.list.lock().is_empty() {
            self.more.notified().await;
        }
    }

    /// Moves the list into `taken`, which must be empty.
    pub fn take(&self, taken: &mut Vec<Arc<Session>>) {
        std::mem::swap(&mut *self.list.lock(), taken);
    }
}
