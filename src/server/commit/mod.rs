//! Commits, one at a time, and the handling of a batch that the store refuses.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::commit::overtake::{Overtaking, shows};
use crate::core::record::{Record, StoredMessage};
use crate::core::request::admin::Ticket;
use crate::core::{Effects, Output, SessionId};
use crate::store::{Store, StoreError};
use crate::wire::MessageId;

/// Delay before the store is tried again after a failed commit. It doubles, up to [`LONGEST_RETRY`], if the store fails
/// again within [`RELAPSE`] of having worked, so that the state that clients see does not flap.
const RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
const RELAPSE: Duration = Duration::from_secs(30);

/// Time that outputs without records wait for a commit under way.
const PATIENCE: Duration = Duration::from_millis(250);

/// Time after which a commit counts as failing; new records are refused meanwhile. A lock of the database fails by itself
/// within [`BUSY_TIMEOUT`](crate::store::BUSY_TIMEOUT), so a commit that takes so long waits for the disk. On a disk that is
/// only slow it ends earlier, and the records behind it are stored a little later instead of being refused.
const HANGS: Duration = Duration::from_secs(5);

/// Outcome of a commit.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// Outputs to deliver now, in order.
    pub outputs: Vec<Output>,
    /// Error of the store.
    pub failure: Option<StoreError>,
    /// Commands whose messages are refused for good.
    pub refused: Vec<Refusal>,
    /// Commands whose changes are in force but not durable yet.
    pub deferred: Vec<(SessionId, &'static str)>,
    /// Requests from outside of sessions whose changes are in force but not durable yet.
    pub deferred_requests: Vec<Ticket>,
    /// `Some(false)` if the store began to fail, `Some(true)` if it works again.
    pub writable: Option<bool>,
    /// True if the commit under way takes too long: waiting commands are to be [refused](Commits::refuse).
    pub hangs: bool,
    /// Count of messages stored; `None` without a transaction.
    pub said: Option<usize>,
}

/// A command whose messages the store refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub session: SessionId,
    pub label: Option<Box<str>>,
    pub messages: Vec<StoredMessage>,
}

/// The commit under way, and what earlier ones left behind.
///
/// A message that the store refuses is dropped, and its sender gets an error. A change of state (a JOIN, a topic) is
/// already in force in the core, so it is retried until the store takes it, and the outputs that show it are held until
/// then. The store counts as failing until an empty transaction, the probe, succeeds.
pub(super) struct Commits {
    store: Store,
    under_way: Option<UnderWay>,
    /// Changes that were refused and are in force, and the outputs that show them.
    backlog: Vec<Record>,
    held: Vec<Output>,
    /// Sessions of which something is held.
    held_of: HashSet<SessionId>,
    /// Time of the next attempt, if the store fails.
    failing: Option<Instant>,
    delay: Duration,
    recovered: Option<Instant>,
}

struct UnderWay {
    records: Arc<Vec<Record>>,
    /// Count of records at the front that come from the backlog.
    old: usize,
    /// The outputs that show those.
    held: Vec<Output>,
    effects: Effects,
    result: oneshot::Receiver<Result<(), StoreError>>,
    began: Instant,
    is_probe: bool,
    /// True if it takes too long and that was reported.
    hangs: bool,
    overtaking: Option<Overtaking>,
}

impl Commits {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            under_way: None,
            backlog: Vec::new(),
            held: Vec::new(),
            held_of: HashSet::new(),
            failing: None,
            delay: RETRY,
            recovered: None,
        }
    }

    /// Returns true if a commit is under way.
    pub fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// Starts to commit a batch. Without records, returns its outputs at once.
    pub fn start(&mut self, mut effects: Effects) -> Option<Vec<Output>> {
        if effects.records.is_empty() {
            return Some(effects.outputs);
        }
        let old = self.backlog.len();
        let mut records = std::mem::take(&mut self.backlog);
        records.append(&mut effects.records);
        self.commit(records, old, effects);
        None
    }

    fn commit(&mut self, records: Vec<Record>, old: usize, effects: Effects) {
        let is_probe = records.is_empty();
        let records = Arc::new(records);
        let (done, result) = oneshot::channel();
        let began = Instant::now();
        self.under_way = Some(UnderWay {
            records: records.clone(),
            old,
            held: std::mem::take(&mut self.held),
            effects,
            result,
            began,
            is_probe,
            hangs: false,
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
        let is_failing = self.failing.is_some();
        let Some(under_way) = &mut self.under_way else { return Vec::new() };
        let mut passed = Vec::new();
        let overtaking = match &mut under_way.overtaking {
            Some(overtaking) => overtaking,
            none if is_failing || under_way.began.elapsed() >= PATIENCE => {
                let overtaking = none.insert(Overtaking::default());
                overtaking.note(&self.backlog);
                overtaking.note(&under_way.records);
                passed = overtaking.pass_committing(&mut under_way.effects);
                overtaking
            }
            _ => return passed,
        };
        passed.append(&mut overtaking.pass_pending(pending));
        passed
    }

    /// Waits for the commit under way, or until it exceeds a time limit. Cancel safe. Never returns while nothing is
    /// under way and the store works.
    pub async fn next(&mut self) -> Committed {
        if self.under_way.is_none() {
            let Some(retry) = self.failing else { return std::future::pending().await };
            tokio::time::sleep_until(retry).await;
            // Without a backlog an empty transaction shows whether the store works.
            let records = std::mem::take(&mut self.backlog);
            let old = records.len();
            self.commit(records, old, Effects::default());
        }
        let is_failing = self.failing.is_some();
        let Some(under_way) = &mut self.under_way else { return Committed::default() };
        let limit = match under_way {
            UnderWay { overtaking: None, .. } => Some(if is_failing { Duration::ZERO } else { PATIENCE }),
            UnderWay { hangs: false, .. } => Some(HANGS),
            _ => None,
        };
        let deadline = limit.map(|limit| under_way.began + limit);
        let result = tokio::select! {
            biased;
            // No result means that the writer is gone.
            result = &mut under_way.result => result.unwrap_or(Err(StoreError::Closed)),
            () = sleep_until(deadline) => return self.takes_long(),
        };
        let Some(batch) = self.under_way.take() else { return Committed::default() };
        match result {
            Ok(()) if batch.is_probe => self.works_again(),
            Ok(()) => self.kept(batch),
            Err(error) => self.refused(batch, error),
        }
    }

    fn takes_long(&mut self) -> Committed {
        let Some(under_way) = &mut self.under_way else { return Committed::default() };
        if under_way.overtaking.is_none() {
            return Committed { outputs: self.overtake(&mut Effects::default()), ..Committed::default() };
        }
        under_way.hangs = true;
        let writable = self.fails().then_some(false);
        Committed { hangs: true, writable, ..Committed::default() }
    }

    /// Notes that the store fails. Returns true if that is new.
    fn fails(&mut self) -> bool {
        let is_new = self.failing.is_none();
        if is_new {
            let relapsed = self.recovered.is_some_and(|at| at.elapsed() < RELAPSE);
            self.delay = if relapsed { (2 * self.delay).min(LONGEST_RETRY) } else { RETRY };
        }
        self.failing = Some(Instant::now() + self.delay);
        is_new
    }

    fn works_again(&mut self) -> Committed {
        self.recovered = Some(Instant::now());
        Committed { writable: self.failing.take().map(|_| true), ..Committed::default() }
    }

    fn kept(&mut self, batch: UnderWay) -> Committed {
        let mut outputs = batch.held;
        outputs.extend(batch.effects.outputs);
        // What was refused while this one hung is still to come.
        if self.held.is_empty() {
            self.held_of.clear();
        }
        if self.failing.is_some() {
            // The probe is next.
            self.failing = Some(Instant::now());
        }
        let said = batch.records.iter().filter_map(message).filter(|message| message.kind.is_said()).count();
        Committed { outputs, said: Some(said), ..Committed::default() }
    }

    fn refused(&mut self, batch: UnderWay, error: StoreError) -> Committed {
        let mut result = Committed { failure: Some(error), ..Committed::default() };
        if self.fails() {
            result.writable = Some(false);
        }
        let (old, new) = batch.records.split_at(batch.old.min(batch.records.len()));
        // Batches refused while this one hung come after it.
        let (later, later_held) = (std::mem::take(&mut self.backlog), std::mem::take(&mut self.held));
        self.backlog.extend_from_slice(old);
        self.held = batch.held;
        self.drop_messages(new, batch.effects, &mut result);
        self.held.extend(later_held);
        self.backlog.extend(later);
        self.drop_replaced();
        result
    }

    /// Drops the records of the backlog that later ones replace, so that it grows with the accounts and not with the
    /// sessions that begin and end while the store fails.
    fn drop_replaced(&mut self) {
        let mut accounts = HashSet::new();
        let is_last = |record: &Record| match record {
            Record::Seen(account, _) => accounts.insert(*account),
            _ => true,
        };
        self.backlog = std::mem::take(&mut self.backlog).into_iter().rev().filter(is_last).collect();
        self.backlog.reverse();
    }

    /// Refuses the records that wait behind a hanging commit, as if the store had refused them. Outputs without records that
    /// wait for that commit go on waiting: they may confirm a message that is not stored yet.
    pub fn refuse(&mut self, mut effects: Effects) -> Committed {
        let mut result = Committed::default();
        let records = std::mem::take(&mut effects.records);
        if let Some(under_way) = &mut self.under_way {
            let mut overtaking = Overtaking::default();
            overtaking.note(&self.backlog);
            overtaking.note(&under_way.records);
            effects = overtaking.stay_behind(&mut under_way.effects, effects);
            under_way.overtaking = Some(overtaking);
        }
        self.drop_messages(&records, effects, &mut result);
        self.drop_replaced();
        result
    }

    fn drop_messages(&mut self, new: &[Record], effects: Effects, result: &mut Committed) {
        let mut outputs = effects.outputs.into_iter();
        let mut lost = HashSet::new();
        for step in effects.steps {
            let outputs: Vec<Output> = outputs.by_ref().take(step.outputs.len()).collect();
            let records = new.get(step.records).unwrap_or_default();
            let messages: Vec<StoredMessage> = records.iter().filter_map(message).cloned().collect();
            // The reply to a repeated send is as false as the message that it repeats.
            let repeats = outputs.iter().any(|output| shows(output, &lost));
            match step.from {
                Some((session, label)) if repeats && records.is_empty() => {
                    result.outputs.extend(outputs.into_iter().filter(is_question));
                    result.refused.push(Refusal { session, label, messages });
                }
                _ if records.is_empty() => result.outputs.extend(outputs),
                Some((session, label)) if messages.len() == records.len() => {
                    lost.extend(messages.iter().map(|message| message.id));
                    result.outputs.extend(outputs.into_iter().filter(is_question));
                    result.refused.push(Refusal { session, label, messages });
                }
                from => {
                    if let (Some((session, _)), Some(record)) = (from, records.first()) {
                        result.deferred.push((session, record.command()));
                    }
                    result.deferred_requests.extend(outputs.iter().filter_map(ticket));
                    self.backlog.extend_from_slice(records);
                    // The end of a session is true whatever is stored of it, and is shown unless its beginning is held.
                    let is_shown = records.iter().all(|record| matches!(record, Record::Seen(..)))
                        && step.session.is_none_or(|session| !self.held_of.contains(&session));
                    if is_shown {
                        result.outputs.extend(outputs);
                    } else {
                        self.held_of.extend(step.session);
                        self.held.extend(outputs);
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
pub(super) fn withdraw_repeats(pending: &mut Effects, refused: &[Refusal]) -> Vec<Refusal> {
    let lost: HashSet<MessageId> = refused.iter().flat_map(|r| &r.messages).map(|m| m.id).collect();
    let mut withdrawn = Vec::new();
    for step in &mut pending.steps {
        let outputs = pending.outputs.get_mut(step.outputs.clone()).unwrap_or_default();
        let repeats = outputs.iter().any(|output| shows(output, &lost));
        if let Some((session, label)) = step.from.as_mut().filter(|_| repeats) {
            for output in outputs.iter_mut().filter(|output| !is_question(output)) {
                // An empty line is not sent, and the ranges of the steps stay valid.
                *output = Output::Line(*session, String::new());
            }
            withdrawn.push(Refusal { session: *session, label: label.take(), messages: Vec::new() });
        }
    }
    withdrawn
}

/// Returns true for a query: its session waits for the result, even if the command is refused.
fn is_question(output: &Output) -> bool {
    matches!(output, Output::Ask { .. })
}

/// Returns the ticket of a request's result.
fn ticket(output: &Output) -> Option<Ticket> {
    match output {
        Output::Done(ticket, _) => Some(*ticket),
        _ => None,
    }
}

fn message(record: &Record) -> Option<&StoredMessage> {
    match record {
        Record::Message(message) => Some(message),
        _ => None,
    }
}

pub(super) mod overtake;
#[cfg(test)]
mod tests;
