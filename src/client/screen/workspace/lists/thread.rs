//! Thread: a message and its answers, as far as they are loaded.

use std::collections::HashSet;

use super::listed_message::ListedMessage;
use crate::client::screen::workspace::buffer::Buffer;
use crate::client::screen::workspace::{BufferKey, Workspace};

/// Limit of the messages of a thread.
const MAX_MESSAGES: usize = 500;

/// Limit of the answers to answers that lead to the root.
const MAX_DEPTH: usize = 100;

impl Workspace {
    /// Returns the id of the message that a thread with this message begins with. It may not be loaded.
    pub fn thread_root(&self, key: &BufferKey, msgid: &str) -> String {
        let buffer = self.servers.get(key.0).and_then(|server| server.buffers.get(&key.1));
        let mut root = msgid.to_owned();
        for _ in 0..MAX_DEPTH {
            let parent = buffer.and_then(|buffer| buffer.find_message(&root)?.1.reply_to.clone());
            match parent {
                Some(parent) => root = parent.into(),
                None => break,
            }
        }
        root
    }

    /// Returns the loaded messages of a thread, the oldest first, and the root at the beginning if it is loaded. The
    /// oldest answers beyond the limit are left out. `known` has the ids of messages of the thread that are not loaded.
    pub fn thread_messages(
        &self,
        key: &BufferKey,
        root: &str,
        known: &HashSet<String>,
    ) -> Vec<ListedMessage> {
        let buffer = self.servers.get(key.0).and_then(|server| server.buffers.get(&key.1));
        buffer.map(|buffer| collect(key, buffer, root, known)).unwrap_or_default()
    }
}

fn collect(key: &BufferKey, buffer: &Buffer, root: &str, known: &HashSet<String>) -> Vec<ListedMessage> {
    let mut ids: HashSet<&str> = known.iter().map(String::as_str).chain([root]).collect();
    let mut found = Vec::new();
    for entry in buffer.numbers().filter_map(|number| buffer.entry(number)) {
        let (Some(message), Some(id)) = (entry.message(), entry.id.as_deref()) else { continue };
        let belongs = id == root || message.reply_to.as_deref().is_some_and(|parent| ids.contains(parent));
        if belongs {
            ids.insert(id);
            found.extend(ListedMessage::from_entry(key, entry));
        }
    }
    if found.len() > MAX_MESSAGES {
        let keeps_root = usize::from(found.first().is_some_and(|first| first.msgid.as_deref() == Some(root)));
        found.drain(keeps_root..found.len() - MAX_MESSAGES + keeps_root);
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn answers_to_answers_belong_to_the_thread() {
        let mut fixture = Fixture::new();
        fixture.lines(&[
            "@msgid=a1 :bob!u@p PRIVMSG #lobby :root",
            "@msgid=a2 :bob!u@p PRIVMSG #lobby :aside",
            "@msgid=a3;+draft/reply=a1 :carol!u@p PRIVMSG #lobby :one",
            "@msgid=a4;+draft/reply=a3 :bob!u@p PRIVMSG #lobby :two",
            "@msgid=a5;+draft/reply=x9 :bob!u@p PRIVMSG #lobby :elsewhere",
        ]);
        let key = Fixture::key("#lobby");
        let workspace = &fixture.workspace;
        assert_eq!(["a1", "a3", "a4"].map(|id| workspace.thread_root(&key, id)), ["a1", "a1", "a1"]);
        assert_eq!(workspace.thread_root(&key, "a5"), "x9", "not loaded");
        let texts: Vec<String> =
            workspace.thread_messages(&key, "a1", &HashSet::new()).into_iter().map(|one| one.text).collect();
        assert_eq!(texts, ["root", "one", "two"]);
    }

    #[test]
    fn a_circle_of_replies_ends() {
        let mut fixture = Fixture::new();
        fixture.lines(&[
            "@msgid=a1;+draft/reply=a2 :bob!u@p PRIVMSG #lobby :one",
            "@msgid=a2;+draft/reply=a1 :bob!u@p PRIVMSG #lobby :two",
        ]);
        let key = Fixture::key("#lobby");
        let root = fixture.workspace.thread_root(&key, "a1");
        assert!(!fixture.workspace.thread_messages(&key, &root, &HashSet::new()).is_empty());
    }
}
