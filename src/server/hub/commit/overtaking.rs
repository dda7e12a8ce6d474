//! Outputs that need no commit overtake a commit that hangs.
//!
//! The order that matters is kept. Later outputs of a session with waiting outputs wait behind these. A repetition of a
//! message that is not stored yet waits for that message. The history is shown up to the first message that is not
//! stored, which then comes as an event.

use std::collections::HashSet;

use crate::core::effects::{EventTo, InputEffects};
use crate::core::record::Record;
use crate::core::request::admin::RequestOutcome;
use crate::core::{Effects, Output, SessionId};
use crate::invariants::MustExist as _;
use crate::wire::MessageId;

/// Sessions and messages that wait for the hanging commit.
#[derive(Debug, Default)]
pub(in crate::server) struct Overtaking {
    /// Sessions with waiting outputs.
    waiting_sessions: HashSet<SessionId>,
    /// Messages that are not stored yet, and the first of them.
    unstored: HashSet<MessageId>,
    first_unstored: Option<MessageId>,
    /// Counts of records and steps of the pending effects that were examined; these steps wait.
    examined_records: usize,
    examined_steps: usize,
}

impl Overtaking {
    /// Notes the messages of records that wait.
    pub fn add_records(&mut self, records: &[Record]) {
        for record in records {
            if let Record::Message(message) = record {
                self.unstored.insert(message.id);
                self.first_unstored =
                    Some(self.first_unstored.map_or(message.id, |first| first.min(message.id)));
            }
        }
    }

    /// Moves those steps from `pending` to `committing` that have no records and must wait for the commit. Returns the
    /// other steps, which become the pending effects.
    pub fn move_waiting_steps(&mut self, committing: &mut Effects, pending: Effects) -> Effects {
        self.waiting_sessions = committing.by_input.iter().filter_map(|step| step.session).collect();
        let mut others = Effects::default();
        let mut outputs = pending.outputs.into_iter();
        for step in pending.by_input {
            let step_outputs: Vec<Output> = outputs.by_ref().take(step.outputs.len()).collect();
            let must_wait = step.records.is_empty() && self.must_wait(&step, &step_outputs);
            if must_wait {
                self.waiting_sessions.extend(step.session);
            }
            let target = if must_wait { &mut *committing } else { &mut others };
            let records = if must_wait { 0..0 } else { step.records };
            let start = target.outputs.len();
            target.outputs.extend(step_outputs);
            target.by_input.push(InputEffects { records, outputs: start..target.outputs.len(), ..step });
        }
        others.outputs.extend(outputs);
        others
    }

    /// Takes the outputs that need not wait out of the effects that are being committed.
    pub fn take_unblocked_committing(&mut self, effects: &mut Effects) -> Vec<Output> {
        self.take_unblocked(effects, 0)
    }

    /// Takes the outputs that need not wait out of the pending effects. Examines each step once.
    pub fn take_unblocked_pending(&mut self, effects: &mut Effects) -> Vec<Output> {
        let new = effects.records.get(self.examined_records..);
        let new = new.must_exist("the pending effects only grow").unwrap_or_default();
        self.add_records(new);
        self.examined_records = effects.records.len();
        let unblocked = self.take_unblocked(effects, self.examined_steps);
        self.examined_steps = effects.by_input.len();
        unblocked
    }

    fn take_unblocked(&mut self, effects: &mut Effects, first_step: usize) -> Vec<Output> {
        let steps = effects.by_input.split_off(first_step.min(effects.by_input.len()));
        let start = steps.first().map_or(effects.outputs.len(), |step| step.outputs.start);
        let mut outputs = effects.outputs.split_off(start.min(effects.outputs.len())).into_iter();
        let mut unblocked = Vec::new();
        for step in steps {
            let mut step_outputs: Vec<Output> = outputs.by_ref().take(step.outputs.len()).collect();
            if self.must_wait(&step, &step_outputs) {
                self.waiting_sessions.extend(step.session);
                let start = effects.outputs.len();
                effects.outputs.append(&mut step_outputs);
                effects.by_input.push(InputEffects { outputs: start..effects.outputs.len(), ..step });
            } else {
                unblocked.extend(step_outputs.into_iter().map(|output| self.bound_query(output)));
            }
        }
        // Outputs that belong to no step wait.
        effects.outputs.extend(outputs);
        unblocked
    }

    fn must_wait(&self, step: &InputEffects, outputs: &[Output]) -> bool {
        !step.records.is_empty()
            || step.session.is_some_and(|session| self.waiting_sessions.contains(&session))
            || outputs.iter().any(|output| shows_any_message(output, &self.unstored))
    }

    /// Ends a history query before the first message that is not stored, because that message is delivered once it is.
    fn bound_query(&self, mut output: Output) -> Output {
        if let (Output::Query { query, .. }, Some(first_unstored)) = (&mut output, self.first_unstored) {
            query.end_before(first_unstored);
        }
        output
    }
}

/// Returns true for an output that shows one of these messages.
pub(in crate::server) fn shows_any_message(output: &Output, messages: &HashSet<MessageId>) -> bool {
    match output {
        Output::Event(EventTo { event, .. }) | Output::Broadcast { event, .. } => {
            event.id.is_some_and(|id| messages.contains(&id))
        }
        Output::RequestDone(_, Ok(RequestOutcome::Posted(id))) => messages.contains(id),
        Output::Reply(_)
        | Output::Long(_)
        | Output::Query { .. }
        | Output::RequestDone(..)
        | Output::RemoveFileContent(_)
        | Output::Close(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::record::{AccountId, Conversation, MessageKind, StoredMessage};
    use crate::server::hub::commit::tests::{lines, note};
    use crate::wire::Timestamp;

    fn session(slot: u32) -> SessionId {
        SessionId { slot, generation: 0 }
    }

    fn message_record(n: i64) -> Record {
        let (from, id) = (AccountId(16), MessageId::from_i64(n));
        let conversation = Conversation::direct(from, from);
        let (text, tags) = ("x".into(), "".into());
        Record::Message(StoredMessage {
            id,
            conversation,
            from,
            kind: MessageKind::Privmsg,
            text,
            tags,
            send_id: None,
        })
    }

    /// Adds the effects of a session: so many messages, and a line to it.
    fn step(effects: &mut Effects, by: u32, messages: &[i64], line: &str) {
        let (records, outputs) = (effects.records.len(), effects.outputs.len());
        effects.records.extend(messages.iter().map(|&n| message_record(n)));
        effects.outputs.push(note(session(by), line));
        effects.by_input.push(InputEffects {
            records: records..effects.records.len(),
            outputs: outputs..effects.outputs.len(),
            from: None,
            session: Some(session(by)),
        });
    }

    #[test]
    fn outputs_without_records_overtake_in_session_order() {
        let mut effects = Effects::default();
        step(&mut effects, 1, &[7], "echo 1");
        step(&mut effects, 2, &[], "pong 2");
        step(&mut effects, 1, &[], "pong 1");
        let mut overtaking = Overtaking::default();
        overtaking.add_records(&effects.records);
        assert_eq!(lines(&overtaking.take_unblocked_committing(&mut effects)), ["pong 2"]);
        assert_eq!(lines(&effects.outputs), ["echo 1", "pong 1"]);
        let ranges: Vec<_> = effects.by_input.iter().map(|step| step.outputs.clone()).collect();
        assert_eq!(ranges, [0..1, 1..2]);

        let mut pending = Effects::default();
        step(&mut pending, 3, &[8], "echo 3");
        step(&mut pending, 2, &[], "pong 2 again");
        assert_eq!(lines(&overtaking.take_unblocked_pending(&mut pending)), ["pong 2 again"]);
        step(&mut pending, 3, &[], "pong 3");
        step(&mut pending, 1, &[], "pong 1 again");
        step(&mut pending, 4, &[], "pong 4");
        assert_eq!(lines(&overtaking.take_unblocked_pending(&mut pending)), ["pong 4"]);
        assert_eq!(lines(&pending.outputs), ["echo 3", "pong 3", "pong 1 again"]);
        assert_eq!(overtaking.first_unstored, Some(MessageId::from_i64(7)));
        assert_eq!(MessageId::from_i64(7).time(), Timestamp(0));
    }
}
