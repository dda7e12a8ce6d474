//! Mentions of the account and answers to its messages, as far as they were received.

use std::collections::VecDeque;

use super::listed_message::ListedMessage;
use crate::client::model::mentions::MentionKind;
use crate::client::screen::workspace::BufferKey;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::entry::Entry;

/// Limit of the messages kept.
const MAX_MESSAGES: usize = 500;

/// Mentions and answers, in the order in which they were received.
#[derive(Debug, Default)]
pub struct MentionLog {
    messages: VecDeque<(ListedMessage, MentionKind)>,
    /// Number of changes.
    pub revision: u64,
}

impl MentionLog {
    /// Adds a message, unless it is known. The oldest one makes room.
    pub fn add(&mut self, message: ListedMessage, kind: MentionKind) {
        let is_known = self.messages.iter().any(|(known, _)| is_same(known, &message));
        if is_known {
            return;
        }
        if self.messages.len() >= MAX_MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back((message, kind));
        self.revision += 1;
    }

    /// Iterates over the messages.
    pub fn iter(&self) -> impl Iterator<Item = &(ListedMessage, MentionKind)> {
        self.messages.iter()
    }

    /// Removes a message that was redacted.
    pub fn remove(&mut self, server: usize, msgid: &str) {
        let before = self.messages.len();
        self.messages.retain(|(known, _)| known.server != server || known.msgid.as_deref() != Some(msgid));
        self.revision += u64::from(self.messages.len() < before);
    }
}

/// Returns whether two messages are the same one.
pub fn is_same(a: &ListedMessage, b: &ListedMessage) -> bool {
    a.server == b.server
        && match (&a.msgid, &b.msgid) {
            (Some(a), Some(b)) => a == b,
            _ => a.time == b.time && a.conversation == b.conversation && a.text == b.text,
        }
}

impl Workspace {
    /// Takes note of a message of a buffer, if it mentions the account or answers it.
    pub(in crate::client::screen::workspace) fn note_mention(&mut self, key: &BufferKey, entry: &Entry) {
        let Some(message) = entry.message().filter(|message| !message.mine) else { return };
        let buffer = self.servers.get(key.0).and_then(|server| server.buffers.get(&key.1));
        let answers = message.reply_to.as_deref().is_some_and(|id| {
            buffer.and_then(|buffer| buffer.find_message(id)).is_some_and(|(_, original)| original.mine)
        });
        let kind = match () {
            () if answers => MentionKind::Answer,
            () if message.mention => MentionKind::Mention,
            () => return,
        };
        if let Some(found) = ListedMessage::from_entry(key, entry) {
            self.mentions.add(found, kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn mentions_and_answers_are_kept_once_and_redacted_ones_are_not() {
        let mut fixture = Fixture::new();
        fixture.lines(&[
            "@msgid=m1 :alice!alice@parlour PRIVMSG #lobby :who has the key?",
            "@msgid=a1;+draft/reply=m1 :bob!u@p PRIVMSG #lobby :it is me",
            "@msgid=a2 :carol!u@p PRIVMSG #lobby :alice: look",
            "@msgid=a2 :carol!u@p PRIVMSG #lobby :alice: look",
            "@msgid=a3 :carol!u@p PRIVMSG #lobby :nothing",
        ]);
        let kinds = |fixture: &Fixture| -> Vec<(String, MentionKind)> {
            let found = fixture.workspace.mentions.iter();
            found.map(|(message, kind)| (message.msgid.clone().unwrap_or_default(), *kind)).collect()
        };
        let answer = ("a1".to_owned(), MentionKind::Answer);
        assert_eq!(kinds(&fixture), [answer.clone(), ("a2".to_owned(), MentionKind::Mention)]);
        fixture.lines(&[":carol!u@p REDACT #lobby a2"]);
        assert_eq!(kinds(&fixture), [answer]);
    }
}
