//! Conversion of lines to entries.

use std::collections::HashMap;

use super::entry::{Entry, Kind};
use crate::client::model::{Heard, Ticket};
use crate::wire::Nick;

/// The outcome of a complete line or batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A live entry.
    Now(Entry),
    /// The result of a history or search query.
    Past(Part),
}

/// A result, oldest entry first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The ticket of the query.
    pub ticket: Option<Ticket>,
    /// The entries, oldest first.
    pub entries: Vec<Entry>,
    /// Set if the result had no line at all, so the history ends here.
    pub empty: bool,
    /// Set if the result exceeded the limits and was cut off; the rest is ignored.
    pub cut: bool,
}

/// Reads lines in their order and collects batches.
#[derive(Debug, Default)]
pub struct Feed {
    batches: HashMap<String, Batch>,
    /// Bytes of all open batches.
    held: usize,
}

#[derive(Debug)]
struct Batch {
    ticket: Option<Ticket>,
    parent: Option<String>,
    what: What,
    /// Bytes of its lines that are held.
    held: usize,
}

#[derive(Debug)]
enum What {
    /// A batch whose lines are handled one by one, as if they were in none.
    Other,
    Past(Answer),
    /// A multiline message, and whether it has a line already. `None` if it belongs to no conversation.
    Long(Option<Box<Entry>>, bool),
}

/// A result under construction.
#[derive(Debug, Default)]
struct Answer {
    entries: Vec<Entry>,
    lines: usize,
    cut: bool,
}

/// Limit of open batches. A well-behaved server has two or three.
const BATCHES: usize = 64;
/// Limit of all open batches together, in bytes: far more than a server sends for a page.
const BYTES: usize = 16 * 1024 * 1024;
/// Limit of lines in a result.
const LINES: usize = 20_000;
/// Limit of a multiline message, in bytes.
const TEXT: usize = 1024 * 1024;

impl Feed {
    /// Records the end of the connection, which drops incomplete batches.
    pub fn disconnected(&mut self) {
        self.batches.clear();
        self.held = 0;
    }

    /// Returns the ticket of the query that a line belongs to, wholly or in part.
    pub fn answers(&self, line: &Heard) -> Option<Ticket> {
        let closed = line.param(0).strip_prefix('-').filter(|_| line.command == "BATCH");
        let batch = closed.map(str::to_owned).or_else(|| line.tag("batch"));
        ticket(line).or_else(|| self.batches.get(&batch?)?.ticket)
    }

    /// Takes a line. Returns its outcome once it is complete.
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
        let held = &mut self.held;
        match &mut batch.what {
            What::Other => Entry::of(line, me, false).map(Told::Now),
            What::Past(answer) => {
                let ticket = batch.ticket;
                let kept = || Entry::of(line, me, true);
                answer.add(line.bytes(), (held, &mut batch.held), kept).then(|| answer.told(ticket))
            }
            What::Long(entry, begun) => {
                let Some(entry) = entry else { return None };
                let text = line.param(1);
                if *held + text.len() > BYTES || entry.text.len() + text.len() > TEXT {
                    return None;
                }
                *held += text.len();
                batch.held += text.len();
                if *begun {
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
        let batch = Batch { ticket, parent: line.tag("batch"), what, held: 0 };
        if let Some(replaced) = self.batches.insert(reference.to_owned(), batch) {
            self.held -= replaced.held;
        }
    }

    fn close(&mut self, reference: &str) -> Option<Told> {
        let batch = self.batches.remove(reference)?;
        self.held -= batch.held;
        match batch.what {
            What::Other => None,
            // A result that was cut has been returned already.
            What::Past(mut answer) => (!answer.cut).then(|| answer.told(batch.ticket)),
            What::Long(entry, begun) => {
                let mut entry = *entry?;
                if entry.kind == Kind::Action {
                    // The end of a CTCP ACTION is at the end of its last line.
                    let text = entry.text.trim_end_matches('\u{1}').len();
                    entry.text.truncate(text);
                }
                let parent = batch.parent.and_then(|parent| self.batches.get_mut(&parent));
                match parent {
                    Some(Batch { what: What::Past(answer), ticket, held, .. }) => {
                        let size = (&mut self.held, held);
                        let bytes = entry.text.len();
                        answer.add(bytes, size, || begun.then_some(entry)).then(|| answer.told(*ticket))
                    }
                    _ => begun.then_some(Told::Now(entry)),
                }
            }
        }
    }
}

impl Answer {
    /// Adds the entry of a line or of a multiline message, and its size to those of all batches and of its own. Returns
    /// `true` when it exceeds the limits for the first time; then nothing of it is held.
    fn add(
        &mut self,
        bytes: usize,
        (all, own): (&mut usize, &mut usize),
        entry: impl FnOnce() -> Option<Entry>,
    ) -> bool {
        if self.cut {
            return false;
        }
        self.lines += 1;
        self.cut = self.lines > LINES || *all + bytes > BYTES;
        if self.cut {
            *all -= std::mem::take(own);
        } else {
            *all += bytes;
            *own += bytes;
            self.entries.extend(entry());
        }
        self.cut
    }

    /// Returns the collected result.
    fn told(&mut self, ticket: Option<Ticket>) -> Told {
        let entries = std::mem::take(&mut self.entries);
        Told::Past(Part { ticket, entries, empty: self.lines == 0, cut: self.cut })
    }
}

fn ticket(line: &Heard) -> Option<Ticket> {
    line.tag("label")?.parse().ok().map(Ticket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Message, Millis};

    #[test]
    fn bounds_memory_of_all_open_batches() {
        let mut feed = Feed::default();
        let mut take = |line: &str| {
            let told = feed.take(&Heard::new(&Message::parse(line).expect(line), Millis(1)), None);
            (told, feed.held, feed.batches.values().map(|batch| batch.held).sum::<usize>())
        };
        for n in 0..BATCHES {
            take(&format!("BATCH +{n} chathistory #c"));
            take(&format!("@batch={n} BATCH +l{n} draft/multiline #c"));
        }
        let text = "x".repeat(64 * 1024);
        let mut cut = 0;
        for round in 0..2 * BYTES / text.len() {
            let n = round % BATCHES;
            let (told, held, sum) = take(&format!("@batch={n} :al!al@h PRIVMSG #c :{text}"));
            assert!(held <= BYTES && held == sum, "{held} {sum}");
            cut += usize::from(matches!(told, Some(Told::Past(part)) if part.cut));
        }
        assert!(cut > 0);
        for n in 0..BATCHES {
            take(&format!("BATCH -l{n}"));
            take(&format!("BATCH -{n}"));
        }
        assert_eq!((feed.held, feed.batches.len()), (0, 0));
    }
}
