//! Output of the plain chat: messages and channel events to one stream, notes of the program to another.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;

use super::recent::RecentMessages;
use super::render::{self, Reader, Rendered};
use crate::client::answers::card::{Card, CardLine};
use crate::client::connect::session::SessionUpdate;
use crate::client::model::Event;
use crate::client::settings::time_format::TimeFormat;
use crate::client::text::clean::clean;
use crate::client::text::count::counted;
use crate::client::text::fold::fold;
use crate::wire::Timestamp;

/// Output streams of the plain chat.
#[derive(Debug)]
pub struct PlainOutput<T, N> {
    /// Stream of the messages and channel events.
    pub messages: T,
    /// Stream of the notes.
    pub notes: N,
    /// Time zone of the displayed times.
    pub zone: TimeZone,
    /// Format of the displayed times.
    pub time_format: TimeFormat,
    /// Widths of the terminals at the ends of the streams.
    pub columns: Columns,
    /// Reason of the disconnect that was last noted; `None` at first and after a reconnect.
    pub noted_reason: Option<String>,
}

/// Widths of the terminals at the ends of the two streams, asked for anew with each line. Where there is no terminal, or for
/// programs, lines stay whole.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Width of the terminal that shows the messages.
    pub messages: fn() -> Option<usize>,
    /// Width of the terminal that shows the notes.
    pub notes: fn() -> Option<usize>,
}

impl Default for Columns {
    fn default() -> Self {
        Self { messages: || None, notes: || None }
    }
}

/// Indent of the rows of a message behind the first one.
const MESSAGE_INDENT: usize = 8;
/// The same of a note: the width of its mark.
const NOTE_INDENT: usize = 3;

impl<T: Write, N: Write> PlainOutput<T, N> {
    /// Writes an event, if it is one that is shown.
    pub fn write_event(
        &mut self,
        event: &Event,
        recent: &RecentMessages,
        reader: Reader<'_>,
    ) -> io::Result<()> {
        match render::render_event(event, recent, &self.zone, &self.time_format, reader) {
            Some(Rendered::Message(line)) => self.write_message(&line)?,
            Some(Rendered::Lines(first, others)) => {
                self.write_message(&first)?;
                for line in others {
                    self.write_message(&format!("{:MESSAGE_INDENT$}{line}", ""))?;
                }
            }
            Some(Rendered::Note(line)) => self.write_note(&line),
            None => {}
        }
        Ok(())
    }

    /// Writes a line of a conversation, and flushes.
    pub fn write_message(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.messages, "{}", fold_for(line, (self.columns.messages)(), MESSAGE_INDENT))?;
        self.messages.flush()
    }

    /// Rings the bell of the terminal that shows the notes. Ignores errors, as for a note.
    pub fn ring(&mut self) {
        let _ = self.notes.write_all(b"\x07").and_then(|()| self.notes.flush());
    }

    /// Formats a time as the user chose, in their time zone.
    pub fn format_time(&self, time: Timestamp) -> String {
        self.time_format.format(&render::to_local_time(time, &self.zone))
    }

    /// Writes a note. Ignores errors, because there is no other stream to report them on.
    pub fn write_note(&mut self, line: &str) {
        let line = format!("-- {line}");
        let _ = writeln!(self.notes, "{}", fold_for(&line, (self.columns.notes)(), NOTE_INDENT));
    }

    /// Writes a card in lines: its title, then its content.
    pub fn write_card(&mut self, card: &Card) -> io::Result<()> {
        self.write_note(&format!("{}:", clean(&card.title)));
        for line in card.lines(None, |text| text.chars().count()) {
            match line {
                CardLine::Heading(text) | CardLine::Text(text) if text.is_empty() => {}
                CardLine::Heading(text) | CardLine::Text(text) => self.write_note(&format!("  {text}")),
                CardLine::Field { name, value } => self.write_note(&format!("  {name}: {value}")),
                // Alone on its line, so that it can be copied whole.
                CardLine::Secret(secret) => self.write_message(&secret)?,
            }
        }
        Ok(())
    }

    /// Notes that the first connection failed or is there, for a user. Failed attempts with the same reason are noted once.
    pub fn note_first_connection(&mut self, update: &SessionUpdate) {
        match update {
            SessionUpdate::Event(_) => {}
            SessionUpdate::Disconnected { reason, .. } => {
                match &self.noted_reason {
                    Some(noted) if noted == reason => return,
                    Some(_) => self.write_note(&format!("still not connected: {reason}")),
                    None => self.write_note(&format!(
                        "not connected: {reason}. Trying until the server is back; what you type waits, /quit ends"
                    )),
                }
                self.noted_reason = Some(reason.clone());
            }
            SessionUpdate::Connected => {
                self.noted_reason = None;
                self.write_note("connected");
            }
        }
    }

    /// Notes a lost or restored connection. Failed attempts with the same reason are noted once.
    pub fn note_connection(&mut self, update: &SessionUpdate, pending: usize) {
        match update {
            SessionUpdate::Event(_) => {}
            SessionUpdate::Disconnected { reason, .. } => {
                if self.noted_reason.as_ref() != Some(reason) {
                    self.write_note(&format!("disconnected: {reason}; reconnecting"));
                    self.noted_reason = Some(reason.clone());
                }
            }
            SessionUpdate::Connected => {
                self.noted_reason = None;
                if pending > 0 {
                    let messages = counted(pending, "unconfirmed message");
                    self.write_note(&format!("reconnected; sending {messages}"));
                } else {
                    self.write_note("reconnected");
                }
            }
        }
    }
}

/// Breaks a line between its words where a terminal would break it within them.
fn fold_for(line: &str, columns: Option<usize>, indent: usize) -> String {
    match columns {
        Some(columns) => fold(line, columns, indent).join("\n"),
        None => line.to_owned(),
    }
}

/// Returns the current time.
pub(super) fn current_time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_on_a_terminal_alone() {
        let write = |columns| {
            let mut output = PlainOutput {
                messages: Vec::new(),
                notes: Vec::new(),
                zone: TimeZone::UTC,
                time_format: TimeFormat::default(),
                columns,
                noted_reason: None,
            };
            output.write_message("[20:09] #lobby <bob> see you at the harbour").expect("written");
            output.write_note("nobody is banned or muted in #lobby");
            (
                String::from_utf8(output.messages).expect("text"),
                String::from_utf8(output.notes).expect("text"),
            )
        };
        let (messages, notes) = write(Columns { messages: || Some(32), notes: || Some(20) });
        assert_eq!(messages, "[20:09] #lobby <bob> see you at\n        the harbour\n");
        assert_eq!(notes, "-- nobody is banned\n   or muted in\n   #lobby\n");
        let (messages, notes) = write(Columns::default());
        assert_eq!((messages.lines().count(), notes.lines().count()), (1, 1));
    }
}
