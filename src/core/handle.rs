//! Entry point of the core: dispatches each input and collects its effects.

use super::commands;
use super::effects::ask::{Answer, Failure};
use super::effects::{Effects, Output, Step};
use super::effects::{fit, label, long};
use super::input::{Input, InputKind};
use super::model::audience::SessionId;
use super::record::{AccountId, StoredMessage};
use super::request::account::Outcome;
use super::state::context::Context;
use super::state::{Chat, Session};
use crate::wire::{Cap, Millis, Reply};

impl Chat {
    /// Applies one input and appends its effects to `fx`.
    pub fn handle(&mut self, input: Input, fx: &mut Effects) {
        let at = input.at;
        self.steady = input.steady;
        // Without a server the command line makes no messages, and its clock is not guarded.
        if !matches!(input.kind, InputKind::Request(..)) {
            self.follow_time(at, fx);
        }
        let (mut records, outputs) = (fx.records.len(), fx.outputs.len());
        let mut from = None;
        let about = input.kind.session();
        match input.kind {
            InputKind::Opened(session, login) => {
                if let Err(refusal) = self.admit(&login) {
                    self.refuse(session, &login, refusal, fx);
                } else {
                    if let Some(key) = login.proof.device() {
                        self.note_use(login.account, key, at, fx);
                        records = fx.records.len();
                    }
                    self.open(session, &login, at, fx);
                }
                self.fit(fx, outputs);
                long::fold(&mut fx.outputs, outputs, session, &self.settings.server_name);
            }
            InputKind::Closed(session, reason) => {
                if self.sessions.contains_key(&session) {
                    fx.outputs.push(Output::Close(session, reason.clone()));
                }
                self.close(session, &reason, true, at, fx);
            }
            InputKind::Tick => self.tick(at, fx),
            InputKind::Answered { session, label, answer } => {
                self.answered(session, answer, at, fx);
                self.fit(fx, outputs);
                if let Some(label) = label.as_deref().filter(|_| self.answers_labels(session)) {
                    label::apply(&mut fx.outputs, outputs, (session, label), &self.settings.server_name);
                }
                from = Some((session, label));
            }
            InputKind::Said { session, label, command } => {
                self.said(session, command, at, fx);
                self.fit(fx, outputs);
                if let Some(label) = label.as_deref().filter(|_| self.answers_labels(session)) {
                    label::apply(&mut fx.outputs, outputs, (session, label), &self.settings.server_name);
                }
                long::fold(&mut fx.outputs, outputs, session, &self.settings.server_name);
                from = Some((session, label));
            }
            InputKind::Request(ticket, request) => {
                let result = self.request(request, at, fx);
                fx.outputs.push(Output::Done(ticket, result));
            }
            InputKind::PasswordRenewed { account, old, new } => self.renew_password(account, &old, new, fx),
            InputKind::Settings(settings) => self.settings = *settings,
            InputKind::NotStored { session, label, messages } => {
                self.not_stored(session, &messages, fx);
                if let Some(label) = label.filter(|_| self.answers_labels(session)) {
                    label::apply(&mut fx.outputs, outputs, (session, &label), &self.settings.server_name);
                }
            }
            InputKind::Deferred { session, command } => {
                let nick = self.nick_of(session);
                let line = deferred(command).render(self.settings.server_name.as_str(), &nick);
                fx.outputs.push(Output::Line(session, line));
            }
            InputKind::Stopping => self.note_seen(fx),
            InputKind::Writable(writable) => self.writable = writable,
        }
        if fx.outputs.len() > outputs || fx.records.len() > records {
            fx.steps.push(Step {
                records: records..fx.records.len(),
                outputs: outputs..fx.outputs.len(),
                from,
                session: about,
            });
        }
    }

    /// Splits lines over 512 bytes for sessions that did not negotiate longer ones. Runs before labels are applied,
    /// because these depend on the number of lines.
    fn fit(&self, fx: &mut Effects, from: usize) {
        let takes_long = |id| self.sessions.get(&id).is_some_and(|known| known.caps.takes_long_lines());
        fit::outputs(&mut fx.outputs, from, takes_long);
    }

    fn answers_labels(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some_and(|s| s.caps.has(Cap::LabeledResponse))
    }

    fn said(
        &mut self,
        session: SessionId,
        command: Result<commands::Command, Reply>,
        at: Millis,
        fx: &mut Effects,
    ) {
        let (writable, last_message) = (self.writable, self.last_message);
        if let Some(known) = self.sessions.get_mut(&session) {
            known.heard = last_message;
        }
        let Some(mut cx) = Context::of(self, session, at, fx) else {
            // The session ended while the command was on its way.
            return;
        };
        match command {
            Err(reply) => cx.reply(reply),
            Ok(command) if !writable && command.writes() => cx.reply(unavailable(command.name())),
            Ok(command) => command.run(&mut cx),
        }
    }

    fn answered(&mut self, session: SessionId, answer: Answer, at: Millis, fx: &mut Effects) {
        let writable = self.writable;
        let Some(mut cx) = Context::of(self, session, at, fx) else {
            // The session ended meanwhile. The change is made all the same, and may end other sessions.
            return match answer {
                Answer::Managed(id, _, Outcome::Password { proven, new }) if writable => {
                    self.change_password(id, (&proven, new), None, at, fx);
                }
                Answer::Managed(actor, _, Outcome::Rehashed(settings)) => {
                    fx.records.push(commands::account::requests::rehashed(at, actor));
                    self.settings = *settings;
                }
                _ => {}
            };
        };
        match answer {
            Answer::Failed(command, failure) => cx.reply(failed(command, failure)),
            Answer::Managed(_, voice, outcome) => commands::account::requests::done(&mut cx, voice, outcome),
            Answer::Redact(..) if !writable => cx.reply(unavailable("REDACT")),
            Answer::Redact(redaction, place, found) => {
                commands::message::redact::found(redaction, &mut cx, place, found);
            }
        }
    }

    fn not_stored(&mut self, session: SessionId, messages: &[StoredMessage], fx: &mut Effects) {
        for message in messages {
            if let Some(send) = &message.send_id {
                self.sends.forget(message.from, send);
            }
        }
        let nick = self.nick_of(session);
        let line = unavailable("PRIVMSG").render(self.settings.server_name.as_str(), &nick);
        fx.outputs.push(Output::Line(session, line));
    }

    pub(super) fn end_sessions(&mut self, id: AccountId, reason: &str, at: Millis, fx: &mut Effects) {
        self.end_sessions_where(id, |_, _| true, reason, at, fx);
    }

    pub(super) fn end_sessions_where(
        &mut self,
        id: AccountId,
        ends: impl Fn(SessionId, &Session) -> bool,
        reason: &str,
        at: Millis,
        fx: &mut Effects,
    ) {
        let Some(person) = self.people.get(id) else { return };
        for seat in person.seats.snapshot().seats() {
            if !self.sessions.get(&seat.session).is_some_and(|known| ends(seat.session, known)) {
                continue;
            }
            fx.outputs.push(Output::Close(seat.session, reason.into()));
            self.close(seat.session, reason, false, at, fx);
        }
        if self.people.get(id).is_some_and(|person| person.lingers.is_some()) {
            self.announce_quit(id, reason, at, fx);
        }
    }
}

fn failed(command: &str, failure: Failure) -> Reply {
    let code = match command {
        "CHATHISTORY" => "MESSAGE_ERROR",
        "SEARCH" => "INTERNAL_ERROR",
        _ => "TEMPORARILY_UNAVAILABLE",
    };
    match (failure, command) {
        (Failure::Crowded, _) => Reply::fail(command, "TEMPORARILY_UNAVAILABLE")
            .text("Too many of your requests are pending; try again when they have completed"),
        (Failure::TooLong, _) => {
            Reply::fail(command, code).text("The query took too long and was stopped; request less at a time")
        }
        (Failure::Unreadable, "CHATHISTORY" | "SEARCH") => {
            Reply::fail(command, code).text("The history cannot be read right now, try again later")
        }
        (Failure::Unreadable, _) => unavailable(command),
    }
}

fn deferred(command: &str) -> Reply {
    Reply::fail(command, "TEMPORARILY_UNAVAILABLE").text(
        "The server cannot store this change right now and keeps trying. Others see it once it is stored; a restart \
         before that discards it",
    )
}

fn unavailable(command: &str) -> Reply {
    Reply::fail(command, "TEMPORARILY_UNAVAILABLE")
        .text("The server cannot store anything right now; nothing was changed, try again later")
}
