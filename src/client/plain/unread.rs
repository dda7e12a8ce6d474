//! Unread messages that the server replays at the start, shown by conversation with their number.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::render::to_local_time;
use crate::client::model::{ChatMessage, Conversation};
use crate::client::text::clean::clean;
use crate::wire::Timestamp;

/// Messages that arrived before the login was complete.
#[derive(Debug, Default)]
pub struct UnreadMessages {
    messages: Vec<ChatMessage>,
    /// Read markers of the account.
    markers: HashMap<Conversation, Timestamp>,
}

/// The unread messages of a conversation, oldest first.
#[derive(Debug, PartialEq, Eq)]
pub struct UnreadConversation {
    /// Channel or direct conversation with unread messages.
    pub conversation: Conversation,
    /// At least one message.
    pub messages: Vec<ChatMessage>,
}

impl UnreadMessages {
    /// Limit of messages that are held. More are not, so that their number costs no memory.
    const MAX_MESSAGES: usize = 5_000;

    /// Limit of read markers, of which a server sends one for each conversation.
    const MAX_MARKERS: usize = 5_000;

    /// Holds a message until the login is complete. Returns it if there are too many.
    pub fn hold(&mut self, message: ChatMessage) -> Option<ChatMessage> {
        if self.messages.len() >= Self::MAX_MESSAGES {
            return Some(message);
        }
        self.messages.push(message);
        None
    }

    /// Records that messages up to a time are read.
    pub fn mark_read(&mut self, conversation: Conversation, time: Timestamp) {
        if self.markers.len() < Self::MAX_MARKERS || self.markers.contains_key(&conversation) {
            self.markers.insert(conversation, time);
        }
    }

    /// Returns the messages of others that are not read. The conversation with the oldest message comes first.
    pub fn take(&mut self) -> Vec<UnreadConversation> {
        let Self { mut messages, markers } = std::mem::take(self);
        // A server replays one conversation after the other. Of messages with the same time the ids tell the order; the
        // further lines of one that the server has cut have none, and stay behind its first.
        let mut last_id = None;
        let mut keyed: Vec<(Timestamp, Option<String>, ChatMessage)> = Vec::with_capacity(messages.len());
        for message in messages.drain(..) {
            if message.msgid.is_some() {
                last_id.clone_from(&message.msgid);
            }
            keyed.push((message.time, last_id.clone(), message));
        }
        keyed.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        messages.extend(keyed.into_iter().map(|(.., message)| message));
        let mut found: Vec<UnreadConversation> = Vec::new();
        let mut indices: HashMap<Conversation, usize> = HashMap::new();
        let is_read = |message: &ChatMessage| {
            message.mine || markers.get(&message.conversation).is_some_and(|read| message.time <= *read)
        };
        for message in messages.into_iter().filter(|message| !is_read(message)) {
            let conversation = message.conversation.clone();
            let index = *indices.entry(conversation.clone()).or_insert_with(|| {
                found.push(UnreadConversation { conversation, messages: Vec::new() });
                found.len() - 1
            });
            if let Some(unread) = found.get_mut(index) {
                unread.messages.push(message);
            }
        }
        found
    }
}

impl UnreadConversation {
    /// Returns a line such as `#lobby: 3 unread messages since Friday, 27 November 14:03`, safe for any terminal.
    pub fn heading(&self, zone: &TimeZone) -> String {
        let count = self.messages.len();
        let messages = if count == 1 { "message" } else { "messages" };
        let oldest = self.messages.first().map(|message| message.time).unwrap_or_default();
        let since = to_local_time(oldest, zone).strftime("%A, %-d %B %Y, %H:%M");
        clean(&format!("{}: {count} unread {messages} since {since}", self.conversation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::model::MessageKind;
    use crate::wire::Nick;

    fn conversation(name: &str) -> Conversation {
        Conversation::parse(name).expect(name)
    }

    fn message(target: &str, mine: bool, time: u64) -> ChatMessage {
        ChatMessage {
            conversation: conversation(target),
            from: Nick::parse(if mine { "alice" } else { "bob" }).expect("a nick"),
            mine,
            kind: MessageKind::Text,
            text: time.to_string(),
            time: Timestamp(time),
            msgid: None,
            reply_to: None,
            files: Vec::new(),
            ticket: None,
        }
    }

    #[test]
    fn further_lines_of_a_message_stay_behind_its_first() {
        let mut unread = UnreadMessages::default();
        for (text, msgid) in [("one", Some("b1")), ("two", None), ("three", None), ("four", Some("b2"))] {
            let (text, msgid) = (text.to_owned(), msgid.map(str::to_owned));
            let held = unread.hold(ChatMessage { text, msgid, ..message("#a", false, 10) });
            assert_eq!(held, None);
        }
        let found = unread.take();
        let texts = found[0].messages.iter().map(|message| &*message.text);
        assert_eq!(texts.collect::<Vec<_>>(), ["one", "two", "three", "four"]);
    }

    #[test]
    fn unread_messages_of_others_are_grouped_by_conversation() {
        let mut unread = UnreadMessages::default();
        unread.mark_read(conversation("#a"), Timestamp(20));
        // One conversation after the other, as a server replays them.
        for (target, mine, time) in [
            ("#a", false, 10),
            ("#a", false, 20),
            ("#a", false, 30),
            ("#a", true, 35),
            ("#b", true, 40),
            ("bob", false, 25),
            ("bob", false, 50),
        ] {
            assert_eq!(unread.hold(message(target, mine, time)), None);
        }
        let found: Vec<(String, Vec<u64>)> = unread
            .take()
            .into_iter()
            .map(|it| {
                (it.conversation.to_string(), it.messages.iter().map(|message| message.time.0).collect())
            })
            .collect();
        assert_eq!(found, [("bob".to_owned(), vec![25, 50]), ("#a".to_owned(), vec![30])]);
        assert_eq!(unread.take(), []);
    }

    #[test]
    fn heading_says_how_many_and_since_when() {
        let since = Timestamp::parse("2026-11-27T14:03:59.000Z").expect("a time").0;
        let mut unread = UnreadConversation {
            conversation: conversation("#lobby"),
            messages: vec![message("#lobby", false, since)],
        };
        let heading = |unread: &UnreadConversation| unread.heading(&TimeZone::UTC);
        assert_eq!(heading(&unread), "#lobby: 1 unread message since Friday, 27 November 2026, 14:03");
        unread.messages.push(message("#lobby", false, since + 1));
        assert_eq!(heading(&unread), "#lobby: 2 unread messages since Friday, 27 November 2026, 14:03");
    }

    #[test]
    fn number_of_held_messages_is_bounded() {
        let mut unread = UnreadMessages::default();
        let refused = (0..6_000).filter_map(|n| unread.hold(message("#a", false, n))).count();
        assert_eq!(refused, 1_000);
        for n in 0..6_000 {
            unread.mark_read(conversation(&format!("#c{n}")), Timestamp(1));
        }
        assert_eq!(unread.markers.len(), UnreadMessages::MAX_MARKERS);
    }
}
