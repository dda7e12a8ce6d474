//! Output of entries as lines.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::entry::{Entry, Kind};
use crate::client::clean::{acts, clean};
use crate::client::model::Target;
use crate::wire::Millis;

impl Entry {
    /// Returns the entry as a JSON object on one line, with its fields in the documented order (docs/scripting.md).
    /// Texts are complete; characters that act on a terminal are escaped, so the line is safe to show.
    pub fn json(&self) -> String {
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
        escape(&out)
    }

    /// Returns the entry as text for any terminal, one line for each line of its text: the local time, with the date
    /// for entries of the history, the conversation, and the message or event.
    pub fn text(&self, zone: &TimeZone) -> String {
        let from = &self.from;
        let reason = if self.text.is_empty() { String::new() } else { format!(" ({})", self.text) };
        let place = self.target.as_str();
        let head = format!("[{}] {place}", clock(self.time, zone, self.history));
        if self.kind.is_said() {
            let said = |line: &str| match self.kind {
                Kind::Notice => format!("{head} -{from}- {line}"),
                Kind::Action => format!("{head} * {from} {line}"),
                _ => format!("{head} <{from}> {line}"),
            };
            return self.text.split('\n').map(|line| clean(&said(line))).collect::<Vec<_>>().join("\n");
        }
        let who = if self.mine { "you" } else { from };
        let object = self.object.as_deref().unwrap_or_default();
        let refers_to = self.refers_to.as_deref().unwrap_or_default();
        let did = match self.kind {
            Kind::Join => format!("{who} joined"),
            Kind::Part => format!("{who} left{reason}"),
            Kind::Kick => format!("{object} was thrown out by {from}{reason}"),
            Kind::Quit => format!("{who} went offline{reason}"),
            Kind::Topic if self.text.is_empty() => format!("{from} cleared the topic"),
            Kind::Topic => format!("{from} set the topic: {}", self.text),
            Kind::Mode => format!("{from} set the mode {}", self.text),
            Kind::Rename => format!("{from} renamed the channel to {object}{reason}"),
            Kind::React => format!("{from} reacted with {} to {refers_to}", self.text),
            Kind::Unreact => format!("{from} took back {} from {refers_to}", self.text),
            Kind::Redact => format!("{from} took back {refers_to}{reason}"),
            _ => {
                let tags = self.tags.iter().map(|(key, value)| format!(" {key}={value}"));
                format!("{from} sent tags:{}", tags.collect::<String>())
            }
        };
        clean(&format!("{head} -- {did}"))
    }

    /// Returns whether the entry belongs to this conversation.
    pub fn is_at(&self, place: &Target) -> bool {
        self.target == *place
    }
}

/// Formats a time stamp as local hours and minutes, with the date if `dated`.
fn clock(time: Millis, zone: &TimeZone, dated: bool) -> String {
    let time = i64::try_from(time.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let form = if dated { "%Y-%m-%dT%H:%M" } else { "%H:%M" };
    time.unwrap_or_default().to_zoned(zone.clone()).strftime(form).to_string()
}

/// Escapes characters that act on a terminal, such as `\u001b`. In JSON they can only occur inside strings.
pub fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if acts(c) {
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
