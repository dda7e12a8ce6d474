//! Access for scripts, which need every line as received and send queries that the model has no method for.

use super::event::{Conversation, MessageKind, Ticket};
use super::{Line, Model, NotConnected};

impl Model {
    /// Makes every further line also an [`Event::RawLine`](super::Event::RawLine), before the events that the model
    /// makes of it.
    pub fn emit_raw_lines(&mut self) {
        self.emits_raw_lines = true;
    }

    /// Sends a query. The result arrives as lines; a refusal as [`Event::QueryFailed`](super::Event::QueryFailed).
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
