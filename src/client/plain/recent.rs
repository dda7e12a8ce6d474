//! Recent messages, to reply to and to quote when others reply or react to them.

use std::collections::VecDeque;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::client::message_secrets::display_text;
use crate::client::model::event::shared_files::shared_in;
use crate::client::model::{ChatMessage, Conversation};
use crate::client::text::file_address::FileAddress;

/// The newest messages that have an id.
#[derive(Debug, Default)]
pub struct RecentMessages(VecDeque<RecentMessage>);

/// A message and its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentMessage {
    /// The id of the message.
    pub id: String,
    /// The conversation that it is in.
    conversation: Conversation,
    mine: bool,
    /// Id of the message that it replies to.
    reply_to: Option<String>,
    /// Addresses of the files that it shares.
    pub files: Vec<FileAddress>,
    /// The sender and the first words. They must be cleaned before they go to a terminal.
    pub excerpt: String,
}

impl RecentMessages {
    /// Limit of messages kept.
    const MAX_MESSAGES: usize = 500;
    /// Limit of graphemes kept of each.
    const MAX_EXCERPT_GRAPHEMES: usize = 40;

    /// Adds a message, if it has an id.
    pub fn add(&mut self, message: &ChatMessage) {
        let Some(id) = message.msgid.clone() else { return };
        let text = display_text(message);
        let letters: Vec<&str> = text.graphemes(true).take(Self::MAX_EXCERPT_GRAPHEMES + 1).collect();
        let more = if letters.len() > Self::MAX_EXCERPT_GRAPHEMES { "…" } else { "" };
        // A grapheme has no limit of combining marks, so it is cut too.
        let start =
            letters.iter().take(Self::MAX_EXCERPT_GRAPHEMES).flat_map(|letter| letter.chars().take(8));
        let excerpt = format!("{}: “{}{more}”", message.from, start.collect::<String>().replace('\n', " "));
        let (conversation, mine) = (message.conversation.clone(), message.mine);
        let reply_to = message.reply_to.clone();
        let mut files: Vec<FileAddress> = Vec::new();
        for (address, _) in shared_in(&message.text, &message.files) {
            files.extend((!files.contains(&address)).then_some(address));
        }
        self.0.push_back(RecentMessage { id, conversation, mine, reply_to, files, excerpt });
        if self.0.len() > Self::MAX_MESSAGES {
            self.0.pop_front();
        }
    }

    /// Returns the last message in a conversation, from this account (`mine`) or from another.
    pub fn find_last(&self, conversation: &Conversation, mine: bool) -> Option<&RecentMessage> {
        self.0.iter().rev().find(|brief| brief.conversation == *conversation && brief.mine == mine)
    }

    /// Returns the last message in a conversation, from any account.
    pub fn find_latest(&self, conversation: &Conversation) -> Option<&RecentMessage> {
        self.0.iter().rev().find(|brief| brief.conversation == *conversation)
    }

    /// Returns the last message in a conversation that shares files.
    pub fn find_last_with_files(&self, conversation: &Conversation) -> Option<&RecentMessage> {
        let mut here = self.0.iter().rev().filter(|brief| brief.conversation == *conversation);
        here.find(|brief| !brief.files.is_empty())
    }

    /// Returns the excerpts of the thread of a message: the message that it begins with, and the answers.
    pub fn thread(&self, conversation: &Conversation, id: &str) -> Vec<String> {
        let here = || self.0.iter().filter(|brief| brief.conversation == *conversation);
        let mut root = id;
        // A circle of replies is no longer than the messages.
        for _ in 0..self.0.len() {
            let parent = here().find(|brief| brief.id == root).and_then(|brief| brief.reply_to.as_deref());
            match parent.filter(|parent| here().any(|brief| brief.id == *parent)) {
                Some(parent) => root = parent,
                None => break,
            }
        }
        let mut ids = vec![root];
        let mut excerpts = Vec::new();
        for brief in here() {
            if brief.id == root || brief.reply_to.as_deref().is_some_and(|parent| ids.contains(&parent)) {
                ids.push(&brief.id);
                excerpts.push(brief.excerpt.clone());
            }
        }
        excerpts
    }

    /// Returns whether a message is known to be of this account.
    pub fn is_own(&self, conversation: &Conversation, id: &str) -> bool {
        self.0.iter().any(|brief| brief.mine && brief.conversation == *conversation && brief.id == id)
    }

    /// Returns the sender and the first words of a message.
    pub fn excerpt(&self, conversation: &Conversation, id: &str) -> &str {
        let known = self.0.iter().rev().find(|brief| brief.conversation == *conversation && brief.id == id);
        known.map_or("an earlier message", |brief| &brief.excerpt)
    }

    /// Removes a message.
    pub fn remove(&mut self, conversation: &Conversation, id: &str) {
        self.0.retain(|brief| !(brief.conversation == *conversation && brief.id == id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::model::MessageKind;
    use crate::wire::{Nick, Timestamp};

    fn add_message(recent: &mut RecentMessages, id: &str, mine: bool, text: &str) {
        let conversation = Conversation::parse("#lobby").expect("a channel");
        let from = Nick::parse(if mine { "alice" } else { "bob" }).expect("a nick");
        let (time, kind, msgid) = (Timestamp(0), MessageKind::Text, Some(id.to_owned()));
        let (text, reply, ticket) = (text.to_owned(), None, None);
        recent.add(&ChatMessage {
            conversation,
            from,
            mine,
            kind,
            text,
            time,
            msgid,
            reply_to: reply,
            files: Vec::new(),
            ticket,
        });
    }

    #[test]
    fn recent_messages_are_found_and_bounded() {
        let mut recent = RecentMessages::default();
        let (lobby, bob) =
            (Conversation::parse("#lobby").expect("it"), Conversation::parse("bob").expect("it"));
        add_message(&mut recent, "1", false, "short");
        add_message(&mut recent, "2", true, &"a\u{301}".repeat(10_000));
        add_message(&mut recent, "3", false, &format!("x{}", "\u{301}".repeat(10_000)));
        assert_eq!(recent.find_last(&lobby, true).map(|it| &*it.id), Some("2"));
        assert_eq!(recent.find_last(&lobby, false).map(|it| &*it.id), Some("3"));
        assert_eq!(recent.find_last(&bob, false), None);
        assert_eq!(recent.excerpt(&lobby, "1"), "bob: “short”");
        assert_eq!(recent.excerpt(&bob, "1"), "an earlier message");
        assert!(recent.excerpt(&lobby, "2").ends_with("a\u{301}…”"));
        assert!(recent.excerpt(&lobby, "3").chars().count() < 20);
        recent.remove(&lobby, "3");
        assert_eq!(recent.find_last(&lobby, false).map(|it| &*it.id), Some("1"));
        for _ in 0..600 {
            add_message(&mut recent, "9", false, "more");
        }
        assert_eq!(recent.excerpt(&lobby, "1"), "an earlier message");
        assert_eq!(recent.0.len(), RecentMessages::MAX_MESSAGES);
    }
}
