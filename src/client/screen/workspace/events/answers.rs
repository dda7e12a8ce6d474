//! Answers of the server to requests of the user.

use crate::client::answers::card::Card;
use crate::client::answers::{Answer, AnswerContext, answer, missing_account};
use crate::client::input::confirm::Confirmation;
use crate::client::keys::Action;
use crate::client::message_secrets::may_hold_secret;
use crate::client::model::event::ServerEvent;
use crate::client::model::requests::ServerRequest;
use crate::client::model::{Conversation, Model};
use crate::client::screen::workspace::buffer::{Buffer, PeerPresence};
use crate::client::screen::workspace::{BufferKey, Workspace};

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

    /// Asks whether the account exists to which a message was not delivered, unless something was said there before.
    pub(super) fn check_addressee(&mut self, server: usize, target: &Conversation, model: &mut Model) {
        if let Conversation::Direct(account) = target
            && let Some(buffer) = self.find_buffer(server, target)
            && buffer.numbers().is_empty()
            && buffer.peer != Some(PeerPresence::Missing)
        {
            model.check_account(account, "check the name".to_owned());
        }
    }

    /// Closes the conversations in which nothing was ever said and nothing can be: with accounts that do not exist, and
    /// channels that took no message from outside. What the user wrote there goes to the lines that the composer recalls. One
    /// in which they write stays on the screen until they have sent it.
    pub(in crate::client::screen::workspace) fn close_missing(&mut self, models: &[&mut Model]) {
        let is_missing = |(key, buffer): &(BufferKey, &Buffer)| {
            let is_refused = match &key.1 {
                Conversation::Direct(_) => {
                    buffer.peer == Some(PeerPresence::Missing)
                        && buffer.loading.in_flight().is_none()
                        && !buffer.loading.is_unloaded()
                }
                Conversation::Channel(channel) => {
                    let is_outside =
                        models.get(key.0).is_some_and(|model| model.is_online() && !model.is_in(channel));
                    is_outside && !buffer.left && !buffer.outgoing.is_empty()
                }
            };
            is_refused
                && buffer.numbers().is_empty()
                && buffer.outgoing.iter().all(|out| out.failed.is_some())
                && (buffer.draft.is_empty() || self.current.as_ref() != Some(key))
        };
        let missing: Vec<BufferKey> = self.buffers().filter(is_missing).map(|(key, _)| key).collect();
        for key in missing {
            let Some(buffer) = self.find_buffer(key.0, &key.1) else { continue };
            let failed = buffer.outgoing.iter().filter(|out| !out.secret).map(|out| out.text.clone());
            let failed: Vec<String> = failed.collect();
            let refusal = buffer.outgoing.last().and_then(|out| out.failed.clone());
            let set_aside = buffer.set_aside.take().map(|draft| draft.text);
            let drafts = set_aside.into_iter().chain([buffer.draft.take()]);
            let is_kept = |text: &String| !text.trim().is_empty() && !may_hold_secret(text, key.1.as_str());
            let texts: Vec<String> = failed.into_iter().chain(drafts).filter(is_kept).collect();
            self.close_buffer(&key);
            let recall = self.keys().key_name(Action::Up).filter(|_| !texts.is_empty());
            let brings = recall.map(|key| format!("; {key} brings back what you wrote")).unwrap_or_default();
            let why = match (&key.1, refusal) {
                (Conversation::Channel(channel), Some(reason)) => format!("not sent to {channel}: {reason}"),
                _ => format!("no such account: {}; check the name", key.1),
            };
            self.show_error(&format!("{why}{brings}"));
            self.returned_texts.extend(texts);
        }
    }
}
