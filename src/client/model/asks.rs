//! Requests to the server other than messages: queries with a result, and commands without one.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::event::{Event, Point, Target, Ticket, Typing};
use super::{Line, Model, Offline};
use crate::wire::message::escape;
use crate::wire::{Cap, Millis};

/// Queries that have no result yet.
#[derive(Debug, Default)]
pub(super) struct Asks(HashSet<Ticket>);

impl Asks {
    /// Returns the ticket and removes it if its query is open.
    pub fn take(&mut self, ticket: Ticket) -> Option<Ticket> {
        self.0.take(&ticket)
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// The part of the history that a query asks for ([chathistory](https://ircv3.net/specs/extensions/chathistory)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Past {
    /// `LATEST`: the newest messages.
    Latest,
    /// `BEFORE`: the messages directly before the point.
    Before(Point),
    /// `AFTER`: the messages directly after the point.
    After(Point),
    /// `AROUND`: the message at the point and those on both sides of it.
    Around(Point),
}

/// The label of background commands. Their results need no ticket, and a refusal is not shown to the user.
pub(super) const BY_THE_WAY: &str = "q";

/// Begins the line of a background command.
fn by_the_way(command: &str) -> Line {
    Line::new(command).tag("label", BY_THE_WAY)
}

impl Model {
    /// Queries a part of a conversation's history. The result is an [`Event::History`] or an [`Event::NoHistory`].
    pub fn history(&mut self, place: &Target, past: &Past, limit: usize) -> Result<Ticket, Offline> {
        let (word, point) = match past {
            Past::Latest => ("LATEST", "*".to_owned()),
            Past::Before(point) => ("BEFORE", point.word()),
            Past::After(point) => ("AFTER", point.word()),
            Past::Around(point) => ("AROUND", point.word()),
        };
        let limit = self.page(limit).to_string();
        if self.online && !self.server.ids && point.starts_with("msgid=") {
            // The server would refuse the unknown form of the point, in words for programmers.
            let ticket = self.ticket();
            let reason = "this server finds no message by its id".to_owned();
            self.events.push_back(Event::NoHistory { ticket, reason, temporary: false });
            return Ok(ticket);
        }
        self.question(|line| line.arg(word).arg(place.as_str()).arg(&point).arg(&limit), "CHATHISTORY")
    }

    /// Returns the page size for a history query: `wanted`, but no more than the server allows (`CHATHISTORY` in
    /// ISUPPORT).
    pub fn page(&self, wanted: usize) -> usize {
        self.server.page.map_or(wanted, |most| wanted.min(most))
    }

    /// Returns the [`Point`] of a message: its id if it has one and the server supports ids, otherwise its time stamp.
    pub fn point(&self, id: Option<&str>, time: Millis) -> Point {
        id.filter(|_| self.server.ids).map_or(Point::Time(time), |id| Point::Id(id.to_owned()))
    }

    /// Queries the conversations with messages between two time stamps. The result is an [`Event::Targets`].
    pub fn targets(&mut self, after: Millis, before: Millis, limit: usize) -> Result<Ticket, Offline> {
        let limit = limit.to_string();
        let [after, before] = [after, before].map(|time| Point::Time(time).word());
        self.question(|line| line.arg("TARGETS").arg(&after).arg(&before).arg(&limit), "CHATHISTORY")
    }

    /// Searches one conversation or all of them for words. The result is an [`Event::Found`].
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

    /// Sets the read marker of a conversation, up to and including `time`. Does nothing if the server has no read
    /// markers.
    pub fn mark_read(&mut self, place: &Target, time: Millis) {
        if self.online && self.caps.has(Cap::ReadMarker) {
            self.write(by_the_way("MARKREAD").arg(place.as_str()).arg(&Point::Time(time).word()));
        }
    }

    /// Queries the read marker of a conversation. The result is an [`Event::Marker`].
    pub fn marker(&mut self, place: &Target) {
        if self.online && self.caps.has(Cap::ReadMarker) {
            self.write(by_the_way("MARKREAD").arg(place.as_str()));
        }
    }

    /// Adds a reaction to a message, or removes it if `off` is set.
    pub fn react(&mut self, place: &Target, msgid: &str, emoji: &str, off: bool) -> Result<(), Offline> {
        let key = if off { "+draft/unreact" } else { "+draft/react" };
        let line = Line::new("TAGMSG").tag(key, emoji).tag("+draft/reply", msgid);
        self.ask(line.arg(place.as_str()))
    }

    /// Redacts a message.
    pub fn redact(&mut self, place: &Target, msgid: &str, reason: &str) -> Result<(), Offline> {
        let line = Line::new("REDACT").arg(place.as_str()).arg(msgid);
        self.ask(if reason.is_empty() { line } else { line.text(reason) })
    }

    /// Sends the account's typing status to a conversation. Does nothing if the server doesn't relay tags.
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

    /// Marks the account as away with this message, or as back if it is empty.
    pub fn set_away(&mut self, words: &str) -> Result<(), Offline> {
        words.clone_into(&mut self.away_words);
        let line = Line::new("AWAY");
        self.ask(if words.is_empty() { line } else { line.text(words) })
    }

    /// Sets the account's own metadata on a conversation, or removes it for `None`.
    pub fn note(&mut self, place: &Target, key: &str, value: Option<&str>) -> Result<(), Offline> {
        let line = Line::new("METADATA").arg(place.as_str()).arg("SET").arg(key);
        self.ask(match value {
            Some(value) => line.text(value),
            None => line,
        })
    }

    /// Queries the account's own metadata on a conversation. The result is an [`Event::Noted`].
    pub fn noted(&mut self, place: &Target, key: &str) {
        if self.online && self.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
            self.write(by_the_way("METADATA").arg(place.as_str()).arg("GET").arg(key));
        }
    }

    /// Subscribes to changes of these metadata keys.
    pub fn follow(&mut self, keys: &[&str]) {
        if self.online && self.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
            let line = by_the_way("METADATA").arg("*").arg("SUB");
            self.write(keys.iter().fold(line, |line, key| line.arg(key)));
        }
    }

    /// Monitors a nick (`MONITOR +`). The results are [`Event::Online`]s.
    pub fn watch(&mut self, who: &str) {
        if self.online {
            self.write(by_the_way("MONITOR").arg("+").arg(who));
        }
    }

    /// Queries the members of a channel with their away status (`WHO`).
    pub fn who(&mut self, channel: &str) {
        if self.online {
            self.write(by_the_way("WHO").arg(channel));
        }
    }

    /// Sends a command with its parameters as the user typed them, such as `KICK #a bob :go`.
    pub fn command(&mut self, command: &str, args: &[&str], text: Option<&str>) -> Result<(), Offline> {
        let line = args.iter().fold(Line::new(command), |line, arg| line.arg(arg));
        self.ask(match text {
            Some(text) => line.text(text),
            None => line,
        })
    }
}
