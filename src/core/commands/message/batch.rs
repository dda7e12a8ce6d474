//! BATCH from clients: multiline messages ([multiline](https://ircv3.net/specs/extensions/multiline),
//! [client batch](https://ircv3.net/specs/extensions/client-batch)).
//!
//! The lines of a batch are collected by the connection's reader. The core gets the message as one command.

use super::send::{self, Said};
use crate::core::commands::Command;
use crate::core::commands::info::ping;
use crate::core::effects::label;
use crate::core::record::{LINE_BREAK, LINE_JOIN, MessageKind};
use crate::wire::{Message, Reply, Tags};

/// Maximum size of a multiline message, in bytes, line breaks included.
pub const MAX_BYTES: usize = 16_384;

/// Maximum number of lines of a message.
pub const MAX_LINES: usize = 100;

/// Value of the capability: both limits.
pub const LIMITS: &str = "max-bytes=16384,max-lines=100";

/// The only type of batch that clients may send.
const MULTILINE: &str = "draft/multiline";

/// Tag of a line that continues the one before it.
const CONCAT: &str = "draft/multiline-concat";

/// A command or the error reply to it, with the label of the reply.
pub type Labelled = (Option<Box<str>>, Result<Command, Reply>);

/// Collector of the lines of a batch, one for each connection. Holds no memory while no batch is open.
#[derive(Debug, Default)]
pub struct Batches(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    reference: Box<str>,
    label: Option<Box<str>>,
    /// The message so far; `None` after the batch was refused, when its further lines are dropped.
    message: Option<Draft>,
}

#[derive(Debug)]
struct Draft {
    said: Said,
    target: Box<str>,
    kind: Option<MessageKind>,
    text: String,
    lines: usize,
}

/// Result of passing a line to [`Batches`].
#[derive(Debug)]
pub enum Taken {
    /// The line does not belong to a batch.
    Not,
    /// The line belongs to an open batch and is held.
    Held,
    /// The line ends or breaks a batch: the command or error reply.
    Said(Labelled),
    /// As [`Taken::Said`], and the reply to the line, which has a label of its own.
    Both(Labelled, Labelled),
}

impl Batches {
    /// Takes a line and its label.
    pub fn take(&mut self, line: &Message<'_>, label: Option<Box<str>>) -> Taken {
        if line.command.eq_ignore_ascii_case("BATCH") {
            return self.batch(line, label);
        }
        let Some(reference) = line.tags.get("batch") else { return Taken::Not };
        let Some(open) = self.0.as_mut().filter(|open| *open.reference == *reference) else {
            return Taken::Said((label, Err(invalid("Unknown batch reference"))));
        };
        let was_refused = open.message.is_none();
        let taken = match open.message.as_mut().map_or(Ok(()), |draft| draft.add(line)) {
            Ok(()) => Taken::Held,
            Err(reply) => open.refuse(reply),
        };
        taken.with_reply_to(label, was_refused)
    }

    /// Takes note of a line that was dropped because it did not parse, given its tags. If it was part of the open
    /// batch, the batch is refused, because without the line it would be another message. Without readable tags it
    /// counts as part of the batch, because clients may send no other line in between.
    pub fn lose(&mut self, tags: Option<Tags<'_>>) -> Taken {
        let reference = tags.map(|tags| tags.get("batch"));
        let is_part = |open: &&mut Box<Open>| match &reference {
            None => true,
            Some(reference) => reference.as_deref() == Some(&*open.reference),
        };
        let label = tags.and_then(label::in_tags);
        match self.0.as_mut().filter(is_part) {
            None => Taken::Not,
            Some(open) if open.message.is_none() => Taken::Held.with_reply_to(label, true),
            Some(open) => {
                let why = "A line of the message could not be read: it is too long or not UTF-8";
                open.refuse(invalid(why)).with_reply_to(label, false)
            }
        }
    }

    fn batch(&mut self, line: &Message<'_>, label: Option<Box<str>>) -> Taken {
        let word = line.param(0).unwrap_or_default();
        if let Some(reference) = word.strip_prefix('-') {
            return match self.0.take_if(|open| *open.reference == *reference) {
                Some(open) => {
                    let was_refused = open.message.is_none();
                    open.end().with_reply_to(label, was_refused)
                }
                None => Taken::Said((label, Err(invalid("Unknown batch reference")))),
            };
        }
        let reference = word.strip_prefix('+').unwrap_or_default();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if reference.is_empty() || reference.len() > 64 || !reference.chars().all(is_word) {
            let reply = Reply::fail("BATCH", "INVALID_REFTAG").arg(word).text("Invalid batch reference");
            return Taken::Said((label, Err(reply)));
        }
        let kind = line.param(1).unwrap_or_default();
        let draft = if kind == MULTILINE {
            Draft::new(line)
        } else {
            let reply = Reply::fail("BATCH", "UNKNOWN_TYPE").arg(reference).arg(kind);
            Err(reply.text("Unsupported batch type"))
        };
        // Batches can't overlap: one that was left open is dropped with an error reply.
        let left = self.0.take().filter(|open| open.message.is_some()).map(|open| open.label);
        let mut open = Open { reference: reference.into(), label, message: None };
        let taken = match (draft, left) {
            // A batch that was left open is dropped too. One error reply, with the first one's label, serves both.
            (Err(reply), left) => {
                open.label = left.flatten().or(open.label);
                open.refuse(reply)
            }
            (Ok(draft), left) => {
                open.message = Some(draft);
                match left {
                    Some(label) => Taken::Said((label, Err(invalid("The previous batch was not closed")))),
                    None => Taken::Held,
                }
            }
        };
        self.0 = Some(Box::new(open));
        taken
    }
}

impl Taken {
    /// Adds the reply to a line with a label of its own, beside that to the label of the batch: clients may put labels on
    /// the lines in a batch too, and wait for an answer to each
    /// ([labeled-response](https://ircv3.net/specs/extensions/labeled-response)).
    fn with_reply_to(self, label: Option<Box<str>>, was_refused: bool) -> Self {
        if label.is_none() {
            return self;
        }
        match self {
            Self::Held if was_refused => Self::Said((label, Err(invalid("The batch was refused before")))),
            Self::Held => Self::Said((label, Ok(ping::nothing()))),
            Self::Said((None, outcome)) => Self::Said((label, outcome)),
            Self::Said((of_batch, Err(reply))) => {
                Self::Both((of_batch, Err(reply.clone())), (label, Err(reply)))
            }
            Self::Said(of_batch) => Self::Both(of_batch, (label, Ok(ping::nothing()))),
            other => other,
        }
    }
}

impl Open {
    /// Drops the message so far and the lines still to come.
    fn refuse(&mut self, reply: Reply) -> Taken {
        self.message = None;
        Taken::Said((self.label.take(), Err(reply)))
    }

    fn end(mut self) -> Taken {
        let Some(draft) = self.message.take() else { return Taken::Held };
        let blank = draft.text.chars().all(|c| [LINE_BREAK, LINE_JOIN].contains(&c));
        let command = match draft.kind.filter(|_| !blank) {
            Some(kind) => Ok(Command::Said(draft.said.with_lines(kind, draft.text.into()))),
            None => Err(invalid("The message has no text")),
        };
        Taken::Said((self.label.take(), command))
    }
}

impl Draft {
    fn new(line: &Message<'_>) -> Result<Self, Reply> {
        let target = line.param(2).unwrap_or_default();
        let said = send::begin("BATCH", line, target)?;
        Ok(Self { said, target: target.into(), kind: None, text: String::new(), lines: 0 })
    }

    fn add(&mut self, line: &Message<'_>) -> Result<(), Reply> {
        let kind = match line.command.to_ascii_uppercase().as_str() {
            "PRIVMSG" => MessageKind::Privmsg,
            "NOTICE" => MessageKind::Notice,
            _ => return Err(invalid("Only PRIVMSG or NOTICE may be in such a batch")),
        };
        let target = line.param(0).unwrap_or_default();
        if !target.eq_ignore_ascii_case(&self.target) {
            let reply = Reply::fail("BATCH", "MULTILINE_INVALID_TARGET").arg(&*self.target).arg(target);
            return Err(reply.text("All lines must have the target of the batch"));
        }
        if self.kind.is_some_and(|known| known != kind) {
            return Err(invalid("A batch holds either PRIVMSG or NOTICE, not both"));
        }
        let (text, joined) = (line.param(1).unwrap_or_default(), line.tags.get(CONCAT).is_some());
        if text.is_empty() && joined {
            return Err(invalid("A concatenated line cannot be blank"));
        }
        if self.lines == MAX_LINES {
            let reply = Reply::fail("BATCH", "MULTILINE_MAX_LINES").arg(MAX_LINES.to_string());
            return Err(reply.text("The message has too many lines"));
        }
        if self.lines > 0 {
            self.text.push(if joined { LINE_JOIN } else { LINE_BREAK });
        }
        self.text.push_str(text);
        // A continued line has no break to count.
        let bytes = self.text.len() - self.text.matches(LINE_JOIN).count();
        if bytes > MAX_BYTES {
            let reply = Reply::fail("BATCH", "MULTILINE_MAX_BYTES").arg(MAX_BYTES.to_string());
            return Err(reply.text("The message is too long"));
        }
        self.kind = Some(kind);
        self.lines += 1;
        Ok(())
    }
}

/// Creates a `FAIL BATCH MULTILINE_INVALID`.
fn invalid(text: &str) -> Reply {
    Reply::fail("BATCH", "MULTILINE_INVALID").text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Formats the results of lines: commands and error codes, each with its label.
    fn taken(lines: &[&str]) -> Vec<String> {
        let mut batches = Batches::default();
        let mut out = Vec::new();
        for line in lines {
            let message = Message::parse(line).expect(line);
            let label = message.tags.get("label").map(|label| label.into_owned().into());
            match batches.take(&message, label) {
                Taken::Held => {}
                Taken::Not => out.push("a line".to_owned()),
                Taken::Said(said) => out.push(shown(said)),
                Taken::Both(of_batch, of_line) => out.extend([shown(of_batch), shown(of_line)]),
            }
        }
        out
    }

    fn shown((label, outcome): Labelled) -> String {
        let outcome = match outcome {
            Ok(Command::Said(said)) => format!("{said:?}"),
            Ok(other) => format!("{other:?}"),
            Err(reply) => reply.render("s", "al"),
        };
        format!("{label:?} {outcome}")
    }

    #[test]
    fn each_label_in_batch_gets_one_reply() {
        let labels = |lines: &[&str]| {
            let all = taken(lines);
            all.iter().map(|line| line.chars().take(14).collect::<String>()).collect::<Vec<_>>()
        };
        let open = "@label=o BATCH +1 draft/multiline #a";
        let whole = labels(&[open, "@batch=1;label=i PRIVMSG #a :x", "@label=c BATCH -1"]);
        assert_eq!(whole, ["Some(\"i\") Ping", "Some(\"o\") Said", "Some(\"c\") Ping"]);
        let no_label = "BATCH +1 draft/multiline #a";
        let end_only = labels(&[no_label, "@batch=1 PRIVMSG #a :x", "@label=c BATCH -1"]);
        assert_eq!(end_only, ["Some(\"c\") Said"]);
        let refused =
            taken(&[open, "@batch=1;label=i JOIN #a", "@batch=1;label=j PRIVMSG #a :x", "@label=c BATCH -1"]);
        assert!(refused.iter().all(|line| line.contains(":s FAIL BATCH")), "{refused:?}");
        let of = |label: &str| {
            refused.iter().filter(|line| line.starts_with(&format!("Some(\"{label}\")"))).count()
        };
        assert_eq!(["o", "i", "j", "c"].map(of), [1; 4]);
    }

    #[track_caller]
    fn refused(lines: &[&str], code: &str) {
        let out = taken(lines);
        assert!(out.len() == 1 && out[0].contains(code), "{out:?}");
    }

    #[test]
    fn batch_becomes_one_message_with_opening_label_and_tags() {
        let out = taken(&[
            "@label=7;+reply=x BATCH +1 draft/multiline #c",
            "@batch=1 PRIVMSG #c hello",
            "@batch=1 PRIVMSG #C :",
            "PING x",
            "@batch=1 privmsg #c :how is ",
            "@batch=1;draft/multiline-concat PRIVMSG #c :everyone?",
            "BATCH -1",
            "PRIVMSG #c :after",
        ]);
        assert_eq!(out.len(), 3, "{out:?}");
        assert!(
            out[1].starts_with("Some(\"7\")") && out[1].contains(r"hello\n\nhow is \reveryone?"),
            "{out:?}"
        );
        assert!(out[1].contains("+reply=x"));
    }

    #[test]
    fn invalid_batch_fails_once_and_drops_remaining_lines() {
        let open = "BATCH +1 draft/multiline #c";
        refused(
            &[open, "@batch=1 PRIVMSG #d x", "@batch=1 PRIVMSG #c y", "BATCH -1"],
            "_INVALID_TARGET #c #d",
        );
        refused(&[open, "@batch=1 TOPIC #c x", "@batch=1 PRIVMSG #c x"], "MULTILINE_INVALID");
        refused(&[open, "@batch=1 PRIVMSG #c x", "@batch=1 NOTICE #c x"], "MULTILINE_INVALID");
        refused(&[open, "@batch=1;draft/multiline-concat PRIVMSG #c :"], "MULTILINE_INVALID");
        refused(&[open, "@batch=1 PRIVMSG #c :", "@batch=1 PRIVMSG #c :", "BATCH -1"], "MULTILINE_INVALID");
        refused(&[open, "BATCH -1"], "MULTILINE_INVALID");
        refused(&["BATCH -1"], "MULTILINE_INVALID");
        refused(&["@batch=1 PRIVMSG #c x"], "MULTILINE_INVALID");
        refused(&["BATCH +1 netsplit a b"], "UNKNOWN_TYPE 1 netsplit");
        refused(&["BATCH"], "INVALID_REFTAG");
        refused(&["BATCH +a.b draft/multiline #c"], "INVALID_REFTAG +a.b");
        refused(&[open, "BATCH +2 draft/multiline #c"], "MULTILINE_INVALID");
    }

    #[test]
    fn batch_with_unreadable_line_is_refused() {
        let mut batches = Batches::default();
        let mut take = |line: &str, label: Option<&str>| {
            batches.take(&Message::parse(line).expect(line), label.map(Into::into))
        };
        assert!(matches!(take("BATCH +1 draft/multiline #c", Some("b")), Taken::Held));
        assert!(matches!(take("@batch=1 PRIVMSG #c :one", None), Taken::Held));
        assert!(matches!(batches.lose(Some(Tags("label=x"))), Taken::Not), "a line of its own");
        let Taken::Said((label, Err(reply))) = batches.lose(Some(Tags("batch=1"))) else {
            panic!("no refusal")
        };
        assert!(reply.render("s", "al").contains("FAIL BATCH MULTILINE_INVALID"));
        assert_eq!(label.as_deref(), Some("b"));
        assert!(matches!(batches.lose(None), Taken::Held), "it is said once");
        let mut take = |line: &str| batches.take(&Message::parse(line).expect(line), None);
        assert!(matches!(take("@batch=1 PRIVMSG #c :three"), Taken::Held));
        assert!(matches!(take("BATCH -1"), Taken::Held));
        assert!(matches!(batches.lose(None), Taken::Not));
    }

    #[test]
    fn batch_limits_lines_and_bytes() {
        let line = "@batch=1 PRIVMSG #c x";
        let mut lines = vec!["BATCH +1 draft/multiline #c"];
        lines.extend([line; MAX_LINES]);
        lines.push("BATCH -1");
        assert!(taken(&lines)[0].contains("Said"));
        lines.insert(1, line);
        refused(&lines, "MULTILINE_MAX_LINES 100");
        let long = |n| format!("@batch=1;draft/multiline-concat PRIVMSG #c :{}", "x".repeat(n));
        let (most, more) = (long(MAX_BYTES / 2), long(MAX_BYTES / 2 + 1));
        assert!(taken(&[lines[0], &most, &most, "BATCH -1"])[0].contains("Said"));
        refused(&[lines[0], &most, &more, "BATCH -1"], "MULTILINE_MAX_BYTES 16384");
        assert_eq!(LIMITS, format!("max-bytes={MAX_BYTES},max-lines={MAX_LINES}"));
    }
}
