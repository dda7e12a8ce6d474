//! Access for scripts, which need every line with its tags and send queries that the model has no method for.

use super::event::{Conversation, MessageKind, Ticket};
use super::{Line, Model, NotConnected};

impl Model {
    /// Makes every further line that is part of no result an [`Event::Received`](super::Event::Received), before the
    /// events that the model makes of it, and every result an [`Event::Result`](super::Event::Result).
    pub fn emit_received(&mut self) {
        self.emits_received = true;
    }

    /// Sends a query. The result arrives as an [`Event::Result`](super::Event::Result) or in lines; a refusal as an
    /// [`Event::QueryFailed`](super::Event::QueryFailed).
    pub fn query(&mut self, line: impl FnOnce(Line) -> Line, command: &str) -> Result<Ticket, NotConnected> {
        self.send_query(line, command)
    }

    /// Sends lines as one message. The server must support [`Cap::Multiline`](crate::wire::Cap::Multiline).
    pub fn send_multiline(&mut self, target: &Conversation, kind: MessageKind, lines: Vec<String>) -> Ticket {
        let ticket = self.queue_message(target, kind, lines, None);
        self.write_unconfirmed();
        ticket
    }
}
