//! Conversion of lines to entries.

use std::collections::HashMap;

use super::entry::{Entry, EntryKind};
use crate::client::model::{ReceivedLine, Ticket};
use crate::wire::Nick;

/// The outcome of a complete line or batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedOutput {
    /// A live entry.
    Live(Entry),
    /// The result of a history or search query.
    Result(QueryResult),
}

/// A result, oldest entry first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryResult {
    /// The ticket of the query.
    pub ticket: Option<Ticket>,
    /// The entries, oldest first.
    pub entries: Vec<Entry>,
    /// Set if the result had no line at all, so the history ends here.
    pub is_empty: bool,
    /// Set if the result exceeded the limits and was cut off; the rest is ignored.
    pub truncated: bool,
}

/// Reads lines in their order and collects batches.
#[derive(Debug, Default)]
pub struct Feed {
    batches: HashMap<String, Batch>,
    /// Bytes of all open batches.
    held_bytes: usize,
}

#[derive(Debug)]
struct Batch {
    ticket: Option<Ticket>,
    parent: Option<String>,
    content: BatchContent,
    /// Bytes of its lines that are held.
    held_bytes: usize,
}

#[derive(Debug)]
enum BatchContent {
    /// A batch whose lines are handled one by one, as if they were in none.
    Transparent,
    Result(PartialResult),
    /// A multiline message, and whether it has a line already. `None` if it belongs to no conversation.
    Multiline(Option<Box<Entry>>, bool),
}

/// A result under construction.
#[derive(Debug, Default)]
struct PartialResult {
    entries: Vec<Entry>,
    lines: usize,
    truncated: bool,
}

/// Limit of open batches. A well-behaved server has two or three.
const MAX_BATCHES: usize = 64;
/// Limit of all open batches together, in bytes: far more than a server sends for a page.
const MAX_HELD_BYTES: usize = 16 * 1024 * 1024;
/// Limit of lines in a result.
const MAX_RESULT_LINES: usize = 20_000;
/// Limit of a multiline message, in bytes.
const MAX_TEXT_BYTES: usize = 1024 * 1024;

impl Feed {
    /// Records the end of the connection, which drops incomplete batches.
    pub fn disconnected(&mut self) {
        self.batches.clear();
        self.held_bytes = 0;
    }

    /// Returns the ticket of the query that a line belongs to, wholly or in part.
    pub fn query_ticket(&self, line: &ReceivedLine) -> Option<Ticket> {
        let closed = line.param(0).strip_prefix('-').filter(|_| line.command == "BATCH");
        let batch = closed.map(str::to_owned).or_else(|| line.tag("batch"));
        label_ticket(line).or_else(|| self.batches.get(&batch?)?.ticket)
    }

    /// Takes a line. Returns its outcome once it is complete.
    pub fn handle_line(&mut self, line: &ReceivedLine, me: Option<&Nick>) -> Option<FeedOutput> {
        if line.command == "BATCH" {
            let reference = line.param(0);
            if let Some(reference) = reference.strip_prefix('+') {
                self.open_batch(reference, line, me);
                return None;
            }
            return self.close_batch(reference.strip_prefix('-')?);
        }
        let batch = line.tag("batch").and_then(|reference| self.batches.get_mut(&reference));
        let Some(batch) = batch else { return Entry::from_line(line, me, false).map(FeedOutput::Live) };
        let held = &mut self.held_bytes;
        match &mut batch.content {
            BatchContent::Transparent => Entry::from_line(line, me, false).map(FeedOutput::Live),
            BatchContent::Result(answer) => {
                let ticket = batch.ticket;
                let parse_entry = || Entry::from_line(line, me, true);
                answer
                    .add(line.memory_bytes(), (held, &mut batch.held_bytes), parse_entry)
                    .then(|| answer.take_result(ticket))
            }
            BatchContent::Multiline(entry, begun) => {
                let Some(entry) = entry else { return None };
                let text = line.param(1);
                if *held + text.len() > MAX_HELD_BYTES || entry.text.len() + text.len() > MAX_TEXT_BYTES {
                    return None;
                }
                *held += text.len();
                batch.held_bytes += text.len();
                if *begun {
                    if line.tag("draft/multiline-concat").is_none() {
                        entry.text.push('\n');
                    }
                    entry.text.push_str(text);
                } else {
                    *begun = true;
                    entry.set_message_text(text, line.command == "NOTICE");
                }
                None
            }
        }
    }

    fn open_batch(&mut self, reference: &str, line: &ReceivedLine, me: Option<&Nick>) {
        if self.batches.len() >= MAX_BATCHES {
            return;
        }
        let parent = line.tag("batch").and_then(|parent| self.batches.get(&parent));
        let content = match line.param(1) {
            "chathistory" | "soju.im/search" => BatchContent::Result(PartialResult::default()),
            "draft/multiline" => {
                let in_result =
                    parent.is_some_and(|parent| matches!(parent.content, BatchContent::Result(_)));
                BatchContent::Multiline(Entry::from_line(line, me, in_result).map(Box::new), false)
            }
            _ => BatchContent::Transparent,
        };
        let ticket = label_ticket(line).or_else(|| parent?.ticket);
        let batch = Batch { ticket, parent: line.tag("batch"), content, held_bytes: 0 };
        if let Some(replaced) = self.batches.insert(reference.to_owned(), batch) {
            self.held_bytes -= replaced.held_bytes;
        }
    }

    fn close_batch(&mut self, reference: &str) -> Option<FeedOutput> {
        let batch = self.batches.remove(reference)?;
        self.held_bytes -= batch.held_bytes;
        match batch.content {
            BatchContent::Transparent => None,
            // A result that was cut has been returned already.
            BatchContent::Result(mut answer) => (!answer.truncated).then(|| answer.take_result(batch.ticket)),
            BatchContent::Multiline(entry, begun) => {
                let mut entry = *entry?;
                if entry.kind == EntryKind::Action {
                    // The end of a CTCP ACTION is at the end of its last line.
                    let text = entry.text.trim_end_matches('\u{1}').len();
                    entry.text.truncate(text);
                }
                let parent = batch.parent.and_then(|parent| self.batches.get_mut(&parent));
                match parent {
                    Some(Batch {
                        content: BatchContent::Result(answer), ticket, held_bytes: held, ..
                    }) => {
                        let size = (&mut self.held_bytes, held);
                        let bytes = entry.text.len();
                        answer
                            .add(bytes, size, || begun.then_some(entry))
                            .then(|| answer.take_result(*ticket))
                    }
                    _ => begun.then_some(FeedOutput::Live(entry)),
                }
            }
        }
    }
}

impl PartialResult {
    /// Adds the entry of a line or of a multiline message, and its size to those of all batches and of its own. Returns
    /// `true` when it exceeds the limits for the first time; then nothing of it is held.
    fn add(
        &mut self,
        bytes: usize,
        (all, own): (&mut usize, &mut usize),
        entry: impl FnOnce() -> Option<Entry>,
    ) -> bool {
        if self.truncated {
            return false;
        }
        self.lines += 1;
        self.truncated = self.lines > MAX_RESULT_LINES || *all + bytes > MAX_HELD_BYTES;
        if self.truncated {
            *all -= std::mem::take(own);
        } else {
            *all += bytes;
            *own += bytes;
            self.entries.extend(entry());
        }
        self.truncated
    }

    /// Returns the collected result.
    fn take_result(&mut self, ticket: Option<Ticket>) -> FeedOutput {
        let entries = std::mem::take(&mut self.entries);
        FeedOutput::Result(QueryResult {
            ticket,
            entries,
            is_empty: self.lines == 0,
            truncated: self.truncated,
        })
    }
}

fn label_ticket(line: &ReceivedLine) -> Option<Ticket> {
    line.tag("label")?.parse().ok().map(Ticket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Message, Timestamp};

    #[test]
    fn bounds_memory_of_all_open_batches() {
        let mut feed = Feed::default();
        let mut take = |line: &str| {
            let told =
                feed.handle_line(&ReceivedLine::new(&Message::parse(line).expect(line), Timestamp(1)), None);
            (told, feed.held_bytes, feed.batches.values().map(|batch| batch.held_bytes).sum::<usize>())
        };
        for n in 0..MAX_BATCHES {
            take(&format!("BATCH +{n} chathistory #c"));
            take(&format!("@batch={n} BATCH +l{n} draft/multiline #c"));
        }
        let text = "x".repeat(64 * 1024);
        let mut cut = 0;
        for round in 0..2 * MAX_HELD_BYTES / text.len() {
            let n = round % MAX_BATCHES;
            let (told, held, sum) = take(&format!("@batch={n} :al!al@h PRIVMSG #c :{text}"));
            assert!(held <= MAX_HELD_BYTES && held == sum, "{held} {sum}");
            cut += usize::from(matches!(told, Some(FeedOutput::Result(part)) if part.truncated));
        }
        assert!(cut > 0);
        for n in 0..MAX_BATCHES {
            take(&format!("BATCH -l{n}"));
            take(&format!("BATCH -{n}"));
        }
        assert_eq!((feed.held_bytes, feed.batches.len()), (0, 0));
    }
}
