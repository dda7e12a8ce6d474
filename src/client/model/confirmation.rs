//! Servers that don't confirm messages as Parlour does, by an echo with a label.
//!
//! Without labels, an echo with the same text confirms a message, and a refusal applies to the first message to the
//! target that it names. A PING follows each group of messages: its PONG confirms those that were not refused until
//! then. A server that supports labels but not `echo-message` confirms by ACK.

use super::Model;
use super::event::{ChatMessage, Conversation, Event, Ticket};
use super::unconfirmed::UnconfirmedMessage;
use crate::wire::{Cap, Message, Timestamp};

/// First character of the token of a PING behind messages; the ticket of the last message follows it.
pub(super) const CONFIRM_PING_PREFIX: char = 's';

/// Numerics that refuse a message: no such target, moderated, banned, registered accounts only, too many targets, not
/// accepted from this sender, no CTCP.
const SEND_REFUSALS: [u16; 12] = [401, 402, 403, 404, 407, 408, 415, 477, 486, 489, 492, 531];

impl Model {
    /// Confirms all messages up to this ticket: the server has handled them.
    pub(super) fn confirm_up_to(&mut self, last: &str, now: Timestamp) -> Option<()> {
        let handled = self.unconfirmed.take_up_to(Ticket(last.parse().ok()?));
        for pending in handled {
            self.confirm(pending, now);
        }
        Some(())
    }

    /// Fails the first message to the target of a refusal that has no label. `context` is the index of the parameter
    /// that names the target.
    pub(super) fn fail_unlabeled(&mut self, line: &Message<'_>, context: usize, reason: &str) -> Option<()> {
        let message = match line.command.parse() {
            Ok(code) => SEND_REFUSALS.contains(&code),
            Err(_) => matches!(line.param(0), Some("PRIVMSG" | "NOTICE")),
        };
        if !message || self.caps.has(Cap::LabeledResponse) {
            return None;
        }
        let pending =
            self.unconfirmed.take_first_to(&Conversation::from_server(line.param(context)?).ok()?)?;
        let (ticket, target, reason) = (pending.ticket, pending.target, reason.to_owned());
        self.events.push_back(Event::Failed { ticket, target, reason });
        Some(())
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
                ticket: Some(ticket),
            }));
        }
        self.events.push_back(Event::Confirmed(ticket));
    }

    /// Handles the ACK of a server that supports labels but does not echo.
    pub(super) fn handle_ack(&mut self, label: Option<&str>, now: Timestamp) -> Option<()> {
        let pending = self.unconfirmed.take_by_label(label?)?;
        self.confirm(pending, now);
        Some(())
    }
}
