//! The outputs of one command as seen by the session that sent it: the labelled response, and long replies.

use std::sync::Arc;

use super::{Effects, LongPart, LongReply, Output, ReplyTo};
use crate::core::model::audience::SessionId;
use crate::wire::{BatchRef, CapSet, Label, Reply, Tagging};

/// Replies up to this size, in bytes, are queued like all output. It is half of the smallest send queue that can be
/// configured.
const MAX_QUEUED_REPLY_BYTES: usize = 32 * 1024;

/// The command that is being run, and its replies so far.
#[derive(Debug)]
pub(in crate::core) struct Scope {
    /// The session that sent the command.
    session: SessionId,
    /// The capabilities of the session.
    caps: CapSet,
    label: Option<Label>,
    /// Index of the command's first output.
    start: usize,
    /// Indices of the outputs that reach the session, if there is a label.
    replies: Vec<usize>,
    /// Index of the query whose result is the reply.
    query: Option<usize>,
    /// Approximate size of the outputs to the session alone, in bytes.
    bytes: usize,
}

impl Scope {
    /// Notes an output of the command, which gets this index.
    pub fn note(&mut self, index: usize, output: &Output) {
        self.bytes += match output {
            Output::Reply(reply) if reply.to == self.session => reply.size(),
            Output::Event(event) if event.to == self.session => event.event.approximate_size(),
            _ => 0,
        };
        if self.label.is_none() {
            return;
        }
        if self.reaches(output) {
            self.replies.push(index);
        } else if let Output::Query { session, query, .. } = output
            && *session == self.session
            && query.is_reply()
        {
            self.query.get_or_insert(index);
        }
    }

    /// Returns whether the session gets lines of the output.
    fn reaches(&self, output: &Output) -> bool {
        match output {
            Output::Reply(reply) => reply.to == self.session,
            Output::Event(event) => event.to == self.session && event.event.is_visible_to(event.caps),
            Output::Broadcast { origin: Some(origin), event, .. } => {
                origin.session == self.session && origin.gets_copy && event.is_visible_to(self.caps)
            }
            Output::Broadcast { .. }
            | Output::Long(_)
            | Output::Query { .. }
            | Output::RequestDone(..)
            | Output::RemoveFileContent(_)
            | Output::Close(..) => false,
        }
    }
}

impl Effects {
    /// Begins the outputs of a command of this session, which has these capabilities.
    pub(in crate::core) fn open_scope(&mut self, session: SessionId, caps: CapSet, label: Option<Label>) {
        debug_assert!(self.scope.is_none(), "commands are run one after the other");
        let start = self.outputs.len();
        self.scope = Some(Scope { session, caps, label, start, replies: Vec::new(), query: None, bytes: 0 });
    }

    /// Ends the outputs of the command. `nick` is that of a session that negotiated labelled responses: no reply then
    /// becomes an ACK, a single one carries the label, several go in a batch
    /// ([labeled-response](https://ircv3.net/specs/extensions/labeled-response)). If the reply is the result of a query,
    /// the query carries the label instead.
    pub(in crate::core) fn close_scope(&mut self, nick: Option<Arc<str>>) {
        let Some(Scope { session, label, start, replies, query, bytes, .. }) = self.scope.take() else {
            debug_assert!(false, "the scope was opened");
            return;
        };
        if let (Some(label), Some(nick)) = (label, nick) {
            let reply = |reply| Output::Reply(ReplyTo { to: session, nick: nick.clone(), reply });
            match (query, replies.as_slice()) {
                (Some(query), _) => {
                    if let Some(Output::Query { label: query_label, .. }) = self.outputs.get_mut(query) {
                        *query_label = Some(label);
                    }
                }
                (None, []) => self.outputs.push(reply(Reply::ack().tagged(Tagging::Label(label)))),
                (None, &[only]) => self.tag(only, Tagging::Label(label)),
                (None, &[first, .., last]) => {
                    for &index in &replies {
                        self.tag(index, Tagging::Batch(BatchRef::RESPONSE));
                    }
                    // Queries that follow the reply, such as the replay after a JOIN, stay outside.
                    self.outputs.insert(last + 1, reply(Reply::batch_end(BatchRef::RESPONSE)));
                    self.outputs.insert(first, reply(Reply::response_start(&label)));
                }
            }
        }
        if bytes > MAX_QUEUED_REPLY_BYTES {
            self.join_long(start, session);
        }
    }

    fn tag(&mut self, index: usize, tagging: Tagging) {
        match self.outputs.get_mut(index) {
            Some(Output::Reply(reply)) => reply.reply.set_tagging(tagging),
            Some(Output::Event(event)) => event.tagging = tagging,
            Some(Output::Broadcast { origin: Some(origin), .. }) => origin.tagging = tagging,
            other => debug_assert!(false, "not a reply: {other:?}"),
        }
    }

    /// Joins the outputs to `session` from `start` on to a [`LongReply`], or to several around outputs to others. This
    /// keeps the promise of `SAFELIST` for every list, and for the names of large channels in the welcome.
    fn join_long(&mut self, start: usize, session: SessionId) {
        let mut joined = Vec::new();
        for output in self.outputs.drain(start..) {
            let part = match output {
                Output::Reply(reply) if reply.to == session => LongPart::Reply(reply),
                Output::Event(event) if event.to == session => LongPart::Event(event),
                other => {
                    joined.push(other);
                    continue;
                }
            };
            if let Some(Output::Long(long)) = joined.last_mut() {
                long.parts.push(part);
            } else {
                joined.push(Output::Long(LongReply { to: session, parts: vec![part] }));
            }
        }
        self.outputs.append(&mut joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(slot: u32) -> SessionId {
        SessionId { slot, generation: 0 }
    }

    fn reply(to: u32) -> Output {
        let reply = Reply::command("NOTICE").arg("al").text("x".repeat(100));
        Output::Reply(ReplyTo { to: session(to), nick: "al".into(), reply })
    }

    fn run(replies: impl IntoIterator<Item = u32>) -> Vec<Output> {
        let mut fx = Effects::default();
        fx.open_scope(session(1), CapSet::EMPTY, None);
        for to in replies {
            fx.push(reply(to));
        }
        fx.close_scope(None);
        fx.outputs
    }

    #[test]
    fn a_long_reply_is_one_output_and_a_short_one_stays() {
        assert_eq!(run([1; 200]).len(), 200);
        let outputs = run([1; 200].into_iter().chain([2]).chain([1; 201]));
        let [Output::Long(first), Output::Reply(other), Output::Long(last)] = &outputs[..] else {
            panic!("{} outputs", outputs.len())
        };
        assert_eq!((first.to, other.to, last.to), (session(1), session(2), session(1)));
        assert_eq!((first.parts.len(), last.parts.len()), (200, 201));
    }
}
