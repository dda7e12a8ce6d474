//! Lines as they came, with their tags.

use crate::wire::{Message, Millis, Tags};

/// A line from the server, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    tags: String,
    /// `nick!user@host`, or the server's name.
    source: Option<String>,
    /// In capitals.
    pub command: String,
    /// The parameters.
    pub params: Vec<String>,
    /// When it came.
    pub now: Millis,
}

impl Heard {
    /// The line.
    pub fn new(line: &Message<'_>, now: Millis) -> Self {
        Self {
            tags: line.tags.0.to_owned(),
            source: line.source.map(str::to_owned),
            command: line.command.to_ascii_uppercase(),
            params: line.params().iter().map(|&param| param.to_owned()).collect(),
            now,
        }
    }

    /// A tag's value.
    pub fn tag(&self, key: &str) -> Option<String> {
        Tags(&self.tags).get(key).map(std::borrow::Cow::into_owned)
    }

    /// All tags.
    pub fn tags(&self) -> Tags<'_> {
        Tags(&self.tags)
    }

    /// A parameter; empty where there is none.
    pub fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    /// The nick of a person who said or did it.
    pub fn nick(&self) -> Option<&str> {
        self.source.as_deref()?.split_once('!').map(|(nick, _)| nick)
    }

    /// Its bytes, about.
    pub fn bytes(&self) -> usize {
        self.tags.len() + self.params.iter().map(|param| param.len() + 1).sum::<usize>()
    }
}
