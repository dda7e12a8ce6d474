//! Output of the plain chat: messages and channel events to one stream, notes of the program to another.

use std::io::{self, Write};

use jiff::tz::TimeZone;

use super::recent::Recent;
use super::render::{self, Rendered};
use crate::client::connect::session::Update;
use crate::client::model::Event;

/// Output streams of the plain chat.
#[derive(Debug)]
pub struct Screen<T, N> {
    /// Stream of the messages and channel events.
    pub talk: T,
    /// Stream of the notes.
    pub notes: N,
    /// Time zone of the displayed times.
    pub zone: TimeZone,
    /// Reason of the disconnect that was last noted; `None` at first and after a reconnect.
    pub told: Option<String>,
}

impl<T: Write, N: Write> Screen<T, N> {
    /// Writes an event, if it is one that is shown.
    pub fn show(&mut self, event: &Event, recent: &Recent) -> io::Result<()> {
        match render::text(event, recent, &self.zone) {
            Some(Rendered::Talk(line)) => self.talk(&line)?,
            Some(Rendered::Note(line)) => self.note(&line),
            None => {}
        }
        Ok(())
    }

    /// Writes a line of a conversation, and flushes.
    pub fn talk(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.talk, "{line}")?;
        self.talk.flush()
    }

    /// Writes a note. Ignores errors, because there is no other stream to report them on.
    pub fn note(&mut self, line: &str) {
        let _ = writeln!(self.notes, "-- {line}");
    }

    /// Notes a lost or restored connection. Failed attempts with the same reason are noted once.
    pub fn connection(&mut self, update: &Update, pending: usize) {
        match update {
            Update::Event(_) => {}
            Update::Down { reason, .. } => {
                if self.told.as_ref() != Some(reason) {
                    self.note(&format!("disconnected: {reason}; reconnecting"));
                    self.told = Some(reason.clone());
                }
            }
            Update::Up => {
                self.told = None;
                if pending > 0 {
                    self.note(&format!("reconnected; sending {pending} unconfirmed messages again"));
                } else {
                    self.note("reconnected");
                }
            }
        }
    }
}
