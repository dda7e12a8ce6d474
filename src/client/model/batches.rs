//! Incoming batches ([batch](https://ircv3.net/specs/extensions/batch)): replies to labelled commands, pages of the
//! history, search results, multiline messages.

use std::collections::HashMap;

use super::event::{ChatMessage, Conversation, Event, MessageRef};
use super::event_parser;
use crate::wire::{Message, Nick, Timestamp};

/// The open batches.
#[derive(Debug, Default)]
pub(super) struct Batches {
    open: HashMap<String, Batch>,
    /// Memory that all open batches hold, in bytes.
    held_bytes: usize,
    /// Set if the server knows points of the history only by time stamp, not by message id.
    pub times_only: bool,
}

#[derive(Debug)]
struct Batch {
    /// Label of the command that the batch replies to.
    label: Option<String>,
    /// Reference of the enclosing batch.
    parent: Option<String>,
    content: BatchContent,
    /// Memory that this batch holds, in bytes.
    held_bytes: usize,
}

#[derive(Debug)]
enum BatchContent {
    /// A batch whose lines are handled one by one, as if they were in none.
    Transparent,
    History {
        place: Conversation,
        events: Vec<Event>,
        lines: usize,
        bytes: usize,
        /// Points of the first and the last line.
        bounds: Option<(MessageRef, MessageRef)>,
    },
    SearchResults(Vec<ChatMessage>),
    Targets(Vec<(Conversation, Timestamp)>),
    /// A multiline message under construction, and whether it has a first line.
    Multiline(Option<ChatMessage>, bool),
}

/// The contents of a batch that ended.
#[derive(Debug)]
pub(super) struct ClosedBatch {
    pub label: Option<String>,
    pub content: ClosedContent,
}

/// Type and contents of an [`Ended`] batch.
#[derive(Debug)]
pub(super) enum ClosedContent {
    Transparent,
    Message(Box<ChatMessage>),
    History {
        place: Conversation,
        events: Vec<Event>,
        lines: usize,
        bytes: usize,
        ends: Option<(MessageRef, MessageRef)>,
    },
    SearchResults(Vec<ChatMessage>),
    Targets(Vec<(Conversation, Timestamp)>),
}

impl Batches {
    /// Limit of open batches. A well-behaved server has two or three.
    const MAX_OPEN: usize = 64;
    /// Limit of lines or results kept from one batch: twice the largest page that the client asks for.
    const MAX_LINES: usize = 2000;
    /// Limit of a multiline message, in bytes.
    const MAX_TEXT_BYTES: usize = 64 * 1024;
    /// Limit of memory for all open batches, in bytes: many times what an honest server sends in one result.
    const MAX_HELD_BYTES: usize = 16 * 1024 * 1024;

    pub fn clear(&mut self) {
        *self = Self { times_only: self.times_only, ..Self::default() };
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Returns the label of the command that a batch replies to: its own, or that of the enclosing batch.
    pub fn label(&self, reference: &str) -> Option<String> {
        let batch = self.open.get(reference)?;
        batch.label.clone().or_else(|| self.open.get(batch.parent.as_deref()?)?.label.clone())
    }

    /// Handles `BATCH +reference type [parameters]`.
    pub fn open(&mut self, reference: &str, line: &Message<'_>, me: Option<&Nick>, now: Timestamp) {
        if self.open.len() >= Self::MAX_OPEN {
            return;
        }
        let tag = |key: &str| line.tags.get(key).map(std::borrow::Cow::into_owned);
        let content = match (line.param(1).unwrap_or_default(), line.param(2)) {
            ("chathistory", Some(conversation)) => match Conversation::from_server(conversation) {
                Ok(conversation) => BatchContent::History {
                    place: conversation,
                    events: Vec::new(),
                    lines: 0,
                    bytes: 0,
                    bounds: None,
                },
                Err(_) => BatchContent::Transparent,
            },
            ("draft/chathistory-targets", _) => BatchContent::Targets(Vec::new()),
            ("soju.im/search", _) => BatchContent::SearchResults(Vec::new()),
            ("draft/multiline", Some(_)) => {
                BatchContent::Multiline(event_parser::parse_message(line, String::new(), me, now), false)
            }
            _ => BatchContent::Transparent,
        };
        let batch = Batch { label: tag("label"), parent: tag("batch"), content, held_bytes: 0 };
        if let Some(replaced) = self.open.insert(reference.to_owned(), batch) {
            self.held_bytes = self.held_bytes.saturating_sub(replaced.held_bytes);
        }
    }

    /// Adds a line to its batch. Returns `false` if the line is to be handled as if it were in none.
    pub fn add_line(
        &mut self,
        reference: &str,
        line: &Message<'_>,
        me: Option<&Nick>,
        now: Timestamp,
    ) -> bool {
        let Some(batch) = self.open.get_mut(reference) else { return false };
        if line.command.eq_ignore_ascii_case("BATCH") {
            return false;
        }
        if matches!(batch.content, BatchContent::Transparent) {
            return false;
        }
        let size = line.params().iter().map(|param| param.len() + 1).sum::<usize>() + line.tags.0.len();
        let room = self.held_bytes + size <= Self::MAX_HELD_BYTES;
        if room {
            self.held_bytes += size;
            batch.held_bytes += size;
        }
        match &mut batch.content {
            BatchContent::Transparent => return false,
            BatchContent::History { events, lines, bytes, bounds: ends, .. } => {
                *lines += 1;
                // A reaction sent along with its message has another place in the history.
                if !is_context(line) {
                    extend_bounds(ends, line_ref(line, self.times_only));
                }
                *bytes += size;
                if room && events.len() < Self::MAX_LINES {
                    events.extend(event_parser::parse_event(line, me, now));
                }
            }
            BatchContent::SearchResults(found) => {
                if room
                    && found.len() < Self::MAX_LINES
                    && let Some(Event::Message(message)) = event_parser::parse_event(line, me, now)
                {
                    found.push(message);
                }
            }
            BatchContent::Targets(targets) => {
                // Form of the line: CHATHISTORY TARGETS <name> <time>
                let target = line.param(1).and_then(|name| Conversation::from_server(name).ok());
                let time = line.param(2).and_then(Timestamp::parse);
                if room
                    && targets.len() < Self::MAX_LINES
                    && let (Some(target), Some(time)) = (target, time)
                {
                    targets.push((target, time));
                }
            }
            BatchContent::Multiline(message, begun) => {
                let (Some(message), Some(text)) = (message, line.param(1)) else { return true };
                if !room || message.text.len() + text.len() > Self::MAX_TEXT_BYTES {
                    return true;
                }
                if *begun && line.tags.get("draft/multiline-concat").is_none() {
                    message.text.push('\n');
                }
                if line.command.eq_ignore_ascii_case("NOTICE") {
                    message.kind = super::event::MessageKind::Notice;
                }
                message.text.push_str(text);
                *begun = true;
            }
        }
        true
    }

    /// Handles `BATCH -reference`. Returns `None` if the message went into the enclosing batch, so nothing is left to
    /// do.
    pub fn close(&mut self, reference: &str) -> Option<ClosedBatch> {
        let batch = self.open.remove(reference)?;
        self.held_bytes = self.held_bytes.saturating_sub(batch.held_bytes);
        let content = match batch.content {
            BatchContent::Transparent => ClosedContent::Transparent,
            BatchContent::History { place: conversation, events, lines, bytes, bounds: ends } => {
                ClosedContent::History { place: conversation, events, lines, bytes, ends }
            }
            BatchContent::SearchResults(found) => ClosedContent::SearchResults(found),
            BatchContent::Targets(targets) => ClosedContent::Targets(targets),
            BatchContent::Multiline(message, _) => {
                let message = message?;
                let parent = batch.parent.as_ref().and_then(|parent| self.open.get_mut(parent));
                if let Some(parent) = parent
                    && matches!(parent.content, BatchContent::History { .. } | BatchContent::SearchResults(_))
                {
                    // The enclosing batch now holds the memory.
                    self.held_bytes += batch.held_bytes;
                    parent.held_bytes += batch.held_bytes;
                }
                match batch
                    .parent
                    .as_ref()
                    .and_then(|parent| self.open.get_mut(parent))
                    .map(|b| &mut b.content)
                {
                    Some(BatchContent::History { events, lines, bytes, bounds: ends, .. }) => {
                        *lines += 1;
                        let id = message.msgid.clone().filter(|_| !self.times_only);
                        extend_bounds(ends, Some(id.map_or(MessageRef::Time(message.time), MessageRef::Id)));
                        *bytes += message.text.len();
                        if events.len() < Self::MAX_LINES {
                            events.push(Event::Message(message));
                        }
                        return None;
                    }
                    Some(BatchContent::SearchResults(found)) => {
                        if found.len() < Self::MAX_LINES {
                            found.push(message);
                        }
                        return None;
                    }
                    _ => ClosedContent::Message(Box::new(message)),
                }
            }
        };
        Some(ClosedBatch { label: batch.label, content })
    }
}

/// Returns whether a line is out of order, behind the message that it belongs to
/// ([chathistory](https://ircv3.net/specs/extensions/chathistory#draftchathistory-context-tag)). Parlour marks
/// redactions too, but they are in order.
fn is_context(line: &Message<'_>) -> bool {
    line.tags.get("draft/chathistory-context").is_some() && !line.command.eq_ignore_ascii_case("REDACT")
}

/// Returns the point of the history that a line is at.
fn line_ref(line: &Message<'_>, by_time: bool) -> Option<MessageRef> {
    match line.tags.get("msgid").filter(|id| !id.is_empty() && !by_time) {
        Some(id) => Some(MessageRef::Id(id.into_owned())),
        None => line.tags.get("time").and_then(|time| Timestamp::parse(&time)).map(MessageRef::Time),
    }
}

/// Extends the range of a page to one more line.
fn extend_bounds(ends: &mut Option<(MessageRef, MessageRef)>, at: Option<MessageRef>) {
    match (ends, at) {
        (_, None) => {}
        (Some((_, last)), Some(at)) => *last = at,
        (ends, Some(at)) => *ends = Some((at.clone(), at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_batches_bound_memory_and_release_it() {
        let mut batches = Batches::default();
        let now = Timestamp(1);
        let open = |batches: &mut Batches, name: &str| {
            let line = format!("BATCH +{name} chathistory #lobby");
            batches.open(name, &Message::parse(&line).expect("a line"), None, now);
        };
        let text = "x".repeat(8000);
        for name in ["a", "b", "c", "d"] {
            open(&mut batches, name);
            for id in 0..1000 {
                let line = format!("@batch={name};msgid={id} :bob!u@p PRIVMSG #lobby :{text}");
                batches.add_line(name, &Message::parse(&line).expect("a line"), None, now);
            }
        }
        assert!(
            batches.held_bytes <= Batches::MAX_HELD_BYTES && batches.held_bytes > Batches::MAX_HELD_BYTES / 2
        );
        open(&mut batches, "a");
        let Some(ClosedContent::History { lines, events, ends, .. }) =
            batches.close("d").map(|ended| ended.content)
        else {
            panic!("a part of the past");
        };
        // The lines are counted although they were not kept.
        assert_eq!((lines, events.len()), (1000, 0));
        assert_eq!(ends, Some((MessageRef::Id("0".into()), MessageRef::Id("999".into()))));
        for name in ["a", "b", "c"] {
            batches.close(name);
        }
        assert_eq!(batches.held_bytes, 0);
    }
}
