//! What is asked of the server besides messages, and what is told it.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::event::{Event, Point, Target, Ticket, Typing};
use super::{Line, Model, Offline};
use crate::wire::message::escape;
use crate::wire::{Cap, Millis};

/// The questions that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Asks(HashSet<Ticket>);

impl Asks {
    /// Is this one of them? Then it is answered now.
    pub fn take(&mut self, ticket: Ticket) -> Option<Ticket> {
        self.0.take(&ticket)
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Which part of the past is asked for ([chathistory](https://ircv3.net/specs/extensions/chathistory)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Past {
    /// The latest.
    Latest,
    /// What came directly before.
    Before(Point),
    /// What came directly after.
    After(Point),
    /// On both sides, and itself.
    Around(Point),
}

/// The label of what is asked or told by the way: nobody waits for it, and nobody is to hear that it was refused.
pub(super) const BY_THE_WAY: &str = "q";

/// A line that is sent by the way.
fn by_the_way(command: &str) -> Line {
    Line::new(command).tag("label", BY_THE_WAY)
}

impl Model {
    /// Asks for a part of the past; [`Event::History`] or
    /// [`Event::NoHistory`] answers.
    pub fn history(&mut self, place: &Target, past: &Past, limit: usize) -> Result<Ticket, Offline> {
        let (word, point) = match past {
            Past::Latest => ("LATEST", "*".to_owned()),
            Past::Before(point) => ("BEFORE", point.word()),
            Past::After(point) => ("AFTER", point.word()),
            Past::Around(point) => ("AROUND", point.word()),
        };
        let limit = self.page(limit).to_string();
        if self.online && !self.server.ids && point.starts_with("msgid=") {
            // The server would take it for nonsense, and say so in words for programmers.
            let ticket = self.ticket();
            let reason = "this server finds no message by its id".to_owned();
            self.events.push_back(Event::NoHistory { ticket, reason });
            return Ok(ticket);
        }
        self.question(|line| line.arg(word).arg(place.as_str()).arg(&point).arg(&limit), "CHATHISTORY")
    }

    /// So many messages may be asked for at once, of so many that are wanted.
    pub fn page(&self, wanted: usize) -> usize {
        self.server.page.map_or(wanted, |most| wanted.min(most))
    }

    /// How a message is named as a [`Point`] of the past: by its id, where it has one and the server goes by it.
    pub fn point(&self, id: Option<&str>, time: Millis) -> Point {
        id.filter(|_| self.server.ids).map_or(Point::Time(time), |id| Point::Id(id.to_owned()))
    }

    /// Asks where something was said between two moments; [`Event::Targets`] answers.
    pub fn targets(&mut self, after: Millis, before: Millis, limit: usize) -> Result<Ticket, Offline> {
        let limit = limit.to_string();
        let [after, before] = [after, before].map(|time| Point::Time(time).word());
        self.question(|line| line.arg("TARGETS").arg(&after).arg(&before).arg(&limit), "CHATHISTORY")
    }

    /// Looks for words, everywhere or in one place; [`Event::Found`] answers.
    pub fn search(
        &mut self,
        words: &str,
        place: Option<&Target>,
        from: Option<&str>,
        limit: usize,
    ) -> Result<Ticket, Offline> {
        let mut attributes = format!("text={}", escape(words));
        let mut put = |key: &str, value: &str| {
            let _ = write!(attributes, ";{key}={}", escape(value));
        };
        if let Some(place) = place {
            put("in", place.as_str());
        }
        if let Some(from) = from {
            put("from", from);
        }
        put("limit", &limit.to_string());
        self.question(|line| line.text(&attributes), "SEARCH")
    }

    pub(super) fn question(
        &mut self,
        fill: impl FnOnce(Line) -> Line,
        command: &str,
    ) -> Result<Ticket, Offline> {
        if !self.online {
            return Err(Offline);
        }
        let ticket = self.ticket();
        self.write(fill(Line::new(command).tag("label", &ticket.0.to_string())));
        self.asks.0.insert(ticket);
        Ok(ticket)
    }

    /// Up to this, included, a place is read now. Nothing where the server keeps no markers.
    pub fn mark_read(&mut self, place: &Target, time: Millis) {
        if self.online && self.caps.has(Cap::ReadMarker) {
            self.write(by_the_way("MARKREAD").arg(place.as_str()).arg(&Point::Time(time).word()));
        }
    }

    /// Asks up to when a place is read; [`Event::Marker`] answers.
    pub fn marker(&mut self, place: &Target) {
        if self.online && self.caps.has(Cap::ReadMarker) {
            self.write(by_the_way("MARKREAD").arg(place.as_str()));
        }
    }

    /// Reacts to a message, or takes a reaction back.
    pub fn react(&mut self, place: &Target, msgid: &str, emoji: &str, off: bool) -> Result<(), Offline> {
        let key = if off { "+draft/unreact" } else { "+draft/react" };
        let line = Line::new("TAGMSG").tag(key, emoji).tag("+draft/reply", msgid);
        self.ask(line.arg(place.as_str()))
    }

    /// Takes a message back.
    pub fn redact(&mut self, place: &Target, msgid: &str, reason: &str) -> Result<(), Offline> {
        let line = Line::new("REDACT").arg(place.as_str()).arg(msgid);
        self.ask(if reason.is_empty() { line } else { line.text(reason) })
    }

    /// Tells the others that one types.
    pub fn typing(&mut self, place: &Target, what: Typing) {
        let what = match what {
            Typing::Active => "active",
            Typing::Paused => "paused",
            Typing::Done => "done",
        };
        if self.online && self.caps.has(Cap::MessageTags) {
            self.write(by_the_way("TAGMSG").tag("+typing", what).arg(place.as_str()));
        }
    }

    /// Goes away with these words, or comes back with none.
    pub fn set_away(&mut self, words: &str) -> Result<(), Offline> {
        words.clone_into(&mut self.away_words);
        let line = Line::new("AWAY");
        self.ask(if words.is_empty() { line } else { line.text(words) })
    }

    /// Notes something about a place for oneself, or takes the note away.
    pub fn note(&mut self, place: &Target, key: &str, value: Option<&str>) -> Result<(), Offline> {
        let line = Line::new("METADATA").arg(place.as_str()).arg("SET").arg(key);
        self.ask(match value {
            Some(value) => line.text(value),
            None => line,
        })
    }

    /// Asks for what one noted about a place; [`Event::Noted`] answers.
    pub fn noted(&mut self, place: &Target, key: &str) {
        if self.online && self.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
            self.write(by_the_way("METADATA").arg(place.as_str()).arg("GET").arg(key));
        }
    }

    /// Wants to be told of changes of these keys.
    pub fn follow(&mut self, keys: &[&str]) {
        if self.online && self.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
            let line = by_the_way("METADATA").arg("*").arg("SUB");
            self.write(keys.iter().fold(line, |line, key| line.arg(key)));
        }
    }

    /// Wants to be told when somebody comes and goes; [`Event::Online`] answers.
    pub fn watch(&mut self, who: &str) {
        if self.online {
            self.write(by_the_way("MONITOR").arg("+").arg(who));
        }
    }

    /// Asks who of a channel is away.
    pub fn who(&mut self, channel: &str) {
        if self.online {
            self.write(by_the_way("WHO").arg(channel));
        }
    }

    /// Sends a command with parameters as they were typed: `KICK #a bob :go`.
    pub fn command(&mut self, command: &str, args: &[&str], text: Option<&str>) -> Result<(), Offline> {
        let line = args.iter().fold(Line::new(command), |line, arg| line.arg(arg));
        self.ask(match text {
            Some(text) => line.text(text),
            None => line,
        })
    }
}
