//! The one task that owns the chat.
//!
//! It takes what sessions said, applies it, hands what must last to the store as one transaction and delivers
//! when that is durable. The next batch is applied while this one commits. So the order of effects is the
//! order of inputs, nobody sees what the history will not have, and the cost of a sync is shared by all that
//! was said meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::{info, warn};

use super::asks::Asks;
use super::commit::Commits;
use super::deliver::{Deliverer, Sessions};
use super::handle::{HubHandle, Order, Orders, now};
use super::metrics::Metrics;
use super::session::{Answered, Ready, Said, Session};
use crate::chat::record::Record;
use crate::chat::{Chat, Effects, Input, InputKind, Output};
use crate::store::Store;
use crate::wire::Millis;

/// A client that was not heard for so long is asked whether it is there, and gone when it stays silent as long again.
const PING_AFTER_S: u32 = 120;

/// How often the hub looks for silent clients.
const SWEEP: Duration = Duration::from_secs(15);

/// Commands of one session that are applied before it is another's turn.
const TURN: usize = 64;

/// While so many records wait for the commit before them, nothing more is taken from sessions.
const RECORDS_AHEAD: usize = 16 * 1024;

/// The owner of the chat. See the module.
pub(super) struct Hub {
    chat: Chat,
    ready: Arc<Ready>,
    orders: mpsc::Receiver<Order>,
    password_changes: Arc<AtomicU64>,
    sessions: Sessions,
    deliverer: Deliverer,
    /// What was applied and waits for the commit before it.
    pending: Effects,
    commits: Commits,
    asks: Asks,
    metrics: Arc<Metrics>,
    failures: Failures,
    /// Kept for its capacity.
    listed: Vec<Arc<Session>>,
}

impl Hub {
    /// A hub for a chat and the store that keeps it; at most `send_queue` bytes wait for one session.
    pub fn new(
        chat: Chat,
        store: Store,
        (handle, orders): (&HubHandle, Orders),
        asks: Asks,
        (send_queue, metrics): (usize, Arc<Metrics>),
    ) -> Self {
        metrics.sizes(chat.sizes());
        let deliverer = Deliverer::new(chat.server_name(), send_queue, metrics.too_slow.clone());
        Self {
            chat,
            ready: handle.ready.clone(),
            orders: orders.0,
            password_changes: handle.password_changes.clone(),
            sessions: Sessions::default(),
            deliverer,
            pending: Effects::default(),
            commits: Commits::new(store),
            asks,
            metrics,
            failures: Failures::default(),
            listed: Vec::new(),
        }
    }

    /// Runs until it is told to shut down, or everybody who could tell it is gone.
    pub async fn run(mut self) {
        let mut sweep = tokio::time::interval(SWEEP);
        let ready = self.ready.clone();
        loop {
            let may_take = self.pending.records.len() < RECORDS_AHEAD;
            let deadline = self.chat.next_deadline();
            tokio::select! {
                result = self.commits.next() => self.committed(result),
                order = self.orders.recv() => match order {
                    Some(Order::Account(change, done)) => {
                        self.apply(InputKind::Account(change));
                        // The asker may have gone away; the change holds all the same.
                        let _ = done.send(());
                    }
                    Some(Order::Settings(settings, done)) => {
                        self.apply(InputKind::Settings(settings));
                        let _ = done.send(());
                    }
                    Some(Order::Shutdown) | None => break,
                },
                () = ready.wait(), if may_take => self.take_inputs(),
                () = until(deadline) => self.apply(InputKind::Tick),
                _ = sweep.tick() => self.sweep(),
            }
            // Before anybody is told: who saw something happen finds it counted.
            self.metrics.sizes(self.chat.sizes());
            self.flush();
        }
        self.shut_down().await;
    }

    fn apply(&mut self, kind: InputKind) {
        let (records, outputs) = (self.pending.records.len(), self.pending.outputs.len());
        self.chat.handle(Input { at: now(), kind }, &mut self.pending);
        self.password_changes.store(self.chat.password_changes(), Ordering::Release);
        for output in self.pending.outputs.iter().skip(outputs) {
            if let Output::Ask { session, .. } = output
                && let Some(session) = self.sessions.get(*session)
            {
                session.asks();
            }
        }
        if tracing::enabled!(tracing::Level::INFO) {
            for record in self.pending.records.iter().skip(records) {
                if let Record::Message(message) = record {
                    let (from, to) = self.chat.parties(message);
                    info!(%from, %to, bytes = message.text.len(), "message");
                }
            }
        }
    }

    fn take_inputs(&mut self) {
        let mut listed = std::mem::take(&mut self.listed);
        self.ready.take(&mut listed);
        for session in listed.drain(..) {
            let Some(mut inbox) = session.take() else { continue };
            if let Some(login) = inbox.login.take() {
                let id = self.sessions.add(session.clone());
                session.set_id(id);
                self.apply(InputKind::Opened(id, *login));
            }
            let Some(id) = session.id() else { continue };
            for Answered { label, answer } in std::mem::take(&mut inbox.answered) {
                self.apply(InputKind::Answered { session: id, label, answer });
            }
            let mut said = std::mem::take(&mut inbox.said).into_iter();
            let mut turn = TURN;
            while turn > 0
                && !session.is_asking()
                && let Some(Said { label, command }) = said.next()
            {
                self.apply(InputKind::Said { session: id, label, command });
                turn -= 1;
            }
            if session.is_asking() || said.len() > 0 {
                inbox.said = said.collect();
                session.put_back(inbox);
                if !session.is_asking() {
                    self.ready.again(&session);
                }
                continue;
            }
            if let Some(reason) = inbox.hung_up {
                self.apply(InputKind::Closed(id, reason));
            }
            if let Some(reason) = inbox.ended {
                self.apply(InputKind::Closed(id, reason));
                self.sessions.remove(id);
            }
        }
        self.listed = listed;
    }

    /// Hands what is pending on, unless a commit is under way: then it waits and grows.
    fn flush(&mut self) {
        if self.commits.is_busy() {
            // What needs no commit does not wait for one that hangs.
            let outputs = self.commits.overtake(&mut self.pending);
            if !outputs.is_empty() {
                self.deliver(outputs);
            }
            return;
        }
        if self.pending.is_empty() {
            return;
        }
        let effects = std::mem::take(&mut self.pending);
        if let Some(outputs) = self.commits.start(effects) {
            self.deliver(outputs);
        }
    }

    fn deliver(&mut self, outputs: Vec<Output>) {
        let (sessions, asks) = (&self.sessions, &self.asks);
        self.deliverer.deliver(outputs, sessions, |session, question| {
            if let Some(session) = sessions.get(session) {
                asks.dispatch(session, question);
            }
        });
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
            self.apply(InputKind::Writable(writable));
        }
        let mut refused = result.refused;
        if !refused.is_empty() {
            refused.extend(super::commit::withdraw_repeats(&mut self.pending, &refused));
        }
        for refusal in refused {
            self.apply(InputKind::NotStored {
                session: refusal.session,
                label: refusal.label,
                messages: refusal.messages,
            });
        }
        for (session, command) in result.deferred {
            self.apply(InputKind::Deferred { session, command });
        }
        if result.hangs {
            let pending = std::mem::take(&mut self.pending);
            let refused = self.commits.refuse(pending);
            self.committed(refused);
        }
    }

    fn sweep(&mut self) {
        let now = self.ready.seconds();
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

    /// Keeps and delivers what is on its way, then ends every session.
    async fn shut_down(mut self) {
        self.take_inputs();
        self.apply(InputKind::Stopping);
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
        let reason: Arc<str> = "Server is shutting down".into();
        for session in self.sessions.iter() {
            session.outbox.close(&reason);
        }
    }
}

/// Failed commits in the log: one line a minute, with how many there were.
#[derive(Debug, Default)]
struct Failures {
    told: Option<Instant>,
    since: u64,
}

impl Failures {
    /// Between two lines.
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

/// Waits until the server's time is the given one; for ever where there is none.
async fn until(deadline: Option<Millis>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(Duration::from_millis(deadline.0.saturating_sub(now().0))).await,
        None => std::future::pending().await,
    }
}
