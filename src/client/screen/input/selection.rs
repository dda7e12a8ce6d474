//! Actions on the selected message.

use crate::client::model::MessageKind;
use crate::client::screen::buffer::Scroll;
use crate::client::screen::entry::{Entry, Message};
use crate::client::screen::view::{self, Layout};
use crate::client::screen::{App, BufferKey, Models, Overlay, ScreenEffect, Selection};

impl App {
    /// Moves the selection to the message or run of joins and leaves above or below.
    pub(in crate::client::screen) fn move_selection(&mut self, above: bool) {
        let Some(buffer) = self.current_buffer() else { return };
        let is_selectable = |number: &i64| {
            buffer.entry(*number).is_some_and(|entry| entry.message().is_some())
                || view::starts_run(self, buffer, *number)
        };
        let range = buffer.numbers();
        let waiting = &buffer.outgoing;
        let last = || {
            let bottom = match buffer.scroll {
                Scroll::Bottom => range.end - 1,
                Scroll::At { number, .. } => number,
            };
            (range.start..=bottom).rev().find(is_selectable).map(Selection::Entry)
        };
        let at = |ticket| waiting.iter().position(|out| out.ticket == ticket);
        let next = match (self.selection, above) {
            (None, true) => match waiting.last() {
                Some(out) if buffer.scroll == Scroll::Bottom => Some(Selection::Outgoing(out.ticket)),
                _ => last(),
            },
            (None, false) => None,
            (Some(Selection::Outgoing(ticket)), true) => {
                match at(ticket).and_then(|at| waiting.get(at.checked_sub(1)?)) {
                    Some(out) => Some(Selection::Outgoing(out.ticket)),
                    None => last().or(self.selection),
                }
            }
            (Some(Selection::Outgoing(ticket)), false) => {
                at(ticket).and_then(|at| waiting.get(at + 1)).map(|out| Selection::Outgoing(out.ticket))
            }
            (Some(Selection::Entry(number)), true) => {
                (range.start..number).rev().find(is_selectable).map(Selection::Entry).or(self.selection)
            }
            (Some(Selection::Entry(number)), false) => {
                let next = (number + 1..range.end).find(is_selectable).map(Selection::Entry);
                next.or_else(|| waiting.first().map(|out| Selection::Outgoing(out.ticket)))
            }
        };
        self.selection = next;
        if let Some(Selection::Entry(number)) = next {
            self.scroll_into_view(number);
        }
    }

    /// Scrolls until an entry is visible.
    fn scroll_into_view(&mut self, number: i64) {
        let messages = Layout::from_app(self).messages;
        let page = usize::from(messages.height);
        let Some(buffer) = self.current_buffer() else { return };
        let (lowest, below) = match buffer.scroll {
            Scroll::Bottom => (buffer.numbers().end - 1, 0),
            Scroll::At { number, rows_below: below } => (number, below),
        };
        if number > lowest || number == lowest && below > 0 {
            let end = number == buffer.numbers().end - 1;
            if let Some(buffer) = self.current_buffer_mut() {
                buffer.scroll = if end { Scroll::Bottom } else { Scroll::At { number, rows_below: 0 } };
            }
            return;
        }
        let rows: usize = (number..=lowest)
            .map(|n| view::entry_height(self, buffer, n, messages.width))
            .take(page + 1)
            .sum();
        if rows > page + below {
            let up = isize::try_from(rows - page - below).unwrap_or(0);
            self.scroll_rows(up);
        }
    }

    /// Returns the selected message, or the last one of another account where none is selected.
    pub(in crate::client::screen) fn selected_or_last_message(
        &self,
    ) -> Option<(BufferKey, &Entry, &Message)> {
        let key = self.current.clone()?;
        let buffer = self.current_buffer()?;
        let entry = match self.selection {
            Some(Selection::Entry(number)) => buffer.entry(number)?,
            Some(Selection::Outgoing(_)) => return None,
            None => buffer.newest_first().map(|(_, entry)| entry).find(|entry| entry.counts_as_unread())?,
        };
        Some((key, entry, entry.message()?))
    }

    pub(in crate::client::screen) fn reply_to_selected(&mut self, models: Models<'_, '_>) {
        if let Some(Selection::Outgoing(_)) = self.selection {
            return self.resend_selected(models);
        }
        let Some(id) = self.selected_or_last_message().and_then(|(_, entry, _)| entry.id.clone()) else {
            return;
        };
        self.selection = None;
        if let Some(buffer) = self.current_buffer_mut() {
            buffer.reply_to = Some(id.into());
        }
    }

    pub(in crate::client::screen) fn open_reaction_picker(&mut self) {
        let Some((key, Some(id))) =
            self.selected_or_last_message().map(|(spot, entry, _)| (spot, entry.id.clone()))
        else {
            return;
        };
        self.overlay = Overlay::Pick(Self::reaction_picker(&key, &id));
        self.selection = None;
    }

    /// Reacts to the message of [`Self::meant`].
    pub(in crate::client::screen) fn react_to_selected(
        &mut self,
        emoji: &str,
        models: Models<'_, '_>,
    ) -> Result<(), String> {
        let selected = self.selected_or_last_message().map(|(key, entry, _)| (key, entry.id.clone()));
        let Some((key, Some(id))) = selected else {
            return Err("there is no message to react to".to_owned());
        };
        self.toggle_reaction(&key, &id, emoji, models)?;
        self.selection = None;
        Ok(())
    }

    /// Replies to the message of [`Self::meant`].
    pub(in crate::client::screen) fn send_reply(&mut self, text: &str, models: Models<'_, '_>) {
        let Some((key, Some(id))) =
            self.selected_or_last_message().map(|(spot, entry, _)| (spot, entry.id.clone()))
        else {
            return;
        };
        self.selection = None;
        self.send_message(key.0, &key.1, text, Some(&id), models);
        self.scroll_to_latest();
    }

    /// Gives a reaction, or withdraws it if the own account gave the same one.
    pub(in crate::client::screen) fn toggle_reaction(
        &mut self,
        key: &BufferKey,
        msgid: &str,
        emoji: &str,
        models: Models<'_, '_>,
    ) -> Result<(), String> {
        let given = self
            .servers
            .get(key.0)
            .and_then(|server| server.buffers.get(&key.1)?.find_message(msgid))
            .is_some_and(|(_, message)| {
                message.reactions.iter().any(|reaction| &*reaction.emoji == emoji && reaction.mine)
            });
        let Some(model) = models.get_mut(key.0) else { return Ok(()) };
        model.send_reaction(&key.1, msgid, emoji, given).map_err(|offline| offline.to_string())
    }

    pub(in crate::client::screen) fn redact_selected(&mut self, models: Models<'_, '_>) {
        if let Some(Selection::Outgoing(ticket)) = self.selection {
            if let Some(buffer) = self.current_buffer_mut() {
                // A message in flight may still arrive; only a failed one can be dropped.
                buffer.outgoing.retain(|out| out.ticket != ticket || out.failed.is_none());
            }
            self.selection = None;
            return;
        }
        let Some((key, Some(id))) =
            self.selected_or_last_message().map(|(spot, entry, _)| (spot, entry.id.clone()))
        else {
            return;
        };
        self.selection = None;
        if let Some(model) = models.get_mut(key.0)
            && let Err(offline) = model.send_redaction(&key.1, &id, "")
        {
            self.show_error(&offline.to_string());
        }
    }

    /// Redacts the own last message in the conversation on the screen.
    pub(in crate::client::screen) fn redact_last(
        &mut self,
        reason: &str,
        models: Models<'_, '_>,
    ) -> Result<(), String> {
        let last = self.current_buffer().and_then(|buffer| {
            let is_redactable =
                |entry: &Entry| entry.message().is_some_and(|one| one.mine && one.redacted.is_none());
            buffer
                .newest_first()
                .map(|(_, entry)| entry)
                .filter(|entry| is_redactable(entry))
                .find_map(|entry| entry.id.clone())
        });
        let (Some(id), Some((server, conversation))) = (last, self.current.clone()) else {
            return Err("no message of yours to take back here".to_owned());
        };
        let Some(model) = models.get_mut(server) else { return Ok(()) };
        model.send_redaction(&conversation, &id, reason).map_err(|offline| offline.to_string())
    }

    pub(in crate::client::screen) fn copy_selected(&mut self) {
        let text = match self.selection {
            Some(Selection::Outgoing(ticket)) => self
                .current_buffer()
                .and_then(|buffer| buffer.outgoing.iter().find(|out| out.ticket == ticket))
                .map(|out| out.text.clone()),
            Some(Selection::Entry(number)) if self.selected_run().is_some() => view::run_text(self, number),
            _ => self.selected_or_last_message().map(|(_, _, message)| message.text.to_string()),
        };
        if let Some(text) = text {
            self.effects.push(ScreenEffect::Copy(text));
            self.show_hint("copied");
        }
        self.selection = None;
    }

    /// Sends the selected message again, if it failed.
    pub(in crate::client::screen) fn resend_selected(&mut self, models: Models<'_, '_>) {
        let Some(Selection::Outgoing(ticket)) = self.selection else { return };
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
        self.selection = None;
        if out.kind == MessageKind::Action {
            self.send_action(server, &conversation, &out.text, models);
        } else {
            self.send_message(server, &conversation, &out.text, out.reply_to.as_deref(), models);
        }
    }
}
