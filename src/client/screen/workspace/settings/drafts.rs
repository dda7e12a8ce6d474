//! Drafts: texts that make room for others and come back, and those of threads and closed conversations.

use crate::client::keys::Action;
use crate::client::message_secrets::may_hold_secret;
use crate::client::model::Conversation;
use crate::client::screen::workspace::buffer::Buffer;
use crate::client::screen::workspace::{BufferKey, Workspace};
use crate::client::settings::state::Draft;

/// Note about a draft that makes room for another text.
const DRAFT_COMES_BACK: &str = "your draft here comes back once you have sent or cleared this";

/// Returns the draft to keep of a buffer: the one that was set aside, then what is in the composer.
pub(super) fn kept_draft(buffer: &Buffer) -> Draft {
    let text = buffer.draft.text();
    match &buffer.set_aside {
        // A command that was not finished is no part of the message that it set aside.
        Some(before) if is_command(text) || !may_be_kept(text, &buffer.conversation) => before.clone(),
        Some(before) => join_drafts(before.clone(), text),
        None => Draft { text: text.to_owned(), reply_to: buffer.reply_to.clone() },
    }
}

/// Returns whether a text is worth keeping and holds no password.
pub(super) fn may_be_kept(text: &str, conversation: &Conversation) -> bool {
    !text.trim().is_empty() && !may_hold_secret(text, conversation.as_str())
}

/// Returns whether a text is a command and not a message.
fn is_command(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//") && !text.trim_end().contains('\n')
}

/// Appends a text to a draft, as further lines.
pub(super) fn join_drafts(before: Draft, text: &str) -> Draft {
    let separator = if before.text.is_empty() { "" } else { "\n" };
    Draft { text: format!("{}{separator}{text}", before.text), reply_to: before.reply_to }
}

impl Workspace {
    /// Moves what was typed before there was a conversation to the one on the screen, unless that of the last run is yet
    /// to come. A draft there is set aside until the composer is empty again.
    pub(in crate::client::screen::workspace) fn place_scratch(&mut self) {
        if self.scratch.is_empty() || self.current_buffer().is_none() || self.remembered.current.is_some() {
            return;
        }
        let scratch = std::mem::take(&mut self.scratch);
        let had_draft = self.current_buffer().is_some_and(|buffer| !buffer.draft.is_empty());
        self.set_draft_aside();
        *self.draft_mut() = scratch;
        if had_draft {
            self.show_hint(DRAFT_COMES_BACK);
        }
    }

    /// Sets the draft on the screen aside until the composer is empty again, as further lines of one that was set aside
    /// before. Returns `false` where there is no conversation that would keep it.
    pub fn set_draft_aside(&mut self) -> bool {
        let Some(buffer) = self.current_buffer_mut() else { return self.scratch.is_empty() };
        if !buffer.draft.is_empty() {
            let draft = Draft { text: buffer.draft.take(), reply_to: buffer.reply_to.take() };
            buffer.set_aside = Some(match buffer.set_aside.take() {
                Some(before) => join_drafts(before, &draft.text),
                None => draft,
            });
        }
        true
    }

    /// Begins a command in the composer. A draft there comes back after it.
    pub fn begin_command(&mut self, command: String) {
        let had_draft = !self.draft().is_empty();
        if !self.set_draft_aside() {
            let clear = self.keys().clauses(&[(Action::Clear, "clears it")]);
            return self.show_error(&format!("not connected yet, and your text waits for that; {clear}"));
        }
        self.draft_mut().set(command);
        if had_draft {
            self.show_hint(DRAFT_COMES_BACK);
        }
    }

    /// Puts each draft that was set aside back where the composer is empty.
    pub fn return_drafts(&mut self) {
        for buffer in self.servers.iter_mut().flat_map(|server| server.buffers.values_mut()) {
            if buffer.draft.is_empty()
                && let Some(Draft { text, reply_to }) = buffer.set_aside.take()
            {
                buffer.draft.set(text);
                buffer.reply_to = reply_to;
            }
        }
    }

    /// Keeps the draft of a conversation whose buffer is removed, until it is opened again.
    pub(in crate::client::screen::workspace) fn keep_closed_draft(
        &mut self,
        key: &BufferKey,
        buffer: &Buffer,
    ) {
        let draft = kept_draft(buffer);
        if may_be_kept(&draft.text, &key.1) {
            self.remembered.drafts.insert(key.clone(), draft);
        }
    }

    /// Returns the answer that was typed in a thread and not sent.
    pub fn thread_draft(&self, key: &BufferKey, root: &str) -> Option<&str> {
        self.remembered.thread_drafts.get(&(key.clone(), root.to_owned())).map(String::as_str)
    }

    /// Iterates over the answers of a conversation that were typed in its threads and not sent.
    pub(in crate::client::screen::workspace) fn thread_drafts_of<'a>(
        &'a self,
        key: &BufferKey,
    ) -> impl Iterator<Item = &'a str> {
        let drafts = self.remembered.thread_drafts.iter();
        drafts.filter(move |((of, _), _)| of == key).map(|(_, text)| text.as_str())
    }

    /// Keeps an answer that is typed in a thread; an empty one removes it.
    pub fn keep_thread_draft(&mut self, key: &BufferKey, root: &str, text: &str) {
        let drafts = &mut self.remembered.thread_drafts;
        if text.trim().is_empty() {
            drafts.remove(&(key.clone(), root.to_owned()));
        } else {
            drafts.insert((key.clone(), root.to_owned()), text.to_owned());
        }
    }
}
