//! BATCH from clients: multiline messages ([multiline](https://ircv3.net/specs/extensions/multiline),
//! [client batch](https://ircv3.net/specs/extensions/client-batch)).
//!
//! The lines of a batch are collected by the connection's reader. The core gets the message as one command.

use super::send::{self, SendMessage};
use crate::core::commands::Command;
use crate::core::commands::info::ping;
use crate::core::record::{LINE_BREAK, LINE_CONCAT, MessageKind};
use crate::wire::{Label, Message, Reply, Tags};

/// Maximum size of a multiline message, in bytes, line breaks included.
pub const MAX_BYTES: usize = 16_384;

/// Maximum number of lines of a message.
pub const MAX_LINES: usize = 100;

/// Value of the capability: both limits.
pub const CAP_VALUE: &str = "max-bytes=16384,max-lines=100";

/// The only type of batch that clients may send.
const MULTILINE: &str = "draft/multiline";

/// Tag of a line that continues the one before it.
const CONCAT: &str = "draft/multiline-concat";

/// A command or the error reply to it, with the label of the reply.
#[derive(Debug)]
pub struct LabeledCommand {
    /// Label of the reply.
    pub label: Option<Label>,
    /// The command, or the error reply that parsing it gave.
    pub command: Result<Command, Reply>,
}

/// Collector of the lines of a batch, one for each connection. Holds no memory while no batch is open.
#[derive(Debug, Default)]
pub struct MultilineBatches(Option<Box<OpenBatch>>);

#[derive(Debug)]
struct OpenBatch {
    reference: Box<str>,
    label: Option<Label>,
    /// The message so far; `None` after the batch was refused, when its further lines are dropped.
    message: Option<MessageDraft>,
}

#[derive(Debug)]
struct MessageDraft {
    message: SendMessage,
    target: Box<str>,
    kind: Option<MessageKind>,
    text: String,
    lines: usize,
}

/// Result of passing a line to [`MultilineBatches`].
#[derive(Debug)]
pub enum BatchOutcome {
    /// The line does not belong to a batch.
    NotBatched,
    /// The line belongs to an open batch and is held.
    Buffered,
    /// The line ends or breaks a batch: the command or error reply.
    Command(LabeledCommand),
    /// As [`BatchOutcome::Command`], and the reply to the line, which has a label of its own.
    TwoCommands {
        /// The command or error reply of the batch.
        of_batch: LabeledCommand,
        /// The reply to the line.
        of_line: LabeledCommand,
    },
}

impl MultilineBatches {
    /// Takes a line and its label.
    pub fn push_line(&mut self, line: &Message<'_>, label: Option<Label>) -> BatchOutcome {
        if line.command.eq_ignore_ascii_case("BATCH") {
            return self.handle_batch(line, label);
        }
        let Some(reference) = line.tags.get("batch") else { return BatchOutcome::NotBatched };
        let Some(open) = self.0.as_mut().filter(|open| *open.reference == *reference) else {
            return BatchOutcome::refusal(label, multiline_invalid("Unknown batch reference"));
        };
        let was_rejected = open.message.is_none();
        let outcome = match open.message.as_mut().map_or(Ok(()), |draft| draft.add_line(line)) {
            Ok(()) => BatchOutcome::Buffered,
            Err(reply) => open.reject(reply),
        };
        outcome.with_line_label(label, was_rejected)
    }

    /// Takes note of a line that was dropped because it did not parse, given its tags. If it was part of the open
    /// batch, the batch is refused, because without the line it would be another message. Without readable tags it
    /// counts as part of the batch, because clients may send no other line in between.
    pub fn reject_unreadable_line(&mut self, tags: Option<Tags<'_>>) -> BatchOutcome {
        let reference = tags.map(|tags| tags.get("batch"));
        let is_part = |open: &&mut Box<OpenBatch>| match &reference {
            None => true,
            Some(reference) => reference.as_deref() == Some(&*open.reference),
        };
        let label = tags.and_then(Label::in_tags);
        match self.0.as_mut().filter(is_part) {
            None => BatchOutcome::NotBatched,
            Some(open) if open.message.is_none() => BatchOutcome::Buffered.with_line_label(label, true),
            Some(open) => {
                let text = "A line of the message could not be read: it is too long or not UTF-8";
                open.reject(multiline_invalid(text)).with_line_label(label, false)
            }
        }
    }

    fn handle_batch(&mut self, line: &Message<'_>, label: Option<Label>) -> BatchOutcome {
        let word = line.param(0).unwrap_or_default();
        if let Some(reference) = word.strip_prefix('-') {
            return match self.0.take_if(|open| *open.reference == *reference) {
                Some(open) => {
                    let was_rejected = open.message.is_none();
                    open.finish().with_line_label(label, was_rejected)
                }
                None => BatchOutcome::refusal(label, multiline_invalid("Unknown batch reference")),
            };
        }
        let reference = word.strip_prefix('+').unwrap_or_default();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if reference.is_empty() || reference.len() > 64 || !reference.chars().all(is_word) {
            let reply = Reply::fail("BATCH", "INVALID_REFTAG").arg(word).text("Invalid batch reference");
            return BatchOutcome::refusal(label, reply);
        }
        let kind = line.param(1).unwrap_or_default();
        let draft = if kind == MULTILINE {
            MessageDraft::new(line)
        } else {
            let reply = Reply::fail("BATCH", "UNKNOWN_TYPE").arg(reference).arg(kind);
            Err(reply.text("Unsupported batch type"))
        };
        // Batches can't overlap: one that was left open is dropped with an error reply.
        let unclosed_label = self.0.take().filter(|open| open.message.is_some()).map(|open| open.label);
        let mut open = OpenBatch { reference: reference.into(), label, message: None };
        let outcome = match (draft, unclosed_label) {
            // A batch that was left open is dropped too. One error reply, with the first one's label, serves both.
            (Err(reply), left) => {
                open.label = left.flatten().or(open.label);
                open.reject(reply)
            }
            (Ok(draft), left) => {
                open.message = Some(draft);
                match left {
                    Some(label) => {
                        BatchOutcome::refusal(label, multiline_invalid("The previous batch was not closed"))
                    }
                    None => BatchOutcome::Buffered,
                }
            }
        };
        self.0 = Some(Box::new(open));
        outcome
    }
}

impl BatchOutcome {
    fn command(label: Option<Label>, command: Command) -> Self {
        Self::Command(LabeledCommand { label, command: Ok(command) })
    }

    fn refusal(label: Option<Label>, reply: Reply) -> Self {
        Self::Command(LabeledCommand { label, command: Err(reply) })
    }

    /// Adds the reply to a line with a label of its own, beside that to the label of the batch: clients may put labels on
    /// the lines in a batch too, and wait for a reply to each
    /// ([labeled-response](https://ircv3.net/specs/extensions/labeled-response)).
    fn with_line_label(self, label: Option<Label>, was_rejected: bool) -> Self {
        if label.is_none() {
            return self;
        }
        match self {
            Self::Buffered if was_rejected => {
                Self::refusal(label, multiline_invalid("The batch was refused before"))
            }
            Self::Buffered => Self::command(label, ping::no_op()),
            Self::Command(LabeledCommand { label: None, command }) => {
                Self::Command(LabeledCommand { label, command })
            }
            Self::Command(of_batch) => {
                let command = match &of_batch.command {
                    Ok(_) => Ok(ping::no_op()),
                    Err(reply) => Err(reply.clone()),
                };
                Self::TwoCommands { of_batch, of_line: LabeledCommand { label, command } }
            }
            other => other,
        }
    }
}

impl OpenBatch {
    /// Drops the message so far and the lines still to come.
    fn reject(&mut self, reply: Reply) -> BatchOutcome {
        self.message = None;
        BatchOutcome::refusal(self.label.take(), reply)
    }

    fn finish(mut self) -> BatchOutcome {
        let Some(draft) = self.message.take() else { return BatchOutcome::Buffered };
        let blank = draft.text.chars().all(|c| [LINE_BREAK, LINE_CONCAT].contains(&c));
        let command = match draft.kind.filter(|_| !blank) {
            Some(kind) => Ok(Command::SendMessage(draft.message.with_lines(kind, draft.text.into()))),
            None => Err(multiline_invalid("The message has no text")),
        };
        BatchOutcome::Command(LabeledCommand { label: self.label.take(), command })
    }
}

impl MessageDraft {
    fn new(line: &Message<'_>) -> Result<Self, Reply> {
        let target = line.param(2).unwrap_or_default();
        let message = send::parse_common("BATCH", line, target)?;
        Ok(Self { message, target: target.into(), kind: None, text: String::new(), lines: 0 })
    }

    fn add_line(&mut self, line: &Message<'_>) -> Result<(), Reply> {
        let kind = match line.command.to_ascii_uppercase().as_str() {
            "PRIVMSG" => MessageKind::Privmsg,
            "NOTICE" => MessageKind::Notice,
            _ => return Err(multiline_invalid("Only PRIVMSG or NOTICE may be in such a batch")),
        };
        let target = line.param(0).unwrap_or_default();
        if !target.eq_ignore_ascii_case(&self.target) {
            let reply = Reply::fail("BATCH", "MULTILINE_INVALID_TARGET").arg(&*self.target).arg(target);
            return Err(reply.text("All lines must have the target of the batch"));
        }
        if self.kind.is_some_and(|known| known != kind) {
            return Err(multiline_invalid("A batch holds either PRIVMSG or NOTICE, not both"));
        }
        let (text, is_concat) = (line.param(1).unwrap_or_default(), line.tags.get(CONCAT).is_some());
        if text.is_empty() && is_concat {
            return Err(multiline_invalid("A concatenated line cannot be blank"));
        }
        if self.lines == MAX_LINES {
            let reply = Reply::fail("BATCH", "MULTILINE_MAX_LINES").arg(MAX_LINES.to_string());
            return Err(reply.text("The message has too many lines"));
        }
        if self.lines > 0 {
            self.text.push(if is_concat { LINE_CONCAT } else { LINE_BREAK });
        }
        self.text.push_str(text);
        // A continued line has no break to count.
        let bytes = self.text.len() - self.text.matches(LINE_CONCAT).count();
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
fn multiline_invalid(text: &str) -> Reply {
    Reply::fail("BATCH", "MULTILINE_INVALID").text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Formats the results of lines: commands and error codes, each with its label.
    fn push_lines(lines: &[&str]) -> Vec<String> {
        let mut batches = MultilineBatches::default();
        let mut out = Vec::new();
        for line in lines {
            let message = Message::parse(line).expect(line);
            match batches.push_line(&message, Label::of(&message)) {
                BatchOutcome::Buffered => {}
                BatchOutcome::NotBatched => out.push("a line".to_owned()),
                BatchOutcome::Command(said) => out.push(render_command(said)),
                BatchOutcome::TwoCommands { of_batch, of_line } => {
                    out.extend([render_command(of_batch), render_command(of_line)]);
                }
            }
        }
        out
    }

    fn render_command(LabeledCommand { label, command }: LabeledCommand) -> String {
        let outcome = match command {
            Ok(Command::SendMessage(said)) => format!("{said:?}"),
            Ok(other) => format!("{other:?}"),
            Err(reply) => reply.render("s", "al"),
        };
        format!("{:?} {outcome}", label.as_ref().map(Label::as_str))
    }

    #[test]
    fn each_label_in_batch_gets_one_reply() {
        let labels = |lines: &[&str]| {
            let all = push_lines(lines);
            all.iter().map(|line| line.chars().take(14).collect::<String>()).collect::<Vec<_>>()
        };
        let open = "@label=o BATCH +1 draft/multiline #a";
        let whole = labels(&[open, "@batch=1;label=i PRIVMSG #a :x", "@label=c BATCH -1"]);
        assert_eq!(whole, ["Some(\"i\") Ping", "Some(\"o\") Send", "Some(\"c\") Ping"]);
        let no_label = "BATCH +1 draft/multiline #a";
        let end_only = labels(&[no_label, "@batch=1 PRIVMSG #a :x", "@label=c BATCH -1"]);
        assert_eq!(end_only, ["Some(\"c\") Send"]);
        let refused = push_lines(&[
            open,
            "@batch=1;label=i JOIN #a",
            "@batch=1;label=j PRIVMSG #a :x",
            "@label=c BATCH -1",
        ]);
        assert!(refused.iter().all(|line| line.contains(":s FAIL BATCH")), "{refused:?}");
        let of = |label: &str| {
            refused.iter().filter(|line| line.starts_with(&format!("Some(\"{label}\")"))).count()
        };
        assert_eq!(["o", "i", "j", "c"].map(of), [1; 4]);
    }

    #[track_caller]
    fn assert_refused(lines: &[&str], code: &str) {
        let out = push_lines(lines);
        assert!(out.len() == 1 && out[0].contains(code), "{out:?}");
    }

    #[test]
    fn batch_becomes_one_message_with_opening_label_and_tags() {
        let out = push_lines(&[
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
        assert_refused(
            &[open, "@batch=1 PRIVMSG #d x", "@batch=1 PRIVMSG #c y", "BATCH -1"],
            "_INVALID_TARGET #c #d",
        );
        assert_refused(&[open, "@batch=1 TOPIC #c x", "@batch=1 PRIVMSG #c x"], "MULTILINE_INVALID");
        assert_refused(&[open, "@batch=1 PRIVMSG #c x", "@batch=1 NOTICE #c x"], "MULTILINE_INVALID");
        assert_refused(&[open, "@batch=1;draft/multiline-concat PRIVMSG #c :"], "MULTILINE_INVALID");
        assert_refused(
            &[open, "@batch=1 PRIVMSG #c :", "@batch=1 PRIVMSG #c :", "BATCH -1"],
            "MULTILINE_INVALID",
        );
        assert_refused(&[open, "BATCH -1"], "MULTILINE_INVALID");
        assert_refused(&["BATCH -1"], "MULTILINE_INVALID");
        assert_refused(&["@batch=1 PRIVMSG #c x"], "MULTILINE_INVALID");
        assert_refused(&["BATCH +1 netsplit a b"], "UNKNOWN_TYPE 1 netsplit");
        assert_refused(&["BATCH"], "INVALID_REFTAG");
        assert_refused(&["BATCH +a.b draft/multiline #c"], "INVALID_REFTAG +a.b");
        assert_refused(&[open, "BATCH +2 draft/multiline #c"], "MULTILINE_INVALID");
    }

    #[test]
    fn batch_with_unreadable_line_is_refused() {
        let mut batches = MultilineBatches::default();
        let mut take = |line: &str| {
            let message = Message::parse(line).expect(line);
            batches.push_line(&message, Label::of(&message))
        };
        assert!(matches!(take("@label=b BATCH +1 draft/multiline #c"), BatchOutcome::Buffered));
        assert!(matches!(take("@batch=1 PRIVMSG #c :one"), BatchOutcome::Buffered));
        assert!(
            matches!(batches.reject_unreadable_line(Some(Tags("label=x"))), BatchOutcome::NotBatched),
            "a line of its own"
        );
        let BatchOutcome::Command(LabeledCommand { label, command: Err(reply) }) =
            batches.reject_unreadable_line(Some(Tags("batch=1")))
        else {
            panic!("no refusal")
        };
        assert!(reply.render("s", "al").contains("FAIL BATCH MULTILINE_INVALID"));
        assert_eq!(label.as_ref().map(Label::as_str), Some("b"));
        assert!(matches!(batches.reject_unreadable_line(None), BatchOutcome::Buffered), "it is said once");
        let mut take = |line: &str| batches.push_line(&Message::parse(line).expect(line), None);
        assert!(matches!(take("@batch=1 PRIVMSG #c :three"), BatchOutcome::Buffered));
        assert!(matches!(take("BATCH -1"), BatchOutcome::Buffered));
        assert!(matches!(batches.reject_unreadable_line(None), BatchOutcome::NotBatched));
    }

    #[test]
    fn batch_limits_lines_and_bytes() {
        let line = "@batch=1 PRIVMSG #c x";
        let mut lines = vec!["BATCH +1 draft/multiline #c"];
        lines.extend([line; MAX_LINES]);
        lines.push("BATCH -1");
        assert!(push_lines(&lines)[0].contains("SendMessage"));
        lines.insert(1, line);
        assert_refused(&lines, "MULTILINE_MAX_LINES 100");
        let long = |n| format!("@batch=1;draft/multiline-concat PRIVMSG #c :{}", "x".repeat(n));
        let (most, more) = (long(MAX_BYTES / 2), long(MAX_BYTES / 2 + 1));
        assert!(push_lines(&[lines[0], &most, &most, "BATCH -1"])[0].contains("SendMessage"));
        assert_refused(&[lines[0], &most, &more, "BATCH -1"], "MULTILINE_MAX_BYTES 16384");
        assert_eq!(CAP_VALUE, format!("max-bytes={MAX_BYTES},max-lines={MAX_LINES}"));
    }
}
