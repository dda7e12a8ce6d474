//! What was sent and not yet confirmed.
//!
//! Each message has two marks. The `label` comes back on the server's answer, which is either the echo,
//! and then the message is kept for good, or the refusal. The send id lets the same message be sent again
//! after a broken connection: the server keeps one and echoes that.

use std::collections::VecDeque;

use super::event::{Kind, Target, Ticket};
use crate::client::line::Line;
use crate::wire::{Cap, CapSet};

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub ticket: Ticket,
    pub target: Target,
    kind: Kind,
    text: String,
    /// It went out on some connection already.
    sent: bool,
}

/// The messages on their way, oldest first.
#[derive(Debug)]
pub(super) struct Sends {
    /// Makes the send ids of this run unlike those of any other.
    run: String,
    queue: VecDeque<Pending>,
}

impl Sends {
    pub fn new(run: String) -> Self {
        Self { run, queue: VecDeque::new() }
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Adds one that goes out with the next [`write`](Self::write).
    pub fn push(&mut self, ticket: Ticket, target: Target, kind: Kind, text: String) {
        self.queue.push_back(Pending { ticket, target, kind, text, sent: false });
    }

    /// The lines of all that has not gone out on this connection yet.
    pub fn write(&mut self, caps: CapSet, out: &mut Vec<u8>) {
        // Those that went out stand before those that did not.
        let first = self.queue.partition_point(|pending| pending.sent);
        for pending in self.queue.range_mut(first..) {
            pending.sent = true;
            out.extend_from_slice(line(&self.run, pending, caps).as_bytes());
        }
    }

    /// On a new connection everything goes out once more where the server knows send ids. Where it does not,
    /// a second copy would be a second message: those that went out are handed back.
    pub fn reconnected(&mut self, caps: CapSet) -> Vec<Pending> {
        let mut lost = Vec::new();
        if !caps.has(Cap::SendId) {
            lost = self.queue.iter().filter(|pending| pending.sent).cloned().collect();
            self.queue.retain(|pending| !pending.sent);
        }
        for pending in &mut self.queue {
            pending.sent = false;
        }
        lost
    }

    /// Takes the message out that an answer with this label belongs to.
    pub fn answered(&mut self, label: &str) -> Option<Pending> {
        let ticket = Ticket(label.parse().ok()?);
        let at = self.queue.iter().position(|pending| pending.ticket == ticket)?;
        self.queue.remove(at)
    }
}

fn line(run: &str, pending: &Pending, caps: CapSet) -> String {
    let command = if pending.kind == Kind::Notice { "NOTICE" } else { "PRIVMSG" };
    let mut line = Line::new(command).tag("label", &pending.ticket.0.to_string());
    if caps.has(Cap::SendId) {
        line = line.tag(Cap::SendId.name(), &format!("{run}-{}", pending.ticket.0));
    }
    let line = line.arg(pending.target.as_str());
    match pending.kind {
        Kind::Action => line.text(&format!("\u{1}ACTION {}\u{1}", pending.text)).end(),
        Kind::Text | Kind::Notice => line.text(&pending.text).end(),
    }
}
