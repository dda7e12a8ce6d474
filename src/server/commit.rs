//! Commits, one at a time, and what becomes of a batch that the store refuses.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::chat::record::{Record, StoredMessage};
use crate::chat::{Effects, Output, SessionId};
use crate::store::{Store, StoreError};
use crate::wire::MessageId;

/// After a failed commit the store is tried again this often.
const RETRY: Duration = Duration::from_millis(500);

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// What may go out now, in order.
    pub outputs: Vec<Output>,
    /// Why the store refused, where it did.
    pub failure: Option<StoreError>,
    /// The commands whose messages are not kept and never will be.
    pub refused: Vec<Refusal>,
    /// The store began to fail, or works again.
    pub writable: Option<bool>,
    /// How many messages of people it kept, where there was a transaction.
    pub said: Option<usize>,
}

/// A command whose messages the store refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub session: SessionId,
    pub label: Option<Box<str>>,
    pub messages: Vec<StoredMessage>,
}

/// The commit that is under way, and what earlier ones left behind.
///
/// A message that the store refuses is dropped and its sender told. A change of the state (a JOIN, a topic) is
/// already in force in the chat, so it is tried again until the store takes it, and what shows it is held till then.
pub(super) struct Commits {
    store: Store,
    under_way: Option<UnderWay>,
    backlog: Vec<Record>,
    held: Vec<Output>,
    /// The store failed; when to try it again.
    failing: Option<Instant>,
}

struct UnderWay {
    records: Arc<Vec<Record>>,
    /// So many of the records are of the backlog.
    old: usize,
    effects: Effects,
    result: oneshot::Receiver<Result<(), StoreError>>,
}

impl Commits {
    pub fn new(store: Store) -> Self {
        Self { store, under_way: None, backlog: Vec::new(), held: Vec::new(), failing: None }
    }

    /// Is a commit under way?
    pub fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// Starts to commit a batch. Where there is nothing to keep, its outputs come back at once.
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
        let records = Arc::new(records);
        let (done, result) = oneshot::channel();
        self.under_way = Some(UnderWay { records: records.clone(), old, effects, result });
        self.store.commit(
            records,
            Box::new(move |result| {
                // The hub may have stopped; then nobody asks.
                let _ = done.send(result);
            }),
        );
    }

    /// Waits for the commit under way. Safe to cancel. Waits for ever where nothing is to come.
    pub async fn next(&mut self) -> Committed {
        if self.under_way.is_none() {
            let Some(retry) = self.failing else { return std::future::pending().await };
            tokio::time::sleep_until(retry).await;
            if self.backlog.is_empty() {
                // Nothing is owed: the next message will show whether the store works.
                self.failing = None;
                return Committed { writable: Some(true), ..Committed::default() };
            }
            let records = std::mem::take(&mut self.backlog);
            let old = records.len();
            self.commit(records, old, Effects::default());
        }
        let Some(under_way) = &mut self.under_way else { return Committed::default() };
        // Without an answer the writer is gone.
        let result = (&mut under_way.result).await.unwrap_or(Err(StoreError::Closed));
        let Some(batch) = self.under_way.take() else { return Committed::default() };
        match result {
            Ok(()) => self.kept(batch),
            Err(error) => self.refused(batch, error),
        }
    }

    fn kept(&mut self, batch: UnderWay) -> Committed {
        let mut outputs = std::mem::take(&mut self.held);
        outputs.extend(batch.effects.outputs);
        let writable = self.failing.take().map(|_| true);
        let said = batch.records.iter().filter_map(message).filter(|message| message.kind.is_said()).count();
        Committed { outputs, writable, said: Some(said), ..Committed::default() }
    }

    fn refused(&mut self, batch: UnderWay, error: StoreError) -> Committed {
        let mut result = Committed { failure: Some(error), ..Committed::default() };
        if self.failing.replace(Instant::now() + RETRY).is_none() {
            result.writable = Some(false);
        }
        let (old, new) = batch.records.split_at(batch.old.min(batch.records.len()));
        self.backlog.extend_from_slice(old);
        let mut outputs = batch.effects.outputs.into_iter();
        let mut lost = HashSet::new();
        for step in batch.effects.steps {
            let outputs: Vec<Output> = outputs.by_ref().take(step.outputs.len()).collect();
            let records = new.get(step.records).unwrap_or_default();
            let messages: Vec<StoredMessage> = records.iter().filter_map(message).cloned().collect();
            // The answer to a repeated send is as untrue as what it repeats.
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
                _ => {
                    self.backlog.extend_from_slice(records);
                    self.held.extend(outputs);
                }
            }
        }
        result
    }
}

/// Takes back what later inputs made of messages that were refused: the answer to a repeated send says that
/// the message is kept, and it is not.
pub(super) fn withdraw_repeats(pending: &mut Effects, refused: &[Refusal]) -> Vec<Refusal> {
    let lost: HashSet<MessageId> = refused.iter().flat_map(|r| &r.messages).map(|m| m.id).collect();
    let mut withdrawn = Vec::new();
    for step in &mut pending.steps {
        let outputs = pending.outputs.get_mut(step.outputs.clone()).unwrap_or_default();
        let repeats = outputs.iter().any(|output| shows(output, &lost));
        if let Some((session, label)) = step.from.as_mut().filter(|_| repeats) {
            for output in outputs.iter_mut().filter(|output| !is_question(output)) {
                // A line of nothing is not sent; the ranges of the steps stay true.
                *output = Output::Line(*session, String::new());
            }
            withdrawn.push(Refusal { session: *session, label: label.take(), messages: Vec::new() });
        }
    }
    withdrawn
}

fn shows(output: &Output, lost: &HashSet<MessageId>) -> bool {
    match output {
        Output::Event { event, .. } => event.id.is_some_and(|id| lost.contains(&id)),
        _ => false,
    }
}

/// A session waits for its answer, whatever became of the command.
fn is_question(output: &Output) -> bool {
    matches!(output, Output::Ask { .. })
}

fn message(record: &Record) -> Option<&StoredMessage> {
    match record {
        Record::Message(message) => Some(message),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::effects::Step;
    use crate::chat::record::{AccountId, MessageKind, Place, SendId};
    use crate::chat::{Event, EventKind};
    use crate::wire::{CapSet, Millis};

    #[test]
    fn what_repeats_a_message_of_the_same_refused_batch_is_not_confirmed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut commits = Commits::new(Store::open(folder.path()).expect("a store"));
        let session = |slot| SessionId { slot, generation: 0 };
        let (id, al) = (MessageId::first_at(Millis(7)), AccountId(16));
        let message = StoredMessage {
            id,
            place: Place::direct(al, al),
            from: al,
            kind: MessageKind::Privmsg,
            text: "once".into(),
            tags: "".into(),
            send_id: Some(SendId("x".into())),
        };
        let echo = |to| Output::Event {
            to,
            caps: CapSet::EMPTY,
            event: Event {
                source: "al!al@parlour".into(),
                account: None,
                bot: false,
                time: Millis(7),
                id: Some(id),
                tags: "".into(),
                kind: EventKind::Tagmsg { target: "al".into(), own: false },
            },
            tag: None,
        };
        let effects = Effects {
            records: Vec::new(),
            outputs: vec![echo(session(1)), echo(session(2)), Output::Line(session(3), "PONG".into())],
            steps: vec![
                Step { records: 0..1, outputs: 0..1, from: Some((session(1), None)) },
                Step { records: 1..1, outputs: 1..2, from: Some((session(2), Some("l".into()))) },
                Step { records: 1..1, outputs: 2..3, from: Some((session(3), None)) },
            ],
        };
        let records = Arc::new(vec![Record::Message(message)]);
        let batch = UnderWay { records, old: 0, effects, result: oneshot::channel().1 };
        let outcome = commits.refused(batch, StoreError::Full);
        let refused: Vec<_> = outcome.refused.iter().map(|r| (r.session.slot, r.messages.len())).collect();
        assert_eq!(refused, [(1, 1), (2, 0)]);
        assert_eq!(outcome.refused[1].label.as_deref(), Some("l"));
        assert!(matches!(outcome.outputs.as_slice(), [Output::Line(to, _)] if to.slot == 3));
    }
}
