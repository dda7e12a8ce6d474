//! Output of the plain chat: messages and channel events to one stream, notes of the program to another.

use std::io::{self, Write};

use jiff::tz::TimeZone;

use super::recent::RecentMessages;
use super::render::{self, Rendered};
use crate::client::connect::session::SessionUpdate;
use crate::client::model::Event;

/// Output streams of the plain chat.
#[derive(Debug)]
pub struct PlainOutput<T, N> {
    /// Stream of the messages and channel events.
    pub messages: T,
    /// Stream of the notes.
    pub notes: N,
    /// Time zone of the displayed times.
    pub zone: TimeZone,
    /// Reason of the disconnect that was last noted; `None` at first and after a reconnect.
    pub noted_reason: Option<String>,
}

impl<T: Write, N: Write> PlainOutput<T, N> {
    /// Writes an event, if it is one that is shown.
    pub fn write_event(&mut self, event: &Event, recent: &RecentMessages) -> io::Result<()> {
        match render::render_event(event, recent, &self.zone) {
            Some(Rendered::Message(line)) => self.write_message(&line)?,
            Some(Rendered::Note(line)) => self.write_note(&line),
            None => {}
        }
        Ok(())
    }

    /// Writes a line of a conversation, and flushes.
    pub fn write_message(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.messages, "{line}")?;
        self.messages.flush()
    }

    /// Writes a note. Ignores errors, because there is no other stream to report them on.
    pub fn write_note(&mut self, line: &str) {
        let _ = writeln!(self.notes, "-- {line}");
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
                    self.write_note(&format!("reconnected; sending {pending} unconfirmed messages again"));
                } else {
                    self.write_note("reconnected");
                }
            }
        }
    }
}
