//! Output of entries as lines.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::entry::{Entry, EntryKind};
use crate::client::model::Conversation;
use crate::client::text::clean::{clean, is_terminal_control};
use crate::wire::Timestamp;

impl Entry {
    /// Returns the entry as a JSON object on one line, with its fields in the documented order (docs/scripting.md).
    /// Texts are complete; characters that act on a terminal are escaped, so the line is safe to show.
    pub fn to_json(&self) -> String {
        let text = |text: &str| Value::from(text);
        let maybe = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
        let tags = self.tags.iter().map(|(key, value)| (key.clone(), text(value)));
        let mut out = String::from("{");
        let mut put = |key: &str, value: Value| {
            let comma = if out.len() > 1 { "," } else { "" };
            let _ = write!(out, "{comma}\"{key}\":{value}");
        };
        put("kind", text(self.kind.name()));
        put("time", text(&self.time.to_string()));
        put("target", text(self.target.as_str()));
        put("from", text(&self.from));
        put("account", maybe(&self.account));
        put("mine", self.mine.into());
        put("msgid", maybe(&self.msgid));
        put("text", text(&self.text));
        put("refers_to", maybe(&self.refers_to));
        put("object", maybe(&self.object));
        put("tags", Value::Object(tags.collect()));
        put("history", self.history.into());
        out.push('}');
        escape_json(&out)
    }

    /// Returns the entry as text for any terminal, one line for each line of its text: the local time, with the date
    /// for entries of the history, the conversation, and the message or event.
    pub fn to_text(&self, zone: &TimeZone) -> String {
        let from = &self.from;
        let reason = if self.text.is_empty() { String::new() } else { format!(" ({})", self.text) };
        let conversation = self.target.as_str();
        let head = format!("[{}] {conversation}", format_time(self.time, zone, self.history));
        if self.kind.is_message() {
            let format_line = |line: &str| match self.kind {
                EntryKind::Notice => format!("{head} -{from}- {line}"),
                EntryKind::Action => format!("{head} * {from} {line}"),
                _ => format!("{head} <{from}> {line}"),
            };
            return self
                .text
                .split('\n')
                .map(|line| clean(&format_line(line)))
                .collect::<Vec<_>>()
                .join("\n");
        }
        let actor = if self.mine { "you" } else { from };
        let object = self.object.as_deref().unwrap_or_default();
        let refers_to = self.refers_to.as_deref().unwrap_or_default();
        let did = match self.kind {
            EntryKind::Join => format!("{actor} joined"),
            EntryKind::Part => format!("{actor} left{reason}"),
            EntryKind::Kick => format!("{object} was kicked by {from}{reason}"),
            EntryKind::Quit => format!("{actor} quit{reason}"),
            EntryKind::Topic if self.text.is_empty() => format!("{from} cleared the topic"),
            EntryKind::Topic => format!("{from} set the topic: {}", self.text),
            EntryKind::Mode => format!("{from} set mode {}", self.text),
            EntryKind::Rename => format!("{from} renamed the channel to {object}{reason}"),
            EntryKind::React => format!("{from} reacted with {} to {refers_to}", self.text),
            EntryKind::Unreact => format!("{from} took back {} from {refers_to}", self.text),
            EntryKind::Redact => format!("{from} took back {refers_to}{reason}"),
            _ => {
                let tags = self.tags.iter().map(|(key, value)| format!(" {key}={value}"));
                format!("{from} sent tags:{}", tags.collect::<String>())
            }
        };
        clean(&format!("{head} -- {did}"))
    }

    /// Returns whether the entry belongs to this conversation.
    pub fn is_in(&self, conversation: &Conversation) -> bool {
        self.target == *conversation
    }
}

/// Formats a time stamp as local hours and minutes, with the date if `dated`.
fn format_time(time: Timestamp, zone: &TimeZone, dated: bool) -> String {
    let time = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let form = if dated { "%Y-%m-%dT%H:%M" } else { "%H:%M" };
    time.unwrap_or_default().to_zoned(zone.clone()).strftime(form).to_string()
}

/// Escapes characters that act on a terminal, such as `\u001b`. In JSON they can only occur inside strings.
pub fn escape_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_terminal_control(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [EntryKind; 14] = [
        EntryKind::Message,
        EntryKind::Notice,
        EntryKind::Action,
        EntryKind::React,
        EntryKind::Unreact,
        EntryKind::Tags,
        EntryKind::Redact,
        EntryKind::Join,
        EntryKind::Part,
        EntryKind::Kick,
        EntryKind::Topic,
        EntryKind::Mode,
        EntryKind::Rename,
        EntryKind::Quit,
    ];

    fn entries() -> impl Strategy<Value = Entry> {
        let maybe = || prop::option::of(any::<String>());
        let target = prop_oneof![Just("#c"), Just("#日本"), Just("bo")];
        let flags = (prop::sample::select(KINDS.to_vec()), any::<bool>(), any::<bool>());
        let texts = (any::<String>(), any::<String>(), maybe(), maybe(), maybe(), maybe());
        let tags = prop::collection::btree_map(any::<String>(), any::<String>(), 0..3);
        (flags, 0..250_000_000_000_000_u64, target, texts, tags).prop_map(
            |((kind, mine, history), time, target, (from, text, account, msgid, refers_to, object), tags)| {
                Entry {
                    kind,
                    time: Timestamp(time),
                    target: Conversation::parse(target).expect("a target"),
                    from,
                    account,
                    mine,
                    msgid,
                    text,
                    refers_to,
                    object,
                    tags,
                    history,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn json_lines_parse_back(entry in entries()) {
            let line = entry.to_json();
            prop_assert!(!line.chars().any(is_terminal_control), "{line:?}");
            let read: Value = serde_json::from_str(&line).expect(&line);
            let maybe = |field: &Option<String>| field.clone().map_or(Value::Null, Value::String);
            prop_assert_eq!(&read["kind"], entry.kind.name());
            prop_assert_eq!(read["time"].as_str().and_then(Timestamp::parse), Some(entry.time));
            prop_assert_eq!(read["target"].as_str().map(Conversation::parse), Some(Ok(entry.target.clone())));
            prop_assert_eq!(&read["from"], &entry.from);
            prop_assert_eq!(&read["account"], &maybe(&entry.account));
            prop_assert_eq!(&read["mine"], entry.mine);
            prop_assert_eq!(&read["msgid"], &maybe(&entry.msgid));
            prop_assert_eq!(&read["text"], &entry.text);
            prop_assert_eq!(&read["refers_to"], &maybe(&entry.refers_to));
            prop_assert_eq!(&read["object"], &maybe(&entry.object));
            prop_assert_eq!(&read["history"], entry.history);
            let tags = read["tags"].as_object().expect("an object");
            prop_assert_eq!(tags.len(), entry.tags.len());
            prop_assert!(entry.tags.iter().all(|(key, value)| tags[key] == *value));
        }

        /// Each line of a text stands behind its time, conversation and sender, and nobody can forge another's line.
        #[test]
        fn text_lines_parse_back(
            entry in entries(),
            from in "[a-z]{1,9}",
            lines in prop::collection::vec("\\PC{0,30}", 1..4),
        ) {
            let text = lines.join("\n");
            let entry = Entry { from: from.clone(), text, ..entry };
            let written = entry.to_text(&TimeZone::UTC);
            prop_assert!(!written.chars().any(|c| is_terminal_control(c) && c != '\n'), "{written:?}");
            let head = format!("[{}] {}", format_time(entry.time, &TimeZone::UTC, entry.history), entry.target);
            if entry.kind.is_message() {
                let prefix = match entry.kind {
                    EntryKind::Notice => format!("{head} -{from}- "),
                    EntryKind::Action => format!("{head} * {from} "),
                    _ => format!("{head} <{from}> "),
                };
                let read: Vec<_> = written.split('\n').map(|line| line.strip_prefix(&prefix)).collect();
                let shown: Vec<String> = lines.iter().map(|line| clean(line)).collect();
                prop_assert_eq!(read, shown.iter().map(|line| Some(&**line)).collect::<Vec<_>>());
            } else {
                prop_assert!(written.starts_with(&format!("{head} -- ")) && !written.contains('\n'), "{written:?}");
            }
        }
    }
}
