//! What the hub and a connection's task share of one session.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::outbox::Outbox;
use crate::chat::account::DeviceKey;
use crate::chat::record::AccountId;
use crate::chat::{Answer, Ask, Command, Login, SessionId};
use crate::wire::Reply;

/// While so many commands of a session wait for the hub, no more is read from it.
const ROOM: usize = 64;

/// One session, from its login to its end.
#[derive(Debug)]
pub(super) struct Session {
    /// Given by the hub when it takes the login.
    id: OnceLock<SessionId>,
    /// Whose it is.
    pub account: AccountId,
    /// Where it comes from.
    pub peer: IpAddr,
    /// The certificate that it shows.
    pub device: Option<DeviceKey>,
    /// To the client.
    pub outbox: Outbox,
    inbox: Mutex<Inbox>,
    questions: Mutex<Questions>,
    /// When the client was last heard, in seconds of [`Ready::seconds`].
    heard: AtomicU32,
}

/// A line on its way to the chat.
#[derive(Debug)]
pub(super) struct Said {
    pub label: Option<Box<str>>,
    /// `None` for a line that asks for nothing by itself, such as one of a message of several lines.
    pub command: Option<Result<Command, Reply>>,
}

impl Said {
    /// A line that asks for nothing by itself.
    pub const NOTHING: Self = Self { label: None, command: None };

    /// Does it matter when the client is gone, and hears no answer?
    pub fn outlasts_client(&self) -> bool {
        match &self.command {
            Some(Ok(command)) => command.writes() || matches!(command, Command::Quit(_)),
            _ => false,
        }
    }
}

/// A question of the chat for this session, with the label of its answer.
#[derive(Debug)]
pub(super) struct Question {
    pub label: Option<Box<str>>,
    pub ask: Ask,
}

/// What comes back to the chat of a question.
#[derive(Debug)]
pub(super) struct Answered {
    pub label: Option<Box<str>>,
    pub answer: Answer,
}

/// Questions that wait for the one before them.
#[derive(Debug, Default)]
struct Questions {
    waiting: VecDeque<Question>,
    /// Somebody is at work on them.
    busy: bool,
}

/// From the client. Bounded by [`ROOM`]; only what was read with the login may be more.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// The login that opened the session, until the hub took it.
    pub login: Option<Box<Login>>,
    /// So many answers are still to be found out. Until they are, nothing is taken.
    asking: usize,
    /// What was found out, for the chat to go on with.
    pub answered: Vec<Answered>,
    pub said: Vec<Said>,
    /// The client will say no more, and why; what it is still owed goes out before the connection ends.
    pub hung_up: Option<Arc<str>>,
    /// The connection ended, and why; the last that comes.
    pub ended: Option<Arc<str>>,
    /// The session stands in the list of [`Ready`], or in the schedule.
    listed: bool,
    /// It stands in the schedule.
    queued: bool,
    waker: Option<Waker>,
}

/// What the hub takes of a session at once, whosever turn it is.
#[derive(Debug, Default)]
pub(super) struct Urgent {
    /// As in [`Inbox`].
    pub answered: Vec<Answered>,
    /// As in [`Inbox`].
    pub hung_up: Option<Arc<str>>,
    /// As in [`Inbox`].
    pub ended: Option<Arc<str>>,
    /// A login or commands wait for the account's turn, and the session is to be put into the schedule.
    pub to_queue: bool,
}

impl Session {
    pub fn new(login: Login, now: u32, (peer, device): (IpAddr, Option<DeviceKey>)) -> Self {
        let account = login.account;
        let inbox = Inbox { login: Some(Box::new(login)), ..Inbox::default() };
        Self {
            id: OnceLock::new(),
            account,
            peer,
            device,
            outbox: Outbox::default(),
            inbox: Mutex::new(inbox),
            questions: Mutex::default(),
            heard: AtomicU32::new(now),
        }
    }

    /// The id that the hub gave.
    pub fn id(&self) -> Option<SessionId> {
        self.id.get().copied()
    }

    /// Sets the id, once.
    pub fn set_id(&self, id: SessionId) {
        // A second id would be a second login of the same session, which the connection never makes.
        let _ = self.id.set(id);
    }

    /// Ready with the number of lines that there is room for, if any.
    ///
    /// Some of it is there while the hub has not taken the last: a client that says one thing at a time is then
    /// not woken for the mere news that it was taken.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<usize> {
        let mut inbox = self.inbox.lock();
        if inbox.said.len() < ROOM {
            return Poll::Ready(ROOM - inbox.said.len());
        }
        inbox.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes what need not wait for the account's turn: answers, and the end where nothing is before it.
    pub fn take_urgent(&self) -> Urgent {
        let mut inbox = self.inbox.lock();
        let mut urgent = Urgent::default();
        if inbox.asking > 0 {
            return urgent;
        }
        urgent.answered = std::mem::take(&mut inbox.answered);
        if inbox.ended.is_some() {
            // Nobody hears the answers any more.
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

    /// Takes all that waits; `None` while answers are to be found out first.
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

    /// One more answer is to be found out before anything is taken.
    pub fn asks(&self) {
        self.inbox.lock().asking += 1;
    }

    /// Must an answer be found out first?
    pub fn is_asking(&self) -> bool {
        self.inbox.lock().asking > 0
    }

    /// Puts the rest of what was taken back, before what came since. It stands in the schedule where it is `queued`.
    pub fn put_back(&self, mut rest: Inbox, queued: bool) {
        let mut inbox = self.inbox.lock();
        rest.said.append(&mut inbox.said);
        inbox.said = rest.said;
        inbox.hung_up = rest.hung_up.or(inbox.hung_up.take());
        inbox.ended = rest.ended.or(inbox.ended.take());
        (inbox.listed, inbox.queued) = (true, queued);
    }

    /// Adds a question. Is nobody at work on those before it, so that somebody must begin?
    pub fn ask(&self, question: Question) -> bool {
        let mut questions = self.questions.lock();
        questions.waiting.push_back(question);
        !std::mem::replace(&mut questions.busy, true)
    }

    /// The next question; `None` where there is none, and then nobody is at work on them any more.
    pub fn next_question(&self) -> Option<Question> {
        let mut questions = self.questions.lock();
        let next = questions.waiting.pop_front();
        questions.busy = next.is_some();
        next
    }

    pub fn heard(&self, now: u32) {
        self.heard.store(now, Ordering::Relaxed);
    }

    /// Seconds since the client was last heard.
    pub fn silent_for(&self, now: u32) -> u32 {
        now.saturating_sub(self.heard.load(Ordering::Relaxed))
    }
}

/// The sessions for which the hub has something to do, each once, in the order in which they came.
#[derive(Debug)]
pub(super) struct Ready {
    list: Mutex<Vec<Arc<Session>>>,
    more: Notify,
    started: std::time::Instant,
}

impl Ready {
    pub fn new() -> Self {
        Self { list: Mutex::default(), more: Notify::new(), started: std::time::Instant::now() }
    }

    /// Seconds since the server started, for time-outs.
    pub fn seconds(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_secs()).unwrap_or(u32::MAX)
    }

    /// Puts something into a session's inbox and tells the hub.
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

    /// A question of the session is answered: what it said since can be taken, unless there are others.
    pub fn answered(&self, session: &Arc<Session>, answered: Option<Answered>) {
        let mut inbox = session.inbox.lock();
        inbox.asking = inbox.asking.saturating_sub(1);
        inbox.answered.extend(answered);
        inbox.listed = true;
        drop(inbox);
        // It may be in the list already, and is then taken twice, which does nothing.
        self.list.lock().push(session.clone());
        self.more.notify_one();
    }

    /// Waits until the list is not empty.
    pub async fn wait(&self) {
        while self.list.lock().is_empty() {
            self.more.notified().await;
        }
    }

    /// Moves the list into `taken`, which is empty.
    pub fn take(&self, taken: &mut Vec<Arc<Session>>) {
        std::mem::swap(&mut *self.list.lock(), taken);
    }
}
