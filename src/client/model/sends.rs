//! What was sent and not yet confirmed.
//!
//! Each message has two marks. The `label` comes back on the server's answer, which is either the echo,
//! and then the message is kept for good, or the refusal. The send id lets the same message be sent again
//! after a broken connection: the server keeps one and echoes that.

use std::collections::VecDeque;

use super::event::{Kind, Said, Target, Ticket};
use crate::client::line::Line;
use crate::client::split::pieces;
use crate::wire::{Cap, CapSet};

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub ticket: Ticket,
    pub target: Target,
    pub kind: Kind,
    /// One, or those of a message of several lines.
    lines: Vec<String>,
    /// The message that it answers.
    pub reply: Option<String>,
    /// It went out on some connection already.
    sent: bool,
}

impl Pending {
    /// As it is shown.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    fn bytes(&self) -> usize {
        self.lines.iter().map(|line| line.len() + FRAME).sum()
    }
}

/// What stands around a text on the wire, about.
const FRAME: usize = 64;
/// Most bytes that go out ahead of what the server has answered, where it is not Parlour, which takes what comes as fast
/// as it likes: others throw out who sends more than they hold (8 KiB at InspIRCd).
const AHEAD: usize = 4096;

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

    /// The lines of what has not gone out on this connection yet, as far as it may. `room`: most bytes of text in a line
    /// of a message of several. Gives the last that went out now.
    pub fn write(&mut self, caps: CapSet, room: usize, out: &mut Vec<u8>) -> Option<Ticket> {
        // Those that went out stand before those that did not.
        let first = self.queue.partition_point(|pending| pending.sent);
        // Parlour takes all of it, so nothing is counted there.
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

    /// Takes the message out that this is the echo of, at a server that knows no labels.
    pub fn echoed(&mut self, said: &Said) -> Option<Pending> {
        self.first(|pending| {
            pending.target == said.place && pending.kind == said.kind && pending.text() == said.text
        })
    }

    /// Takes the first message out that went there.
    pub fn sent_to(&mut self, target: &Target) -> Option<Pending> {
        self.first(|pending| pending.target == *target)
    }

    fn first(&mut self, is: impl Fn(&Pending) -> bool) -> Option<Pending> {
        let at = self.queue.iter().position(|pending| pending.sent && is(pending))?;
        self.queue.remove(at)
    }

    /// Takes all out that went out up to this one.
    pub fn up_to(&mut self, last: Ticket) -> Vec<Pending> {
        let end = self.queue.partition_point(|pending| pending.sent && pending.ticket <= last);
        self.queue.drain(..end).collect()
    }
}

/// May a line have tags?
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
