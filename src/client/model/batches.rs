//! Incoming batches ([batch](https://ircv3.net/specs/extensions/batch)): replies to labelled commands, pages of the
//! history, search results, multiline messages.

use std::collections::HashMap;

use super::event::{Event, Point, Said, Target};
use super::past;
use crate::wire::{Message, Millis, Nick};

/// The open batches.
#[derive(Debug, Default)]
pub(super) struct Batches {
    open: HashMap<String, Batch>,
    /// Memory that all open batches hold, in bytes.
    held: usize,
    /// Set if the server knows points of the history only by time stamp, not by message id.
    pub by_time: bool,
}

#[derive(Debug)]
struct Batch {
    /// Label of the command that the batch replies to.
    label: Option<String>,
    /// Reference of the enclosing batch.
    parent: Option<String>,
    what: What,
    /// Memory that this batch holds, in bytes.
    held: usize,
}

#[derive(Debug)]
enum What {
    /// A batch whose lines are handled one by one, as if they were in none.
    Other,
    History {
        place: Target,
        events: Vec<Event>,
        lines: usize,
        bytes: usize,
        /// Points of the first and the last line.
        ends: Option<(Point, Point)>,
    },
    Found(Vec<Said>),
    Targets(Vec<(Target, Millis)>),
    /// A multiline message under construction, and whether it has a first line.
    Long(Option<Said>, bool),
}

/// The contents of a batch that ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub label: Option<String>,
    pub what: Closed,
}

/// Type and contents of an [`Ended`] batch.
#[derive(Debug)]
pub(super) enum Closed {
    Other,
    Said(Box<Said>),
    History { place: Target, events: Vec<Event>, lines: usize, bytes: usize, ends: Option<(Point, Point)> },
    Found(Vec<Said>),
    Targets(Vec<(Target, Millis)>),
}

impl Batches {
    /// Limit of open batches. A well-behaved server has two or three.
    const MOST: usize = 64;
    /// Limit of lines or results kept from one batch: twice the largest page that the client asks for.
    const MOST_LINES: usize = 2000;
    /// Limit of a multiline message, in bytes.
    const MOST_TEXT: usize = 64 * 1024;
    /// Limit of memory for all open batches, in bytes: many times what an honest server sends in one result.
    const MOST_HELD: usize = 16 * 1024 * 1024;

    pub fn clear(&mut self) {
        *self = Self { by_time: self.by_time, ..Self::default() };
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
    pub fn open(&mut self, reference: &str, line: &Message<'_>, me: Option<&Nick>, now: Millis) {
        if self.open.len() >= Self::MOST {
            return;
        }
        let tag = |key: &str| line.tags.get(key).map(std::borrow::Cow::into_owned);
        let what = match (line.param(1).unwrap_or_default(), line.param(2)) {
            ("chathistory", Some(place)) => match Target::heard(place) {
                Ok(place) => What::History { place, events: Vec::new(), lines: 0, bytes: 0, ends: None },
                Err(_) => What::Other,
            },
            ("draft/chathistory-targets", _) => What::Targets(Vec::new()),
            ("soju.im/search", _) => What::Found(Vec::new()),
            ("draft/multiline", Some(_)) => What::Long(past::said(line, String::new(), me, now), false),
            _ => What::Other,
        };
        let batch = Batch { label: tag("label"), parent: tag("batch"), what, held: 0 };
        if let Some(replaced) = self.open.insert(reference.to_owned(), batch) {
            self.held = self.held.saturating_sub(replaced.held);
        }
    }

    /// Adds a line to its batch. Returns `false` if the line is to be handled as if it were in none.
    pub fn keep(&mut self, reference: &str, line: &Message<'_>, me: Option<&Nick>, now: Millis) -> bool {
        let Some(batch) = self.open.get_mut(reference) else { return false };
        if line.command.eq_ignore_ascii_case("BATCH") {
            return false;
        }
        if matches!(batch.what, What::Other) {
            return false;
        }
        let size = line.params().iter().map(|param| param.len() + 1).sum::<usize>() + line.tags.0.len();
        let room = self.held + size <= Self::MOST_HELD;
        if room {
            self.held += size;
            batch.held += size;
        }
        match &mut batch.what {
            What::Other => return false,
            What::History { events, lines, bytes, ends, .. } => {
                *lines += 1;
                // A reaction sent along with its message has another place in the history.
                if !is_context(line) {
                    reach(ends, point(line, self.by_time));
                }
                *bytes += size;
                if room && events.len() < Self::MOST_LINES {
                    events.extend(past::event(line, me, now));
                }
            }
            What::Found(found) => {
                if room
                    && found.len() < Self::MOST_LINES
                    && let Some(Event::Said(said)) = past::event(line, me, now)
                {
                    found.push(said);
                }
            }
            What::Targets(targets) => {
                // Form of the line: CHATHISTORY TARGETS <name> <time>
                let target = line.param(1).and_then(|name| Target::heard(name).ok());
                let time = line.param(2).and_then(Millis::parse);
                if room
                    && targets.len() < Self::MOST_LINES
                    && let (Some(target), Some(time)) = (target, time)
                {
                    targets.push((target, time));
                }
            }
            What::Long(said, begun) => {
                let (Some(said), Some(text)) = (said, line.param(1)) else { return true };
                if !room || said.text.len() + text.len() > Self::MOST_TEXT {
                    return true;
                }
                if *begun && line.tags.get("draft/multiline-concat").is_none() {
                    said.text.push('\n');
                }
                if line.command.eq_ignore_ascii_case("NOTICE") {
                    said.kind = super::event::Kind::Notice;
                }
                said.text.push_str(text);
                *begun = true;
            }
        }
        true
    }

    /// Handles `BATCH -reference`. Returns `None` if the message went into the enclosing batch, so nothing is left to
    /// do.
    pub fn close(&mut self, reference: &str) -> Option<Ended> {
        let batch = self.open.remove(reference)?;
        self.held = self.held.saturating_sub(batch.held);
        let what = match batch.what {
            What::Other => Closed::Other,
            What::History { place, events, lines, bytes, ends } => {
                Closed::History { place, events, lines, bytes, ends }
            }
            What::Found(found) => Closed::Found(found),
            What::Targets(targets) => Closed::Targets(targets),
            What::Long(said, _) => {
                let said = said?;
                let parent = batch.parent.as_ref().and_then(|parent| self.open.get_mut(parent));
                if let Some(parent) = parent
                    && matches!(parent.what, What::History { .. } | What::Found(_))
                {
                    // The enclosing batch now holds the memory.
                    self.held += batch.held;
                    parent.held += batch.held;
                }
                match batch.parent.as_ref().and_then(|parent| self.open.get_mut(parent)).map(|b| &mut b.what)
                {
                    Some(What::History { events, lines, bytes, ends, .. }) => {
                        *lines += 1;
                        let id = said.msgid.clone().filter(|_| !self.by_time);
                        reach(ends, Some(id.map_or(Point::Time(said.time), Point::Id)));
                        *bytes += said.text.len();
                        if events.len() < Self::MOST_LINES {
                            events.push(Event::Said(said));
                        }
                        return None;
                    }
                    Some(What::Found(found)) => {
                        if found.len() < Self::MOST_LINES {
                            found.push(said);
                        }
                        return None;
                    }
                    _ => Closed::Said(Box::new(said)),
                }
            }
        };
        Some(Ended { label: batch.label, what })
    }
}

/// Returns whether a line is out of order, behind the message that it belongs to
/// ([chathistory](https://ircv3.net/specs/extensions/chathistory#draftchathistory-context-tag)). Parlour marks
/// redactions too, but they are in order.
fn is_context(line: &Message<'_>) -> bool {
    line.tags.get("draft/chathistory-context").is_some() && !line.command.eq_ignore_ascii_case("REDACT")
}

/// Returns the point of the history that a line is at.
fn point(line: &Message<'_>, by_time: bool) -> Option<Point> {
    match line.tags.get("msgid").filter(|id| !id.is_empty() && !by_time) {
        Some(id) => Some(Point::Id(id.into_owned())),
        None => line.tags.get("time").and_then(|time| Millis::parse(&time)).map(Point::Time),
    }
}

/// Extends the range of a page to one more line.
fn reach(ends: &mut Option<(Point, Point)>, at: Option<Point>) {
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
        let now = Millis(1);
        let open = |batches: &mut Batches, name: &str| {
            let line = format!("BATCH +{name} chathistory #lobby");
            batches.open(name, &Message::parse(&line).expect("a line"), None, now);
        };
        let text = "x".repeat(8000);
        for name in ["a", "b", "c", "d"] {
            open(&mut batches, name);
            for id in 0..1000 {
                let line = format!("@batch={name};msgid={id} :bob!u@p PRIVMSG #lobby :{text}");
                batches.keep(name, &Message::parse(&line).expect("a line"), None, now);
            }
        }
        assert!(batches.held <= Batches::MOST_HELD && batches.held > Batches::MOST_HELD / 2);
        open(&mut batches, "a");
        let Some(Closed::History { lines, events, ends, .. }) = batches.close("d").map(|ended| ended.what)
        else {
            panic!("a part of the past");
        };
        // The lines are counted although they were not kept.
        assert_eq!((lines, events.len()), (1000, 0));
        assert_eq!(ends, Some((Point::Id("0".into()), Point::Id("999".into()))));
        for name in ["a", "b", "c"] {
            batches.close(name);
        }
        assert_eq!(batches.held, 0);
    }
}
