//! What was sent and not yet confirmed.
//!
//! Each message has two marks. The `label` comes back on the server's answer, which is either the echo,
//! and then the message is kept for good, or the refusal. The send id lets the same message be sent again
//! after a broken connection: the server keeps one and echoes that.

use std::collections::VecDeque;

use super::event::{Kind, Target, Ticket};
use crate::client::line::Line;
use crate::client::split::pieces;
use crate::wire::{Cap, CapSet};

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub ticket: Ticket,
    pub target: Target,
    kind: Kind,
    /// One, or those of a message of several lines.
    lines: Vec<String>,
    /// The message that it answers.
    reply: Option<String>,
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
    pub fn push(
        &mut self,
        ticket: Ticket,
        target: Target,
        kind: Kind,
        lines: Vec<String>,
        reply: Option<String>,
    ) {
        self.queue.push_back(Pending { ticket, target, kind, lines, reply, sent: false });
    }

    /// The lines of all that has not gone out on this connection yet. `room`: most bytes of text in a line of a message
    /// of several.
    pub fn write(&mut self, caps: CapSet, room: usize, out: &mut Vec<u8>) {
        // Those that went out stand before those that did not.
        let first = self.queue.partition_point(|pending| pending.sent);
        for pending in self.queue.range_mut(first..) {
            pending.sent = true;
            lines(&self.run, pending, caps, room, out);
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

fn lines(run: &str, pending: &Pending, caps: CapSet, room: usize, out: &mut Vec<u8>) {
    let command = if pending.kind == Kind::Notice { "NOTICE" } else { "PRIVMSG" };
    let ticket = pending.ticket.0.to_string();
    let marked = |line: Line| {
        let mut line = line.tag("label", &ticket);
        if caps.has(Cap::SendId) {
            line = line.tag(Cap::SendId.name(), &format!("{run}-{ticket}"));
        }
        match &pending.reply {
            Some(id) => line.tag("+draft/reply", id),
            None => line,
        }
    };
    let target = pending.target.as_str();
    let mut put = |line: Line| out.extend_from_slice(line.end().as_bytes());
    match &pending.lines[..] {
        [text] if text.len() <= room || !caps.has(Cap::Multiline) => {
            let line = marked(Line::new(command)).arg(target);
            put(match pending.kind {
                Kind::Action => line.text(&format!("\u{1}ACTION {text}\u{1}")),
                Kind::Text | Kind::Notice => line.text(text),
            });
        }
        // One message ([multiline](https://ircv3.net/specs/extensions/multiline)).
        texts if caps.has(Cap::Multiline) => {
            put(marked(Line::new("BATCH")).arg(&format!("+{ticket}")).arg("draft/multiline").arg(target));
            for text in texts {
                let line = || Line::new(command).tag("batch", &ticket);
                if text.is_empty() {
                    put(line().arg(target).text(""));
                }
                for (index, piece) in pieces(text, room).enumerate() {
                    let line = if index == 0 { line() } else { line().flag("draft/multiline-concat") };
                    put(line.arg(target).text(piece));
                }
            }
            put(Line::new("BATCH").arg(&format!("-{ticket}")));
        }
        // The server that came back cannot do it any more: what it can has the words at least.
        texts => put(marked(Line::new(command)).arg(target).text(&texts.join(" "))),
    }
}
