//! Requests to the server other than messages: queries with a result, and commands without one.

pub(super) mod directory;
pub mod marks;
pub mod mentions;
pub mod threads;

use std::collections::HashSet;
use std::fmt::Write as _;

use super::event::{ChatMessage, Conversation, Event, HistoryPage, MessageRef, Ticket, TypingStatus};
use super::{Line, Model, NotConnected};
use crate::wire::message::escape;
use crate::wire::{Cap, Timestamp};

/// Queries that have no result yet.
#[derive(Debug, Default)]
pub(super) struct OpenQueries(HashSet<Ticket>);

impl OpenQueries {
    /// Returns the ticket and removes it if its query is open.
    pub fn close(&mut self, ticket: Ticket) -> Option<Ticket> {
        self.0.take(&ticket)
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// The part of the history that a query asks for ([chathistory](https://ircv3.net/specs/extensions/chathistory)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryRange {
    /// `LATEST`: the newest messages.
    Latest,
    /// `BEFORE`: the messages directly before the point.
    Before(MessageRef),
    /// `AFTER`: the messages directly after the point.
    After(MessageRef),
    /// `AROUND`: the message at the point and those on both sides of it.
    Around(MessageRef),
}

/// Messages and events that a chat asks for by one query of the history.
pub const PAGE_SIZE: usize = 200;

/// Size of a page, in bytes, from which the server may have cut it.
const TRUNCATION_BYTES: usize = 256 * 1024;

/// The label of background commands. Their results need no ticket, and a refusal is not shown to the user.
pub(super) const BACKGROUND_LABEL: &str = "q";

/// Begins the line of a background command.
fn background_line(command: &str) -> Line {
    Line::new(command).tag("label", BACKGROUND_LABEL)
}

/// Returns the time stamp at which a search for older messages than these begins ([`Model::query_search_before`]), or `None`
/// if the search found fewer than its `limit` and so all there are.
pub fn older_search_start(results: &[ChatMessage], limit: usize) -> Option<Timestamp> {
    let times = || results.iter().map(|message| message.time);
    let (oldest, newest) = (times().min()?, times().max()?);
    // Others of the oldest millisecond may be missing. Where there is no other, the search has to leave it.
    let start = if oldest == newest { Timestamp(oldest.0.saturating_sub(1)) } else { oldest };
    (results.len() >= limit).then_some(start)
}

impl Model {
    /// Queries a part of a conversation's history. The result is an [`Event::History`] or an [`Event::QueryFailed`].
    pub fn query_history(
        &mut self,
        conversation: &Conversation,
        range: &HistoryRange,
        limit: usize,
    ) -> Result<Ticket, NotConnected> {
        let (subcommand, point) = match range {
            HistoryRange::Latest => ("LATEST", "*".to_owned()),
            HistoryRange::Before(point) => ("BEFORE", point.to_param()),
            HistoryRange::After(point) => ("AFTER", point.to_param()),
            HistoryRange::Around(point) => ("AROUND", point.to_param()),
        };
        let limit = self.page_size(limit).to_string();
        if self.online && !self.isupport.msgid_refs && point.starts_with("msgid=") {
            // The server would refuse the unknown form of the point, in words for programmers.
            let ticket = self.take_ticket();
            let reason = "this server finds no message by its id".to_owned();
            self.events.push_back(Event::QueryFailed { ticket, reason, temporary: false });
            return Ok(ticket);
        }
        self.send_query(
            |line| line.arg(subcommand).arg(conversation.as_str()).arg(&point).arg(&limit),
            "CHATHISTORY",
        )
    }

    /// Returns the page size for a history query: `wanted`, but no more than the server allows (`CHATHISTORY` in
    /// ISUPPORT).
    pub fn page_size(&self, wanted: usize) -> usize {
        self.isupport.history_page.map_or(wanted, |most| wanted.min(most))
    }

    /// Returns whether a page of the history is the last one in its direction, where `wanted` lines were asked for.
    pub fn is_last_page(&self, page: &HistoryPage, wanted: usize) -> bool {
        page.lines < self.page_size(wanted) && page.bytes < TRUNCATION_BYTES
    }

    /// Returns the [`MessageRef`] of a message: its id if it has one and the server supports ids, otherwise its time stamp.
    pub fn message_ref(&self, id: Option<&str>, time: Timestamp) -> MessageRef {
        id.filter(|_| self.isupport.msgid_refs)
            .map_or(MessageRef::Time(time), |id| MessageRef::Id(id.to_owned()))
    }

    /// Queries the conversations with messages between two time stamps. The result is an [`Event::Targets`].
    pub fn query_targets(
        &mut self,
        after: Timestamp,
        before: Timestamp,
        limit: usize,
    ) -> Result<Ticket, NotConnected> {
        let limit = limit.to_string();
        let [after, before] = [after, before].map(|time| MessageRef::Time(time).to_param());
        self.send_query(|line| line.arg("TARGETS").arg(&after).arg(&before).arg(&limit), "CHATHISTORY")
    }

    /// Searches one conversation or all of them for words. The result is an [`Event::SearchResults`].
    pub fn query_search(
        &mut self,
        terms: &str,
        conversation: Option<&Conversation>,
        from: Option<&str>,
        limit: usize,
    ) -> Result<Ticket, NotConnected> {
        self.send_search(terms, conversation, from, None, limit)
    }

    /// Searches all conversations for words, up to and including a time stamp. The result is an
    /// [`Event::SearchResults`].
    pub fn query_search_before(
        &mut self,
        terms: &str,
        before: Option<Timestamp>,
        limit: usize,
    ) -> Result<Ticket, NotConnected> {
        self.send_search(terms, None, None, before, limit)
    }

    fn send_search(
        &mut self,
        terms: &str,
        conversation: Option<&Conversation>,
        from: Option<&str>,
        before: Option<Timestamp>,
        limit: usize,
    ) -> Result<Ticket, NotConnected> {
        let mut attributes = format!("text={}", escape(terms));
        let mut put = |key: &str, value: &str| {
            let _ = write!(attributes, ";{key}={}", escape(value));
        };
        if let Some(conversation) = conversation {
            put("in", conversation.as_str());
        }
        if let Some(from) = from {
            put("from", from);
        }
        if let Some(before) = before {
            put("before", &before.to_string());
        }
        put("limit", &limit.to_string());
        self.send_query(|line| line.trailing(&attributes), "SEARCH")
    }

    pub(super) fn send_query(
        &mut self,
        fill: impl FnOnce(Line) -> Line,
        command: &str,
    ) -> Result<Ticket, NotConnected> {
        if !self.online {
            return Err(NotConnected);
        }
        let ticket = self.take_ticket();
        self.write_line(fill(Line::new(command).tag("label", &ticket.0.to_string())));
        self.queries.0.insert(ticket);
        Ok(ticket)
    }

    /// Sets the read marker of a conversation, up to and including `time`. Does nothing if the server has no read
    /// markers.
    pub fn set_read_marker(&mut self, conversation: &Conversation, time: Timestamp) {
        if self.online && self.caps.has(Cap::ReadMarker) {
            self.write_line(
                background_line("MARKREAD")
                    .arg(conversation.as_str())
                    .arg(&MessageRef::Time(time).to_param()),
            );
        }
    }

    /// Queries the read marker of a conversation. The result is an [`Event::ReadMarker`].
    pub fn query_read_marker(&mut self, conversation: &Conversation) {
        if self.online && self.caps.has(Cap::ReadMarker) {
            self.write_line(background_line("MARKREAD").arg(conversation.as_str()));
        }
    }

    /// Adds a reaction to a message, or removes it if `off` is set.
    pub fn send_reaction(
        &mut self,
        conversation: &Conversation,
        msgid: &str,
        emoji: &str,
        remove: bool,
    ) -> Result<(), NotConnected> {
        let key = if remove { "+draft/unreact" } else { "+draft/react" };
        let line = Line::new("TAGMSG").tag(key, emoji).tag("+draft/reply", msgid);
        self.send_line(line.arg(conversation.as_str()))
    }

    /// Sends the account's typing status to a conversation. Does nothing if the server doesn't relay tags.
    pub fn send_typing(&mut self, conversation: &Conversation, status: TypingStatus) {
        let status = match status {
            TypingStatus::Active => "active",
            TypingStatus::Paused => "paused",
            TypingStatus::Done => "done",
        };
        if self.online && self.caps.has(Cap::MessageTags) {
            self.write_line(background_line("TAGMSG").tag("+typing", status).arg(conversation.as_str()));
        }
    }

    /// Marks the account as away with this message, or as back if it is empty.
    pub fn set_away(&mut self, message: &str) -> Result<(), NotConnected> {
        message.clone_into(&mut self.own_away_message);
        let line = Line::new("AWAY");
        self.send_line(if message.is_empty() { line } else { line.trailing(message) })
    }

    /// Queries the account's own metadata on a conversation. The result is an [`Event::Metadata`].
    pub fn query_metadata(&mut self, conversation: &Conversation, key: &str) {
        if self.online && self.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
            self.write_line(background_line("METADATA").arg(conversation.as_str()).arg("GET").arg(key));
        }
    }

    /// Subscribes to changes of these metadata keys.
    pub fn subscribe_metadata(&mut self, keys: &[&str]) {
        if self.online && self.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
            let line = background_line("METADATA").arg("*").arg("SUB");
            self.write_line(keys.iter().fold(line, |line, key| line.arg(key)));
        }
    }

    /// Queries the values of all subscribed keys of a target. The results are [`Event::Metadata`]s.
    pub(super) fn sync_metadata(&mut self, target: &str) {
        if self.online {
            self.write_line(background_line("METADATA").arg(target).arg("SYNC"));
        }
    }

    /// Monitors a nick (`MONITOR +`). The results are [`Event::Presence`]s.
    pub fn monitor_nick(&mut self, nick: &str) {
        if self.online {
            self.write_line(background_line("MONITOR").arg("+").arg(nick));
        }
    }

    /// Ends the monitoring of a nick (`MONITOR -`), which makes room for another one.
    pub fn unmonitor_nick(&mut self, nick: &str) {
        if self.online {
            self.write_line(background_line("MONITOR").arg("-").arg(nick));
        }
    }

    /// Queries the modes of this account (`MODE`). The result is an [`Event::UserModes`].
    pub fn query_user_modes(&mut self) {
        if let Some(me) = self.me.clone().filter(|_| self.online) {
            self.write_line(background_line("MODE").arg(me.as_str()));
        }
    }

    /// Queries the members of a channel with their away status (`WHO`).
    pub fn query_who(&mut self, channel: &str) {
        if self.online {
            self.write_line(background_line("WHO").arg(channel));
        }
    }
}
