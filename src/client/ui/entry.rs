//! What stands in a talk.

use crate::client::model::{Kind, Ticket};
use crate::wire::{Millis, Nick};

/// One thing that happened in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When the server took it.
    pub time: Millis,
    /// The server's id of it.
    pub id: Option<Box<str>>,
    /// What it was.
    pub what: What,
    /// It belongs to a run of comings and goings of which somebody wants to see each.
    pub open: bool,
}

/// See [`Entry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Somebody said something.
    Said(Box<Message>),
    /// Somebody did something to the place, or the server says something.
    Note(Box<str>),
    /// Somebody came or went: many of these in a row are one line.
    Moved(Moved),
}

/// Somebody else came or went, of their own will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Who.
    pub who: Nick,
    /// What they did.
    pub how: How,
    /// Their words, fit for the screen; empty for none.
    pub words: Box<str>,
}

/// See [`Moved`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Came to the channel.
    Joined,
    /// Left it.
    Left,
    /// Has no connection any more.
    Offline,
}

/// What somebody said. Its texts are fit for the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who.
    pub from: Nick,
    /// Oneself.
    pub mine: bool,
    /// What it is.
    pub kind: Kind,
    /// What was said.
    pub text: Box<str>,
    /// The id of the message that it answers.
    pub reply: Option<Box<str>>,
    /// It names oneself.
    pub mention: bool,
    /// It was taken back: by whom, and why.
    pub redacted: Option<Box<str>>,
    /// What others feel about it.
    pub reactions: Vec<Reaction>,
}

/// An emoji with those who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The emoji.
    pub emoji: Box<str>,
    /// Who.
    pub from: Vec<Nick>,
    /// Oneself is among them.
    pub mine: bool,
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The model's number for it.
    pub ticket: Ticket,
    /// What it is.
    pub kind: Kind,
    /// What was written, as it is; what is secret of it is hidden.
    pub text: String,
    /// Something of it is hidden, so that it cannot be sent again from here.
    pub secret: bool,
    /// The id of the message that it answers.
    pub reply: Option<String>,
    /// Why it could not be delivered; `None` while that is open.
    pub failed: Option<String>,
}

impl Entry {
    /// Something that happened.
    pub fn new(time: Millis, id: Option<Box<str>>, what: What) -> Self {
        Self { time, id, what, open: false }
    }

    /// The message, where it is one.
    pub fn message(&self) -> Option<&Message> {
        match &self.what {
            What::Said(message) => Some(message),
            What::Note(_) | What::Moved(_) => None,
        }
    }

    /// Counts as unread where it is new: something that somebody else said.
    pub fn counts(&self) -> bool {
        self.message().is_some_and(|message| !message.mine && message.redacted.is_none())
    }

    /// About how much memory it takes.
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
    /// Most kinds of reactions that are kept of one message, and most people of each.
    const MOST: usize = 24;

    /// Somebody reacts, or takes it back.
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
