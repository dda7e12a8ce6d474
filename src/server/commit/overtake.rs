//! Outputs that need no commit overtake a commit that hangs.
//!
//! The order that matters is kept. Later outputs of a session with waiting outputs wait behind these. A repetition of a
//! message that is not stored yet waits for that message. The history is shown up to the first message that is not
//! stored, which then comes as an event.

use std::collections::HashSet;

use crate::core::effects::Step;
use crate::core::record::Record;
use crate::core::{Effects, Output, SessionId};
use crate::wire::MessageId;

/// Sessions and messages that wait for the hanging commit.
#[derive(Debug, Default)]
pub(in crate::server) struct Overtaking {
    /// Sessions with waiting outputs.
    waiting: HashSet<SessionId>,
    /// Messages that are not stored yet, and the first of them.
    unkept: HashSet<MessageId>,
    first: Option<MessageId>,
    /// Counts of records and steps of the pending effects that were examined; these steps wait.
    records: usize,
    steps: usize,
}

impl Overtaking {
    /// Notes the messages of records that wait.
    pub fn note(&mut self, records: &[Record]) {
        for record in records {
            if let Record::Message(message) = record {
                self.unkept.insert(message.id);
                self.first = Some(self.first.map_or(message.id, |first| first.min(message.id)));
            }
        }
    }

    /// Moves the steps without records that wait for the effects under commit to these; returns the others. Counting the
    /// effects behind the commit begins anew.
    pub fn stay_behind(&mut self, committing: &mut Effects, pending: Effects) -> Effects {
        self.waiting = committing.steps.iter().filter_map(|step| step.session).collect();
        let mut others = Effects::default();
        let mut outputs = pending.outputs.into_iter();
        for step in pending.steps {
            let own: Vec<Output> = outputs.by_ref().take(step.outputs.len()).collect();
            let stays = step.records.is_empty() && self.waits(&step, &own);
            if stays {
                self.waiting.extend(step.session);
            }
            let into = if stays { &mut *committing } else { &mut others };
            let records = if stays { 0..0 } else { step.records };
            let start = into.outputs.len();
            into.outputs.extend(own);
            into.steps.push(Step { records, outputs: start..into.outputs.len(), ..step });
        }
        others.outputs.extend(outputs);
        others
    }

    /// Takes the outputs that need not wait out of the effects that are being committed.
    pub fn pass_committing(&mut self, effects: &mut Effects) -> Vec<Output> {
        self.pass(effects, 0)
    }

    /// Takes the outputs that need not wait out of the pending effects. Examines each step once.
    pub fn pass_pending(&mut self, effects: &mut Effects) -> Vec<Output> {
        let new = effects.records.get(self.records..).unwrap_or_default();
        self.note(new);
        self.records = effects.records.len();
        let passed = self.pass(effects, self.steps);
        self.steps = effects.steps.len();
        passed
    }

    fn pass(&mut self, effects: &mut Effects, from: usize) -> Vec<Output> {
        let steps = effects.steps.split_off(from.min(effects.steps.len()));
        let start = steps.first().map_or(effects.outputs.len(), |step| step.outputs.start);
        let mut outputs = effects.outputs.split_off(start.min(effects.outputs.len())).into_iter();
        let mut passed = Vec::new();
        for step in steps {
            let mut own: Vec<Output> = outputs.by_ref().take(step.outputs.len()).collect();
            if self.waits(&step, &own) {
                self.waiting.extend(step.session);
                let start = effects.outputs.len();
                effects.outputs.append(&mut own);
                effects.steps.push(Step { outputs: start..effects.outputs.len(), ..step });
            } else {
                passed.extend(own.into_iter().map(|output| self.bounded(output)));
            }
        }
        // Outputs that belong to no step wait.
        effects.outputs.extend(outputs);
        passed
    }

    fn waits(&self, step: &Step, outputs: &[Output]) -> bool {
        !step.records.is_empty()
            || step.session.is_some_and(|session| self.waiting.contains(&session))
            || outputs.iter().any(|output| shows(output, &self.unkept))
    }

    /// Ends a history query before the first message that is not stored, because that message is delivered once it is.
    fn bounded(&self, mut output: Output) -> Output {
        if let (Output::Ask { ask, .. }, Some(first)) = (&mut output, self.first) {
            ask.end_before(first);
        }
        output
    }
}

/// Returns true for an output that shows one of these messages.
pub(in crate::server) fn shows(output: &Output, messages: &HashSet<MessageId>) -> bool {
    match output {
        Output::Event { event, .. } | Output::Fan { event, .. } => {
            event.id.is_some_and(|id| messages.contains(&id))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::record::{AccountId, MessageKind, Place, StoredMessage};
    use crate::wire::Millis;

    fn session(slot: u32) -> SessionId {
        SessionId { slot, generation: 0 }
    }

    fn said(n: i64) -> Record {
        let (from, id) = (AccountId(16), MessageId::from_i64(n));
        let place = Place::direct(from, from);
        let (text, tags) = ("x".into(), "".into());
        Record::Message(StoredMessage {
            id,
            place,
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
        effects.records.extend(messages.iter().map(|&n| said(n)));
        effects.outputs.push(Output::Line(session(by), line.into()));
        effects.steps.push(Step {
            records: records..effects.records.len(),
            outputs: outputs..effects.outputs.len(),
            from: None,
            session: Some(session(by)),
        });
    }

    fn lines<'a>(outputs: &'a [Output]) -> Vec<&'a str> {
        let line = |output: &'a Output| match output {
            Output::Line(_, line) => Some(line.as_str()),
            _ => None,
        };
        outputs.iter().filter_map(line).collect()
    }

    #[test]
    fn outputs_without_records_overtake_in_session_order() {
        let mut effects = Effects::default();
        step(&mut effects, 1, &[7], "echo 1");
        step(&mut effects, 2, &[], "pong 2");
        step(&mut effects, 1, &[], "pong 1");
        let mut overtaking = Overtaking::default();
        overtaking.note(&effects.records);
        assert_eq!(lines(&overtaking.pass_committing(&mut effects)), ["pong 2"]);
        assert_eq!(lines(&effects.outputs), ["echo 1", "pong 1"]);
        let ranges: Vec<_> = effects.steps.iter().map(|step| step.outputs.clone()).collect();
        assert_eq!(ranges, [0..1, 1..2]);

        let mut pending = Effects::default();
        step(&mut pending, 3, &[8], "echo 3");
        step(&mut pending, 2, &[], "pong 2 again");
        assert_eq!(lines(&overtaking.pass_pending(&mut pending)), ["pong 2 again"]);
        step(&mut pending, 3, &[], "pong 3");
        step(&mut pending, 1, &[], "pong 1 again");
        step(&mut pending, 4, &[], "pong 4");
        assert_eq!(lines(&overtaking.pass_pending(&mut pending)), ["pong 4"]);
        assert_eq!(lines(&pending.outputs), ["echo 3", "pong 3", "pong 1 again"]);
        assert_eq!(overtaking.first, Some(MessageId::from_i64(7)));
        assert_eq!(MessageId::from_i64(7).time(), Millis(0));
    }
}
