//! Received lines, complete with their tags.

use crate::wire::{Message, Tags, Timestamp};

/// A line from the server, as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedLine {
    tags: String,
    /// `nick!user@host`, or the server's name.
    source: Option<String>,
    /// The command or numeric, in capitals.
    pub command: String,
    /// The parameters, the trailing one included.
    pub params: Vec<String>,
    /// The time at which the line arrived.
    pub received_at: Timestamp,
}

impl ReceivedLine {
    /// Copies a parsed line.
    pub fn new(line: &Message<'_>, received_at: Timestamp) -> Self {
        Self {
            tags: line.tags.0.to_owned(),
            source: line.source.map(str::to_owned),
            command: line.command.to_ascii_uppercase(),
            params: line.params().iter().map(|&param| param.to_owned()).collect(),
            received_at,
        }
    }

    /// Returns the unescaped value of a tag.
    pub fn tag(&self, key: &str) -> Option<String> {
        Tags(&self.tags).get(key).map(std::borrow::Cow::into_owned)
    }

    /// Returns all tags.
    pub fn tags(&self) -> Tags<'_> {
        Tags(&self.tags)
    }

    /// Returns a parameter, or an empty string if there is none.
    pub fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    /// Returns the nick of the source. `None` for lines from the server itself.
    pub fn nick(&self) -> Option<&str> {
        self.source.as_deref()?.split_once('!').map(|(nick, _)| nick)
    }

    /// Returns the approximate size of the line in memory, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.tags.len() + self.params.iter().map(|param| param.len() + 1).sum::<usize>()
    }
}
