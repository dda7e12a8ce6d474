//! Sending of messages, and those that are not confirmed yet.

use super::entry::{OutgoingMessage, format_text};
use super::{ConnectionState, Models, ScreenEffect, Workspace};
use crate::client::input::waiting::{cancel_waiting, describe_cancelled};
use crate::client::message_secrets::{mask_from, mask_message, secret_start_in_line};
use crate::client::model::{Cancelled, Conversation, MessageKind, Model, Ticket};
use crate::client::screen::text::sanitize::{sanitize, sanitize_line};
use crate::client::screen::text::text_field::TextField;
use crate::client::text::count::counted;

/// Limit of the messages that one text may become, where the server takes it only in pieces.
const MAX_MESSAGES_OF_TEXT: usize = 10;

/// A message that is not confirmed, or a draft, with passwords hidden. Safe to write to a terminal.
#[derive(Clone, Debug)]
pub struct UnsentText {
    /// Name of the conversation.
    pub conversation: String,
    /// Text as it was typed.
    pub text: String,
}

impl Workspace {
    /// Counts the messages that no server has confirmed yet and that have not failed.
    pub fn unconfirmed_count(&self) -> usize {
        self.buffers()
            .map(|(_, buffer)| buffer.outgoing.iter().filter(|out| out.failed.is_none()).count())
            .sum()
    }

    /// Lists the unconfirmed messages and the drafts.
    pub fn unsent_texts(&self) -> Vec<UnsentText> {
        let mut all = Vec::new();
        for (_, buffer) in self.buffers() {
            let set_aside = buffer.set_aside.as_ref().map(|draft| draft.text.as_str());
            let drafts =
                set_aside.into_iter().chain([buffer.draft.text()]).filter(|text| !text.trim().is_empty());
            let drafts = drafts.map(|text| match secret_start_in_line(text, buffer.conversation.as_str()) {
                Some(from) => mask_from(text, from),
                None => text.to_owned(),
            });
            let texts = buffer.outgoing.iter().map(|out| out.text.clone()).chain(drafts);
            all.extend(texts.map(|text| UnsentText {
                conversation: sanitize_line(buffer.conversation.as_str(), 64),
                text: sanitize(&text, TextField::MAX_BYTES),
            }));
        }
        all
    }

    /// Refuses a text that would become a flood of messages, as a pasted file does.
    pub fn check_length(
        &self,
        server: usize,
        conversation: &Conversation,
        text: &str,
        models: &[&mut Model],
    ) -> Result<(), String> {
        let Some(model) = models.get(server) else { return Ok(()) };
        let count = model.count_messages(conversation, text);
        if count <= MAX_MESSAGES_OF_TEXT {
            return Ok(());
        }
        let lines = text.trim_end_matches('\n').split('\n').count();
        let size = if lines > 1 { counted(lines, "line") } else { counted(text.len(), "byte") };
        Err(format!(
            "not sent: this text of {size} would be {count} messages; shorten it, or send it in parts \
             (one message has at most 100 lines and 16 KiB)"
        ))
    }

    /// Sends a message, and shows it as unconfirmed.
    pub fn send_message(
        &mut self,
        server: usize,
        conversation: &Conversation,
        text: &str,
        reply: Option<&str>,
        models: Models<'_, '_>,
    ) {
        let Some(model) = models.get_mut(server) else { return };
        let sent = model.send_text(conversation, text, reply);
        self.show_outgoing(server, conversation, MessageKind::Text, reply, sent);
    }

    /// Sends a CTCP ACTION (`/me`), and shows it as unconfirmed.
    pub fn send_action(
        &mut self,
        server: usize,
        conversation: &Conversation,
        text: &str,
        models: Models<'_, '_>,
    ) {
        let Some(model) = models.get_mut(server) else { return };
        let tickets = model.send_message(conversation, MessageKind::Action, text);
        let sent = tickets.into_iter().map(|ticket| (ticket, text.to_owned())).collect();
        self.show_outgoing(server, conversation, MessageKind::Action, None, sent);
    }

    /// Returns whether a message in the conversation on the screen was refused.
    pub fn has_failed(&self, ticket: Ticket) -> bool {
        let mut outgoing = self.current_buffer().into_iter().flat_map(|buffer| &buffer.outgoing);
        outgoing.any(|out| out.ticket == ticket && out.failed.is_some())
    }

    /// Drops a message that the server has not confirmed: one that failed, or one that waits to be sent.
    pub fn drop_outgoing(&mut self, ticket: Ticket, models: Models<'_, '_>) {
        let Some((server, _)) = self.current.clone() else { return };
        if self.has_failed(ticket) {
            if let Some(buffer) = self.current_buffer_mut() {
                buffer.outgoing.retain(|out| out.ticket != ticket);
            }
            self.deselect();
            return;
        }
        match models.get_mut(server).and_then(|model| model.cancel_message(ticket)) {
            Some(cancelled) => self.remove_cancelled(&[cancelled]),
            // It may arrive at any moment.
            None => self.show_hint("it is on its way: once it is confirmed, you can take it back"),
        }
    }

    /// Cancels the last message of the conversation on the screen that waits to be sent, or `all` that wait there.
    pub fn cancel_waiting(&mut self, all: bool, models: Models<'_, '_>) -> Result<(), String> {
        let Some((server, conversation)) = self.current.clone() else {
            return Err("no conversation is open".to_owned());
        };
        let Some(model) = models.get_mut(server) else { return Ok(()) };
        let cancelled = cancel_waiting(model, &conversation, all)?;
        self.remove_cancelled(&cancelled);
        Ok(())
    }

    fn remove_cancelled(&mut self, cancelled: &[Cancelled]) {
        if let Some(buffer) = self.current_buffer_mut() {
            buffer.outgoing.retain(|out| !cancelled.iter().any(|one| one.ticket == out.ticket));
        }
        self.deselect();
        self.show_hint(&describe_cancelled(cancelled));
    }

    fn show_outgoing(
        &mut self,
        server: usize,
        conversation: &Conversation,
        kind: MessageKind,
        reply: Option<&str>,
        sent: Vec<(Ticket, String)>,
    ) {
        self.quit.unconfirmed_warned = false;
        self.record_use(&(server, conversation.clone()));
        if !self.servers.get(server).is_some_and(|server| server.state == ConnectionState::Online) {
            self.effects.push(ScreenEffect::RetryNow);
        }
        if let Some(buffer) = self.open_buffer(server, conversation) {
            let reply = reply.map(str::to_owned);
            buffer.outgoing.extend(sent.into_iter().map(|(ticket, text)| {
                let masked = mask_message(conversation.as_str(), &text);
                let secret = masked.is_some();
                let text = masked.unwrap_or(text);
                let (shown, markup) = format_text(&text);
                let reply_to = reply.clone();
                OutgoingMessage { ticket, kind, text, shown, markup, secret, reply_to, failed: None }
            }));
        }
    }
}
