//! Sending of messages, and those that are not confirmed yet.

pub mod pictures;
mod transfers;

use super::buffer::Selection;
use super::entry::OutgoingMessage;
use super::{ConnectionState, Models, ScreenEffect, Workspace};
use crate::client::input::held_redactions::HeldRedactions;
use crate::client::input::waiting::{describe_cancelled, waiting_tickets};
use crate::client::message_secrets::{mask_from, secret_start_in_line};
use crate::client::model::{Cancelled, Conversation, MessageKind, Model, Ticket};
use crate::client::screen::text::sanitize::{sanitize, sanitize_line};
use crate::client::screen::text::text_field::TextField;
use crate::client::text::count::counted;
use crate::wire::Timestamp;

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
        self.outgoing().filter(|(_, out)| out.failed.is_none()).count()
    }

    /// Lists the unconfirmed messages and the drafts.
    pub fn unsent_texts(&self) -> Vec<UnsentText> {
        let mut all = Vec::new();
        for (key, buffer) in self.buffers() {
            let set_aside = buffer.set_aside.as_ref().map(|draft| draft.text.as_str());
            let drafts =
                set_aside.into_iter().chain([buffer.draft.text()]).filter(|text| !text.trim().is_empty());
            let in_threads = self.thread_drafts_of(&key);
            let drafts = drafts.chain(in_threads).map(|text| {
                match secret_start_in_line(text, buffer.conversation.as_str()) {
                    Some(from) => mask_from(text, from),
                    None => text.to_owned(),
                }
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
        let sent = with_send_ids(model, sent);
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
        let sent = tickets.into_iter().map(|ticket| (ticket, text.to_owned()));
        let sent = with_send_ids(model, sent.collect());
        self.show_outgoing(server, conversation, MessageKind::Action, None, sent);
    }

    /// Returns whether a message in the conversation on the screen was refused.
    pub fn has_failed(&self, ticket: Ticket) -> bool {
        let mut outgoing = self.current_buffer().into_iter().flat_map(|buffer| &buffer.outgoing);
        outgoing.any(|out| out.ticket == ticket && out.failed.is_some())
    }

    /// Drops a message that the server has not confirmed, one that failed or one that waits to be sent, after the time in
    /// which it can be undone.
    pub fn drop_outgoing(&mut self, ticket: Ticket, models: Models<'_, '_>) {
        let Some((server, _)) = self.current.clone() else { return };
        let cancelled = models.get_mut(server).and_then(|model| model.hold_message(ticket, true));
        if cancelled.is_none() && !self.has_failed(ticket) {
            // It may arrive at any moment.
            return self.show_hint("it is on its way: once it is confirmed, you can take it back");
        }
        self.mark_dropped(&[ticket]);
        if let Some(cancelled) = cancelled.filter(|cancelled| cancelled.may_have_arrived) {
            self.show_hint(&describe_cancelled(&[cancelled]));
        }
    }

    /// Cancels the last message of the conversation on the screen that waits to be sent, or `all` that wait there.
    pub fn cancel_waiting(&mut self, all: bool, models: Models<'_, '_>) -> Result<(), String> {
        let Some((server, conversation)) = self.current.clone() else {
            return Err("no conversation is open".to_owned());
        };
        let Some(model) = models.get_mut(server) else { return Ok(()) };
        let tickets = waiting_tickets(model, &conversation, all)?;
        let cancelled: Vec<Cancelled> =
            tickets.iter().filter_map(|ticket| model.hold_message(*ticket, true)).collect();
        self.mark_dropped(&tickets);
        self.deselect();
        self.show_hint(&format!("{}; /undo sends after all", describe_cancelled(&cancelled)));
        Ok(())
    }

    fn mark_dropped(&mut self, tickets: &[Ticket]) {
        let due = Timestamp(self.now.0 + HeldRedactions::HOLD);
        let Some(buffer) = self.current_buffer_mut() else { return };
        for out in buffer.outgoing.iter_mut().filter(|out| tickets.contains(&out.ticket)) {
            out.dropped.get_or_insert(due);
        }
    }

    /// Returns the time at which the message that was dropped last is gone for good, and how many go with it.
    pub(super) fn latest_drop(&self) -> Option<(Timestamp, usize)> {
        let outgoing =
            || self.servers.iter().flat_map(|server| server.buffers.values()).flat_map(|it| &it.outgoing);
        let latest = outgoing().filter_map(|out| out.dropped).max()?;
        Some((latest, outgoing().filter(|out| out.dropped == Some(latest)).count()))
    }

    /// Undoes that messages are dropped: the one with this ticket, or those that were dropped last. Returns whether there
    /// were any.
    pub(super) fn undo_drop(&mut self, ticket: Option<Ticket>, models: Models<'_, '_>) -> bool {
        let Some((latest, _)) = self.latest_drop() else { return false };
        let mut is_undone = false;
        for (server, model) in self.servers.iter_mut().zip(models.iter_mut()) {
            for out in server.buffers.values_mut().flat_map(|buffer| &mut buffer.outgoing) {
                let is_it = ticket.map_or(out.dropped == Some(latest), |ticket| out.ticket == ticket);
                if is_it && out.dropped.take().is_some() {
                    model.hold_message(out.ticket, false);
                    is_undone = true;
                }
            }
        }
        is_undone
    }

    /// Brings the messages that are not confirmed up to date, and drops those that were cancelled for good.
    pub(super) fn update_outgoing(&mut self, models: Models<'_, '_>) {
        let now = self.now;
        let mut wake: Option<Timestamp> = None;
        for (server, model) in self.servers.iter_mut().zip(models.iter_mut()) {
            for buffer in server.buffers.values_mut().filter(|buffer| !buffer.outgoing.is_empty()) {
                for out in buffer.outgoing.iter_mut().filter(|out| out.dropped.is_none()) {
                    out.waits = out.waits && model.is_waiting(out.ticket);
                }
                let gone = buffer.outgoing.extract_if(.., |out| out.dropped.is_some_and(|due| due <= now));
                for out in gone {
                    model.cancel_message(out.ticket);
                    buffer.selection.take_if(|selected| *selected == Selection::Outgoing(out.ticket));
                }
                let due = buffer.outgoing.iter().filter_map(|out| out.dropped);
                // The seconds of the notice count down.
                wake = due.map(|due| Timestamp(now.0 + (due.0 - now.0 - 1) % 1000 + 1)).chain(wake).min();
            }
        }
        if let Some(wake) = wake {
            self.schedule_wake(wake);
        }
    }

    fn show_outgoing(
        &mut self,
        server: usize,
        conversation: &Conversation,
        kind: MessageKind,
        reply: Option<&str>,
        sent: Vec<((Ticket, String), String)>,
    ) {
        self.quit.warned_until = None;
        self.record_use(&(server, conversation.clone()));
        if !self.servers.get(server).is_some_and(|server| server.state == ConnectionState::Online) {
            self.effects.push(ScreenEffect::RetryNow);
        }
        if let Some(buffer) = self.open_buffer(server, conversation) {
            buffer.outgoing.extend(
                sent.into_iter().map(|(message, send_id)| {
                    OutgoingMessage::new(conversation, kind, message, reply, send_id)
                }),
            );
        }
    }
}

/// Adds the send ids to messages that were sent.
fn with_send_ids(model: &Model, sent: Vec<(Ticket, String)>) -> Vec<((Ticket, String), String)> {
    let send_id = |ticket| model.send_id(ticket).unwrap_or_default().to_owned();
    sent.into_iter().map(|(ticket, text)| ((ticket, text), send_id(ticket))).collect()
}
