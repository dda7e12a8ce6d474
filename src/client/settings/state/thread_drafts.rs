//! Answers that were typed in threads and not sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::key::ConversationKey;
use super::{MAX_DRAFT_BYTES, MAX_DRAFTS, MAX_ID_BYTES};
use crate::client::message_secrets::may_hold_secret;

/// Texts by the conversation of a thread and the id of the message that it begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadDrafts(BTreeMap<(ConversationKey, String), String>);

/// Form of a draft in the file.
#[derive(Serialize, Deserialize)]
pub(super) struct ThreadDraftForm {
    conversation: String,
    thread: String,
    text: String,
}

impl ThreadDrafts {
    /// Adds a draft, unless it is empty, may hold a password, or there are too many.
    pub fn add(&mut self, key: ConversationKey, root: String, text: String) {
        let bytes: usize = self.0.values().map(String::len).sum();
        let fits = self.0.len() < MAX_DRAFTS && bytes + text.len() <= MAX_DRAFT_BYTES;
        let has_id = !root.is_empty() && root.len() <= MAX_ID_BYTES;
        if fits && has_id && !text.trim().is_empty() && !may_hold_secret(&text, key.conversation.as_str()) {
            self.0.insert((key, root), text);
        }
    }

    /// Takes all of them: conversation, id of the first message, text.
    pub fn into_parts(self) -> impl Iterator<Item = (ConversationKey, String, String)> {
        self.0.into_iter().map(|((key, root), text)| (key, root, text))
    }

    /// Moves the drafts to other conversations.
    pub(super) fn rename(&mut self, rename: impl Fn(ConversationKey) -> ConversationKey) {
        let moved = std::mem::take(&mut self.0).into_iter();
        self.0 = moved.map(|((key, root), text)| ((rename(key), root), text)).collect();
    }

    pub(super) fn from_forms(forms: Vec<ThreadDraftForm>) -> Self {
        let mut drafts = Self::default();
        for ThreadDraftForm { conversation, thread, text } in forms {
            if let Ok(key) = conversation.parse() {
                drafts.add(key, thread, text);
            }
        }
        drafts
    }

    pub(super) fn to_forms(&self) -> Vec<ThreadDraftForm> {
        let form = |((key, root), text): (&(ConversationKey, String), &String)| ThreadDraftForm {
            conversation: key.to_string(),
            thread: root.clone(),
            text: text.clone(),
        };
        self.0.iter().map(form).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_are_bounded_and_hold_no_password() {
        let lobby: ConversationKey = "home/#lobby".parse().expect("a key");
        let mut drafts = ThreadDrafts::default();
        for (root, text) in [
            ("a1", "/oper root hunter2"),
            ("a1", "  "),
            ("", "to nothing"),
            (&*"a".repeat(MAX_ID_BYTES + 1), "to nothing"),
        ] {
            drafts.add(lobby.clone(), root.to_owned(), text.to_owned());
            assert_eq!(drafts, ThreadDrafts::default(), "{text}");
        }
        for n in 0..MAX_DRAFTS + 5 {
            drafts.add(lobby.clone(), n.to_string(), "x".to_owned());
        }
        assert_eq!(drafts.clone().into_parts().count(), MAX_DRAFTS);
        let mut large = ThreadDrafts::default();
        for n in 0..10 {
            large.add(lobby.clone(), n.to_string(), "x".repeat(64 * 1024));
        }
        assert_eq!(large.into_parts().count(), 8);
    }
}
