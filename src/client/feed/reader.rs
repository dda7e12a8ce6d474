//! From lines to entries.

use std::collections::HashMap;

use super::entry::{Entry, Kind};
use crate::client::model::{Heard, Ticket};
use crate::wire::Nick;

/// What a line tells, once it is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It happens now.
    Now(Entry),
    /// It happened: the answer to a question.
    Past(Part),
}

/// A part of the past, the earliest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The question.
    pub ticket: Option<Ticket>,
    /// What happened.
    pub entries: Vec<Entry>,
    /// The answer had nothing at all: there is no more.
    pub empty: bool,
    /// The answer was longer than any server has to send; some of it is missing. Its end was not waited for.
    pub cut: bool,
}

/// Reads lines in their order.
#[derive(Debug, Default)]
pub struct Feed {
    batches: HashMap<String, Batch>,
}

#[derive(Debug)]
struct Batch {
    ticket: Option<Ticket>,
    parent: Option<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Its lines are taken as they come.
    Other,
    Past(Answer),
    /// A message of several lines, and whether it has a line already. `None` where it is for nobody.
    Long(Option<Box<Entry>>, bool),
}

/// So far.
#[derive(Debug, Default)]
struct Answer {
    entries: Vec<Entry>,
    lines: usize,
    bytes: usize,
    cut: bool,
}

/// Open at once; a server of good will has two or three.
const BATCHES: usize = 64;
/// Most bytes of an answer: far more than a server sends of a page.
const BYTES: usize = 16 * 1024 * 1024;
/// Most lines of an answer.
const LINES: usize = 20_000;
/// Most bytes of a message of several lines.
const TEXT: usize = 1024 * 1024;

impl Feed {
    /// The connection is gone, and what was half said with it.
    pub fn disconnected(&mut self) {
        self.batches.clear();
    }

    /// The question that a line answers, wholly or in part.
    pub fn answers(&self, line: &Heard) -> Option<Ticket> {
        let closed = line.param(0).strip_prefix('-').filter(|_| line.command == "BATCH");
        let batch = closed.map(str::to_owned).or_else(|| line.tag("batch"));
        ticket(line).or_else(|| self.batches.get(&batch?)?.ticket)
    }

    /// Takes a line.
    pub fn take(&mut self, line: &Heard, me: Option<&Nick>) -> Option<Told> {
        if line.command == "BATCH" {
            let reference = line.param(0);
            if let Some(reference) = reference.strip_prefix('+') {
                self.open(reference, line, me);
                return None;
            }
            return self.close(reference.strip_prefix('-')?);
        }
        let batch = line.tag("batch").and_then(|reference| self.batches.get_mut(&reference));
        let Some(batch) = batch else { return Entry::of(line, me, false).map(Told::Now) };
        match &mut batch.what {
            What::Other => Entry::of(line, me, false).map(Told::Now),
            What::Past(answer) => {
                let ticket = batch.ticket;
                answer.add(line.bytes(), || Entry::of(line, me, true)).then(|| answer.told(ticket))
            }
            What::Long(entry, begun) => {
                let Some(entry) = entry else { return None };
                let text = line.param(1);
                if *begun {
                    if entry.text.len() + text.len() > TEXT {
                        return None;
                    }
                    if line.tag("draft/multiline-concat").is_none() {
                        entry.text.push('\n');
                    }
                    entry.text.push_str(text);
                } else {
                    *begun = true;
                    entry.says(text, line.command == "NOTICE");
                }
                None
            }
        }
    }

    fn open(&mut self, reference: &str, line: &Heard, me: Option<&Nick>) {
        if self.batches.len() >= BATCHES {
            return;
        }
        let parent = line.tag("batch").and_then(|parent| self.batches.get(&parent));
        let what = match line.param(1) {
            "chathistory" | "soju.im/search" => What::Past(Answer::default()),
            "draft/multiline" => {
                let past = parent.is_some_and(|parent| matches!(parent.what, What::Past(_)));
                What::Long(Entry::of(line, me, past).map(Box::new), false)
            }
            _ => What::Other,
        };
        let ticket = ticket(line).or_else(|| parent?.ticket);
        let batch = Batch { ticket, parent: line.tag("batch"), what };
        self.batches.insert(reference.to_owned(), batch);
    }

    fn close(&mut self, reference: &str) -> Option<Told> {
        let batch = self.batches.remove(reference)?;
        match batch.what {
            What::Other => None,
            // What was cut is told.
            What::Past(mut answer) => (!answer.cut).then(|| answer.told(batch.ticket)),
            What::Long(entry, begun) => {
                let mut entry = *entry?;
                if entry.kind == Kind::Action {
                    // The end of the action stands at the end of its last line.
                    let text = entry.text.trim_end_matches('\u{1}').len();
                    entry.text.truncate(text);
                }
                let parent = batch.parent.and_then(|parent| self.batches.get_mut(&parent));
                match parent {
                    Some(Batch { what: What::Past(answer), ticket, .. }) => {
                        answer.add(entry.text.len(), || begun.then_some(entry)).then(|| answer.told(*ticket))
                    }
                    _ => begun.then_some(Told::Now(entry)),
                }
            }
        }
    }
}

impl Answer {
    /// Adds what a line, or several, tell. Was it the one that is too much?
    fn add(&mut self, bytes: usize, entry: impl FnOnce() -> Option<Entry>) -> bool {
        if self.cut {
            return false;
        }
        self.lines += 1;
        self.bytes += bytes;
        self.cut = self.lines > LINES || self.bytes > BYTES;
        if !self.cut {
            self.entries.extend(entry());
        }
        self.cut
    }

    /// All of it.
    fn told(&mut self, ticket: Option<Ticket>) -> Told {
        let entries = std::mem::take(&mut self.entries);
        Told::Past(Part { ticket, entries, empty: self.lines == 0, cut: self.cut })
    }
}

fn ticket(line: &Heard) -> Option<Ticket> {
    line.tag("label")?.parse().ok().map(Ticket)
}
