//! Entry point of the core: dispatches each input and collects its effects.

use super::commands;
use super::effects::query::{PasswordResult, QueryFailure, QueryResult, RehashResult};
use super::effects::{Effects, InputEffects, Output};
use super::input::{Input, InputKind};
use super::model::audience::SessionId;
use super::record::{AccountId, StoredMessage};
use super::state::context::Context;
use super::state::{Core, SessionState};
use crate::invariants::MustExist as _;
use crate::wire::{Cap, CapSet, Label, Reply, Timestamp};

impl Core {
    /// Applies one input and appends its effects to `fx`.
    pub fn handle(&mut self, input: Input, fx: &mut Effects) {
        let at = input.at;
        self.monotonic = input.monotonic;
        // Without a server the command line makes no messages, and its clock is not guarded.
        if !matches!(&input.kind, InputKind::Request(_, request) if !request.sends_message()) {
            self.update_id_offset(at, fx);
        }
        let (mut records, outputs) = (fx.records.len(), fx.outputs.len());
        let mut from = None;
        let input_session = input.kind.session();
        match input.kind {
            InputKind::SessionOpened(session, login) => {
                self.open_scope(session, None, fx);
                if let Err(refusal) = self.admit(&login) {
                    self.refuse_login(session, &login, refusal, fx);
                } else {
                    if let Some(key) = login.proof.device() {
                        self.record_device_login(login.account, key, at, fx);
                        records = fx.records.len();
                    }
                    self.open_session(session, &login, at, fx);
                }
                self.end_replies(session, fx);
            }
            InputKind::SessionClosed(session, reason) => {
                if self.sessions.contains_key(&session) {
                    fx.push(Output::Close(session, reason.clone()));
                }
                self.close_session(session, &reason, true, at, fx);
            }
            InputKind::Tick => self.end_grace_periods(at, fx),
            InputKind::QueryDone { session, label, result } => {
                self.open_scope(session, label.clone(), fx);
                self.query_done(session, result, at, fx);
                self.end_replies(session, fx);
                from = Some((session, label));
            }
            InputKind::Command { session, label, command } => {
                self.open_scope(session, label.clone(), fx);
                self.run_command(session, command, at, fx);
                self.end_replies(session, fx);
                from = Some((session, label));
            }
            InputKind::Request(request_id, request) => {
                let result = self.apply_request(request, at, fx);
                fx.push(Output::RequestDone(request_id, result));
            }
            InputKind::PasswordRenewed { account, old, new } => self.renew_password(account, &old, new, fx),
            InputKind::Settings(settings) => self.settings = *settings,
            InputKind::MessagesNotStored { session, label, messages } => {
                self.open_scope(session, label, fx);
                self.reject_unstored(session, &messages, fx);
                self.end_replies(session, fx);
            }
            InputKind::PostsNotStored(messages) => self.forget_posts(&messages),
            InputKind::StoreDeferred { session, command } => {
                self.send(&self.addressee(session), deferred_reply(command), fx);
            }
            InputKind::Stopping => self.record_received(fx),
            InputKind::Writable(writable) => self.writable = writable,
            InputKind::DiskIsLow(is_low) => self.disk_is_low = is_low,
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

    /// Begins the outputs of a session's command.
    fn open_scope(&self, session: SessionId, label: Option<Label>, fx: &mut Effects) {
        let caps = self.sessions.get(&session).map_or(CapSet::EMPTY, |known| known.caps);
        fx.open_scope(session, caps, label);
    }

    /// Ends the outputs of a session's command.
    fn end_replies(&self, session: SessionId, fx: &mut Effects) {
        // After the command, which may have negotiated labels, or ended the session.
        let answers_labels =
            self.sessions.get(&session).is_some_and(|known| known.caps.has(Cap::LabeledResponse));
        fx.close_scope(answers_labels.then(|| self.addressee(session).nick));
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

    fn query_done(&mut self, session: SessionId, result: QueryResult, at: Timestamp, fx: &mut Effects) {
        let writable = self.writable;
        let Some(mut cx) = Context::for_session(self, session, at, fx) else {
            return self.query_done_without_session(result, at, fx);
        };
        match result {
            QueryResult::Failed(command, failure) => cx.reply(query_failed_reply(command, failure)),
            QueryResult::Oper(result) => commands::account::services::complete_oper(&mut cx, result),
            QueryResult::Password(result) => {
                commands::account::services::complete_password_change(&mut cx, result);
            }
            QueryResult::InviteLink(result) => {
                commands::account::invites::create_with_link(&mut cx, result);
            }
            QueryResult::FileSecret(_) if !writable => cx.reply(unavailable_reply("FILES")),
            QueryResult::FileSecret(result) => {
                commands::account::files::complete_file_secret(&mut cx, result);
            }
            QueryResult::Audit(entries) => commands::info::audit::complete_audit(&mut cx, &entries),
            QueryResult::Rehash(result) => commands::account::services::complete_rehash(&mut cx, result),
            QueryResult::Redaction(..) if !writable => cx.reply(unavailable_reply("REDACT")),
            QueryResult::Redaction(query, found) => {
                commands::message::redact::complete_redaction(&mut cx, query, found);
            }
        }
    }

    /// Makes the change of a query whose session ended meanwhile, if it was confirmed with a password or is one of the
    /// server. Both may end other sessions.
    fn query_done_without_session(&mut self, result: QueryResult, at: Timestamp, fx: &mut Effects) {
        match result {
            QueryResult::Password(PasswordResult { account, outcome: Ok(password), .. }) if self.writable => {
                self.change_password(account, password, None, at, fx);
            }
            QueryResult::Rehash(RehashResult { account, outcome: Ok(reread) }) => {
                self.apply_rehash(account, *reread, at, fx);
            }
            // The rest is of use to the session alone.
            QueryResult::Password(_)
            | QueryResult::Rehash(_)
            | QueryResult::Oper(_)
            | QueryResult::InviteLink(_)
            | QueryResult::FileSecret(_)
            | QueryResult::Redaction(..)
            | QueryResult::Audit(_)
            | QueryResult::Failed(..) => {}
        }
    }

    fn reject_unstored(&mut self, session: SessionId, messages: &[StoredMessage], fx: &mut Effects) {
        for message in messages {
            if let Some(send) = &message.send_id {
                self.send_ids.forget(message.from, send);
            }
            self.withdraw_file_shares(message.id, fx);
            self.uncount_sent(message);
        }
        self.send(&self.addressee(session), unavailable_reply("PRIVMSG"), fx);
    }

    /// Ends all sessions of an account. They are gone from the core at once. Their connections get the
    /// [`Output::Close`] with the other outputs of the input, so after the commit of its records: a session that ends
    /// because its account was disabled or removed ends when that is durable.
    pub(super) fn end_sessions(&mut self, id: AccountId, reason: &str, at: Timestamp, fx: &mut Effects) {
        self.end_sessions_where(id, |_, _| true, reason, at, fx);
    }

    /// Ends those sessions of an account that `is_affected` returns true for, as [`end_sessions`](Self::end_sessions)
    /// does, and its grace period.
    pub(super) fn end_sessions_where(
        &mut self,
        id: AccountId,
        is_affected: impl Fn(SessionId, &SessionState) -> bool,
        reason: &str,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let account_state = self.accounts.get(id).must_exist("the caller found the account");
        let Some(account_state) = account_state else { return };
        for recipient in account_state.sessions.snapshot().recipients() {
            if !self
                .sessions
                .get(&recipient.session)
                .is_some_and(|known| is_affected(recipient.session, known))
            {
                continue;
            }
            fx.push(Output::Close(recipient.session, reason.into()));
            self.close_session(recipient.session, reason, false, at, fx);
        }
        if self.accounts.get(id).is_some_and(|account_state| account_state.grace_period.is_some()) {
            self.announce_quit(id, reason, at, fx);
        }
    }
}

fn query_failed_reply(command: &str, failure: QueryFailure) -> Reply {
    let code = match command {
        "CHATHISTORY" => "MESSAGE_ERROR",
        "SEARCH" => "INTERNAL_ERROR",
        _ => "TEMPORARILY_UNAVAILABLE",
    };
    match (failure, command) {
        (QueryFailure::Crowded, _) => Reply::fail(command, "TEMPORARILY_UNAVAILABLE")
            .text("Too many of your requests are pending; try again when they have completed"),
        (QueryFailure::TooLong, _) => {
            Reply::fail(command, code).text("The query took too long and was stopped; request less at a time")
        }
        (QueryFailure::Unreadable, "CHATHISTORY" | "SEARCH") => {
            Reply::fail(command, code).text("The history cannot be read right now, try again later")
        }
        (QueryFailure::Unreadable, _) => unavailable_reply(command),
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
