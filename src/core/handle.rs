//! Entry point of the core: dispatches each input and collects its effects.

use super::commands;
use super::effects::ask::{Answer, Failure};
use super::effects::{Effects, InputEffects, Output};
use super::effects::{label, line_splitting, long};
use super::input::{Input, InputKind};
use super::model::audience::SessionId;
use super::record::{AccountId, StoredMessage};
use super::request::account::AccountRequestOutcome;
use super::state::context::Context;
use super::state::{Core, Session};
use crate::wire::{Cap, Reply, Timestamp};

impl Core {
    /// Applies one input and appends its effects to `fx`.
    pub fn handle(&mut self, input: Input, fx: &mut Effects) {
        let at = input.at;
        self.monotonic = input.monotonic;
        // Without a server the command line makes no messages, and its clock is not guarded.
        if !matches!(input.kind, InputKind::Request(..)) {
            self.update_id_offset(at, fx);
        }
        let (mut records, outputs) = (fx.records.len(), fx.outputs.len());
        let mut from = None;
        let input_session = input.kind.session();
        match input.kind {
            InputKind::SessionOpened(session, login) => {
                if let Err(refusal) = self.admit(&login) {
                    self.refuse_login(session, &login, refusal, fx);
                } else {
                    if let Some(key) = login.proof.device() {
                        self.record_device_login(login.account, key, at, fx);
                        records = fx.records.len();
                    }
                    self.open_session(session, &login, at, fx);
                }
                self.split_long_lines(fx, outputs);
                long::fold(&mut fx.outputs, outputs, session, &self.settings.server_name);
            }
            InputKind::SessionClosed(session, reason) => {
                if self.sessions.contains_key(&session) {
                    fx.outputs.push(Output::Close(session, reason.clone()));
                }
                self.close_session(session, &reason, true, at, fx);
            }
            InputKind::Tick => self.end_grace_periods(at, fx),
            InputKind::QueryResult { session, label, answer } => {
                self.apply_query_result(session, answer, at, fx);
                self.split_long_lines(fx, outputs);
                if let Some(label) = label.as_deref().filter(|_| self.has_labeled_response(session)) {
                    label::apply(&mut fx.outputs, outputs, (session, label), &self.settings.server_name);
                }
                from = Some((session, label));
            }
            InputKind::Command { session, label, command } => {
                self.run_command(session, command, at, fx);
                self.split_long_lines(fx, outputs);
                if let Some(label) = label.as_deref().filter(|_| self.has_labeled_response(session)) {
                    label::apply(&mut fx.outputs, outputs, (session, label), &self.settings.server_name);
                }
                long::fold(&mut fx.outputs, outputs, session, &self.settings.server_name);
                from = Some((session, label));
            }
            InputKind::Request(ticket, request) => {
                let result = self.apply_request(request, at, fx);
                fx.outputs.push(Output::Done(ticket, result));
            }
            InputKind::PasswordRenewed { account, old, new } => self.renew_password(account, &old, new, fx),
            InputKind::Settings(settings) => self.settings = *settings,
            InputKind::MessagesNotStored { session, label, messages } => {
                self.reject_unstored(session, &messages, fx);
                if let Some(label) = label.filter(|_| self.has_labeled_response(session)) {
                    label::apply(&mut fx.outputs, outputs, (session, &label), &self.settings.server_name);
                }
            }
            InputKind::StoreDeferred { session, command } => {
                let nick = self.session_nick(session);
                let line = deferred_reply(command).render(self.settings.server_name.as_str(), &nick);
                fx.outputs.push(Output::Line(session, line));
            }
            InputKind::Stopping => self.record_received(fx),
            InputKind::Writable(writable) => self.writable = writable,
        }
        if fx.outputs.len() > outputs || fx.records.len() > records {
            fx.by_input.push(InputEffects {
                records: records..fx.records.len(),
                outputs: outputs..fx.outputs.len(),
                from,
                session: input_session,
            });
        }
    }

    /// Splits lines over 512 bytes for sessions that did not negotiate longer ones. Runs before labels are applied,
    /// because these depend on the number of lines.
    fn split_long_lines(&self, fx: &mut Effects, from: usize) {
        let accepts_long_lines =
            |id| self.sessions.get(&id).is_some_and(|known| known.caps.allows_long_lines());
        line_splitting::split_outputs(&mut fx.outputs, from, accepts_long_lines);
    }

    fn has_labeled_response(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some_and(|s| s.caps.has(Cap::LabeledResponse))
    }

    fn run_command(
        &mut self,
        session: SessionId,
        command: Result<commands::Command, Reply>,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let (writable, last_message) = (self.writable, self.last_message);
        if let Some(known) = self.sessions.get_mut(&session) {
            known.last_received = last_message;
        }
        let Some(mut cx) = Context::for_session(self, session, at, fx) else {
            // The session ended while the command was on its way.
            return;
        };
        match command {
            Err(reply) => cx.reply(reply),
            Ok(command) if !writable && command.writes() => cx.reply(unavailable_reply(command.name())),
            Ok(command) => command.run(&mut cx),
        }
    }

    fn apply_query_result(&mut self, session: SessionId, answer: Answer, at: Timestamp, fx: &mut Effects) {
        let writable = self.writable;
        let Some(mut cx) = Context::for_session(self, session, at, fx) else {
            // The session ended meanwhile. The change is made all the same, and may end other sessions.
            return match answer {
                Answer::Managed(id, _, AccountRequestOutcome::Password { proven, new }) if writable => {
                    self.change_password(id, (&proven, new), None, at, fx);
                }
                Answer::Managed(actor, _, AccountRequestOutcome::Rehashed(settings)) => {
                    fx.records.push(commands::account::services::rehash_audit_record(at, actor));
                    self.settings = *settings;
                }
                _ => {}
            };
        };
        match answer {
            Answer::Failed(command, failure) => cx.reply(query_failed_reply(command, failure)),
            Answer::Managed(_, reply_form, outcome) => {
                commands::account::services::complete_request(&mut cx, reply_form, outcome);
            }
            Answer::Redact(..) if !writable => cx.reply(unavailable_reply("REDACT")),
            Answer::Redact(redaction, conversation, found) => {
                commands::message::redact::complete_redaction(redaction, &mut cx, conversation, found);
            }
        }
    }

    fn reject_unstored(&mut self, session: SessionId, messages: &[StoredMessage], fx: &mut Effects) {
        for message in messages {
            if let Some(send) = &message.send_id {
                self.send_ids.forget(message.from, send);
            }
        }
        let nick = self.session_nick(session);
        let line = unavailable_reply("PRIVMSG").render(self.settings.server_name.as_str(), &nick);
        fx.outputs.push(Output::Line(session, line));
    }

    pub(super) fn end_sessions(&mut self, id: AccountId, reason: &str, at: Timestamp, fx: &mut Effects) {
        self.end_sessions_where(id, |_, _| true, reason, at, fx);
    }

    pub(super) fn end_sessions_where(
        &mut self,
        id: AccountId,
        is_affected: impl Fn(SessionId, &Session) -> bool,
        reason: &str,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let Some(account_state) = self.accounts.get(id) else { return };
        for recipient in account_state.sessions.snapshot().recipients() {
            if !self
                .sessions
                .get(&recipient.session)
                .is_some_and(|known| is_affected(recipient.session, known))
            {
                continue;
            }
            fx.outputs.push(Output::Close(recipient.session, reason.into()));
            self.close_session(recipient.session, reason, false, at, fx);
        }
        if self.accounts.get(id).is_some_and(|account_state| account_state.grace_period.is_some()) {
            self.announce_quit(id, reason, at, fx);
        }
    }
}

fn query_failed_reply(command: &str, failure: Failure) -> Reply {
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
        (Failure::Unreadable, _) => unavailable_reply(command),
    }
}

fn deferred_reply(command: &str) -> Reply {
    Reply::fail(command, "TEMPORARILY_UNAVAILABLE").text(
        "The server cannot store this change right now and keeps trying. Others see it once it is stored; a restart \
         before that discards it",
    )
}

fn unavailable_reply(command: &str) -> Reply {
    Reply::fail(command, "TEMPORARILY_UNAVAILABLE")
        .text("The server cannot store anything right now; nothing was changed, try again later")
}
