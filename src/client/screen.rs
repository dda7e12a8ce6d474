//! Where lines are shown: the talk on one side, words of the program about it on the other.

use std::io::{self, Write};

use jiff::tz::TimeZone;

use super::model::Event;
use super::recent::Recent;
use super::render::{self, Rendered};
use super::session::Update;

/// Where the lines go.
#[derive(Debug)]
pub struct Screen<T, N> {
    /// The talk.
    pub talk: T,
    /// Words of the program about it.
    pub notes: N,
    /// The user's clock.
    pub zone: TimeZone,
    /// Why there is no connection, as it was last told; `None` at first.
    pub told: Option<String>,
}

impl<T: Write, N: Write> Screen<T, N> {
    /// Shows what happened, if it is to be shown.
    pub fn show(&mut self, event: &Event, recent: &Recent) -> io::Result<()> {
        match render::text(event, recent, &self.zone) {
            Some(Rendered::Talk(line)) => self.talk(&line)?,
            Some(Rendered::Note(line)) => self.note(&line),
            None => {}
        }
        Ok(())
    }

    /// Writes a line of the talk.
    pub fn talk(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.talk, "{line}")?;
        self.talk.flush()
    }

    /// Writes a note. Where it cannot be written there is nobody to tell, so that is no failure.
    pub fn note(&mut self, line: &str) {
        let _ = writeln!(self.notes, "-- {line}");
    }

    /// Notes that the connection is gone or back. A server that stays away is no news each time it is tried.
    pub fn connection(&mut self, update: &Update, pending: usize) {
        match update {
            Update::Event(_) => {}
            Update::Down { reason, .. } => {
                if self.told.as_ref() != Some(reason) {
                    self.note(&format!("not connected: {reason}; trying again"));
                    self.told = Some(reason.clone());
                }
            }
            Update::Up => {
                self.told = None;
                if pending > 0 {
                    self.note(&format!(
                        "connected again; sending {pending} that the server had not confirmed"
                    ));
                } else {
                    self.note("connected again");
                }
            }
        }
    }
}
