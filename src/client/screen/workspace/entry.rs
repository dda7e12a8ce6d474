//! Entries of a buffer.

use crate::client::model::{MessageKind, Ticket};
use crate::wire::{Nick, Timestamp};

/// One entry of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Time stamp of the server.
    pub time: Timestamp,
    /// Message id, where the server gave one.
    pub id: Option<Box<str>>,
    /// Kind and content.
    pub content: EntryContent,
    /// Set if the run of joins and leaves that it belongs to is unfolded.
    pub unfolded: bool,
}

/// Kind of an [`Entry`], with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryContent {
    /// Message of any account.
    Message(Box<Message>),
    /// Event of the channel such as a topic change, or a text of the server.
    Note(Box<str>),
    /// Join, part or quit. Many of these in a row are folded into one line.
    Membership(MembershipChange),
}

/// Join, part or quit of another account, by its own choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipChange {
    /// Nick that came or went.
    pub nick: Nick,
    /// Kind of the move.
    pub kind: MembershipKind,
    /// Part or quit message, safe to draw; empty for none.
    pub reason: Box<str>,
}

/// Kind of a [`MembershipChange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipKind {
    /// JOIN of the channel.
    Joined,
    /// PART from the channel.
    Left,
    /// QUIT, noted in each shared channel.
    Quit,
}

/// Message. Its texts are safe to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Nick of the sender.
    pub from: Nick,
    /// Set if the own account sent it, from any of its sessions.
    pub mine: bool,
    /// Text, notice or action.
    pub kind: MessageKind,
    /// Text; empty after a redaction.
    pub text: Box<str>,
    /// Id of the message that it replies to.
    pub reply_to: Option<Box<str>>,
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
    pub nicks: Vec<Nick>,
    /// Set if the own account is one of them.
    pub mine: bool,
}

/// Message that the server has not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// Number that the model gave it.
    pub ticket: Ticket,
    /// Text, notice or action.
    pub kind: MessageKind,
    /// Text as written, with a password replaced by dots.
    pub text: String,
    /// Set if a password was replaced, so that the message cannot be sent again from here.
    pub secret: bool,
    /// Id of the message that it replies to.
    pub reply_to: Option<String>,
    /// Reason of the failure; `None` while the message is in flight.
    pub failed: Option<String>,
}

impl Entry {
    /// Creates an entry that is not part of an unfolded run.
    pub fn new(time: Timestamp, id: Option<Box<str>>, content: EntryContent) -> Self {
        Self { time, id, content, unfolded: false }
    }

    /// Returns the message, if the entry is one.
    pub fn message(&self) -> Option<&Message> {
        match &self.content {
            EntryContent::Message(message) => Some(message),
            EntryContent::Note(_) | EntryContent::Membership(_) => None,
        }
    }

    /// Returns whether the entry counts as unread when new: a message of another account that is not redacted.
    pub fn counts_as_unread(&self) -> bool {
        self.message().is_some_and(|message| !message.mine && message.redacted.is_none())
    }

    /// Returns the approximate memory of the entry, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let text = match &self.content {
            EntryContent::Message(message) => {
                let reactions = message.reactions.iter();
                let given: usize = reactions
                    .map(|reaction| reaction.emoji.len() + (reaction.nicks.len() + 4) * size_of::<Nick>())
                    .sum();
                message.text.len() + size_of::<Message>() + given
            }
            EntryContent::Note(text) => text.len(),
            EntryContent::Membership(moved) => moved.reason.len() + moved.nick.as_str().len(),
        };
        text + size_of::<Self>() + 64
    }
}

impl Message {
    /// Limit of the different emojis of one message.
    const MAX_EMOJIS: usize = 24;

    /// Adds a reaction, or removes it with `off`. At most 1000 accounts are kept for one emoji.
    pub fn apply_reaction(&mut self, emoji: &str, from: &Nick, mine: bool, removed: bool) {
        let known = self.reactions.iter().position(|reaction| &*reaction.emoji == emoji);
        match (known, removed) {
            (Some(at), true) => {
                let reaction = &mut self.reactions[at];
                reaction.nicks.retain(|nick| nick != from);
                reaction.mine &= !mine;
                if reaction.nicks.is_empty() {
                    self.reactions.remove(at);
                }
            }
            (Some(at), false) => {
                let reaction = &mut self.reactions[at];
                if reaction.nicks.len() < 1000 && !reaction.nicks.contains(from) {
                    reaction.nicks.push(from.clone());
                    reaction.mine |= mine;
                }
            }
            (None, false) if self.reactions.len() < Self::MAX_EMOJIS => {
                self.reactions.push(Reaction { emoji: emoji.into(), nicks: vec![from.clone()], mine });
            }
            (None, _) => {}
        }
    }
}
