//! Servers that don't confirm messages as Parlour does, by an echo with a label.
//!
//! Without labels, an echo with the same text confirms a message, and a refusal applies to the first message to the
//! target that it names. A PING follows each group of messages: its PONG confirms those that were not refused until
//! then. A server that supports labels but not `echo-message` confirms by ACK.

use super::UnconfirmedMessage;
use crate::client::model::Model;
use crate::client::model::event::{ChatMessage, Conversation, ErrorReply, Event, Ticket};
use crate::wire::{Cap, Timestamp};

/// First character of the token of a PING behind messages; the ticket of the last message follows it.
pub(in crate::client::model) const CONFIRM_PING_PREFIX: char = 's';

impl Model {
    /// Confirms all messages up to this ticket: the server has handled them.
    pub(in crate::client::model) fn confirm_up_to(&mut self, last: Ticket, now: Timestamp) {
        for pending in self.unconfirmed.take_up_to(last) {
            self.confirm(pending, now);
        }
    }

    /// Fails the first message to the target of a refusal that has no label. Returns whether there was one.
    pub(in crate::client::model) fn fail_unlabeled(&mut self, error: &ErrorReply) -> bool {
        if !error.refuses_message() || self.caps.has(Cap::LabeledResponse) {
            return false;
        }
        let Ok(target) = Conversation::from_server(error.subject()) else { return false };
        let Some(pending) = self.unconfirmed.take_first_to(&target) else { return false };
        let (text, reason) = (pending.text(), self.reason(error));
        self.events.push_back(Event::Failed { ticket: pending.ticket, target: pending.target, text, reason });
        true
    }

    /// Confirms a message. Where the server does not echo, it also makes the [`Event::Message`] that the echo would
    /// have caused.
    fn confirm(&mut self, pending: UnconfirmedMessage, now: Timestamp) {
        let ticket = pending.ticket;
        if let Some(me) = self.me.clone().filter(|_| !self.caps.has(Cap::EchoMessage)) {
            let text = pending.text();
            self.events.push_back(Event::Message(ChatMessage {
                conversation: pending.target,
                from: me,
                mine: true,
                kind: pending.kind,
                text,
                time: now,
                msgid: None,
                reply_to: pending.reply_to,
                files: Vec::new(),
                ticket: Some(ticket),
            }));
        }
        self.events.push_back(Event::Confirmed(ticket));
    }

    /// Handles the ACK of a server that supports labels but does not echo.
    pub(in crate::client::model) fn confirm_by_ack(&mut self, label: Option<&str>, now: Timestamp) {
        if let Some(pending) = label.and_then(|label| self.unconfirmed.take_by_label(label)) {
            self.confirm(pending, now);
        }
    }
}
