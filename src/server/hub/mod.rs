//! The hub: the one task that owns the core.
//!
//! It takes the sessions' commands, applies them, passes their records to the store as one transaction and delivers the
//! outputs when that is durable. The next batch is applied while this one commits. So the order of effects is the order
//! of inputs, no session sees what the history will not have, and all inputs of a batch share the cost of a sync.

pub(super) mod account_queries;
pub(super) mod budget;
pub(super) mod commit;
pub(super) mod delivery;
mod pings;
pub(super) mod queries;
pub(super) mod schedule;
mod waiting;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;
use tracing::{debug, info};

use super::clock::{Clock, InputTimes};
use super::hub::budget::{Cost, Work};
use super::hub::delivery::Delivery;
use super::hub::queries::QueryRunner;
use super::hub::schedule::{Schedule, Turn};
use super::limits::token_bucket::RateLimit;
use super::sessions::Sessions;
use super::sessions::hub_handle::{HubHandle, HubMessage, HubReceiver};
use super::sessions::send_queue_limits::SendQueueLimits;
use super::sessions::session::{ClientLine, LabeledResult, ReadySessions, Session};
use super::tasks::stop::StopReason;
use super::telemetry::metrics::Metrics;
use crate::core::record::Record;
use crate::core::request::admin::{Change, ChangeRequest, RequestError, RequestId, RequestOutcome};
use crate::core::request::maintenance::Maintenance;
use crate::core::{Command, Core, Effects, Input, InputKind, MessageNames, Output, QueryResult, SessionId};
use crate::server::config::MESSAGES;
use crate::server::http::files::folder::FileFolder;
use crate::store::Store;
use commit::failure_log::CommitFailureLog;
use commit::{CommitPipeline, RefusedRequest};
use waiting::{sleep_for, wait_for_input};

/// Interval at which the hub looks for silent clients.
const SWEEP_INTERVAL: Duration = Duration::from_secs(15);

/// Count of records that wait for a commit, from which on the hub takes no input from sessions.
const MAX_PENDING_RECORDS: usize = 16 * 1024;

/// Bytes of outputs that wait for a commit, from which on the hub takes no input from sessions. One command may exceed
/// it.
const MAX_PENDING_BYTES: usize = 8 * 1024 * 1024;

/// Owner of the core; see the module.
pub(super) struct Hub {
    core: Core,
    ready: Arc<ReadySessions>,
    messages: mpsc::Receiver<HubMessage>,
    /// Requesters that wait for their results.
    open_requests: HashMap<RequestId, oneshot::Sender<Result<RequestOutcome, RequestError>>>,
    last_request_id: u64,
    sessions: Sessions,
    deliverer: Delivery,
    /// Effects that are applied and wait for the commit before them.
    pending: Effects,
    /// Bytes that the outputs in `pending` hold.
    pending_bytes: usize,
    schedule: Schedule<Arc<Session>>,
    rate_limit: Option<RateLimit>,
    commit_pipeline: CommitPipeline,
    query_runner: QueryRunner,
    stored: Arc<Notify>,
    clock: Arc<Clock>,
    /// Times of all inputs of the present round.
    round_times: Option<InputTimes>,
    metrics: Arc<Metrics>,
    failure_log: CommitFailureLog,
    /// Kept for its capacity.
    taken_sessions: Vec<Arc<Session>>,
    /// Reason that the sessions are told when the hub is dropped.
    stop_reason: StopReason,
}

/// Parts of the server that the hub works with.
pub(super) struct HubParts<'a> {
    /// The handle that sends to `receiver`.
    pub handle: &'a HubHandle,
    pub receiver: HubReceiver,
    pub query_runner: QueryRunner,
    pub send_queue_limits: SendQueueLimits,
    /// Folder from which contents are removed that no file has.
    pub files: FileFolder,
    /// Notified when messages were stored that hooks may send.
    pub stored: Arc<Notify>,
    /// Rate limit of an account.
    pub rate_limit: Option<RateLimit>,
    pub metrics: Arc<Metrics>,
}

impl Hub {
    /// Makes a hub from a core and the store that keeps its records.
    pub fn new(core: Core, store: Store, parts: HubParts<'_>) -> Self {
        let HubParts {
            handle,
            receiver,
            query_runner,
            send_queue_limits,
            files,
            stored,
            rate_limit,
            metrics,
        } = parts;
        metrics.set_sizes(core.counts());
        let deliverer = Delivery::new(core.server_name(), send_queue_limits, files);
        Self {
            core,
            ready: handle.ready.clone(),
            messages: receiver.0,
            open_requests: HashMap::new(),
            last_request_id: 0,
            sessions: Sessions::default(),
            deliverer,
            pending: Effects::default(),
            pending_bytes: 0,
            schedule: Schedule::new(rate_limit, metrics.accounts_throttled.clone()),
            rate_limit,
            commit_pipeline: CommitPipeline::new(store),
            query_runner,
            stored,
            clock: handle.clock.clone(),
            round_times: None,
            metrics,
            failure_log: CommitFailureLog::default(),
            taken_sessions: Vec::new(),
            stop_reason: StopReason::ShutDown,
        }
    }

    /// Runs until shutdown is requested, or all handles are dropped.
    pub async fn run(mut self) {
        let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
        let ready = self.ready.clone();
        let mut has_gathered = false;
        loop {
            let may_take_input = self.may_take_input();
            let (is_ready, due) = (self.schedule.is_ready(), self.schedule.next_due());
            // The monotonic clock, so that sessions time out correctly even if the time of day jumps.
            let deadline = self.core.next_deadline();
            let wait =
                deadline.map(|at| Duration::from_millis(at.0.saturating_sub(self.clock.monotonic_time().0)));
            tokio::select! {
                result = self.commit_pipeline.next() => self.finish_commit(result),
                message = self.messages.recv() => match message {
                    Some(HubMessage::Request(request, done)) => self.apply_request(request, done),
                    Some(HubMessage::Input(kind, done)) => {
                        let _ = self.apply_input(*kind);
                        // The sender may have gone away; the change is in force all the same.
                        let _ = done.send(());
                    }
                    Some(HubMessage::Inspect(look)) => look(&self.core, &self.sessions),
                    Some(HubMessage::Shutdown(reason)) => {
                        self.stop_reason = reason;
                        break;
                    }
                    None => break,
                },
                () = wait_for_input(&ready, is_ready, due, &mut has_gathered), if may_take_input => {
                    has_gathered = false;
                    self.take_inputs();
                }
                () = sleep_for(wait) => {
                    // An account whose connection broke quits. That happens at most once in a grace period, so it is
                    // not charged.
                    let _ = self.apply_input(InputKind::Tick);
                }
                _ = sweep.tick() => self.ping_silent_sessions(),
            }
            // Before delivery, so that a client that sees an event also sees it counted.
            self.metrics.set_sizes(self.core.counts());
            self.metrics.set_sessions_refused(self.core.sessions_refused());
            self.commit_pending();
        }
        self.shut_down().await;
    }

    fn may_take_input(&self) -> bool {
        self.pending.records.len() < MAX_PENDING_RECORDS && self.pending_bytes < MAX_PENDING_BYTES
    }

    /// Applies an input. Returns the work that it caused.
    fn apply_input(&mut self, kind: InputKind) -> Work {
        let before = self.pending.counts();
        let may_set_password = matches!(&kind, InputKind::QueryDone { result: QueryResult::Password(_), .. });
        let InputTimes { at, monotonic } = self.round_times.unwrap_or_else(|| self.clock.times());
        let input = Input { at, monotonic, kind };
        self.core.handle(input, &mut self.pending);
        let work = Work::from_effects(before, &self.pending, self.core.take_scanned_rows());
        self.pending_bytes += work.held_bytes;
        for output in self.pending.outputs.iter().skip(before.outputs) {
            let waits = match output {
                Output::Query { session, .. } => Some(*session),
                Output::Long(long) => Some(long.to),
                Output::Reply(_)
                | Output::Event(_)
                | Output::Broadcast { .. }
                | Output::RequestDone(..)
                | Output::RemoveFileContent(_)
                | Output::Close(..) => None,
            };
            if let Some(session) = waits.and_then(|session| self.sessions.get(session)) {
                session.open_task();
            }
        }
        if may_set_password {
            for record in self.pending.records.iter().skip(before.records) {
                if let Record::PasswordSet(account, _) = record {
                    info!(account = account.0, "password changed by its owner");
                }
            }
        }
        if tracing::enabled!(target: MESSAGES, tracing::Level::DEBUG) {
            for record in self.pending.records.iter().skip(before.records) {
                if let Record::Message(message) = record {
                    let MessageNames { from, to } = self.core.message_names(message);
                    debug!(target: MESSAGES, %from, %to, bytes = message.text.len(), "message");
                }
            }
        }
        work
    }

    fn apply_request(
        &mut self,
        request: ChangeRequest,
        done: oneshot::Sender<Result<RequestOutcome, RequestError>>,
    ) {
        if matches!(request, ChangeRequest::Admin(Change::ClockAccept)) {
            // Before the input gets its time, which is the one that is accepted.
            self.clock.accept();
        }
        self.last_request_id += 1;
        let request_id = RequestId(self.last_request_id);
        self.open_requests.insert(request_id, done);
        let _ = self.apply_input(InputKind::Request(request_id, request));
    }

    /// Carries out a request before the hub [runs](Self::run), and waits until it is durable.
    pub async fn run_request(&mut self, request: ChangeRequest) -> Result<RequestOutcome, RequestError> {
        let (done, mut result) = oneshot::channel();
        self.apply_request(request, done);
        self.commit_pending();
        while self.commit_pipeline.is_busy() {
            let committed = self.commit_pipeline.next().await;
            self.finish_commit(committed);
        }
        result.try_recv().unwrap_or(Err(RequestError::ShuttingDown))
    }

    /// Takes the sessions' input, in one round of the accounts' turns.
    fn take_inputs(&mut self) {
        self.round_times = Some(self.clock.times());
        self.take_round();
        self.round_times = None;
    }

    fn take_round(&mut self) {
        let now = Instant::now();
        let mut taken_sessions = std::mem::take(&mut self.taken_sessions);
        self.ready.take_sessions(&mut taken_sessions);
        for session in taken_sessions.drain(..) {
            self.take_immediate_input(&session, now);
        }
        self.taken_sessions = taken_sessions;
        for _ in 0..self.schedule.begin_round(now) {
            if !self.may_take_input() {
                return;
            }
            let Some(mut turn) = self.schedule.begin_turn(now) else { return };
            while self.may_take_input()
                && let Some(session) = turn.next_session()
            {
                self.run_turn(session, &mut turn);
            }
            self.schedule.end_turn(turn, now);
        }
    }

    /// Takes input that needs no turn: results of queries, and the ends of sessions without pending commands.
    fn take_immediate_input(&mut self, session: &Arc<Session>, now: Instant) {
        let input = session.take_immediate_input();
        let mut work = Work::from_read_bytes(session.outbox.take_result_bytes());
        if let Some(id) = session.id() {
            for LabeledResult { label, result } in input.results {
                work += self.apply_input(InputKind::QueryDone { session: id, label, result });
            }
            work += self.end_session(id, input.input_close_reason, input.disconnect_reason);
        }
        self.schedule.charge(session.account, work.uncapped_cost().charged, now);
        if input.needs_scheduling {
            self.schedule.add_session(session.account, session.clone(), now);
        }
    }

    /// Ends a session in the core, and in the hub once its connection has ended. Returns the work that it caused,
    /// because others see it quit.
    fn end_session(
        &mut self,
        id: SessionId,
        input_close_reason: Option<Arc<str>>,
        disconnect_reason: Option<Arc<str>>,
    ) -> Work {
        let mut work = Work::default();
        if let Some(reason) = input_close_reason {
            work += self.apply_input(InputKind::SessionClosed(id, reason));
        }
        if let Some(reason) = disconnect_reason {
            work += self.apply_input(InputKind::SessionClosed(id, reason));
            self.sessions.remove(id);
        }
        work
    }

    /// Applies commands of a session of the account whose turn it is.
    fn run_turn(&mut self, session: Arc<Session>, turn: &mut Turn<Arc<Session>>) {
        // A session with an open task keeps its inbox until that is done.
        let Some(mut inbox) = session.take_inbox() else { return };
        if let Some(login) = inbox.login.take_if(|_| inbox.disconnect_reason.is_none()) {
            let id = self.sessions.insert(session.clone());
            session.set_id(id);
            turn.spend(self.apply_input(InputKind::SessionOpened(id, *login)).login_cost(self.rate_limit));
        }
        // The connection ended before the hub took its login.
        let Some(id) = session.id() else { return };
        for LabeledResult { label, result } in std::mem::take(&mut inbox.results) {
            turn.spend(self.apply_input(InputKind::QueryDone { session: id, label, result }).uncapped_cost());
        }
        let is_disconnected = inbox.disconnect_reason.is_some();
        let mut lines = std::mem::take(&mut inbox.lines).into_iter();
        while turn.may_spend()
            && self.may_take_input()
            && !session.has_open_task()
            && let Some(line) = lines.next()
        {
            if !is_disconnected || line.applies_after_disconnect() {
                turn.spend(self.apply_line(id, line));
            }
        }
        // A session with an open task returns when that is done.
        let is_busy = session.has_open_task();
        if is_busy || lines.len() > 0 {
            inbox.lines = lines.collect();
            session.put_back(inbox, !is_busy);
            if !is_busy {
                turn.put_back(session);
            }
        } else {
            turn.spend(
                self.end_session(id, inbox.input_close_reason, inbox.disconnect_reason).uncapped_cost(),
            );
        }
    }

    /// Applies a line. Returns its cost.
    fn apply_line(&mut self, session: SessionId, ClientLine { label, command }: ClientLine) -> Cost {
        let Some(command) = command else { return Work::line_cost() };
        let is_cheap = matches!(&command, Ok(Command::Ping(_) | Command::NegotiateCaps(_)));
        self.apply_input(InputKind::Command { session, label, command }).command_cost(is_cheap)
    }

    /// Passes the pending effects on, unless a commit is under way: then they wait and grow.
    fn commit_pending(&mut self) {
        if self.commit_pipeline.is_busy() {
            // Outputs that need no commit do not wait for one that hangs.
            let outputs = self.commit_pipeline.overtake(&mut self.pending);
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
        if let Some(outputs) = self.commit_pipeline.start(effects) {
            self.deliver(outputs);
        }
    }

    fn deliver(&mut self, outputs: Vec<Output>) {
        let (sessions, queries, requests) = (&self.sessions, &self.query_runner, &mut self.open_requests);
        let start = |session, task| {
            if let Some(session) = sessions.get(session) {
                queries.dispatch(session, task);
            }
        };
        let done = |request_id, result| {
            // The requester may have gone away, or knows already that the store has failed at it.
            if let Some(requester) = requests.remove(&request_id) {
                let _ = requester.send(result);
            }
        };
        self.deliverer.deliver(outputs, sessions, start, done);
    }

    fn finish_commit(&mut self, outcome: commit::CommitOutcome) {
        if let Some(error) = &outcome.store_error {
            self.failure_log.log(&error.to_string());
        }
        if outcome.is_hanging {
            self.failure_log.log("a commit takes too long");
        }
        self.metrics.count_commit(outcome.counts());
        self.deliver(outcome.outputs);
        if outcome.stored_messages.is_some() {
            self.query_runner.wake_index();
            if self.core.has_outgoing_hooks() {
                self.stored.notify_one();
            }
        }
        if let Some(writable) = outcome.writable {
            info!(writable, "the store");
            let _ = self.apply_input(InputKind::Writable(writable));
        }
        let (mut refused, mut refused_requests) = (outcome.refused_commands, outcome.refused_requests);
        commit::withdraw_repeats(&mut self.pending, &mut refused, &mut refused_requests);
        for RefusedRequest { id, messages } in refused_requests {
            let _ = self.apply_input(InputKind::PostsNotStored(messages));
            self.refuse_request(id, RequestError::Unavailable);
        }
        for refused_command in refused {
            let _ = self.apply_input(InputKind::MessagesNotStored {
                session: refused_command.session,
                label: refused_command.label,
                messages: refused_command.messages,
            });
        }
        for (session, command) in outcome.deferred_commands {
            let _ = self.apply_input(InputKind::StoreDeferred { session, command });
        }
        for request_id in outcome.deferred_requests {
            self.refuse_request(request_id, RequestError::Deferred);
        }
        if outcome.is_hanging {
            let pending = std::mem::take(&mut self.pending);
            self.pending_bytes = 0;
            let refused = self.commit_pipeline.refuse_pending(pending);
            self.finish_commit(refused);
        }
    }

    fn refuse_request(&mut self, id: RequestId, error: RequestError) {
        if let Some(requester) = self.open_requests.remove(&id) {
            let _ = requester.send(Err(error));
        }
    }

    /// Commits and delivers what is pending. Dropping the hub then ends every session.
    async fn shut_down(mut self) {
        self.take_inputs();
        let (done, _) = oneshot::channel();
        self.apply_request(
            ChangeRequest::Maintenance(Maintenance::NoteTime(self.clock.settled_time())),
            done,
        );
        let _ = self.apply_input(InputKind::Stopping);
        self.commit_pending();
        self.commit_pipeline.commit_deferred();
        while self.commit_pipeline.is_busy() {
            let result = self.commit_pipeline.next().await;
            let failed = result.store_error.is_some();
            self.finish_commit(result);
            if failed {
                break;
            }
            self.commit_pending();
        }
    }
}

impl Drop for Hub {
    /// Ends the sessions of a hub that has failed. A hub that was shut down has ended them already.
    fn drop(&mut self) {
        let reason: Arc<str> = self.stop_reason.text().into();
        for session in self.sessions.iter() {
            session.outbox.close(&reason);
        }
    }
}
