//! For scripts, which want every line as it came, and ask questions that the model knows no form for.

use super::event::{Kind, Target, Ticket};
use super::{Line, Model, Offline};

impl Model {
    /// From now on every line is told as it came too, by [`Event::Line`](super::Event::Line), before what the model
    /// makes of it.
    pub fn tap(&mut self) {
        self.tapped = true;
    }

    /// Asks something. The answer comes in lines; a refusal as [`Event::NoHistory`](super::Event::NoHistory).
    pub fn query(&mut self, line: impl FnOnce(Line) -> Line, command: &str) -> Result<Ticket, Offline> {
        self.question(line, command)
    }

    /// Says lines as one message; the server must know [`Cap::Multiline`](crate::wire::Cap::Multiline).
    pub fn say_together(&mut self, target: &Target, kind: Kind, lines: Vec<String>) -> Ticket {
        let ticket = self.send(target, kind, lines, None);
        self.write_sends();
        ticket
    }
}
