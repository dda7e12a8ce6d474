//! Requests of the user: their answers, the questions before those that harm somebody, and redactions that can be undone.

use std::io::{self, Write};

use super::chat::PlainChat;
use super::output::current_time;
use crate::client::answers::{Answer, AnswerContext, answer};
use crate::client::input::confirm::Confirmation;
use crate::client::input::execute::send_or_confirm;
use crate::client::input::held_redactions::HeldRedactions;
use crate::client::model::Conversation;
use crate::client::model::event::ServerEvent;
use crate::client::model::requests::ServerRequest;
use crate::client::text::clean::clean;

impl<T: Write, N: Write> PlainChat<T, N> {
    fn send_request(&mut self, request: ServerRequest) {
        if let Err(offline) = self.session.model.send_request(request) {
            self.failures += 1;
            self.output.write_note(&offline.to_string());
        }
    }

    pub(super) fn send_due_redactions(&mut self) {
        let online = self.session.model.is_online();
        for held in self.held.take_due(current_time(), |_| online) {
            self.send_request(held.into_request());
        }
    }

    /// Sends the held redactions, because the chat ends.
    pub(super) fn send_held_redactions(&mut self) {
        let online = self.session.model.is_online();
        for held in self.held.take_at_exit(|_| online) {
            self.send_request(held.into_request());
        }
        if self.held.undo() {
            self.failures += 1;
            let text = "not connected: a message that you took back stays; take it back again with /delete";
            self.output.write_note(text);
            self.held = HeldRedactions::default();
        }
    }

    /// Shows the answer to a request: cards in lines.
    pub(super) fn show_answer(&mut self, request: &ServerRequest, replies: &[ServerEvent]) -> io::Result<()> {
        self.handle_refused_ignores(request, replies);
        let zone = self.output.zone.clone();
        let context = AnswerContext { zone: &zone, now: current_time(), model: &self.session.model };
        match answer(request, replies, context) {
            Answer::Nothing => {}
            Answer::Sentence(text) => self.output.write_note(&clean(&text)),
            Answer::Failure(text) => {
                self.failures += 1;
                self.output.write_note(&clean(&text));
            }
            Answer::Question(request) => match send_or_confirm(request, &mut self.session.model) {
                Ok(confirmation) => confirmation.into_iter().for_each(|confirmation| self.ask(confirmation)),
                Err(error) => {
                    self.failures += 1;
                    self.output.write_note(&clean(&error));
                }
            },
            Answer::Doubts { request, doubts } => self.doubt(&request, &doubts),
            Answer::Offer { failure, question, request } if self.interactive => {
                debug_assert!(question.starts_with(&failure), "the question says why");
                self.ask(Confirmation { question, request, enter_consents: true });
            }
            Answer::Offer { failure, .. } => {
                self.failures += 1;
                self.output
                    .write_note(&clean(&format!("{failure}; /invite-link makes a link that creates one")));
            }
            Answer::Card(card) => self.output.write_card(&card)?,
        }
        Ok(())
    }

    /// Asks the user; the next line answers.
    pub(super) fn ask(&mut self, confirmation: Confirmation) {
        let keys = if confirmation.enter_consents { "Enter or y" } else { "y and Enter" };
        let text = format!("{} {keys}: yes, anything else: no", confirmation.question);
        self.output.write_note(&clean(&text));
        self.question = Some(confirmation);
    }

    /// Asks again with what speaks against a request, if the question about it is open still.
    fn doubt(&mut self, request: &ServerRequest, doubts: &[String]) {
        let Some(open) = self.question.as_ref().filter(|open| open.request == *request) else { return };
        match Confirmation::with_doubts(request, doubts) {
            Some(doubted) if doubted != *open => self.ask(doubted),
            _ => {}
        }
    }

    /// Answers the open question with a line, or cancels it. Returns whether the line was an answer; any other line is
    /// for the conversation.
    pub(super) fn answer_question(&mut self, line: &str) -> bool {
        let Some(Confirmation { request, enter_consents, .. }) = self.question.take() else { return false };
        let answer = line.trim();
        if answer.eq_ignore_ascii_case("y") || answer.is_empty() && enter_consents {
            self.send_request(request);
            return true;
        }
        self.output.write_note("cancelled, nothing was done");
        answer.is_empty() || ["n", "no"].iter().any(|no| answer.eq_ignore_ascii_case(no))
    }

    /// Cancels the open question at the end of the input.
    pub(super) fn drop_question(&mut self) {
        if let Some(question) = self.question.take() {
            self.failures += 1;
            self.output.write_note(&clean(&format!("no answer to: {} Nothing was done", question.question)));
        }
    }

    /// Takes an own message back: for a user after the time in which it can be undone. A program does not change its
    /// mind.
    pub(super) fn redact(&mut self, target: Conversation, msgid: &str, reason: String) -> Result<(), String> {
        if !self.session.model.is_online() {
            return Err("not connected".to_owned());
        }
        if !self.interactive {
            self.send_request(ServerRequest::Redact {
                conversation: target,
                msgid: msgid.to_owned(),
                reason,
            });
            return Ok(());
        }
        let now = current_time();
        self.held.hold(now, 0, target, msgid, &reason);
        if let Some(notice) = self.held.notice(now, "/undo") {
            self.output.write_note(&notice);
        }
        Ok(())
    }

    /// Keeps the message that was taken back last.
    pub(super) fn keep_message(&mut self) -> Result<(), String> {
        if !self.held.undo() {
            return Err(
                "nothing to undo: a message can be kept for ten seconds after it is taken back".to_owned()
            );
        }
        self.output.write_note("the message stays");
        Ok(())
    }
}
