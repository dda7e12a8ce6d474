//! Consent before requests that harm somebody, and redactions that can be undone.

use super::{Models, Workspace};
use crate::client::input::confirm::Confirmation;
use crate::client::input::execute::send_or_confirm;
use crate::client::keys::key::{Code, Key};
use crate::client::keys::{Action, KeyMode};
use crate::client::model::Model;
use crate::client::model::requests::ServerRequest;
use crate::client::screen::workspace::buffer::Selection;

/// Open question: `y` and then Enter consents, so that a text that begins with `y` does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenQuestion {
    /// Index of the server.
    server: usize,
    confirmation: Confirmation,
    /// Answer that Enter gives: `y` or `n`, once it is typed.
    typed: Option<char>,
}

impl OpenQuestion {
    /// Returns the question with the keys that answer it.
    pub fn text(&self) -> String {
        let Confirmation { question, enter_consents, .. } = &self.confirmation;
        let (keys, yes) = match self.typed {
            Some('y') => ("y – Enter", true),
            Some(_) => ("n – Enter", false),
            None if *enter_consents => ("Enter", true),
            None => ("y, then Enter", true),
        };
        let answer = if yes { "yes, any other key: no" } else { "no" };
        format!("{question} {keys}: {answer}")
    }
}

/// Effect of a key on the open question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionKey {
    /// The key belonged to the question.
    Consumed,
    /// The key belongs elsewhere, and so does the character that was taken for an answer. The question is closed.
    Passed(Option<char>),
}

impl Workspace {
    /// Asks the user. A question that is open already stays, because its answer may be half typed.
    pub fn ask(&mut self, server: usize, confirmation: Confirmation) {
        if self.question.is_none() {
            self.hint = None;
            self.question = Some(OpenQuestion { server, confirmation, typed: None });
        }
    }

    /// Adds what speaks against a request to the question about it, if that is open still.
    pub(super) fn doubt(&mut self, server: usize, request: &ServerRequest, doubts: &[String]) {
        if let Some(question) = &mut self.question
            && question.server == server
            && question.confirmation.request == *request
            && let Some(confirmation) = Confirmation::with_doubts(request, doubts)
        {
            question.confirmation = confirmation;
        }
    }

    /// Closes the open question without consent, for input that belongs elsewhere. Returns the character that was taken
    /// for an answer.
    pub fn cancel_question(&mut self) -> Option<char> {
        let question = self.question.take()?;
        self.show_hint("cancelled, nothing was done");
        question.typed
    }

    /// Handles a key while a question is open. `is_covered` tells that something lies above the composer.
    pub fn answer_question(&mut self, key: Key, is_covered: bool, models: Models<'_, '_>) -> QuestionKey {
        let composing = is_covered || !self.draft().is_empty();
        let clears = self.keys().find_action(key, KeyMode::Composing) == Some(Action::Clear);
        let Some(question) = &mut self.question else { return QuestionKey::Passed(None) };
        let is_plain = !(key.ctrl || key.alt);
        // The answer of the server asks at any time, also while the user writes.
        if question.confirmation.enter_consents && composing {
            return QuestionKey::Passed(self.cancel_question());
        }
        match key.code {
            Code::Char(answer @ ('y' | 'n')) if is_plain && question.typed.is_none() => {
                question.typed = Some(answer);
            }
            Code::Backspace if question.typed.is_some() => question.typed = None,
            Code::Enter if is_plain && !key.shift => {
                let consents = match question.typed {
                    None => question.confirmation.enter_consents,
                    answer => answer == Some('y'),
                };
                let (server, request) = (question.server, question.confirmation.request.clone());
                self.cancel_question();
                if consents {
                    self.hint = None;
                    self.send_request(server, request, models);
                }
            }
            Code::Esc | Code::Backspace => {
                self.cancel_question();
            }
            _ if clears => {
                self.cancel_question();
            }
            _ => return QuestionKey::Passed(self.cancel_question()),
        }
        QuestionKey::Consumed
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
        let Some(model) = models.get_mut(server) else { return Ok(()) };
        self.send_or_ask(server, request, model)
    }

    /// Sends a request, or asks first if it harms somebody. The error is a text for the user.
    pub(super) fn send_or_ask(
        &mut self,
        server: usize,
        request: ServerRequest,
        model: &mut Model,
    ) -> Result<(), String> {
        if let Some(confirmation) = send_or_confirm(request, model)? {
            self.ask(server, confirmation);
        }
        Ok(())
    }

    /// Keeps the message that was taken back or cancelled last, or the selected one.
    pub fn undo_redaction(&mut self, models: Models<'_, '_>) -> Result<(), String> {
        let ticket = match self.selection() {
            Some(Selection::Outgoing(ticket)) => Some(ticket),
            _ => None,
        };
        let is_drop_latest =
            self.latest_drop().is_some_and(|(due, _)| self.held.latest_due().is_none_or(|held| held <= due));
        let is_selected = matches!(self.selection(), Some(Selection::Entry(_)));
        if ticket.is_some_and(|ticket| self.undo_drop(Some(ticket), models))
            || is_drop_latest && !is_selected && self.undo_drop(None, models)
        {
            self.show_hint("it is not dropped");
            return Ok(());
        }
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

    /// Returns the notice of the redactions that are held back, or of the messages that were cancelled, whichever came
    /// last.
    pub fn held_notice(&self) -> Option<String> {
        let is_selected = self.selection().is_some();
        let key = self.keys().key_name(Action::Undo).filter(|_| is_selected);
        let undo = key.as_deref().unwrap_or("/undo");
        match self.latest_drop() {
            Some((due, count)) if self.held.latest_due().is_none_or(|held| held <= due) => {
                let what = if count == 1 { String::new() } else { format!("{count} messages ") };
                let left = due.0.saturating_sub(self.now.0).div_ceil(1000);
                Some(format!("{what}not sent, dropped in {left} s — {undo} undoes"))
            }
            _ => self.held.notice(self.now, undo),
        }
    }
}
