//! Batches from the server ([batch](https://ircv3.net/specs/extensions/batch)): results of queries, which are collected
//! until they are complete, multiline messages, which become one message, and batches of other types, whose lines mean
//! the same as outside of a batch.

use std::collections::HashMap;

use super::event::{
    BatchKind, BatchResult, BatchStart, ChatMessage, MessageKind, MessageRef, Origin, Received, ResultBounds,
    ResultKind, ServerEvent, Ticket,
};

/// The open batches.
#[derive(Debug, Default)]
pub(super) struct Batches {
    open: HashMap<String, Batch>,
    /// Memory that all open batches hold, in bytes, as [`Origin::bytes`] counts it.
    held_bytes: usize,
    /// Set if the server knows points of the history only by time stamp, not by message id.
    pub times_only: bool,
}

#[derive(Debug)]
struct Batch {
    /// Label of the command that the batch replies to: its own, or that of the enclosing batch.
    label: Option<String>,
    content: BatchContent,
    /// Memory that this batch holds, in bytes.
    held_bytes: usize,
}

#[derive(Debug)]
enum BatchContent {
    Transparent,
    Result(PartialResult),
    Multiline(Multiline),
}

/// A result under construction.
#[derive(Debug)]
struct PartialResult {
    kind: ResultKind,
    received: Vec<Received>,
    lines: usize,
    bytes: usize,
    bounds: Option<ResultBounds>,
    /// Set once a line was over the limits.
    truncated: bool,
}

/// A multiline message under construction.
#[derive(Debug)]
struct Multiline {
    /// The origin of the start of the batch.
    origin: Origin,
    /// The message; `None` if the start was malformed.
    message: Option<Box<ChatMessage>>,
    has_lines: bool,
}

/// The outcome of a line for the batches.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // One for each line, used at once.
pub(super) enum Collected {
    /// The line is in no batch, or in one that does not change its meaning.
    Apart(Received),
    /// The line was taken into a batch.
    Kept,
    /// The line was the first one over the limits of the result of this query. The result will not be complete.
    Oversized(Option<Ticket>),
}

/// The content of a batch that ended.
#[derive(Debug)]
pub(super) enum Closed {
    /// Nothing is left to do.
    Nothing,
    /// A multiline message, which may be part of an enclosing batch.
    Message(Box<Received>),
    /// A complete result.
    Result(Box<BatchResult>),
}

impl Batches {
    /// Limit of open batches. A well-behaved server has two or three.
    const MAX_OPEN: usize = 64;
    /// Limit of lines kept of one result: twenty times the largest page that the client asks for, because reactions and
    /// redactions come on top of its messages.
    const MAX_LINES: usize = 20_000;
    /// Limit of a multiline message, in bytes.
    const MAX_TEXT_BYTES: usize = 1024 * 1024;
    /// Limit of memory for all open batches, in bytes: many times what an honest server sends in one result.
    const MAX_HELD_BYTES: usize = 16 * 1024 * 1024;

    pub fn clear(&mut self) {
        *self = Self { times_only: self.times_only, ..Self::default() };
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Returns the label of the command that a line replies to: its own, or that of the batch it is in or ends.
    pub fn label(&self, received: &Received) -> Option<String> {
        let Received { origin, event } = received;
        let ended = match event {
            ServerEvent::BatchEnd(reference) => Some(reference),
            _ => None,
        };
        origin.label.clone().or_else(|| self.open.get(ended.or(origin.batch.as_ref())?)?.label.clone())
    }

    /// Opens a batch, whose first line has this origin.
    pub fn open(&mut self, start: BatchStart, origin: Origin) {
        if self.open.len() >= Self::MAX_OPEN {
            return;
        }
        let enclosing = origin.batch.as_ref().and_then(|reference| self.open.get(reference));
        let label = origin.label.clone().or_else(|| enclosing?.label.clone());
        let result = |kind| {
            BatchContent::Result(PartialResult {
                kind,
                received: Vec::new(),
                lines: 0,
                bytes: 0,
                bounds: None,
                truncated: false,
            })
        };
        let content = match start.kind {
            BatchKind::Transparent => BatchContent::Transparent,
            BatchKind::History(target) => result(ResultKind::History(target)),
            BatchKind::HistoryTargets => result(ResultKind::HistoryTargets),
            BatchKind::Search => result(ResultKind::Search),
            BatchKind::Multiline(message) => {
                BatchContent::Multiline(Multiline { origin, message, has_lines: false })
            }
        };
        let batch = Batch { label, content, held_bytes: 0 };
        if let Some(replaced) = self.open.insert(start.reference, batch) {
            self.release(replaced.held_bytes);
        }
    }

    /// Takes a line into its batch.
    pub fn collect(&mut self, received: Received) -> Collected {
        let batch = received.origin.batch.as_ref().and_then(|reference| self.open.get_mut(reference));
        let Some(batch) = batch else { return Collected::Apart(received) };
        let bytes = received.origin.bytes;
        let fits = self.held_bytes + bytes <= Self::MAX_HELD_BYTES;
        match &mut batch.content {
            BatchContent::Transparent => return Collected::Apart(received),
            BatchContent::Multiline(multiline) => {
                if fits && multiline.add(received) {
                    self.held_bytes += bytes;
                    batch.held_bytes += bytes;
                }
            }
            BatchContent::Result(result) => {
                result.lines += 1;
                result.bytes += bytes;
                // A reaction that comes with its message has another place in the history. Parlour marks redactions as
                // such, but they are in order.
                let is_in_order =
                    !received.origin.is_context || matches!(received.event, ServerEvent::Redaction(_));
                if is_in_order && let Some(point) = point(&received.origin, self.times_only) {
                    match &mut result.bounds {
                        Some(bounds) => bounds.last = point,
                        None => result.bounds = Some(ResultBounds { first: point.clone(), last: point }),
                    }
                }
                if fits && result.received.len() < Self::MAX_LINES {
                    self.held_bytes += bytes;
                    batch.held_bytes += bytes;
                    result.received.push(received);
                } else if !std::mem::replace(&mut result.truncated, true) {
                    return Collected::Oversized(ticket(batch.label.as_deref()));
                }
            }
        }
        Collected::Kept
    }

    /// Closes a batch.
    pub fn close(&mut self, reference: &str) -> Closed {
        let Some(batch) = self.open.remove(reference) else { return Closed::Nothing };
        self.release(batch.held_bytes);
        match batch.content {
            BatchContent::Transparent => Closed::Nothing,
            BatchContent::Result(result) => Closed::Result(Box::new(result.finish(batch.label.as_deref()))),
            BatchContent::Multiline(multiline) => multiline.finish().map_or(Closed::Nothing, Closed::Message),
        }
    }

    fn release(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.held_bytes, "a batch holds {bytes} of {} bytes", self.held_bytes);
        self.held_bytes = self.held_bytes.saturating_sub(bytes);
    }
}

impl PartialResult {
    /// Returns the complete result.
    fn finish(self, label: Option<&str>) -> BatchResult {
        BatchResult {
            ticket: ticket(label),
            kind: self.kind,
            received: self.received,
            lines: self.lines,
            bytes: self.bytes,
            bounds: self.bounds,
        }
    }
}

impl Multiline {
    /// Adds a line to the message ([multiline](https://ircv3.net/specs/extensions/multiline)). Returns whether it was
    /// added.
    fn add(&mut self, received: Received) -> bool {
        let Some(message) = &mut self.message else { return false };
        let ServerEvent::Message(line) = received.event else { return false };
        if message.text.len() + line.text.len() >= Batches::MAX_TEXT_BYTES {
            return false;
        }
        if !self.has_lines {
            message.kind = line.kind;
        } else if !received.origin.is_continuation {
            message.text.push('\n');
        }
        message.text.push_str(&line.text);
        self.has_lines = true;
        true
    }

    /// Returns the message. `None` if it has no lines.
    fn finish(self) -> Option<Box<Received>> {
        let Self { mut origin, message, has_lines } = self;
        let mut message = *message.filter(|_| has_lines)?;
        if message.kind == MessageKind::Action {
            // The end of a CTCP ACTION is at the end of the last line.
            message.text.truncate(message.text.trim_end_matches('\u{1}').len());
        }
        origin.bytes += message.text.len();
        Some(Box::new(Received { origin, event: ServerEvent::Message(message) }))
    }
}

/// Returns the ticket of the query that was sent with this label.
pub(super) fn ticket(label: Option<&str>) -> Option<Ticket> {
    label?.parse().ok().map(Ticket)
}

/// Returns the point of the history that a line is at.
fn point(origin: &Origin, times_only: bool) -> Option<MessageRef> {
    let id = origin.msgid.clone().filter(|_| !times_only);
    id.map(MessageRef::Id).or_else(|| origin.server_time.map(MessageRef::Time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::model::decode::decode;
    use crate::wire::{Message, Timestamp};

    fn received(line: &str) -> Received {
        decode(&Message::parse(line).expect(line), None, Timestamp(1))
    }

    /// Handles a line as the model does. Returns the result or message that it completes.
    fn take(batches: &mut Batches, line: &str) -> Option<Closed> {
        let Received { origin, event } = received(line);
        match event {
            ServerEvent::BatchStart(start) => batches.open(start, origin),
            ServerEvent::BatchEnd(reference) => return Some(batches.close(&reference)),
            event => drop(batches.collect(Received { origin, event })),
        }
        None
    }

    fn result(closed: Option<Closed>) -> BatchResult {
        match closed {
            Some(Closed::Result(result)) => *result,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn memory_of_open_batches_is_bounded_and_released() {
        let mut batches = Batches::default();
        let text = "x".repeat(8000);
        let open = |batches: &mut Batches, name: &str| {
            take(batches, &format!("BATCH +{name} chathistory #lobby"));
        };
        for name in ["a", "b", "c", "d"] {
            open(&mut batches, name);
            for id in 0..1000 {
                take(&mut batches, &format!("@batch={name};msgid={id} :bob!u@p PRIVMSG #lobby :{text}"));
            }
        }
        assert!(batches.held_bytes <= Batches::MAX_HELD_BYTES);
        assert!(batches.held_bytes > Batches::MAX_HELD_BYTES / 2);
        open(&mut batches, "a");
        // The lines are counted although they were not kept.
        let kept_nothing = result(take(&mut batches, "BATCH -d"));
        assert_eq!((kept_nothing.lines, kept_nothing.received.len()), (1000, 0));
        let bounds = ResultBounds { first: MessageRef::Id("0".into()), last: MessageRef::Id("999".into()) };
        assert_eq!(kept_nothing.bounds, Some(bounds));
        for name in ["a", "b", "c"] {
            take(&mut batches, &format!("BATCH -{name}"));
        }
        assert_eq!((batches.held_bytes, batches.open.len()), (0, 0));
    }

    #[test]
    fn result_over_the_limit_of_lines_is_reported_once() {
        let mut batches = Batches::default();
        take(&mut batches, "@label=7 BATCH +h chathistory #c");
        let mut oversized = 0;
        for _ in 0..Batches::MAX_LINES + 10 {
            match batches.collect(received("@batch=h;msgid=0a :bo!b@h PRIVMSG #c :x")) {
                Collected::Kept => {}
                Collected::Oversized(ticket) => {
                    assert_eq!(ticket, Some(Ticket(7)));
                    oversized += 1;
                }
                Collected::Apart(received) => panic!("{received:?}"),
            }
        }
        assert_eq!(oversized, 1);
        let result = result(take(&mut batches, "BATCH -h"));
        assert_eq!(result.received.len(), Batches::MAX_LINES);
    }

    #[test]
    fn multiline_messages_of_all_batches_together_are_bounded() {
        let mut batches = Batches::default();
        for n in 0..Batches::MAX_OPEN {
            take(&mut batches, &format!("BATCH +{n} draft/multiline #c"));
        }
        take(&mut batches, "BATCH +more draft/multiline #c");
        assert_eq!(batches.open.len(), Batches::MAX_OPEN);
        for n in 0..Batches::MAX_OPEN {
            take(&mut batches, &format!("BATCH -{n}"));
            take(&mut batches, &format!(":al!al@h BATCH +{n} draft/multiline #c"));
        }
        let text = "x".repeat(64 * 1024);
        for round in 0..2 * Batches::MAX_HELD_BYTES / text.len() {
            let n = round % Batches::MAX_OPEN;
            take(&mut batches, &format!("@batch={n} :al!al@h PRIVMSG #c :{text}"));
            let held: usize = batches.open.values().map(|batch| batch.held_bytes).sum();
            assert!(batches.held_bytes <= Batches::MAX_HELD_BYTES && batches.held_bytes == held, "{held}");
        }
        for n in 0..Batches::MAX_OPEN {
            let Some(Closed::Message(message)) = take(&mut batches, &format!("BATCH -{n}")) else { panic!() };
            let ServerEvent::Message(message) = message.event else { panic!() };
            assert!(message.text.len() < Batches::MAX_TEXT_BYTES);
        }
        assert_eq!(batches.held_bytes, 0);
    }

    #[test]
    fn each_line_of_a_labeled_result_has_its_label() {
        let mut batches = Batches::default();
        for (line, expected) in [
            ("@label=7 :srv BATCH +r labeled-response", true),
            ("@batch=r :srv BATCH +h chathistory #c", true),
            ("@batch=h;msgid=0a :bo!b@h JOIN #c", true),
            ("@batch=h :bo!b@h BATCH +l draft/multiline #c", true),
            ("@batch=l :bo!b@h PRIVMSG #c :x", true),
            (":bo!b@h PRIVMSG #c :now", false),
            ("@label=8 :srv BATCH +o chathistory #c", false),
            ("@batch=o :bo!b@h JOIN #c", false),
            (":bo!b@h BATCH -l", true),
            (":srv BATCH -h", true),
            (":srv BATCH -o", false),
        ] {
            assert_eq!(batches.label(&received(line)).as_deref() == Some("7"), expected, "{line}");
            take(&mut batches, line);
        }
    }
}
