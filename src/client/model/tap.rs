//! Access for scripts, which need every line as received and send queries that the model has no method for.

use super::event::{Kind, Target, Ticket};
use super::{Line, Model, Offline};

impl Model {
    /// Makes every further line also an [`Event::Line`](super::Event::Line), before the events that the model makes of
    /// it.
    pub fn tap(&mut self) {
        self.tapped = true;
    }

    /// Sends a query. The result arrives as lines; a refusal as [`Event::NoHistory`](super::Event::NoHistory).
    pub fn query(&mut self, line: impl FnOnce(Line) -> Line, command: &str) -> Result<Ticket, Offline> {
        self.question(line, command)
    }

    /// Sends lines as one message. The server must support [`Cap::Multiline`](crate::wire::Cap::Multiline).
    pub fn say_together(&mut self, target: &Target, kind: Kind, lines: Vec<String>) -> Ticket {
        let ticket = self.send(target, kind, lines, None);
        self.write_sends();
        ticket
    }
}
