//! Consent before requests that harm somebody, and redactions that can be undone.

use super::{Models, Workspace};
use crate::client::input::confirm::Confirmation;
use crate::client::keys::Action;
use crate::client::model::requests::ServerRequest;
use crate::client::screen::workspace::buffer::Selection;

/// Question that the next key answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenQuestion {
    /// Index of the server.
    server: usize,
    confirmation: Confirmation,
}

impl OpenQuestion {
    /// Returns the question with the keys that answer it.
    pub fn text(&self) -> String {
        let Confirmation { question, enter_consents, .. } = &self.confirmation;
        let keys = if *enter_consents { "Enter or y" } else { "y" };
        format!("{question} {keys}: yes, any other key: no")
    }
}

impl Workspace {
    /// Asks the user; the next key answers.
    pub fn ask(&mut self, server: usize, confirmation: Confirmation) {
        self.hint = None;
        self.question = Some(OpenQuestion { server, confirmation });
    }

    /// Answers the open question with a key: `y`, Enter, or another one.
    pub fn answer_question(&mut self, is_y: bool, is_enter: bool, models: Models<'_, '_>) {
        let Some(OpenQuestion { server, confirmation }) = self.question.take() else { return };
        if is_y || is_enter && confirmation.enter_consents {
            self.send_request(server, confirmation.request, models);
        } else {
            self.show_hint("cancelled, nothing was done");
        }
    }

    fn send_request(&mut self, server: usize, request: ServerRequest, models: Models<'_, '_>) {
        if let Some(model) = models.get_mut(server)
            && let Err(offline) = model.send_request(request)
        {
            self.show_error(&offline.to_string());
        }
    }

    /// Takes a message back: one of another account after a question, an own one after the time in which it can be
    /// undone.
    pub fn redact(
        &mut self,
        msgid: &str,
        is_own: bool,
        reason: &str,
        models: Models<'_, '_>,
    ) -> Result<(), String> {
        let Some((server, conversation)) = self.current.clone() else { return Ok(()) };
        if !models.get(server).is_some_and(|model| model.is_online()) {
            return Err("not connected".to_owned());
        }
        if is_own {
            self.held.hold(self.now, server, conversation, msgid, reason);
            return Ok(());
        }
        let request =
            ServerRequest::Redact { conversation, msgid: msgid.to_owned(), reason: reason.to_owned() };
        if let Some(confirmation) = Confirmation::for_request(&request) {
            self.ask(server, confirmation);
        }
        Ok(())
    }

    /// Keeps the message that was taken back last, or the selected one.
    pub fn undo_redaction(&mut self) -> Result<(), String> {
        let selected = match (self.selection(), self.current_buffer()) {
            (Some(Selection::Entry(number)), Some(buffer)) => {
                buffer.entry(number).and_then(|entry| entry.id.clone())
            }
            _ => None,
        };
        let undone = match (&self.current, selected) {
            (Some((server, conversation)), Some(id)) => self.held.undo_of(*server, conversation, &id),
            _ => false,
        };
        if !undone && !self.held.undo() {
            return Err(
                "nothing to undo: a message can be kept for ten seconds after it is taken back".to_owned()
            );
        }
        self.show_hint("the message stays");
        Ok(())
    }

    /// Sends the held redactions that are due, and schedules the next change of their notice.
    pub(super) fn send_due_redactions(&mut self, models: Models<'_, '_>) {
        let due =
            self.held.take_due(self.now, |server| models.get(server).is_some_and(|model| model.is_online()));
        for held in due {
            let server = held.server;
            self.send_request(server, held.into_request(), models);
        }
        if let Some(next) = self.held.next_change(self.now) {
            self.schedule_wake(next);
        }
    }

    /// Sends the held redactions, because the client ends. Those of servers without a connection are sent in the next
    /// run; see [`Workspace::state`].
    pub fn send_held_redactions(&mut self, models: Models<'_, '_>) {
        let is_online = |server: usize| models.get(server).is_some_and(|model| model.is_online());
        for held in self.held.take_at_exit(is_online) {
            let server = held.server;
            self.send_request(server, held.into_request(), models);
        }
    }

    /// Returns the notice of the redactions that are held back.
    pub fn held_notice(&self) -> Option<String> {
        let is_selected = matches!(self.selection(), Some(Selection::Entry(_)));
        let key = self.keys().key_name(Action::Undo).filter(|_| is_selected);
        self.held.notice(self.now, key.as_deref().unwrap_or("/undo"))
    }
}
