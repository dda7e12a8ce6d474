//! State that outlasts a run of the client: drafts, the conversation on the screen, uses.

use std::collections::BTreeMap;

use super::drafts::{join_drafts, kept_draft, may_be_kept};
use crate::client::model::{Conversation, Ticket};
use crate::client::screen::workspace::buffer::Buffer;
use crate::client::screen::workspace::entry::OutgoingMessage;
use crate::client::screen::workspace::{BufferKey, Workspace};
use crate::client::settings::do_not_disturb::DoNotDisturb;
use crate::client::settings::state::{ConversationKey, Draft, State, UnsentMessage, UnsentRedaction};

/// Remembered state of conversations that have no buffer yet.
#[derive(Debug, Default)]
pub(in crate::client::screen::workspace) struct Remembered {
    /// Drafts of the last run, until their buffers are opened.
    pub(super) drafts: BTreeMap<BufferKey, Draft>,
    /// Answers that were typed in threads, by the id of the message that the thread begins with.
    pub(super) thread_drafts: BTreeMap<(BufferKey, String), String>,
    /// Messages of the last run, each with the index of its server, until they are sent again.
    pub(super) unsent: Vec<(usize, UnsentMessage)>,
    /// Messages of the last run that were sent again or had failed, until their buffers are opened.
    pub(super) outgoing: BTreeMap<BufferKey, Vec<OutgoingMessage>>,
    /// Conversation that was on the screen, until it is on it again or the user does something else.
    pub(super) current: Option<BufferKey>,
}

impl Remembered {
    /// Takes the draft of a conversation whose buffer is opened.
    pub(in crate::client::screen::workspace) fn fill(&mut self, key: &BufferKey, buffer: &mut Buffer) {
        if let Some(draft) = self.drafts.remove(key) {
            buffer.draft.set(draft.text);
            buffer.reply_to = draft.reply_to;
        }
        buffer.outgoing.extend(self.outgoing.remove(key).into_iter().flatten());
    }

    /// Follows a conversation to its new name.
    pub(in crate::client::screen::workspace) fn rename(&mut self, from: &BufferKey, to: &BufferKey) {
        if let Some(draft) = self.drafts.remove(from) {
            self.drafts.insert(to.clone(), draft);
        }
        let moved: Vec<_> = self.thread_drafts.extract_if(.., |(key, _), _| key == from).collect();
        self.thread_drafts.extend(moved.into_iter().map(|((_, root), text)| ((to.clone(), root), text)));
    }

    /// Forgets a message that the server has confirmed.
    pub(in crate::client::screen::workspace) fn confirm(&mut self, server: usize, ticket: Ticket) {
        for (_, outgoing) in self.outgoing.iter_mut().filter(|((at, _), _)| *at == server) {
            outgoing.retain(|out| out.ticket != ticket);
        }
    }
}

impl Workspace {
    /// Takes over the state of the last run.
    pub fn restore(&mut self, state: State) {
        self.remembered.current = state.current.and_then(|key| self.find_key(key));
        let drafts: Vec<_> =
            state.drafts.into_iter().filter_map(|(key, draft)| Some((self.find_key(key)?, draft))).collect();
        self.remembered.drafts.extend(drafts);
        for (key, root, text) in state.thread_drafts.into_parts() {
            if let Some(key) = self.find_key(key) {
                self.remembered.thread_drafts.insert((key, root), text);
            }
        }
        self.restore_unsent(state.unsent);
        for redaction in state.redactions {
            if let Some((server, conversation)) = self.find_key(redaction.key) {
                self.held.resume(server, conversation, &redaction.msgid, &redaction.reason);
            }
        }
        for (key, ignored) in state.ignores {
            if let Some((server, Conversation::Direct(account))) = self.find_key(key)
                && let Some(state) = self.servers.get_mut(server)
            {
                state.ignores.resume(account, ignored);
            }
        }
        self.uses = state.uses;
        self.do_not_disturb = state.do_not_disturb.map(DoNotDisturb::from_end);
    }

    /// Returns the state for the next run, without that of the components.
    pub fn state(&self) -> State {
        let mut state = State { uses: self.uses.clone(), ..State::default() };
        state.do_not_disturb = self.do_not_disturb().map(DoNotDisturb::end);
        state.current = self.current.as_ref().and_then(|key| self.conversation_key(key));
        for (key, draft) in &self.remembered.drafts {
            if let Some(key) = self.conversation_key(key) {
                state.add_draft(key, draft.clone());
            }
        }
        for ((key, root), text) in &self.remembered.thread_drafts {
            if let Some(key) = self.conversation_key(key) {
                state.thread_drafts.add(key, root.clone(), text.clone());
            }
        }
        self.keep_unsent(&mut state);
        for held in self.held.iter() {
            if let Some(key) = self.conversation_key(&(held.server, held.conversation.clone())) {
                let (msgid, reason) = (held.msgid.clone(), held.reason.clone());
                state.add_redaction(UnsentRedaction { key, msgid, reason });
            }
        }
        for (index, server) in self.servers.iter().enumerate() {
            for (account, ignored) in server.ignores.iter() {
                let key = self.conversation_key(&(index, Conversation::Direct(account.clone())));
                state.ignores.extend(key.map(|key| (key, ignored)));
            }
        }
        let has_draft = |buffer: &Buffer| !buffer.draft.is_empty() || buffer.set_aside.is_some();
        for (key, buffer) in self.buffers().filter(|(_, buffer)| has_draft(buffer)) {
            if let Some(key) = self.conversation_key(&key) {
                state.add_draft(key, kept_draft(buffer));
            }
        }
        if let Some(key) = self.remembered.current.as_ref()
            && may_be_kept(self.scratch.text(), &key.1)
            && let Some(key) = self.conversation_key(key)
        {
            let before = state.drafts.get(&key).cloned().unwrap_or_default();
            state.add_draft(key, join_drafts(before, self.scratch.text()));
        }
        if state.current.is_none() {
            state.current = self.remembered.current.as_ref().and_then(|key| self.conversation_key(key));
        }
        state
    }

    /// Returns the key of a conversation for files, which names its server.
    pub fn conversation_key(&self, (server, conversation): &BufferKey) -> Option<ConversationKey> {
        let server = self.servers.get(*server)?.key.clone();
        Some(ConversationKey { server, conversation: conversation.clone() })
    }

    pub(super) fn find_key(&self, key: ConversationKey) -> Option<BufferKey> {
        let server = self.servers.iter().position(|server| server.key == key.server)?;
        Some((server, key.conversation))
    }

    /// Returns how much a conversation is used, to rank it; see
    /// [`Uses::score`](crate::client::settings::uses::Uses::score).
    pub fn use_score(&self, key: &BufferKey) -> f64 {
        self.conversation_key(key).map_or(0.0, |key| self.uses.score(&key.to_string(), self.now))
    }

    /// Counts a use of a conversation.
    pub(in crate::client::screen::workspace) fn record_use(&mut self, key: &BufferKey) {
        if let Some(key) = self.conversation_key(key) {
            self.uses.record(&key.to_string(), self.now);
        }
    }

    /// Stays where the user is, because they have begun to do something. Before there is a conversation on the screen,
    /// what they type is for the one of the last run.
    pub fn forget_last_conversation(&mut self) {
        if self.current.is_some() {
            self.remembered.current = None;
            self.place_scratch();
        }
    }

    /// Moves what was typed to the conversation on the screen, if the login has not brought back that of the last run:
    /// the user waits to go on with their text.
    pub(in crate::client::screen::workspace) fn settle_scratch(&mut self, server: usize) {
        let waits = self.remembered.current.as_ref().is_some_and(|(at, _)| *at == server);
        if waits && !self.scratch.is_empty() {
            self.forget_last_conversation();
        }
    }

    /// Switches back to the conversation of the last run once there is a buffer of it.
    pub(in crate::client::screen::workspace) fn return_to_last_conversation(&mut self) {
        let here = self.remembered.current.take_if(|(server, conversation)| {
            self.servers.get(*server).is_some_and(|server| server.buffers.contains_key(conversation))
        });
        if let Some(key) = here {
            self.show(key);
            // It may have been on the screen before, because it was the first one to open.
            self.place_scratch();
        }
    }

    /// Opens the direct conversations of a server that have a draft or were on the screen.
    pub(in crate::client::screen::workspace) fn open_remembered(&mut self, server: usize) {
        let remembered = self.remembered.drafts.keys().chain(&self.remembered.current);
        let direct: Vec<Conversation> = remembered
            .filter(|(at, conversation)| *at == server && matches!(conversation, Conversation::Direct(_)))
            .map(|(_, conversation)| conversation.clone())
            .collect();
        for conversation in direct {
            self.open_buffer(server, &conversation);
        }
        self.return_to_last_conversation();
    }
}
