//! Messages that were sent and are not confirmed yet.
//!
//! Each message has two marks. The `label` comes back on the server's reply, which is either the echo, so the message
//! is stored, or the refusal. The send id allows the message to be sent again after a broken connection: the server
//! stores it once and repeats that echo.

use std::collections::VecDeque;

use super::event::{Kind, Said, Target, Ticket};
use crate::client::line::Line;
use crate::client::split::pieces;
use crate::wire::{Cap, CapSet};

/// A message that is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub ticket: Ticket,
    pub target: Target,
    pub kind: Kind,
    /// A single line, or the lines of a multiline message.
    lines: Vec<String>,
    /// The id of the message that it replies to.
    pub reply: Option<String>,
    /// Set if it was sent on the current connection.
    sent: bool,
}

impl Pending {
    /// Returns the text as the client shows it.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    fn bytes(&self) -> usize {
        self.lines.iter().map(|line| line.len() + FRAME).sum()
    }
}

/// Approximate size of the protocol around a text, in bytes.
const FRAME: usize = 64;
/// Limit of unconfirmed bytes sent to servers other than Parlour, which itself needs no limit. Others disconnect a
/// client that sends more than their receive queue holds (8 KiB for InspIRCd).
const AHEAD: usize = 4096;

/// The unconfirmed messages, oldest first.
#[derive(Debug)]
pub(super) struct Sends {
    /// Prefix that makes the send ids of this run unique.
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

    /// Adds a message, which the next [`write`](Self::write) sends.
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

    /// Writes the messages that were not sent on this connection, within the limit of unconfirmed bytes. `room` is the
    /// limit of text in one line of a multiline message, in bytes. Returns the ticket of the last message written.
    pub fn write(&mut self, caps: CapSet, room: usize, out: &mut Vec<u8>) -> Option<Ticket> {
        // Sent messages come before unsent ones.
        let first = self.queue.partition_point(|pending| pending.sent);
        // Parlour accepts everything, so no limit applies to it.
        let bounded = !caps.has(Cap::SendId);
        let mut ahead: usize = if bounded { self.queue.range(..first).map(Pending::bytes).sum() } else { 0 };
        let mut last = None;
        for pending in self.queue.range_mut(first..) {
            if bounded {
                let bytes = pending.bytes();
                if ahead > 0 && ahead + bytes > AHEAD {
                    break;
                }
                ahead += bytes;
            }
            pending.sent = true;
            last = Some(pending.ticket);
            lines(&self.run, pending, caps, room, out);
        }
        last
    }

    /// Prepares the messages for a new connection. Where the server supports send ids, all are sent once more.
    /// Elsewhere a second copy would be a second message, so those that were sent are removed and returned.
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

    /// Removes and returns the message that a reply with this label belongs to.
    pub fn answered(&mut self, label: &str) -> Option<Pending> {
        let ticket = Ticket(label.parse().ok()?);
        let at = self.queue.iter().position(|pending| pending.ticket == ticket)?;
        self.queue.remove(at)
    }

    /// Removes and returns the message that this is the echo of, for servers without labels.
    pub fn echoed(&mut self, said: &Said) -> Option<Pending> {
        self.first(|pending| {
            pending.target == said.place && pending.kind == said.kind && pending.text() == said.text
        })
    }

    /// Removes and returns the oldest message sent to this target.
    pub fn sent_to(&mut self, target: &Target) -> Option<Pending> {
        self.first(|pending| pending.target == *target)
    }

    fn first(&mut self, is: impl Fn(&Pending) -> bool) -> Option<Pending> {
        let at = self.queue.iter().position(|pending| pending.sent && is(pending))?;
        self.queue.remove(at)
    }

    /// Removes and returns the sent messages up to this ticket.
    pub fn up_to(&mut self, last: Ticket) -> Vec<Pending> {
        let end = self.queue.partition_point(|pending| pending.sent && pending.ticket <= last);
        self.queue.drain(..end).collect()
    }
}

/// Returns whether the server accepts tags.
pub(super) fn takes_tags(caps: CapSet) -> bool {
    caps.has_any(&[Cap::MessageTags, Cap::LabeledResponse])
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
    let mut put = |line: Line| {
        let line = if takes_tags(caps) { line } else { line.bare() };
        out.extend_from_slice(line.end().as_bytes());
    };
    match &pending.lines[..] {
        [text] if text.len() <= room || !caps.has(Cap::Multiline) => {
            let line = marked(Line::new(command)).arg(target);
            put(match pending.kind {
                Kind::Action => line.text(&format!("\u{1}ACTION {text}\u{1}")),
                Kind::Text | Kind::Notice => line.text(text),
            });
        }
        // One message in a batch ([multiline](https://ircv3.net/specs/extensions/multiline)).
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
        // The server lost multiline support on reconnection, so the lines are joined to one message.
        texts => put(marked(Line::new(command)).arg(target).text(&texts.join(" "))),
    }
}
