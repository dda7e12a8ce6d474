//! Marked messages: the pinned messages of a channel and the bookmarks of the account, kept in metadata
//! ([metadata](https://ircv3.net/specs/extensions/metadata)) as a list of message ids, the latest mark first.

use super::super::event::{Conversation, MessageRef, Ticket};
use super::super::{Line, Model, NotConnected};
use super::{HistoryRange, background_line};
use crate::wire::Cap;

/// Limit of a value of metadata on Parlour, in bytes. It has room for 17 ids of Parlour.
const MAX_VALUE_BYTES: usize = 300;

/// Limit of one message id, in bytes.
const MAX_ID_BYTES: usize = 64;

/// Kind of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    /// Pinned for all members of the channel; its operators may pin.
    Pin,
    /// Bookmarked, for the own account only.
    Bookmark,
}

/// Error of a mark that cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// The message has the mark already.
    #[error("the message has this mark already")]
    Present,
    /// The message does not have the mark.
    #[error("the message does not have this mark")]
    Absent,
    /// The value is full.
    #[error("{0} messages are marked here, and there is no room for more")]
    Full(usize),
}

impl MarkError {
    /// Returns a sentence for the user about a mark of this kind.
    pub fn explain(self, mark: Mark) -> String {
        let marked = match mark {
            Mark::Pin => "pinned",
            Mark::Bookmark => "bookmarked",
        };
        match self {
            Self::Present => format!("this message is {marked} already"),
            Self::Absent => format!("this message is not {marked}"),
            Self::Full(_) => self.to_string(),
        }
    }
}

impl Mark {
    /// Returns the metadata key on the conversation. That of bookmarks is private on Parlour.
    pub fn key(self) -> &'static str {
        match self {
            Self::Pin => "parlour/pinned-messages",
            Self::Bookmark => "parlour/bookmarks",
        }
    }

    /// Returns the kind of a metadata key.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Pin, Self::Bookmark].into_iter().find(|mark| mark.key() == key)
    }
}

/// Parses a value: message ids, separated by commas.
pub fn parse_marks(value: Option<&str>) -> Vec<String> {
    let is_id =
        |id: &&str| !id.is_empty() && id.len() <= MAX_ID_BYTES && id.bytes().all(|b| b.is_ascii_graphic());
    let ids = value.unwrap_or_default().split(',').filter(is_id);
    let mut found: Vec<String> = Vec::new();
    for id in ids.take(MAX_VALUE_BYTES) {
        if !found.iter().any(|known| known == id) {
            found.push(id.to_owned());
        }
    }
    found
}

/// Adds a message to the front of the marked ones, or removes it.
pub fn change_marks(ids: &[String], id: &str, add: bool) -> Result<Vec<String>, MarkError> {
    let known = ids.iter().any(|other| other == id);
    match (add, known) {
        (true, true) => Err(MarkError::Present),
        (false, false) => Err(MarkError::Absent),
        (false, true) => Ok(ids.iter().filter(|other| *other != id).cloned().collect()),
        (true, false) => {
            let all: Vec<String> = [id.to_owned()].into_iter().chain(ids.iter().cloned()).collect();
            if all.join(",").len() > MAX_VALUE_BYTES { Err(MarkError::Full(ids.len())) } else { Ok(all) }
        }
    }
}

impl Model {
    /// Returns whether the server keeps marks of this kind. Others than Parlour would show bookmarks to everybody.
    pub fn supports_marks(&self, mark: Mark) -> bool {
        self.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft])
            && (mark == Mark::Pin || self.caps.has(Cap::SendId))
    }

    /// Queries the marked messages of a conversation. The result is an [`Event::Metadata`](super::super::Event::Metadata)
    /// with the key of the mark; a refusal is an [`Event::QueryFailed`](super::super::Event::QueryFailed).
    pub fn query_marks(&mut self, conversation: &Conversation, mark: Mark) -> Result<Ticket, NotConnected> {
        self.send_query(|line| line.arg(conversation.as_str()).arg("GET").arg(mark.key()), "METADATA")
    }

    /// Sets the marked messages of a conversation. The results are those of [`Model::query_marks`].
    pub fn set_marks(
        &mut self,
        conversation: &Conversation,
        mark: Mark,
        ids: &[String],
    ) -> Result<Ticket, NotConnected> {
        let value = ids.join(",");
        self.send_query(
            |line| {
                let line = line.arg(conversation.as_str()).arg("SET").arg(mark.key());
                if value.is_empty() { line } else { line.trailing(&value) }
            },
            "METADATA",
        )
    }

    /// Queries one message by its id. The result is an [`Event::History`](super::super::Event::History) with that message, or
    /// with another one if it is gone. A session that did not ask for the capability, so that the server replays missed
    /// messages, has it for this query only.
    pub fn query_message(
        &mut self,
        conversation: &Conversation,
        msgid: &str,
    ) -> Result<Ticket, NotConnected> {
        self.query_history_once(conversation, &HistoryRange::Around(MessageRef::Id(msgid.to_owned())), 1)
    }

    /// Queries a part of a conversation's history; see [`Model::query_history`]. A session that did not ask for the
    /// capability has it for this query only.
    pub fn query_history_once(
        &mut self,
        conversation: &Conversation,
        range: &HistoryRange,
        limit: usize,
    ) -> Result<Ticket, NotConnected> {
        if self.caps.has(Cap::Chathistory) {
            return self.query_history(conversation, range, limit);
        }
        self.send_line(Line::new("CAP").arg("REQ").trailing("draft/chathistory"))?;
        let ticket = self.query_history(conversation, range, limit)?;
        self.send_line(Line::new("CAP").arg("REQ").trailing("-draft/chathistory"))?;
        Ok(ticket)
    }

    /// Queries the marks of all conversations of the account (`METADATA *ALL SYNC`), as far as the session subscribes to
    /// them. The results are [`Event::Metadata`](super::super::Event::Metadata)s.
    pub fn sync_marks(&mut self) {
        if self.online && self.caps.has(Cap::Metadata) && self.caps.has(Cap::SendId) {
            self.write_line(background_line("METADATA").arg("*ALL").arg("SYNC"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> String {
        format!("{n:016x}")
    }

    #[test]
    fn marks_are_parsed_and_changed_within_the_limit() {
        let ids = parse_marks(Some("a,,b,a,\u{1b}[31m,b c,d"));
        assert_eq!(ids, ["a", "b", "d"]);
        assert_eq!(parse_marks(None), Vec::<String>::new());
        assert_eq!(change_marks(&ids, "a", true), Err(MarkError::Present));
        assert_eq!(change_marks(&ids, "x", false), Err(MarkError::Absent));
        assert_eq!(change_marks(&ids, "b", false), Ok(vec!["a".into(), "d".into()]));
        let mut all = Vec::new();
        let full = (0..).find_map(|n| match change_marks(&all, &id(n), true) {
            Ok(more) => {
                all = more;
                None
            }
            Err(error) => Some(error),
        });
        assert_eq!((full, all.first()), (Some(MarkError::Full(17)), Some(&id(16))));
        assert_eq!(parse_marks(Some(&all.join(","))), all);
    }

    #[test]
    fn keys_name_their_marks() {
        for mark in [Mark::Pin, Mark::Bookmark] {
            assert_eq!(Mark::from_key(mark.key()), Some(mark));
        }
        assert_eq!(Mark::from_key("color"), None);
    }
}
