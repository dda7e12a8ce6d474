//! Entries of a buffer.

use crate::client::model::{Kind, Ticket};
use crate::wire::{Millis, Nick};

/// One entry of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Time stamp of the server.
    pub time: Millis,
    /// Message id, where the server gave one.
    pub id: Option<Box<str>>,
    /// Kind and content.
    pub what: What,
    /// Set if the run of joins and leaves that it belongs to is unfolded.
    pub open: bool,
}

/// Kind of an [`Entry`], with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Message of any account.
    Said(Box<Message>),
    /// Event of the channel such as a topic change, or a text of the server.
    Note(Box<str>),
    /// Join, part or quit. Many of these in a row are folded into one line.
    Moved(Moved),
}

/// Join, part or quit of another account, by its own choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Nick that came or went.
    pub who: Nick,
    /// Kind of the move.
    pub how: How,
    /// Part or quit message, safe to draw; empty for none.
    pub words: Box<str>,
}

/// Kind of a [`Moved`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// JOIN of the channel.
    Joined,
    /// PART from the channel.
    Left,
    /// QUIT, noted in each shared channel.
    Offline,
}

/// Message. Its texts are safe to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Nick of the sender.
    pub from: Nick,
    /// Set if the own account sent it, from any of its sessions.
    pub mine: bool,
    /// Text, notice or action.
    pub kind: Kind,
    /// Text; empty after a redaction.
    pub text: Box<str>,
    /// Id of the message that it replies to.
    pub reply: Option<Box<str>>,
    /// Set if it mentions the own nick.
    pub mention: bool,
    /// Redaction: the account, and the reason where there is one.
    pub redacted: Option<Box<str>>,
    /// Reactions, in the order of the first of each emoji.
    pub reactions: Vec<Reaction>,
}

/// Reactions with one emoji.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Emoji of the reactions.
    pub emoji: Box<str>,
    /// Accounts that reacted.
    pub from: Vec<Nick>,
    /// Set if the own account is one of them.
    pub mine: bool,
}

/// Message that the server has not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Number that the model gave it.
    pub ticket: Ticket,
    /// Text, notice or action.
    pub kind: Kind,
    /// Text as written, with a password replaced by dots.
    pub text: String,
    /// Set if a password was replaced, so that the message cannot be sent again from here.
    pub secret: bool,
    /// Id of the message that it replies to.
    pub reply: Option<String>,
    /// Reason of the failure; `None` while the message is in flight.
    pub failed: Option<String>,
}

impl Entry {
    /// Creates an entry that is not part of an unfolded run.
    pub fn new(time: Millis, id: Option<Box<str>>, what: What) -> Self {
        Self { time, id, what, open: false }
    }

    /// Returns the message, if the entry is one.
    pub fn message(&self) -> Option<&Message> {
        match &self.what {
            What::Said(message) => Some(message),
            What::Note(_) | What::Moved(_) => None,
        }
    }

    /// Returns whether the entry counts as unread when new: a message of another account that is not redacted.
    pub fn counts(&self) -> bool {
        self.message().is_some_and(|message| !message.mine && message.redacted.is_none())
    }

    /// Returns the approximate memory of the entry, in bytes.
    pub fn weight(&self) -> usize {
        let text = match &self.what {
            What::Said(message) => {
                let reactions = message.reactions.iter();
                let given: usize =
                    reactions.map(|one| one.emoji.len() + (one.from.len() + 4) * size_of::<Nick>()).sum();
                message.text.len() + size_of::<Message>() + given
            }
            What::Note(text) => text.len(),
            What::Moved(moved) => moved.words.len() + moved.who.as_str().len(),
        };
        text + size_of::<Self>() + 64
    }
}

impl Message {
    /// Limit of the different emojis of one message.
    const MOST: usize = 24;

    /// Adds a reaction, or removes it with `off`. At most 1000 accounts are kept for one emoji.
    pub fn react(&mut self, emoji: &str, from: &Nick, mine: bool, off: bool) {
        let known = self.reactions.iter().position(|reaction| &*reaction.emoji == emoji);
        match (known, off) {
            (Some(at), true) => {
                let reaction = &mut self.reactions[at];
                reaction.from.retain(|nick| nick != from);
                reaction.mine &= !mine;
                if reaction.from.is_empty() {
                    self.reactions.remove(at);
                }
            }
            (Some(at), false) => {
                let reaction = &mut self.reactions[at];
                if reaction.from.len() < 1000 && !reaction.from.contains(from) {
                    reaction.from.push(from.clone());
                    reaction.mine |= mine;
                }
            }
            (None, false) if self.reactions.len() < Self::MOST => {
                self.reactions.push(Reaction { emoji: emoji.into(), from: vec![from.clone()], mine });
            }
            (None, _) => {}
        }
    }
}
