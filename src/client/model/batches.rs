//! What comes in batches ([batch](https://ircv3.net/specs/extensions/batch)): answers to labelled questions, parts of
//! the past, what a search found, messages of several lines.

use std::collections::HashMap;

use super::event::{Event, Said, Target};
use super::past;
use crate::wire::{Message, Millis, Nick};

/// The batches that are open.
#[derive(Debug, Default)]
pub(super) struct Batches(HashMap<String, Batch>);

#[derive(Debug)]
struct Batch {
    /// Of what it answers.
    label: Option<String>,
    /// The batch that it is in.
    parent: Option<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Its lines are taken as they come.
    Other,
    History {
        place: Target,
        events: Vec<Event>,
        lines: usize,
        bytes: usize,
    },
    Found(Vec<Said>),
    Targets(Vec<(Target, Millis)>),
    /// A message; the text grows.
    Long(Option<Said>, bool),
}

/// What a batch was, when it ends.
#[derive(Debug)]
pub(super) struct Ended {
    pub label: Option<String>,
    pub what: Closed,
}

/// See [`Ended`].
#[derive(Debug)]
pub(super) enum Closed {
    Other,
    Said(Box<Said>),
    History { place: Target, events: Vec<Event>, lines: usize, bytes: usize },
    Found(Vec<Said>),
    Targets(Vec<(Target, Millis)>),
}

impl Batches {
    /// Open at once; a server of good will has two or three.
    const MOST: usize = 64;
    /// Most that is kept of one batch: twice what is ever asked for.
    const MOST_LINES: usize = 2000;
    /// Most bytes of a message of several lines.
    const MOST_TEXT: usize = 64 * 1024;

    pub fn clear(&mut self) {
        self.0.clear();
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The label of what a batch answers.
    pub fn label(&self, reference: &str) -> Option<String> {
        let batch = self.0.get(reference)?;
        batch.label.clone().or_else(|| self.0.get(batch.parent.as_deref()?)?.label.clone())
    }

    /// `BATCH +reference type [parameters]`
    pub fn open(&mut self, reference: &str, line: &Message<'_>, me: Option<&Nick>, now: Millis) {
        if self.0.len() >= Self::MOST {
            return;
        }
        let tag = |key: &str| line.tags.get(key).map(std::borrow::Cow::into_owned);
        let what = match (line.param(1).unwrap_or_default(), line.param(2)) {
            ("chathistory", Some(place)) => match Target::parse(place) {
                Ok(place) => What::History { place, events: Vec::new(), lines: 0, bytes: 0 },
                Err(_) => What::Other,
            },
            ("draft/chathistory-targets", _) => What::Targets(Vec::new()),
            ("soju.im/search", _) => What::Found(Vec::new()),
            ("draft/multiline", Some(_)) => What::Long(past::said(line, String::new(), me, now), false),
            _ => What::Other,
        };
        let batch = Batch { label: tag("label"), parent: tag("batch"), what };
        self.0.insert(reference.to_owned(), batch);
    }

    /// Takes a line that is in a batch. `false` where it is to be handled as if it was in none.
    pub fn keep(&mut self, reference: &str, line: &Message<'_>, me: Option<&Nick>, now: Millis) -> bool {
        let Some(batch) = self.0.get_mut(reference) else { return false };
        if line.command.eq_ignore_ascii_case("BATCH") {
            return false;
        }
        match &mut batch.what {
            What::Other => return false,
            What::History { events, lines, bytes, .. } => {
                *lines += 1;
                *bytes +=
                    line.params().iter().map(|param| param.len() + 1).sum::<usize>() + line.tags.0.len();
                if events.len() < Self::MOST_LINES {
                    events.extend(past::event(line, me, now));
                }
            }
            What::Found(found) => {
                if found.len() < Self::MOST_LINES
                    && let Some(Event::Said(said)) = past::event(line, me, now)
                {
                    found.push(said);
                }
            }
            What::Targets(targets) => {
                // CHATHISTORY TARGETS <name> <time>
                let target = line.param(1).and_then(|name| Target::parse(name).ok());
                let time = line.param(2).and_then(Millis::parse);
                if targets.len() < Self::MOST_LINES
                    && let (Some(target), Some(time)) = (target, time)
                {
                    targets.push((target, time));
                }
            }
            What::Long(said, begun) => {
                let (Some(said), Some(text)) = (said, line.param(1)) else { return true };
                if said.text.len() + text.len() > Self::MOST_TEXT {
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

    /// `BATCH -reference`. A message that was in another batch is put there, and nothing is to be done.
    pub fn close(&mut self, reference: &str) -> Option<Ended> {
        let batch = self.0.remove(reference)?;
        let what = match batch.what {
            What::Other => Closed::Other,
            What::History { place, events, lines, bytes } => Closed::History { place, events, lines, bytes },
            What::Found(found) => Closed::Found(found),
            What::Targets(targets) => Closed::Targets(targets),
            What::Long(said, _) => {
                let said = said?;
                match batch.parent.as_ref().and_then(|parent| self.0.get_mut(parent)).map(|b| &mut b.what) {
                    Some(What::History { events, lines, bytes, .. }) => {
                        *lines += 1;
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
