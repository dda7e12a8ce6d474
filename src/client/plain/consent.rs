//! Requests of the user: their answers, the questions before those that harm somebody, and redactions that can be undone.

use std::io::{self, Write};

use super::chat::PlainChat;
use super::output::current_time;
use crate::client::answers::{Answer, AnswerContext, answer, missing_account};
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
        if let Some(account) = missing_account(request, replies) {
            self.leave_missing(account);
        }
        Ok(())
    }

    /// Asks the user; the next line answers. While a question is open, a further one waits: a line typed for the one must
    /// not answer the other.
    pub(super) fn ask(&mut self, confirmation: Confirmation) {
        self.questions.push_back(confirmation);
        if self.questions.len() > 1 {
            self.output.write_note("one question at a time: this one comes next. First:");
        }
        self.show_question();
    }

    /// Shows the question that the next line answers.
    fn show_question(&mut self) {
        let Some(Confirmation { question, enter_consents, .. }) = self.questions.front() else { return };
        let keys = if *enter_consents { "Enter or y" } else { "y and Enter" };
        self.output.write_note(&clean(&format!("{question} {keys}: yes, anything else: no")));
    }

    /// Asks again with what speaks against a request, if the question about it is open still.
    fn doubt(&mut self, request: &ServerRequest, doubts: &[String]) {
        let Some(doubted) = Confirmation::with_doubts(request, doubts) else { return };
        let Some(at) = self.questions.iter().position(|asked| asked.request == *request) else { return };
        if self.questions[at] != doubted {
            self.questions[at] = doubted;
            if at == 0 {
                self.show_question();
            }
        }
    }

    /// Answers the open question with a line. Returns `false` for a line that is no answer.
    pub(super) fn answer_question(&mut self, line: &str) -> bool {
        let answer = line.trim();
        let Some(open) = self.questions.front() else { return false };
        if answer.eq_ignore_ascii_case("y") || answer.is_empty() && open.enter_consents {
            if let Some(Confirmation { request, .. }) = self.questions.pop_front() {
                self.send_request(request);
            }
            self.show_question();
            return true;
        }
        let is_no = answer.is_empty() || ["n", "no"].iter().any(|no| answer.eq_ignore_ascii_case(no));
        if is_no {
            self.cancel_question();
        }
        is_no
    }

    /// Closes the open question without consent, and shows the next one.
    pub(super) fn cancel_question(&mut self) {
        let Some(Confirmation { question, .. }) = self.questions.pop_front() else { return };
        self.output.write_note(&clean(&format!("cancelled, nothing was done: {question}")));
        self.show_question();
    }

    /// Closes the questions at the end of the input.
    pub(super) fn drop_questions(&mut self) {
        for Confirmation { question, .. } in std::mem::take(&mut self.questions) {
            self.failures += 1;
            self.output.write_note(&clean(&format!("no answer to: {question} Nothing was done")));
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
