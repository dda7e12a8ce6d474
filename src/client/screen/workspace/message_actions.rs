//! Actions on the selected message.

use super::buffer::loading::{Extent, JumpTarget};
use super::buffer::{Scroll, Selection};
use super::entry::{Entry, Message, is_same_emoji};
use super::{BufferKey, Models, Request, Workspace};
use crate::client::model::MessageKind;
use crate::wire::Timestamp;

impl Workspace {
    /// Returns the selected message, or the last one of another account where none is selected.
    pub fn selected_or_last_message(&self) -> Option<(BufferKey, &Entry, &Message)> {
        let key = self.current.clone()?;
        let buffer = self.current_buffer()?;
        let entry = match self.selection() {
            Some(Selection::Entry(number)) => buffer.entry(number)?,
            Some(Selection::Outgoing(_)) => return None,
            None => buffer.newest_first().map(|(_, entry)| entry).find(|entry| entry.counts_as_unread())?,
        };
        Some((key, entry, entry.message()?))
    }

    /// Returns the message that an answer or a reaction is for: the selected one, or the last one of another account.
    pub(super) fn answerable_message(&self, what: &str) -> Result<(BufferKey, String), String> {
        match self.selected_or_last_message() {
            Some((_, _, message)) if message.redacted.is_some() => {
                Err("this message was taken back: there is nothing to answer".to_owned())
            }
            Some((key, Entry { id: Some(id), .. }, _)) => Ok((key, id.to_string())),
            _ => Err(format!("there is no message to {what}")),
        }
    }

    /// Returns the message as [`Workspace::answerable_message`], or shows why there is none.
    fn answerable_or_error(&mut self, what: &str) -> Option<(BufferKey, String)> {
        self.answerable_message(what).map_err(|why| self.show_error(&why)).ok()
    }

    /// Replies to the selected message with the draft, or sends a failed one again.
    pub fn reply_to_selected(&mut self, models: Models<'_, '_>) {
        if let Some(Selection::Outgoing(_)) = self.selection() {
            return self.resend_selected(models);
        }
        let Some((_, id)) = self.answerable_or_error("reply to") else { return };
        self.deselect();
        if let Some(buffer) = self.current_buffer_mut() {
            buffer.reply_to = Some(id);
        }
    }

    /// Returns the request for the list of reactions to the selected message.
    pub fn open_reaction_picker(&mut self) -> Option<Request> {
        let (key, msgid) = self.answerable_or_error("react to")?;
        self.deselect();
        Some(Request::OpenReactions { key, msgid })
    }

    /// Returns the request for the thread of the selected message.
    pub fn open_thread(&mut self) -> Result<Request, String> {
        let (key, msgid) = self.answerable_message("show the thread of")?;
        self.deselect();
        Ok(Request::OpenThread { key, msgid })
    }

    /// Reacts to the message that is selected, or the last one.
    pub fn react_to_selected(&mut self, emoji: &str, models: Models<'_, '_>) -> Result<(), String> {
        let (key, id) = self.answerable_message("react to")?;
        self.toggle_reaction(&key, &id, emoji, models)?;
        self.deselect();
        Ok(())
    }

    /// Replies to the message that is selected, or the last one.
    pub fn send_reply(&mut self, text: &str, models: Models<'_, '_>) {
        let Some((key, Some(id))) =
            self.selected_or_last_message().map(|(key, entry, _)| (key, entry.id.clone()))
        else {
            return;
        };
        self.deselect();
        self.send_message(key.0, &key.1, text, Some(&id), models);
        self.scroll_to_latest();
    }

    /// Gives a reaction, or withdraws it if the own account gave the same one.
    pub fn toggle_reaction(
        &mut self,
        key: &BufferKey,
        msgid: &str,
        emoji: &str,
        models: Models<'_, '_>,
    ) -> Result<(), String> {
        let message =
            self.servers.get(key.0).and_then(|server| server.buffers.get(&key.1)?.find_message(msgid));
        let same = message.and_then(|(_, message)| {
            message.reactions.iter().find(|reaction| is_same_emoji(&reaction.emoji, emoji))
        });
        // It is withdrawn in the form in which it was given, and given in the form that others gave it.
        let given = same.and_then(|reaction| reaction.mine.as_deref());
        let form = given.or(same.map(|reaction| &*reaction.emoji)).unwrap_or(emoji);
        let Some(model) = models.get_mut(key.0) else { return Ok(()) };
        model.send_reaction(&key.1, msgid, form, given.is_some()).map_err(|offline| offline.to_string())
    }

    /// Redacts the selected message, cancels one that waits, or drops one that failed.
    pub fn redact_selected(&mut self, models: Models<'_, '_>) {
        if let Some(Selection::Outgoing(ticket)) = self.selection() {
            return self.drop_outgoing(ticket, models);
        }
        let selected = self.selected_or_last_message();
        let Some((id, is_own)) =
            selected.and_then(|(_, entry, message)| Some((entry.id.clone()?, message.mine)))
        else {
            return;
        };
        // An own message stays selected, so that the next key can undo it.
        if !is_own {
            self.deselect();
        }
        if let Err(error) = self.redact(&id, is_own, "", models) {
            self.show_error(&error);
        }
    }

    /// Redacts the own last message in the conversation on the screen.
    pub fn redact_last(&mut self, reason: &str, models: Models<'_, '_>) -> Result<(), String> {
        let last =
            self.current_buffer().zip(self.current.as_ref()).and_then(|(buffer, (server, conversation))| {
                let is_redactable =
                    |entry: &Entry| entry.message().is_some_and(|one| one.mine && one.redacted.is_none());
                buffer
                    .newest_first()
                    .map(|(_, entry)| entry)
                    .filter(|entry| is_redactable(entry))
                    .filter_map(|entry| entry.id.clone())
                    .find(|id| !self.held.is_held(*server, conversation, id))
            });
        let Some(id) = last else {
            return Err("no message of yours to take back here".to_owned());
        };
        self.redact(&id, true, reason, models)
    }

    /// Sends the selected message again, if it failed.
    pub fn resend_selected(&mut self, models: Models<'_, '_>) {
        let Some(Selection::Outgoing(ticket)) = self.selection() else { return };
        let Some((server, conversation)) = self.current.clone() else { return };
        let Some(buffer) = self.current_buffer_mut() else { return };
        let Some(at) = buffer.outgoing.iter().position(|out| out.ticket == ticket && out.failed.is_some())
        else {
            self.show_hint("not failed: still waiting for the server");
            return;
        };
        if buffer.outgoing[at].secret {
            return self.show_error("not sent again: the password was not kept; type the message anew");
        }
        let out = buffer.outgoing.remove(at);
        self.deselect();
        if out.kind == MessageKind::Action {
            self.send_action(server, &conversation, &out.text, models);
        } else {
            self.send_message(server, &conversation, &out.text, out.reply_to.as_deref(), models);
        }
    }

    /// Scrolls to the latest message.
    pub fn scroll_to_latest(&mut self) {
        self.end_first_visit();
        let Some(buffer) = self.current_buffer_mut() else { return };
        if buffer.loading.extent() == Extent::Past {
            // The history in between is queried when the user scrolls there.
            buffer.skip_to_latest();
        }
        buffer.scroll = Scroll::Bottom;
        buffer.selection = None;
    }

    /// Scrolls to the first new message.
    pub fn scroll_to_new(&mut self) {
        let Some(buffer) = self.current_buffer() else { return };
        let since = buffer
            .divider
            .or_else(|| (buffer.unread > 0).then(|| buffer.read_marker.unwrap_or(Timestamp(0))));
        match (since, self.current.clone()) {
            (Some(since), Some(current)) => self.jump_to(current, JumpTarget::After(since)),
            _ => self.show_hint("no new messages here"),
        }
    }
}
