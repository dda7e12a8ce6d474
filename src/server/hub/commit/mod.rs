//! Commits, one at a time, and the handling of a batch that the store refuses.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::core::record::{Record, StoredMessage};
use crate::core::request::admin::RequestId;
use crate::core::{Effects, Output, SessionId};
use crate::invariants::MustExist as _;
use crate::server::telemetry::metrics::CommitCounts;
use crate::store::{Store, StoreError};
use crate::wire::{Label, MessageId};
use overtaking::{Overtaking, shows_any_message};

/// Delay before the store is tried again after a failed commit. It doubles, up to [`MAX_RETRY_DELAY`], if the store fails
/// again within [`RELAPSE_WINDOW`] of having worked, so that the state that clients see does not flap.
const RETRY_DELAY: Duration = Duration::from_millis(500);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);
const RELAPSE_WINDOW: Duration = Duration::from_secs(30);

/// Time that outputs without records wait for a commit under way.
const OVERTAKE_DELAY: Duration = Duration::from_millis(250);

/// Time after which a commit counts as failing; new records are refused meanwhile. A lock of the database fails by itself
/// within [`BUSY_TIMEOUT`](crate::store::BUSY_TIMEOUT), so a commit that takes so long waits for the disk. On a disk that is
/// only slow it ends earlier, and the records behind it are stored a little later instead of being refused.
const HANG_TIMEOUT: Duration = Duration::from_secs(5);

/// Time that records wait for others with which they share a commit, if nothing shows them.
const DEFERRAL: Duration = Duration::from_secs(1);

/// Maximum count of such records.
const MAX_DEFERRED: usize = 1024;

/// Outcome of a commit.
#[derive(Debug, Default)]
pub(in crate::server) struct CommitOutcome {
    /// Outputs to deliver now, in order.
    pub outputs: Vec<Output>,
    /// Error of the store.
    pub store_error: Option<StoreError>,
    /// Commands whose messages are refused for good.
    pub refused_commands: Vec<RefusedCommand>,
    /// Requests whose messages are refused for good.
    pub refused_requests: Vec<RefusedRequest>,
    /// Commands whose changes are in force but not durable yet.
    pub deferred_commands: Vec<(SessionId, &'static str)>,
    /// Requests from outside of sessions whose changes are in force but not durable yet.
    pub deferred_requests: Vec<RequestId>,
    /// `Some(false)` if the store began to fail, `Some(true)` if it works again.
    pub writable: Option<bool>,
    /// True if the commit under way takes too long: waiting commands are to be refused with
    /// [`refuse_pending`](CommitPipeline::refuse_pending).
    pub is_hanging: bool,
    /// Count of messages stored; `None` without a transaction.
    pub stored_messages: Option<usize>,
    /// Time that the transaction took.
    pub took: Duration,
}

impl CommitOutcome {
    /// Returns the counts for the metrics.
    pub fn counts(&self) -> CommitCounts {
        CommitCounts {
            stored_messages: self.stored_messages,
            took: self.took,
            refused_messages: lost_messages(&self.refused_commands, &self.refused_requests).count(),
            has_failed: self.store_error.is_some(),
            writable: self.writable,
        }
    }
}

/// A command whose messages the store refused.
#[derive(Debug)]
pub(in crate::server) struct RefusedCommand {
    pub session: SessionId,
    pub label: Option<Label>,
    pub messages: Vec<StoredMessage>,
}

/// A request from outside of sessions whose messages the store refused.
#[derive(Debug)]
pub(in crate::server) struct RefusedRequest {
    pub id: RequestId,
    pub messages: Vec<StoredMessage>,
}

/// The commit under way, and what earlier ones left behind.
///
/// A message that the store refuses is dropped, and its sender gets an error. A change of state (a JOIN, a topic) is
/// already in force in the core, so it is retried until the store takes it, and the outputs that show it are held until
/// then. The store counts as failing until an empty transaction, the probe, succeeds.
pub(in crate::server) struct CommitPipeline {
    store: Store,
    in_flight: Option<InFlightCommit>,
    /// Changes that are in force and were refused, or [deferred](Self::may_defer), and the outputs that show the former.
    backlog: Vec<Record>,
    held_outputs: Vec<Output>,
    /// Sessions with held outputs.
    held_sessions: HashSet<SessionId>,
    /// Time of the next attempt, if the store fails.
    retry_at: Option<Instant>,
    retry_delay: Duration,
    recovered_at: Option<Instant>,
    /// Time at which deferred records are committed without others; `None` if there are none.
    deferred_until: Option<Instant>,
}

struct InFlightCommit {
    records: Arc<Vec<Record>>,
    /// Count of records at the front that come from the backlog.
    backlog_len: usize,
    /// The outputs that show the changes of the backlog.
    held_outputs: Vec<Output>,
    effects: Effects,
    result: oneshot::Receiver<Result<(), StoreError>>,
    started_at: Instant,
    is_probe: bool,
    /// True if it takes too long and that was reported.
    is_hanging: bool,
    overtaking: Option<Overtaking>,
}

impl CommitPipeline {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            in_flight: None,
            backlog: Vec::new(),
            held_outputs: Vec::new(),
            held_sessions: HashSet::new(),
            retry_at: None,
            retry_delay: RETRY_DELAY,
            recovered_at: None,
            deferred_until: None,
        }
    }

    /// Returns true if a commit is under way.
    pub fn is_busy(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Starts to commit a batch. Without records, or if all of them are deferred, returns its outputs at once.
    pub fn start(&mut self, mut effects: Effects) -> Option<Vec<Output>> {
        if effects.records.is_empty() {
            return Some(effects.outputs);
        }
        if self.may_defer(&effects.records) {
            self.backlog.append(&mut effects.records);
            self.deferred_until.get_or_insert_with(|| Instant::now() + DEFERRAL);
            return Some(effects.outputs);
        }
        let backlog_len = self.backlog.len();
        let mut records = std::mem::take(&mut self.backlog);
        records.append(&mut effects.records);
        self.commit(records, backlog_len, effects);
        None
    }

    /// Returns true if records can wait for the next commit, so that a login alone causes none: they tell when devices
    /// logged in last, and no output depends on them. Not while the store fails.
    fn may_defer(&self, records: &[Record]) -> bool {
        self.retry_at.is_none()
            && self.held_outputs.is_empty()
            && self.backlog.len() < MAX_DEFERRED
            && records.iter().all(|record| matches!(record, Record::DeviceUsed { .. }))
    }

    /// Commits the deferred records, unless a commit is under way, which has them.
    pub fn commit_deferred(&mut self) {
        if self.in_flight.is_none() && self.deferred_until.is_some() {
            self.commit_backlog();
        }
    }

    fn commit_backlog(&mut self) {
        let records = std::mem::take(&mut self.backlog);
        let backlog_len = records.len();
        self.commit(records, backlog_len, Effects::default());
    }

    fn commit(&mut self, records: Vec<Record>, backlog_len: usize, effects: Effects) {
        self.deferred_until = None;
        let is_probe = records.is_empty();
        let records = Arc::new(records);
        let (done, result) = oneshot::channel();
        let began = Instant::now();
        self.in_flight = Some(InFlightCommit {
            records: records.clone(),
            backlog_len,
            held_outputs: std::mem::take(&mut self.held_outputs),
            effects,
            result,
            started_at: began,
            is_probe,
            is_hanging: false,
            overtaking: None,
        });
        self.store.commit(
            records,
            // The hub may have stopped, so that the receiver is gone.
            Box::new(move |result| drop(done.send(result))),
        );
    }

    /// Takes out the outputs that need not wait for the commit under way, if that fails or hangs.
    pub fn overtake(&mut self, pending: &mut Effects) -> Vec<Output> {
        let is_failing = self.retry_at.is_some();
        let Some(in_flight) = &mut self.in_flight else { return Vec::new() };
        let mut unblocked = Vec::new();
        let overtaking = match &mut in_flight.overtaking {
            Some(overtaking) => overtaking,
            none if is_failing || in_flight.started_at.elapsed() >= OVERTAKE_DELAY => {
                let overtaking = none.insert(Overtaking::default());
                overtaking.add_records(&self.backlog);
                overtaking.add_records(&in_flight.records);
                unblocked = overtaking.take_unblocked_committing(&mut in_flight.effects);
                overtaking
            }
            _ => return unblocked,
        };
        unblocked.append(&mut overtaking.take_unblocked_pending(pending));
        unblocked
    }

    /// Waits for the commit under way, or until it exceeds a time limit. Cancel safe. Never returns while nothing is
    /// under way or deferred and the store works.
    pub async fn next(&mut self) -> CommitOutcome {
        if self.in_flight.is_none() {
            let due = self.retry_at.or(self.deferred_until);
            let Some(due) = due else { return std::future::pending().await };
            tokio::time::sleep_until(due).await;
            // Without a backlog an empty transaction shows whether the store works.
            self.commit_backlog();
        }
        let is_failing = self.retry_at.is_some();
        let Some(in_flight) = &mut self.in_flight else { return CommitOutcome::default() };
        let limit = match in_flight {
            InFlightCommit { overtaking: None, .. } => {
                Some(if is_failing { Duration::ZERO } else { OVERTAKE_DELAY })
            }
            InFlightCommit { is_hanging: false, .. } => Some(HANG_TIMEOUT),
            _ => None,
        };
        let deadline = limit.map(|limit| in_flight.started_at + limit);
        let result = tokio::select! {
            biased;
            // Without a result the writer has ended.
            result = &mut in_flight.result => result.unwrap_or(Err(StoreError::Closed)),
            () = sleep_until(deadline) => return self.handle_time_limit(),
        };
        let Some(batch) = self.in_flight.take() else { return CommitOutcome::default() };
        match result {
            Ok(()) if batch.is_probe => self.mark_recovered(),
            Ok(()) => self.finish_stored(batch),
            Err(error) => self.finish_refused(batch, error),
        }
    }

    fn handle_time_limit(&mut self) -> CommitOutcome {
        let Some(in_flight) = &mut self.in_flight else { return CommitOutcome::default() };
        if in_flight.overtaking.is_none() {
            return CommitOutcome {
                outputs: self.overtake(&mut Effects::default()),
                ..CommitOutcome::default()
            };
        }
        in_flight.is_hanging = true;
        let writable = self.mark_failing().then_some(false);
        CommitOutcome { is_hanging: true, writable, ..CommitOutcome::default() }
    }

    /// Notes that the store fails. Returns true if that is new.
    fn mark_failing(&mut self) -> bool {
        let is_new = self.retry_at.is_none();
        if is_new {
            let relapsed = self.recovered_at.is_some_and(|at| at.elapsed() < RELAPSE_WINDOW);
            self.retry_delay =
                if relapsed { (2 * self.retry_delay).min(MAX_RETRY_DELAY) } else { RETRY_DELAY };
        }
        self.retry_at = Some(Instant::now() + self.retry_delay);
        is_new
    }

    fn mark_recovered(&mut self) -> CommitOutcome {
        self.recovered_at = Some(Instant::now());
        CommitOutcome { writable: self.retry_at.take().map(|_| true), ..CommitOutcome::default() }
    }

    fn finish_stored(&mut self, batch: InFlightCommit) -> CommitOutcome {
        let mut outputs = batch.held_outputs;
        outputs.extend(batch.effects.outputs);
        // Otherwise outputs of batches that were refused while this commit hung are still held.
        if self.held_outputs.is_empty() {
            self.held_sessions.clear();
        }
        if self.retry_at.is_some() {
            // The probe is due at once.
            self.retry_at = Some(Instant::now());
        }
        let stored_messages = batch
            .records
            .iter()
            .filter_map(stored_message)
            .filter(|message| message.kind.is_text_message())
            .count();
        let took = batch.started_at.elapsed();
        CommitOutcome { outputs, stored_messages: Some(stored_messages), took, ..CommitOutcome::default() }
    }

    fn finish_refused(&mut self, batch: InFlightCommit, error: StoreError) -> CommitOutcome {
        let mut result = CommitOutcome { store_error: Some(error), ..CommitOutcome::default() };
        if self.mark_failing() {
            result.writable = Some(false);
        }
        let (backlog_records, new_records) =
            batch.records.split_at(batch.backlog_len.min(batch.records.len()));
        // Batches that were refused while this commit hung are later in the order.
        let (later_backlog, later_outputs) =
            (std::mem::take(&mut self.backlog), std::mem::take(&mut self.held_outputs));
        self.backlog.extend_from_slice(backlog_records);
        self.held_outputs = batch.held_outputs;
        self.drop_messages(new_records, batch.effects, &mut result);
        self.held_outputs.extend(later_outputs);
        self.backlog.extend(later_backlog);
        self.drop_superseded_records();
        result
    }

    /// Drops the records of the backlog that later ones replace, so that it grows with the accounts and not with the
    /// sessions that begin and end while the store fails.
    fn drop_superseded_records(&mut self) {
        let mut accounts = HashSet::new();
        let is_last = |record: &Record| match record {
            Record::ReceivedSet(account, _) => accounts.insert(*account),
            _ => true,
        };
        self.backlog = std::mem::take(&mut self.backlog).into_iter().rev().filter(is_last).collect();
        self.backlog.reverse();
    }

    /// Refuses the records that wait behind a hanging commit, as if the store had refused them. Outputs without records
    /// that wait for that commit go on waiting: they may confirm a message that is not stored yet.
    pub fn refuse_pending(&mut self, mut effects: Effects) -> CommitOutcome {
        let mut result = CommitOutcome::default();
        let records = std::mem::take(&mut effects.records);
        if let Some(in_flight) = &mut self.in_flight {
            let mut overtaking = Overtaking::default();
            overtaking.add_records(&self.backlog);
            overtaking.add_records(&in_flight.records);
            effects = overtaking.move_waiting_steps(&mut in_flight.effects, effects);
            in_flight.overtaking = Some(overtaking);
        }
        self.drop_messages(&records, effects, &mut result);
        self.drop_superseded_records();
        result
    }

    fn drop_messages(&mut self, new_records: &[Record], effects: Effects, result: &mut CommitOutcome) {
        let mut outputs = effects.outputs.into_iter();
        let mut lost_messages = HashSet::new();
        for step in effects.by_input {
            let outputs: Vec<Output> = outputs.by_ref().take(step.outputs.len()).collect();
            let records = new_records.get(step.records).must_exist("a step is a part of the effects");
            let records = records.unwrap_or_default();
            let messages: Vec<StoredMessage> = records.iter().filter_map(stored_message).cloned().collect();
            // The reply to a repeated send is the echo of the first one. If that message is lost, it must not be sent.
            let confirms_lost = outputs.iter().any(|output| shows_any_message(output, &lost_messages));
            match step.from {
                Some((session, label)) if confirms_lost && records.is_empty() => {
                    result.outputs.extend(outputs.into_iter().filter(waits_for_result));
                    result.refused_commands.push(RefusedCommand { session, label, messages });
                }
                None if (confirms_lost && records.is_empty())
                    || (!records.is_empty() && messages.len() == records.len()) =>
                {
                    lost_messages.extend(messages.iter().map(|message| message.id));
                    if let Some(id) = outputs.iter().find_map(request_id_of) {
                        result.refused_requests.push(RefusedRequest { id, messages });
                    }
                }
                _ if records.is_empty() => result.outputs.extend(outputs),
                Some((session, label)) if messages.len() == records.len() => {
                    lost_messages.extend(messages.iter().map(|message| message.id));
                    result.outputs.extend(outputs.into_iter().filter(waits_for_result));
                    result.refused_commands.push(RefusedCommand { session, label, messages });
                }
                from => {
                    if let (Some((session, _)), Some(record)) = (from, records.first()) {
                        result.deferred_commands.push((session, record.command_name()));
                    }
                    result.deferred_requests.extend(outputs.iter().filter_map(request_id_of));
                    self.backlog.extend_from_slice(records);
                    // A disconnect has happened whether or not its record is stored, so its outputs are shown. If the
                    // session has held outputs, those of its disconnect wait behind them.
                    let is_shown = records.iter().all(|record| matches!(record, Record::ReceivedSet(..)))
                        && step.session.is_none_or(|session| !self.held_sessions.contains(&session));
                    if is_shown {
                        result.outputs.extend(outputs);
                    } else {
                        self.held_sessions.extend(step.session);
                        self.held_outputs.extend(outputs);
                    }
                }
            }
        }
    }
}

/// Waits until `deadline`; never returns if that is `None`.
async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Withdraws the outputs that later inputs produced from refused messages: the reply to a repeated send confirms a
/// message that is not stored.
pub(in crate::server) fn withdraw_repeats(
    pending: &mut Effects,
    refused_commands: &mut Vec<RefusedCommand>,
    refused_requests: &mut Vec<RefusedRequest>,
) {
    let lost_messages: HashSet<MessageId> = lost_messages(refused_commands, refused_requests).collect();
    if lost_messages.is_empty() {
        return;
    }
    let mut outputs = std::mem::take(&mut pending.outputs).into_iter();
    for step in &mut pending.by_input {
        let mut own: Vec<Output> = outputs.by_ref().take(step.outputs.len()).collect();
        let confirms_lost = own.iter().any(|output| shows_any_message(output, &lost_messages));
        match step.from.as_mut().filter(|_| confirms_lost) {
            Some((session, label)) => {
                own.retain(waits_for_result);
                let (session, label) = (*session, label.take());
                refused_commands.push(RefusedCommand { session, label, messages: Vec::new() });
            }
            None if confirms_lost => {
                let ids = own.iter().filter_map(request_id_of);
                refused_requests.extend(ids.map(|id| RefusedRequest { id, messages: Vec::new() }));
                own.clear();
            }
            None => {}
        }
        let start = pending.outputs.len();
        pending.outputs.append(&mut own);
        step.outputs = start..pending.outputs.len();
    }
    debug_assert!(outputs.len() == 0, "every output belongs to a step");
    pending.outputs.extend(outputs);
}

/// Iterates over the messages that were refused.
fn lost_messages<'a>(
    commands: &'a [RefusedCommand],
    requests: &'a [RefusedRequest],
) -> impl Iterator<Item = MessageId> + use<'a> {
    let of_commands = commands.iter().flat_map(|refused| &refused.messages);
    of_commands.chain(requests.iter().flat_map(|refused| &refused.messages)).map(|message| message.id)
}

/// Returns true for an output that takes time. The hub takes no input of its session until it is done, even if the
/// command is refused.
fn waits_for_result(output: &Output) -> bool {
    matches!(output, Output::Query { .. } | Output::Long(_))
}

/// Returns the request id of a request's result.
fn request_id_of(output: &Output) -> Option<RequestId> {
    match output {
        Output::RequestDone(id, _) => Some(*id),
        _ => None,
    }
}

fn stored_message(record: &Record) -> Option<&StoredMessage> {
    match record {
        Record::Message(message) => Some(message),
        _ => None,
    }
}

pub(in crate::server) mod failure_log;
pub(in crate::server) mod overtaking;
#[cfg(test)]
mod tests;
