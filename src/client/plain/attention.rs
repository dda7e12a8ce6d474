//! Messages that call for the user's attention: those that mention them, and those that ring the bell.

use std::collections::BTreeSet;

use crate::client::model::{ChatMessage, Conversation, MessageKind};
use crate::client::settings::do_not_disturb::DoNotDisturb;
use crate::client::settings::highlights::Highlights;
use crate::client::settings::state::ConversationKey;
use crate::client::settings::{NotifyLevel, Settings};
use crate::client::text::words;
use crate::wire::{Nick, Timestamp};

/// Limit of the conversations that are known to be muted.
const MAX_MUTED: usize = 4_096;

/// State, besides the settings, that decides which messages call for attention.
#[derive(Debug, Default)]
pub struct Attention {
    highlights: Highlights,
    /// Conversations that are muted on all devices of the user.
    muted: BTreeSet<Conversation>,
    /// Span without the bell.
    pub do_not_disturb: Option<DoNotDisturb>,
}

impl Attention {
    /// Takes over the words that count as a mention.
    pub fn apply_settings(&mut self, settings: &Settings) {
        self.highlights = Highlights::new(&settings.highlights);
    }

    /// Records whether a conversation is muted.
    pub fn set_muted(&mut self, conversation: Conversation, muted: bool) {
        if !muted {
            self.muted.remove(&conversation);
        } else if self.muted.len() < MAX_MUTED {
            self.muted.insert(conversation);
        }
    }

    /// Takes note of the new name of a conversation.
    pub fn rename(&mut self, from: &Conversation, to: Conversation) {
        if self.muted.remove(from) {
            self.muted.insert(to);
        }
    }

    /// Returns whether a message mentions the user, by their nick or one of their words. `answers_user` is set for an
    /// answer to a message of theirs.
    pub fn is_mention(&self, message: &ChatMessage, me: Option<&Nick>, answers_user: bool) -> bool {
        let named = |me: &Nick| words::mentions(&message.text, me.as_str());
        !message.mine && (answers_user || me.is_some_and(named) || self.highlights.matches(&message.text))
    }

    /// Returns whether a new message rings the bell, by the level of its conversation.
    pub fn rings(
        &self,
        message: &ChatMessage,
        key: &ConversationKey,
        is_mention: bool,
        settings: &Settings,
        now: Timestamp,
    ) -> bool {
        let is_wanted = match settings.notify.level(key) {
            NotifyLevel::All => true,
            NotifyLevel::Mentions => is_mention,
            NotifyLevel::Nothing => false,
        };
        is_wanted
            && !message.mine
            && message.kind != MessageKind::Notice
            && !self.muted.contains(&message.conversation)
            && self.is_bell_on(settings, now)
    }

    /// Returns whether the bell may ring now.
    pub fn is_bell_on(&self, settings: &Settings, now: Timestamp) -> bool {
        settings.bell && self.do_not_disturb.is_none_or(|span| span.is_over(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::settings::do_not_disturb::DoNotDisturbChange;

    const NOW: Timestamp = Timestamp(1_000);

    fn message(place: &str, from: &str, text: &str) -> ChatMessage {
        ChatMessage {
            conversation: Conversation::parse(place).expect(place),
            from: Nick::parse(from).expect(from),
            mine: from == "alice",
            kind: MessageKind::Text,
            text: text.to_owned(),
            time: NOW,
            msgid: None,
            reply_to: None,
            files: Vec::new(),
            ticket: None,
        }
    }

    fn is_mention(attention: &Attention, message: &ChatMessage) -> bool {
        attention.is_mention(message, Nick::parse("alice").ok().as_ref(), false)
    }

    /// Returns whether a message of bob's rings.
    fn rings(attention: &Attention, settings: &Settings, place: &str, text: &str) -> bool {
        let message = message(place, "bob", text);
        let key = ConversationKey { server: "home".to_owned(), conversation: message.conversation.clone() };
        attention.rings(&message, &key, is_mention(attention, &message), settings, NOW)
    }

    #[test]
    fn nick_words_and_answers_are_mentions() {
        let mut attention = Attention::default();
        let settings = Settings { highlights: vec!["tea".to_owned()], ..Settings::default() };
        attention.apply_settings(&settings);
        for (from, text, expected) in [
            ("bob", "hi alice!", true),
            ("bob", "malice", false),
            ("bob", "TEA is ready", true),
            ("alice", "alice drinks tea", false),
        ] {
            assert_eq!(is_mention(&attention, &message("#lobby", from, text)), expected, "{from}: {text}");
        }
        let answer = message("#lobby", "bob", "yes");
        assert!(attention.is_mention(&answer, None, true) && !attention.is_mention(&answer, None, false));
    }

    #[test]
    fn level_mute_bell_and_do_not_disturb_decide_what_rings() {
        let mut attention = Attention::default();
        let mut settings = Settings::default();
        assert!(rings(&attention, &settings, "#lobby", "alice?"));
        assert!(!rings(&attention, &settings, "#lobby", "hello"));
        assert!(rings(&attention, &settings, "bob", "hello"));
        settings.set("notify.conversations.home/#lobby", "nothing").expect("a level");
        assert!(!rings(&attention, &settings, "#lobby", "alice?"));
        settings.set("notify.conversations.home/#lobby", "all").expect("a level");
        assert!(rings(&attention, &settings, "#lobby", "hello"));
        let lobby = Conversation::parse("#lobby").expect("a channel");
        attention.set_muted(lobby.clone(), true);
        assert!(!rings(&attention, &settings, "#lobby", "alice?"));
        let foyer = Conversation::parse("#foyer").expect("a channel");
        attention.rename(&lobby, foyer.clone());
        assert!(!rings(&attention, &settings, "#foyer", "alice?"));
        assert!(rings(&attention, &settings, "#lobby", "alice?"));
        attention.set_muted(foyer, false);
        attention.do_not_disturb = DoNotDisturb::begin(DoNotDisturbChange::For(10), NOW);
        assert!(!rings(&attention, &settings, "bob", "hello"));
        assert!(attention.is_bell_on(&settings, Timestamp(NOW.0 + 10)));
        attention.do_not_disturb = None;
        settings.set("bell", "false").expect("a value");
        assert!(!rings(&attention, &settings, "bob", "hello"));
    }
}
