//! Servers that do not confirm messages as Parlour does, by an echo with a label.
//!
//! Without labels, an echo with the same words is the answer, and a refusal is of the first message that went to where it
//! names. Behind messages a PING goes out: what was not refused before its answer was taken. A server that knows labels
//! and does not echo acknowledges.

use super::Model;
use super::event::{Event, Said, Target, Ticket};
use super::sends::Pending;
use crate::wire::{Cap, Message, Millis};

/// Begins the word of a PING behind messages, before the ticket of the last of them.
pub(super) const HANDLED: char = 's';

/// Numerics that refuse a message: nobody and nothing of that name, moderated, banned, only for registered people, too
/// many targets, not from this person, no CTCP.
const UNSENT: [u16; 12] = [401, 402, 403, 404, 407, 408, 415, 477, 486, 489, 492, 531];

impl Model {
    /// The server has handled all that was sent up to this ticket.
    pub(super) fn handled(&mut self, last: &str, now: Millis) -> Option<()> {
        let handled = self.sends.up_to(Ticket(last.parse().ok()?));
        for pending in handled {
            self.taken(pending, now);
        }
        Some(())
    }

    /// A refusal without a label is of the first message that went there. `context`: the parameter that says where.
    pub(super) fn refused_elsewhere(
        &mut self,
        line: &Message<'_>,
        context: usize,
        reason: &str,
    ) -> Option<()> {
        let message = match line.command.parse() {
            Ok(code) => UNSENT.contains(&code),
            Err(_) => matches!(line.param(0), Some("PRIVMSG" | "NOTICE")),
        };
        if !message || self.caps.has(Cap::LabeledResponse) {
            return None;
        }
        let pending = self.sends.sent_to(&Target::heard(line.param(context)?).ok()?)?;
        let (ticket, target, reason) = (pending.ticket, pending.target, reason.to_owned());
        self.events.push_back(Event::Failed { ticket, target, reason });
        Some(())
    }

    /// The server took a message, and does not say it back where it cannot.
    fn taken(&mut self, pending: Pending, now: Millis) {
        let ticket = pending.ticket;
        if let Some(me) = self.me.clone().filter(|_| !self.caps.has(Cap::EchoMessage)) {
            let text = pending.text();
            self.events.push_back(Event::Said(Said {
                place: pending.target,
                from: me,
                mine: true,
                kind: pending.kind,
                text,
                time: now,
                msgid: None,
                reply: pending.reply,
                ticket: Some(ticket),
            }));
        }
        self.events.push_back(Event::Confirmed(ticket));
    }

    /// A server that does not echo acknowledges.
    pub(super) fn acknowledged(&mut self, label: Option<&str>, now: Millis) -> Option<()> {
        let pending = self.sends.answered(label?)?;
        self.taken(pending, now);
        Some(())
    }
}
