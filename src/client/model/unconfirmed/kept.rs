//! Messages that are kept between two runs of the client, and those whose cancelling can be undone.

use super::{Cancelled, UnconfirmedMessage, UnconfirmedMessages};
use crate::client::model::Model;
use crate::client::model::event::{Conversation, Event, MessageKind, Ticket};
use crate::wire::Cap;

/// Message that no server has confirmed, as it is kept for the next run of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// Conversation that it is for.
    pub target: Conversation,
    /// Text, notice or action.
    pub kind: MessageKind,
    /// Text as it was typed.
    pub text: String,
    /// Id of the message that it replies to.
    pub reply_to: Option<String>,
    /// Send id, by which the server stores the message once although it is sent again.
    pub send_id: String,
    /// Set if it was sent, so that the server may have it.
    pub was_sent: bool,
}

/// Reason of the failure of a message that was sent before the client ended, on a server without send ids.
const LOST_REASON: &str = "the client ended before the server confirmed it; it may have arrived";

impl UnconfirmedMessages {
    /// Holds a message that waits back, or goes on with it. `None` for one that was sent.
    pub fn hold(&mut self, ticket: Ticket, held: bool) -> Option<Cancelled> {
        let pending = self.queue.iter_mut().find(|pending| pending.ticket == ticket && !pending.is_sent)?;
        pending.is_held = held;
        Some(Cancelled::new(pending))
    }

    /// Returns the send id of a message.
    pub fn send_id(&self, ticket: Ticket) -> Option<&str> {
        self.queue.iter().find(|pending| pending.ticket == ticket).map(|pending| pending.send_id.as_str())
    }

    /// Iterates over the messages to keep, in their order.
    fn to_keep(&self) -> impl Iterator<Item = KeptMessage> {
        self.queue.iter().filter(|pending| !pending.is_held).map(|pending| KeptMessage {
            target: pending.target.clone(),
            kind: pending.kind,
            text: pending.text(),
            reply_to: pending.reply_to.clone(),
            send_id: pending.send_id.clone(),
            was_sent: pending.is_sent || pending.was_sent,
        })
    }
}

impl Model {
    /// Holds a message that waits to be sent back, or goes on with it. `None` for one that was sent.
    pub fn hold_message(&mut self, ticket: Ticket, held: bool) -> Option<Cancelled> {
        let cancelled = self.unconfirmed.hold(ticket, held);
        if cancelled.is_some() && !held {
            self.write_unconfirmed();
        }
        cancelled
    }

    /// Returns the send id of a message that is not confirmed.
    pub fn send_id(&self, ticket: Ticket) -> Option<&str> {
        self.unconfirmed.send_id(ticket)
    }

    /// Returns the messages that are not confirmed, for the next run of the client.
    pub fn messages_to_keep(&self) -> Vec<KeptMessage> {
        self.unconfirmed.to_keep().collect()
    }

    /// Returns a ticket for a message of an earlier run that has failed.
    pub fn take_ticket_of_failed(&mut self) -> Ticket {
        self.take_ticket()
    }

    /// Sends a message of an earlier run, now or as soon as there is a connection, under its send id. One that the server
    /// may have and would store twice fails instead.
    pub fn resume_message(&mut self, message: KeptMessage) -> Ticket {
        let ticket = self.take_ticket();
        let KeptMessage { target, kind, text, reply_to, send_id, was_sent } = message;
        if was_sent && self.online && !self.has_cap(Cap::SendId) {
            self.events.push_back(Event::Failed { ticket, target, text, reason: LOST_REASON.to_owned() });
            return ticket;
        }
        self.unconfirmed.queue.push_back(UnconfirmedMessage {
            ticket,
            send_id,
            target,
            kind,
            lines: text.split('\n').map(str::to_owned).collect(),
            reply_to,
            // As if this connection had sent it and then broken.
            is_sent: was_sent && !self.online,
            was_sent,
            waited: true,
            is_held: false,
        });
        self.write_unconfirmed();
        ticket
    }
}
