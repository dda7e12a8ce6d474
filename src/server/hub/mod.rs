//! The hub: the one task that owns the core.
//!
//! It takes the sessions' commands, applies them, passes their records to the store as one transaction and delivers the
//! outputs when that is durable. The next batch is applied while this one commits. So the order of effects is the order
//! of inputs, no session sees what the history will not have, and all inputs of a batch share the cost of a sync.

pub(super) mod budget;
pub(super) mod deliver;
pub(super) mod queries;
pub(super) mod requests;
pub(super) mod schedule;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::clock::Clock;
use super::commit::Commits;
use super::handle::{HubHandle, Order, Orders};
use super::hub::budget::{Rate, Work};
use super::hub::deliver::Deliverer;
use super::hub::queries::Asks;
use super::hub::schedule::{Schedule, Turn};
use super::metrics::Metrics;
use super::sessions::Sessions;
use super::sessions::queues::Queues;
use super::sessions::session::{Answered, Ready, Said, Session};
use crate::core::record::Record;
use crate::core::request::admin::{Done, Request, RequestError, Ticket};
use crate::core::{Answer, Chat, Command, Effects, Input, InputKind, Output, SessionId};
use crate::store::Store;

/// Silence after which a client is pinged, in seconds. A client that stays silent as long again is disconnected.
const PING_AFTER_S: u32 = 120;

/// Interval at which the hub looks for silent clients.
const SWEEP: Duration = Duration::from_secs(15);

/// Count of records that wait for a commit, from which on the hub takes no input from sessions.
const RECORDS_AHEAD: usize = 16 * 1024;

/// Bytes of outputs that wait for a commit, from which on the hub takes no input from sessions. One command may exceed
/// it.
const BYTES_AHEAD: usize = 8 * 1024 * 1024;

/// Owner of the core; see the module.
pub(super) struct Hub {
    chat: Chat,
    ready: Arc<Ready>,
    orders: mpsc::Receiver<Order>,
    /// Requesters that wait for their results.
    requests: HashMap<Ticket, oneshot::Sender<Result<Done, RequestError>>>,
    last_ticket: u64,
    sessions: Sessions,
    deliverer: Deliverer,
    /// Effects that are applied and wait for the commit before them.
    pending: Effects,
    /// Bytes that the outputs in `pending` hold.
    pending_bytes: usize,
    schedule: Schedule<Arc<Session>>,
    rate: Option<Rate>,
    commits: Commits,
    asks: Asks,
    clock: Arc<Clock>,
    metrics: Arc<Metrics>,
    failures: Failures,
    /// Kept for its capacity.
    listed: Vec<Arc<Session>>,
}

impl Hub {
    /// Makes a hub from a core and the store that keeps its records. `rate` is the rate limit of an account.
    pub fn new(
        chat: Chat,
        store: Store,
        (handle, orders): (&HubHandle, Orders),
        asks: Asks,
        (queues, rate, metrics): (Queues, Option<Rate>, Arc<Metrics>),
    ) -> Self {
        metrics.sizes(chat.sizes());
        let deliverer = Deliverer::new(chat.server_name(), queues);
        Self {
            chat,
            ready: handle.ready.clone(),
            orders: orders.0,
            requests: HashMap::new(),
            last_ticket: 0,
            sessions: Sessions::default(),
            deliverer,
            pending: Effects::default(),
            pending_bytes: 0,
            schedule: Schedule::new(rate, metrics.throttled.clone()),
            rate,
            commits: Commits::new(store),
            asks,
            clock: handle.clock.clone(),
            metrics,
            failures: Failures::default(),
            listed: Vec::new(),
        }
    }

    /// Runs until it is told to shut down, or all handles are dropped.
    pub async fn run(mut self) {
        let mut sweep = tokio::time::interval(SWEEP);
        let ready = self.ready.clone();
        loop {
            let may_take = self.may_take();
            let (is_ready, due) = (self.schedule.is_ready(), self.schedule.next_due());
            // The monotonic clock, so that sessions time out correctly even if the time of day jumps.
            let deadline = self.chat.next_deadline();
            let wait = deadline.map(|at| Duration::from_millis(at.0.saturating_sub(self.clock.steady().0)));
            tokio::select! {
                result = self.commits.next() => self.committed(result),
                order = self.orders.recv() => match order {
                    Some(Order::Request(request, done)) => self.request(request, done),
                    Some(Order::Input(kind, done)) => {
                        let _ = self.apply(*kind);
                        // The sender may have gone away; the change is in force all the same.
                        let _ = done.send(());
                    }
                    Some(Order::Look(look)) => look(&self.chat),
                    Some(Order::Shutdown) | None => break,
                },
                () = inputs(&ready, is_ready, due), if may_take => self.take_inputs(),
                () = after(wait) => {
                    // An account whose connection broke quits. That happens at most once in a grace period, so it is
                    // not charged.
                    let _ = self.apply(InputKind::Tick);
                }
                _ = sweep.tick() => self.sweep(),
            }
            // Before delivery, so that a client that sees an event also sees it counted.
            self.metrics.sizes(self.chat.sizes());
            self.metrics.sessions_refused(self.chat.sessions_refused());
            self.flush();
        }
        self.shut_down().await;
    }

    fn may_take(&self) -> bool {
        self.pending.records.len() < RECORDS_AHEAD && self.pending_bytes < BYTES_AHEAD
    }

    /// Applies an input. Returns the work that it caused.
    fn apply(&mut self, kind: InputKind) -> Work {
        let (records, outputs) = (self.pending.records.len(), self.pending.outputs.len());
        let may_set_password = matches!(&kind, InputKind::Answered { answer: Answer::Managed(..), .. });
        let input = Input { at: self.clock.now(), steady: self.clock.steady(), kind };
        self.chat.handle(input, &mut self.pending);
        let work = Work::behind((records, outputs), &self.pending, self.chat.take_rows());
        self.pending_bytes += work.held;
        for output in self.pending.outputs.iter().skip(outputs) {
            if let Output::Ask { session, .. } = output
                && let Some(session) = self.sessions.get(*session)
            {
                session.asks();
            }
        }
        if may_set_password {
            for record in self.pending.records.iter().skip(records) {
                if let Record::PasswordSet(account, _) = record {
                    info!(account = account.0, "password changed by its owner");
                }
            }
        }
        if tracing::enabled!(tracing::Level::DEBUG) {
            for record in self.pending.records.iter().skip(records) {
                if let Record::Message(message) = record {
                    let (from, to) = self.chat.parties(message);
                    debug!(%from, %to, bytes = message.text.len(), "message");
                }
            }
        }
        work
    }

    fn request(&mut self, request: Request, done: oneshot::Sender<Result<Done, RequestError>>) {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.requests.insert(ticket, done);
        let _ = self.apply(InputKind::Request(ticket, request));
    }

    /// Carries out a request before the hub [runs](Self::run), and waits until it is durable.
    pub async fn carry_out(&mut self, request: Request) -> Result<Done, RequestError> {
        let (done, mut result) = oneshot::channel();
        self.request(request, done);
        self.flush();
        while self.commits.is_busy() {
            let committed = self.commits.next().await;
            self.committed(committed);
        }
        result.try_recv().unwrap_or(Err(RequestError::Stopped))
    }

    /// Takes the sessions' input, in one round of the accounts' turns.
    fn take_inputs(&mut self) {
        let now = Instant::now();
        let mut listed = std::mem::take(&mut self.listed);
        self.ready.take(&mut listed);
        for session in listed.drain(..) {
            self.take_urgent(&session, now);
        }
        self.listed = listed;
        for _ in 0..self.schedule.begin_round(now) {
            if !self.may_take() {
                return;
            }
            let Some(mut turn) = self.schedule.next(now) else { return };
            while self.may_take()
                && let Some(session) = turn.next_session()
            {
                self.take_turn(session, &mut turn);
            }
            self.schedule.end(turn, now);
        }
    }

    /// Takes input that needs no turn: results of queries, and the ends of sessions without pending commands.
    fn take_urgent(&mut self, session: &Arc<Session>, now: Instant) {
        let urgent = session.take_urgent();
        let mut rest = Work::of_read(session.outbox.take_answered());
        if let Some(id) = session.id() {
            for Answered { label, answer } in urgent.answered {
                rest += self.apply(InputKind::Answered { session: id, label, answer });
            }
            rest += self.end(id, urgent.hung_up, urgent.ended);
        }
        self.schedule.charge(session.account, rest.of_rest(), now);
        if urgent.to_queue {
            self.schedule.add(session.account, session.clone(), now);
        }
    }

    /// Ends a session in the core, and in the hub once its connection has ended. Returns the work that it caused,
    /// because others see it quit.
    fn end(&mut self, id: SessionId, hung_up: Option<Arc<str>>, ended: Option<Arc<str>>) -> Work {
        let mut work = Work::default();
        if let Some(reason) = hung_up {
            work += self.apply(InputKind::Closed(id, reason));
        }
        if let Some(reason) = ended {
            work += self.apply(InputKind::Closed(id, reason));
            self.sessions.remove(id);
        }
        work
    }

    /// Applies commands of a session of the account whose turn it is.
    fn take_turn(&mut self, session: Arc<Session>, turn: &mut Turn<Arc<Session>>) {
        let Some(mut inbox) = session.take() else { return };
        if let Some(login) = inbox.login.take_if(|_| inbox.ended.is_none()) {
            let id = self.sessions.add(session.clone());
            session.set_id(id);
            turn.spend(self.apply(InputKind::Opened(id, *login)).of_login(self.rate));
        }
        let Some(id) = session.id() else { return };
        for Answered { label, answer } in std::mem::take(&mut inbox.answered) {
            turn.spend(self.apply(InputKind::Answered { session: id, label, answer }).of_rest());
        }
        let is_gone = inbox.ended.is_some();
        let mut said = std::mem::take(&mut inbox.said).into_iter();
        while turn.may_spend()
            && self.may_take()
            && !session.is_asking()
            && let Some(said) = said.next()
        {
            if !is_gone || said.outlasts_client() {
                turn.spend(self.say(id, said));
            }
        }
        // A session with an open query returns with its result.
        let is_asking = session.is_asking();
        if is_asking || said.len() > 0 {
            inbox.said = said.collect();
            session.put_back(inbox, !is_asking);
            if !is_asking {
                turn.put_back(session);
            }
        } else {
            turn.spend(self.end(id, inbox.hung_up, inbox.ended).of_rest());
        }
    }

    /// Applies a line. Returns its cost.
    fn say(&mut self, session: SessionId, Said { label, command }: Said) -> f32 {
        let Some(command) = command else { return Work::of_line() };
        let is_trifle = matches!(&command, Ok(Command::Ping(_) | Command::Negotiate(_)));
        self.apply(InputKind::Said { session, label, command }).cost(is_trifle)
    }

    /// Passes the pending effects on, unless a commit is under way: then they wait and grow.
    fn flush(&mut self) {
        if self.commits.is_busy() {
            // Outputs that need no commit do not wait for one that hangs.
            let outputs = self.commits.overtake(&mut self.pending);
            if !outputs.is_empty() {
                self.deliver(outputs);
            }
            if self.pending.outputs.is_empty() {
                self.pending_bytes = 0;
            }
            return;
        }
        if self.pending.is_empty() {
            self.pending_bytes = 0;
            return;
        }
        let effects = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        if let Some(outputs) = self.commits.start(effects) {
            self.deliver(outputs);
        }
    }

    fn deliver(&mut self, outputs: Vec<Output>) {
        let (sessions, asks, requests) = (&self.sessions, &self.asks, &mut self.requests);
        let ask = |session, question| {
            if let Some(session) = sessions.get(session) {
                asks.dispatch(session, question);
            }
        };
        let done = |ticket, result| {
            // The requester may have gone away, or knows already that the store has failed at it.
            if let Some(requester) = requests.remove(&ticket) {
                let _ = requester.send(result);
            }
        };
        self.deliverer.deliver(outputs, sessions, ask, done);
    }

    fn committed(&mut self, result: super::commit::Committed) {
        if let Some(error) = &result.failure {
            self.failures.tell(&error.to_string());
        }
        if result.hangs {
            self.failures.tell("a commit takes too long");
        }
        self.metrics.committed(&result);
        self.deliver(result.outputs);
        if result.said.is_some() {
            self.asks.kept();
        }
        if let Some(writable) = result.writable {
            info!(writable, "the store");
            let _ = self.apply(InputKind::Writable(writable));
        }
        let mut refused = result.refused;
        if !refused.is_empty() {
            refused.extend(super::commit::withdraw_repeats(&mut self.pending, &refused));
        }
        for refusal in refused {
            let _ = self.apply(InputKind::NotStored {
                session: refusal.session,
                label: refusal.label,
                messages: refusal.messages,
            });
        }
        for (session, command) in result.deferred {
            let _ = self.apply(InputKind::Deferred { session, command });
        }
        for ticket in result.deferred_requests {
            if let Some(requester) = self.requests.remove(&ticket) {
                let _ = requester.send(Err(RequestError::Deferred));
            }
        }
        if result.hangs {
            let pending = std::mem::take(&mut self.pending);
            self.pending_bytes = 0;
            let refused = self.commits.refuse(pending);
            self.committed(refused);
        }
    }

    fn sweep(&mut self) {
        let now = self.ready.seconds();
        // Sessions that the scheduler delays must not count as silent.
        self.schedule.sessions().for_each(|session| session.heard(now));
        self.schedule.tidy(Instant::now());
        let silent: Arc<str> = "Ping timeout".into();
        let ping = bytes::Bytes::from_static(b"PING :are-you-there\r\n");
        for (session, pinged) in self.sessions.iter_pinged() {
            match session.silent_for(now) {
                s if s < PING_AFTER_S => *pinged = false,
                s if s >= 2 * PING_AFTER_S && *pinged => session.outbox.close(&silent),
                _ if !*pinged => {
                    *pinged = true;
                    self.deliverer.queue(session, ping.clone());
                }
                _ => {}
            }
        }
    }

    /// Commits and delivers what is pending. Dropping the hub then ends every session.
    async fn shut_down(mut self) {
        self.take_inputs();
        let _ = self.apply(InputKind::Stopping);
        self.flush();
        while self.commits.is_busy() {
            let result = self.commits.next().await;
            let failed = result.failure.is_some();
            self.committed(result);
            if failed {
                break;
            }
            self.flush();
        }
    }
}

impl Drop for Hub {
    /// Ends the sessions of a hub that has failed. A hub that was told to stop has ended them already.
    fn drop(&mut self) {
        let reason: Arc<str> = "Server is shutting down".into();
        for session in self.sessions.iter() {
            session.outbox.close(&reason);
        }
    }
}

/// Log of failed commits: at most one line a minute, with a count of the failures since.
#[derive(Debug, Default)]
struct Failures {
    told: Option<Instant>,
    since: u64,
}

impl Failures {
    /// Minimum time between two log lines.
    const EVERY: Duration = Duration::from_mins(1);

    fn tell(&mut self, error: &str) {
        if self.told.is_some_and(|at| at.elapsed() < Self::EVERY) {
            self.since += 1;
            return;
        }
        let since = std::mem::take(&mut self.since);
        warn!(failed_since = since, "cannot store what was said: {error}");
        self.told = Some(Instant::now());
    }
}

/// Waits until sessions have input for the hub, or an account may spend.
async fn inputs(ready: &Ready, is_ready: bool, due: Option<Instant>) {
    if is_ready {
        // Other tasks run first: timers, commits, connections.
        return tokio::task::yield_now().await;
    }
    let due = async {
        match due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = ready.wait() => {}
        () = due => {}
    }
}

/// Waits for so long; never returns for `None`.
async fn after(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
