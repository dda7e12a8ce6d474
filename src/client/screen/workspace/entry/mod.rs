//! Entries of a buffer.

mod from_event;

pub use from_event::{event_entry, format_redaction, format_text, message_entry};

use crate::client::message_secrets::mask_message;
use crate::client::model::{Conversation, MessageKind, Ticket};
use crate::client::screen::text::markup::Segment;
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
    /// Set for a message of an ignored account.
    pub hidden: bool,
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
    /// Text as written, without the codes of its formats; empty after a redaction.
    pub text: Box<str>,
    /// Parts of the text with their formats; empty for a text without markup and links.
    pub markup: Box<[Segment]>,
    /// Id of the message that it replies to.
    pub reply_to: Option<Box<str>>,
    /// Set if it mentions the own nick.
    pub mention: bool,
    /// Redaction: the account, and the reason where there is one.
    pub redacted: Option<Box<str>>,
    /// Reactions, in the order of the first of each emoji.
    pub reactions: Vec<Reaction>,
    /// Latest change that is known of each reaction: pages of the history come newest first, so a page may tell of a
    /// reaction that was withdrawn since.
    pub reaction_times: Vec<ReactionTime>,
}

/// Latest change of the reaction of one account with one emoji.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionTime {
    emoji: Box<str>,
    from: Nick,
    time: Timestamp,
}

/// Reaction given or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionChange {
    /// Emoji of the reaction.
    pub emoji: String,
    /// Account that reacted.
    pub from: Nick,
    /// Set if the own account gave it.
    pub mine: bool,
    /// Set if it was withdrawn.
    pub removed: bool,
    /// Time stamp of the server.
    pub time: Timestamp,
}

/// Reactions with one emoji, in whichever of its forms; see [`is_same_emoji`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Emoji of the reactions, in the form of the first one.
    pub emoji: Box<str>,
    /// Accounts that reacted.
    pub nicks: Vec<Nick>,
    /// Form in which the own account reacted, by which other clients know the reaction; `None` if it did not.
    pub mine: Option<Box<str>>,
}

/// Returns whether two emojis differ at most in their variation selectors, such as `❤` and `❤️`: programs that pick
/// emojis differ in whether they add U+FE0F, and it is the same reaction.
pub fn is_same_emoji(one: &str, other: &str) -> bool {
    let base =
        |emoji: &'_ str| emoji.chars().filter(|c| !matches!(c, '\u{fe0e}' | '\u{fe0f}')).collect::<String>();
    one == other || base(one) == base(other)
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
    /// Text to draw, without the codes of its formats.
    pub shown: Box<str>,
    /// Parts of the drawn text with their formats.
    pub markup: Box<[Segment]>,
    /// Set if a password was replaced, so that the message cannot be sent again from here.
    pub secret: bool,
    /// Id of the message that it replies to.
    pub reply_to: Option<String>,
    /// Reason of the failure; `None` while the message is in flight.
    pub failed: Option<String>,
    /// Send id, under which it is sent again.
    pub send_id: String,
    /// Set while it was not sent on any connection.
    pub waits: bool,
    /// Time at which it is dropped because the user has cancelled it, which they may undo until then.
    pub dropped: Option<Timestamp>,
}

impl OutgoingMessage {
    /// Creates a message that waits, with its ticket and text. A password in it is hidden.
    pub fn new(
        conversation: &Conversation,
        kind: MessageKind,
        (ticket, text): (Ticket, String),
        reply_to: Option<&str>,
        send_id: String,
    ) -> Self {
        let masked = mask_message(conversation.as_str(), &text);
        let secret = masked.is_some();
        let text = masked.unwrap_or(text);
        let (shown, markup) = format_text(&text);
        let reply_to = reply_to.map(str::to_owned);
        let (failed, waits, dropped) = (None, true, None);
        Self { ticket, kind, text, shown, markup, secret, reply_to, failed, send_id, waits, dropped }
    }
}

impl Entry {
    /// Creates an entry that is not part of an unfolded run.
    pub fn new(time: Timestamp, id: Option<Box<str>>, content: EntryContent) -> Self {
        Self { time, id, content, unfolded: false, hidden: false }
    }

    /// Returns the message, if the entry is one.
    pub fn message(&self) -> Option<&Message> {
        match &self.content {
            EntryContent::Message(message) => Some(message),
            EntryContent::Note(_) | EntryContent::Membership(_) => None,
        }
    }

    /// Returns whether the entry counts as unread when new: a message of another account that is neither redacted nor
    /// hidden.
    pub fn counts_as_unread(&self) -> bool {
        !self.hidden && self.message().is_some_and(|message| !message.mine && message.redacted.is_none())
    }

    /// Returns the approximate memory of the entry, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let text = match &self.content {
            EntryContent::Message(message) => {
                let reactions = message.reactions.iter();
                let given: usize = reactions
                    .map(|reaction| reaction.emoji.len() + (reaction.nicks.len() + 4) * size_of::<Nick>())
                    .sum();
                let parts = message.markup.len() * size_of::<Segment>();
                let times = message.reaction_times.len() * (size_of::<ReactionTime>() + size_of::<Nick>());
                message.text.len() + parts + size_of::<Message>() + given + times
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

    /// Limit of the reactions whose latest change is kept.
    const MAX_REACTION_TIMES: usize = 5_000;

    /// Returns whether nothing later is known of this reaction, and takes note of the change.
    fn is_latest_change(&mut self, change: &ReactionChange) -> bool {
        let ReactionChange { emoji, from, time, .. } = change;
        let is_it = |known: &&mut ReactionTime| known.from == *from && is_same_emoji(&known.emoji, emoji);
        if let Some(known) = self.reaction_times.iter_mut().find(is_it) {
            let is_latest = known.time <= *time;
            known.time = known.time.max(*time);
            return is_latest;
        }
        let has_room = self.reaction_times.len() < Self::MAX_REACTION_TIMES;
        if has_room {
            let (emoji, from, time) = (emoji.as_str().into(), from.clone(), *time);
            self.reaction_times.push(ReactionTime { emoji, from, time });
        }
        has_room
    }

    /// Adds a reaction, or removes one that was withdrawn. At most 1000 accounts are kept for one emoji.
    pub fn apply_reaction(&mut self, change: &ReactionChange) {
        if !self.is_latest_change(change) {
            return;
        }
        let ReactionChange { emoji, from, mine, removed, .. } = change;
        let (mine, removed) = (*mine, *removed);
        let known = self.reactions.iter().position(|reaction| is_same_emoji(&reaction.emoji, emoji));
        match (known, removed) {
            (Some(at), true) => {
                let reaction = &mut self.reactions[at];
                reaction.nicks.retain(|nick| nick != from);
                reaction.mine.take_if(|_| mine);
                if reaction.nicks.is_empty() {
                    self.reactions.remove(at);
                }
            }
            (Some(at), false) => {
                let reaction = &mut self.reactions[at];
                if reaction.nicks.len() < 1000 && !reaction.nicks.contains(from) {
                    reaction.nicks.push(from.clone());
                    reaction.mine = reaction.mine.take().or_else(|| mine.then(|| emoji.as_str().into()));
                }
            }
            (None, false) if self.reactions.len() < Self::MAX_EMOJIS => {
                let mine = mine.then(|| emoji.as_str().into());
                self.reactions.push(Reaction {
                    emoji: emoji.as_str().into(),
                    nicks: vec![from.clone()],
                    mine,
                });
            }
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            from: Nick::parse("bob").expect("a nick"),
            mine: false,
            kind: MessageKind::Text,
            text: "hi".into(),
            markup: Box::default(),
            reply_to: None,
            mention: false,
            redacted: None,
            reactions: Vec::new(),
            reaction_times: Vec::new(),
        }
    }

    #[test]
    fn reactions_that_differ_by_a_variation_selector_are_one() {
        let mut time = Timestamp(0);
        let [alice, bob] = ["alice", "bob"].map(|name| Nick::parse(name).expect(name));
        let mut message = message();
        let mut react = |message: &mut Message, emoji: &str, from: &Nick, mine, removed| {
            time.0 += 1;
            message.apply_reaction(&ReactionChange {
                emoji: emoji.into(),
                from: from.clone(),
                mine,
                removed,
                time,
            });
        };
        react(&mut message, "❤\u{fe0f}", &bob, false, false);
        react(&mut message, "❤", &alice, true, false);
        react(&mut message, "❤\u{fe0e}", &alice, true, false);
        assert_eq!(message.reactions.len(), 1);
        assert_eq!(message.reactions[0].nicks, [bob.clone(), alice.clone()]);
        assert_eq!(message.reactions[0].mine.as_deref(), Some("❤"), "the form that was sent");
        react(&mut message, "❤\u{fe0f}", &alice, true, true);
        assert_eq!((message.reactions[0].mine.as_deref(), message.reactions[0].nicks.len()), (None, 1));
        react(&mut message, "❤", &bob, false, true);
        assert_eq!(message.reactions, []);
        react(&mut message, "👍", &bob, false, false);
        react(&mut message, "👍🏽", &bob, false, false);
        assert_eq!(message.reactions.len(), 2, "a skin tone is another emoji");
    }

    #[test]
    fn an_older_page_does_not_bring_back_a_reaction_that_was_withdrawn() {
        let alice = Nick::parse("alice").expect("a nick");
        let mut message = message();
        let change = |emoji: &str, removed, time| ReactionChange {
            emoji: emoji.into(),
            from: alice.clone(),
            mine: true,
            removed,
            time: Timestamp(time),
        };
        message.apply_reaction(&change("❤", true, 20));
        message.apply_reaction(&change("❤\u{fe0f}", false, 10));
        assert_eq!(message.reactions, []);
        message.apply_reaction(&change("❤", false, 30));
        message.apply_reaction(&change("❤", true, 20));
        assert_eq!(message.reactions[0].nicks, [alice]);
    }
}
