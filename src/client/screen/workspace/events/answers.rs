//! Answers of the server to requests of the user.

use crate::client::answers::card::Card;
use crate::client::answers::{Answer, AnswerContext, answer, missing_account};
use crate::client::input::confirm::Confirmation;
use crate::client::model::event::ServerEvent;
use crate::client::model::requests::ServerRequest;
use crate::client::model::{Conversation, Model};
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::buffer::PeerPresence;

impl Workspace {
    /// Shows the answer to a request: a sentence as the hint, an offer as a question. Returns a card, which needs a
    /// window.
    pub fn take_answer(
        &mut self,
        server: usize,
        request: &ServerRequest,
        replies: &[ServerEvent],
        model: &mut Model,
    ) -> Option<Card> {
        self.handle_refused_ignores(server, request, replies);
        if let Some(account) = missing_account(request, replies)
            && let Some(buffer) = self.find_buffer(server, &Conversation::Direct(account.clone()))
        {
            buffer.peer = Some(PeerPresence::Missing);
        }
        let zone = self.display.zone.clone();
        match answer(request, replies, AnswerContext { zone: &zone, now: self.now, model }) {
            Answer::Nothing => {}
            Answer::Sentence(text) => self.show_hint(&text),
            Answer::Failure(text) => self.show_error(&text),
            Answer::Question(request) => {
                if let Err(error) = self.send_or_ask(server, request, model) {
                    self.show_error(&error);
                }
            }
            Answer::Doubts { request, doubts } => self.doubt(server, &request, &doubts),
            // An open question stays, because its answer may be half typed.
            Answer::Offer { failure, .. } if self.question.is_some() => self.show_error(&failure),
            Answer::Offer { question, request, .. } => {
                self.ask(server, Confirmation { question, request, enter_consents: true });
            }
            Answer::Card(card) => return Some(card),
        }
        None
    }
}
