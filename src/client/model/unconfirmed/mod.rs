//! Messages that were sent and are not confirmed yet.
//!
//! Each message has two marks. The `label` comes back on the server's reply, which is either the echo, so the message
//! is stored, or the refusal. The send id allows the message to be sent again after a broken connection: the server
//! stores it once and repeats that echo.
//!
//! A message *waits* if it could not be sent when the user sent it. Waiting messages go out in the background: after the
//! login is complete, few at a time, so that queries of the user are not behind hundreds of them. On Parlour, a message
//! to a conversation in which none waits goes out at once.

pub(super) mod kept;
pub(super) mod other_servers;

use std::collections::{HashSet, VecDeque};

use crate::client::model::event::{ChatMessage, Conversation, MessageKind, Ticket};
use crate::client::text::line::Line;
use crate::client::text::split::split_to_fit;
use crate::wire::{Cap, CapSet};

/// A message that is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent")]
pub(super) struct UnconfirmedMessage {
    pub ticket: Ticket,
    /// Send id, the same in each attempt, also after a restart of the client.
    send_id: String,
    pub target: Conversation,
    pub kind: MessageKind,
    /// A single line, or the lines of a multiline message.
    lines: Vec<String>,
    /// The id of the message that it replies to.
    pub reply_to: Option<String>,
    /// Set if it was sent on the current connection.
    is_sent: bool,
    /// Set if it was sent on an earlier connection, so that the server may have it.
    was_sent: bool,
    /// Set if it could not be sent at once.
    waited: bool,
    /// Set while the user may undo that it was cancelled. It is not sent meanwhile.
    is_held: bool,
}

impl UnconfirmedMessage {
    /// Returns the text as the client shows it.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Returns whether it was not sent on this connection, and is to be sent.
    fn waits(&self) -> bool {
        !self.is_sent && !self.is_held
    }

    fn wire_bytes(&self) -> usize {
        self.lines.iter().map(|line| line.len() + FRAME_BYTES).sum()
    }
}

/// A message that waited and is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// The ticket of the message.
    pub ticket: Ticket,
    /// Set if it was sent on an earlier connection, so that it may have arrived.
    pub may_have_arrived: bool,
}

impl Cancelled {
    fn new(pending: &UnconfirmedMessage) -> Self {
        Self { ticket: pending.ticket, may_have_arrived: pending.was_sent }
    }
}

/// Approximate size of the protocol around a text, in bytes.
const FRAME_BYTES: usize = 64;
/// Limit of unconfirmed bytes sent to servers other than Parlour, which itself needs no limit. Others disconnect a
/// client that sends more than their receive queue holds (8 KiB for InspIRCd).
const MAX_UNCONFIRMED_BYTES: usize = 4096;
/// Limit of unconfirmed messages that waited before they were sent. A query of the user is behind so many at most, and
/// the server's rate limit applies to each of them.
const MAX_WAITED_IN_FLIGHT: usize = 4;

/// The unconfirmed messages, oldest first.
#[derive(Debug)]
pub(super) struct UnconfirmedMessages {
    /// Prefix that makes the send ids of this run unique.
    send_id_prefix: String,
    queue: VecDeque<UnconfirmedMessage>,
}

impl UnconfirmedMessages {
    pub fn new(send_id_prefix: String) -> Self {
        Self { send_id_prefix, queue: VecDeque::new() }
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Returns the number of messages that were not sent on this connection.
    pub fn waiting_len(&self) -> usize {
        self.queue.iter().filter(|pending| pending.waits()).count()
    }

    /// Adds a message, which the next [`write_unsent`](Self::write_unsent) sends, or a later one if it `waits`.
    pub fn push(
        &mut self,
        ticket: Ticket,
        target: Conversation,
        kind: MessageKind,
        lines: Vec<String>,
        reply: Option<String>,
        waits: bool,
    ) {
        let send_id = format!("{}-{}", self.send_id_prefix, ticket.0);
        self.queue.push_back(UnconfirmedMessage {
            ticket,
            send_id,
            target,
            kind,
            lines,
            reply_to: reply,
            is_sent: false,
            was_sent: false,
            waited: waits,
            is_held: false,
        });
    }

    /// Removes the message with this ticket if it waits.
    pub fn cancel(&mut self, ticket: Ticket) -> Option<Cancelled> {
        let at = self.queue.iter().position(|pending| pending.ticket == ticket && !pending.is_sent)?;
        self.queue.remove(at).map(|pending| Cancelled::new(&pending))
    }

    /// Returns the tickets of the messages to this target that wait.
    pub fn all_waiting(&self, target: &Conversation) -> Vec<Ticket> {
        let waiting = self.queue.iter().filter(|pending| pending.waits() && pending.target == *target);
        waiting.map(|pending| pending.ticket).collect()
    }

    /// Returns the ticket of the last message to this target that waits.
    pub fn last_waiting(&self, target: &Conversation) -> Option<Ticket> {
        let mut waiting = self.queue.iter().rev().filter(|pending| pending.waits());
        waiting.find(|pending| pending.target == *target).map(|pending| pending.ticket)
    }

    /// Returns whether the message with this ticket waits.
    pub fn is_waiting(&self, ticket: Ticket) -> bool {
        self.queue.iter().any(|pending| pending.ticket == ticket && pending.waits())
    }

    /// Writes the messages that were not sent on this connection, within the limits of what may be unconfirmed.
    /// What waited stays until the login is complete (`ready`). `text_limit` is the limit of text in one line of a
    /// multiline message, in bytes. Returns the ticket of the last message written.
    pub fn write_unsent(
        &mut self,
        caps: CapSet,
        ready: bool,
        text_limit: usize,
        out: &mut Vec<u8>,
    ) -> Option<Ticket> {
        let is_parlour = caps.has(Cap::SendId);
        let chosen = if is_parlour { self.choose_for_parlour(ready) } else { self.choose_in_order(ready) };
        let mut last = None;
        for index in chosen {
            let pending = &mut self.queue[index];
            pending.is_sent = true;
            last = Some(pending.ticket);
            write_message(pending, caps, text_limit, out);
        }
        last
    }

    /// Chooses in the order of each conversation: what waited within a limit, and the rest all at once, because Parlour
    /// takes everything.
    fn choose_for_parlour(&mut self, ready: bool) -> Vec<usize> {
        let in_flight = self.queue.iter().filter(|pending| pending.is_sent && pending.waited).count();
        let mut room = if ready { MAX_WAITED_IN_FLIGHT.saturating_sub(in_flight) } else { 0 };
        let mut blocked: HashSet<&Conversation> = HashSet::new();
        let mut chosen = Vec::new();
        let unsent = self.queue.iter_mut().enumerate();
        for (index, pending) in unsent.filter(|(_, pending)| !pending.is_sent && !pending.is_held) {
            let is_behind = blocked.contains(&pending.target);
            pending.waited |= is_behind;
            if is_behind || pending.waited && room == 0 {
                blocked.insert(&pending.target);
            } else {
                room -= usize::from(pending.waited);
                chosen.push(index);
            }
        }
        chosen
    }

    /// Chooses in the order of the queue, within a limit of bytes.
    fn choose_in_order(&self, ready: bool) -> Vec<usize> {
        // Sent messages come before unsent ones, except for those that are held.
        let first = self.queue.iter().rposition(|pending| pending.is_sent).map_or(0, |at| at + 1);
        let sent = self.queue.range(..first).filter(|pending| pending.is_sent);
        let mut ahead: usize = sent.map(UnconfirmedMessage::wire_bytes).sum();
        let fits = |(_, pending): &(usize, &UnconfirmedMessage)| {
            let before = ahead;
            ahead += pending.wire_bytes();
            (ready || !pending.waited) && (before == 0 || ahead <= MAX_UNCONFIRMED_BYTES)
        };
        let unsent = self.queue.iter().enumerate().skip(first).filter(|(_, pending)| !pending.is_held);
        unsent.take_while(fits).map(|(index, _)| index).collect()
    }

    /// Prepares the messages for a new connection. Where the server supports send ids, all are sent once more.
    /// Elsewhere a second copy would be a second message, so those that were sent are removed and returned.
    pub fn prepare_reconnect(&mut self, caps: CapSet) -> Vec<UnconfirmedMessage> {
        let mut lost = Vec::new();
        if !caps.has(Cap::SendId) {
            lost = self.queue.iter().filter(|pending| pending.is_sent).cloned().collect();
            self.queue.retain(|pending| !pending.is_sent);
        }
        for pending in &mut self.queue {
            pending.was_sent |= std::mem::take(&mut pending.is_sent);
            pending.waited = true;
        }
        lost
    }

    /// Removes and returns the message that a reply with this label belongs to.
    pub fn take_by_label(&mut self, label: &str) -> Option<UnconfirmedMessage> {
        let ticket = Ticket(label.parse().ok()?);
        let at = self.queue.iter().position(|pending| pending.ticket == ticket)?;
        self.queue.remove(at)
    }

    /// Removes and returns the message that this is the echo of, for servers without labels.
    pub fn take_by_echo(&mut self, message: &ChatMessage) -> Option<UnconfirmedMessage> {
        self.take_first(|pending| {
            pending.target == message.conversation
                && pending.kind == message.kind
                && pending.text() == message.text
        })
    }

    /// Removes and returns the oldest message sent to this target.
    pub fn take_first_to(&mut self, target: &Conversation) -> Option<UnconfirmedMessage> {
        self.take_first(|pending| pending.target == *target)
    }

    fn take_first(&mut self, matches: impl Fn(&UnconfirmedMessage) -> bool) -> Option<UnconfirmedMessage> {
        let at = self.queue.iter().position(|pending| pending.is_sent && matches(pending))?;
        self.queue.remove(at)
    }

    /// Removes and returns the sent messages up to this ticket.
    pub fn take_up_to(&mut self, last: Ticket) -> Vec<UnconfirmedMessage> {
        let (confirmed, rest) =
            self.queue.drain(..).partition(|pending| pending.is_sent && pending.ticket <= last);
        self.queue = rest;
        Vec::from(confirmed)
    }
}

/// Returns whether the server accepts tags.
pub(in crate::client::model) fn accepts_tags(caps: CapSet) -> bool {
    caps.has_any(&[Cap::MessageTags, Cap::LabeledResponse])
}

fn write_message(pending: &UnconfirmedMessage, caps: CapSet, room: usize, out: &mut Vec<u8>) {
    let command = if pending.kind == MessageKind::Notice { "NOTICE" } else { "PRIVMSG" };
    let ticket = pending.ticket.0.to_string();
    let marked = |line: Line| {
        let mut line = line.tag("label", &ticket);
        if caps.has(Cap::SendId) {
            line = line.tag(Cap::SendId.name(), &pending.send_id);
        }
        match &pending.reply_to {
            Some(id) => line.tag("+draft/reply", id),
            None => line,
        }
    };
    let target = pending.target.as_str();
    let mut put = |line: Line| {
        let line = if accepts_tags(caps) { line } else { line.without_tags() };
        out.extend_from_slice(line.into_wire().as_bytes());
    };
    match &pending.lines[..] {
        [text] if text.len() <= room || !caps.has(Cap::Multiline) => {
            let line = marked(Line::new(command)).arg(target);
            put(match pending.kind {
                MessageKind::Action => line.trailing(&format!("\u{1}ACTION {text}\u{1}")),
                MessageKind::Text | MessageKind::Notice => line.trailing(text),
            });
        }
        // One message in a batch ([multiline](https://ircv3.net/specs/extensions/multiline)).
        texts if caps.has(Cap::Multiline) => {
            put(marked(Line::new("BATCH")).arg(&format!("+{ticket}")).arg("draft/multiline").arg(target));
            for text in texts {
                let line = || Line::new(command).tag("batch", &ticket);
                if text.is_empty() {
                    put(line().arg(target).trailing(""));
                }
                for (index, piece) in split_to_fit(text, room).enumerate() {
                    let line =
                        if index == 0 { line() } else { line().tag_without_value("draft/multiline-concat") };
                    put(line.arg(target).trailing(piece));
                }
            }
            put(Line::new("BATCH").arg(&format!("-{ticket}")));
        }
        // The server lost multiline support on reconnection, so the lines are joined to one message.
        texts => put(marked(Line::new(command)).arg(target).trailing(&texts.join(" "))),
    }
}
