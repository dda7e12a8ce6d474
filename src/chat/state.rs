//! The state and its one door.

use std::collections::HashMap;
use std::sync::Arc;

use super::channel::Channels;
use super::context::Context;
use super::effects::{Effects, Output, Step};
use super::input::{Input, InputKind, SessionId};
use super::people::People;
use super::record::{AccountChange, AccountId, Place, Record, Snapshot, StoredMessage};
use super::sends::Sends;
use super::sessions::Session;
use super::settings::{SERVER_NAME, Settings};
use super::{commands, label};
use crate::wire::{Cap, MessageId, Millis, Reply};

/// Everything the rules know.
#[derive(Debug)]
pub struct Chat {
    pub(super) settings: Settings,
    pub(super) people: People,
    pub(super) channels: Channels,
    pub(super) sessions: HashMap<SessionId, Session>,
    pub(super) sends: Sends,
    pub(super) last_message: MessageId,
    pub(super) most_sessions: usize,
    writable: bool,
}

impl Chat {
    /// A chat that goes on from what was kept.
    pub fn new(settings: Settings, kept: Snapshot) -> Self {
        let mut chat = Self {
            settings,
            people: People::new(kept.accounts),
            channels: Channels::default(),
            sessions: HashMap::new(),
            sends: Sends::default(),
            last_message: kept.last_message,
            most_sessions: 0,
            writable: true,
        };
        for channel in &kept.channels {
            for &member in &channel.members {
                if let Some(person) = chat.people.get_mut(member) {
                    person.channels.push(channel.id);
                }
            }
        }
        chat.channels = Channels::new(kept.channels, kept.last_channel);
        for (account, send, message) in kept.sends {
            chat.sends.remember(account, send, message);
        }
        chat
    }

    /// Applies one input and appends what follows from it to `fx`.
    pub fn handle(&mut self, input: Input, fx: &mut Effects) {
        let (records, outputs) = (fx.records.len(), fx.outputs.len());
        let at = input.at;
        let mut from = None;
        match input.kind {
            InputKind::Opened(session, login) => self.open(session, &login, at, fx),
            InputKind::Closed(session, reason) => self.close(session, &reason, at, fx),
            InputKind::Said { session, label, command } => {
                self.said(session, command, at, fx);
                if let Some(label) = label.as_deref().filter(|_| self.answers_labels(session)) {
                    label::apply(&mut fx.outputs, outputs, session, label);
                }
                from = Some((session, label));
            }
            InputKind::Account(change) => self.account(change, at, fx),
            InputKind::NotStored { session, label, messages } => {
                self.not_stored(session, &messages, fx);
                if let Some(label) = label.filter(|_| self.answers_labels(session)) {
                    label::apply(&mut fx.outputs, outputs, session, &label);
                }
            }
            InputKind::Writable(writable) => self.writable = writable,
        }
        if fx.outputs.len() > outputs || fx.records.len() > records {
            fx.steps.push(Step {
                records: records..fx.records.len(),
                outputs: outputs..fx.outputs.len(),
                from,
            });
        }
    }

    /// The sessions of now, for the counters.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Who said a message, and to whom or where: for the log.
    pub fn parties(&self, message: &StoredMessage) -> (Arc<str>, Arc<str>) {
        let nick = |id| self.people.get(id).map_or_else(|| "?".into(), |person| person.nick().shared());
        let to = match message.place {
            Place::Channel(id) => self.channels.get(id).map_or_else(|| "?".into(), |c| c.name.shared()),
            Place::Direct(a, b) => nick(if a == message.from { b } else { a }),
        };
        (nick(message.from), to)
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
        let writable = self.writable;
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

    fn not_stored(&mut self, session: SessionId, messages: &[StoredMessage], fx: &mut Effects) {
        for message in messages {
            if let Some(send) = &message.send_id {
                self.sends.forget(message.from, send);
            }
        }
        let nick = self.nick_of(session);
        fx.outputs.push(Output::Line(session, unavailable("PRIVMSG").render(SERVER_NAME, &nick)));
    }

    fn account(&mut self, change: AccountChange, at: Millis, fx: &mut Effects) {
        match change {
            AccountChange::Added(account, lands_in) => {
                let id = account.id;
                self.people.put(account);
                if let Some(name) = lands_in {
                    self.enter(id, name, at, fx);
                }
            }
            AccountChange::Changed(account) => {
                let (id, disabled) = (account.id, account.disabled);
                self.people.put(account);
                if disabled {
                    self.end_sessions(id, "This account was disabled", at, fx);
                }
            }
            AccountChange::PasswordChanged(id) => {
                self.end_sessions(id, "The password was changed, log in with the new one", at, fx);
            }
            AccountChange::Removed(id) => {
                self.end_sessions(id, "This account was removed", at, fx);
                let channels = self.people.get(id).map(|p| p.channels.clone()).unwrap_or_default();
                for channel in channels {
                    self.leave(id, channel, fx);
                }
                self.people.remove(id);
            }
        }
    }

    fn end_sessions(&mut self, id: AccountId, reason: &str, at: Millis, fx: &mut Effects) {
        let Some(person) = self.people.get(id) else { return };
        for seat in person.seats.clone().seats() {
            fx.outputs.push(Output::Close(seat.session, reason.into()));
            self.close(seat.session, reason, at, fx);
        }
    }

    /// The id and place in the order of a message that is said now.
    pub(super) fn next_message(&mut self, at: Millis) -> MessageId {
        self.last_message = self.last_message.next(at);
        self.last_message
    }

    /// The account becomes a member of the channel, which is made where it is not there. Tells nobody.
    pub(super) fn enter(
        &mut self,
        account: AccountId,
        name: crate::wire::ChannelName,
        at: Millis,
        fx: &mut Effects,
    ) -> Option<super::record::ChannelId> {
        let person = self.people.get_mut(account)?;
        let known = self.channels.named(&name).map(|channel| channel.id);
        let channel = if let Some(id) = known {
            self.channels.get_mut(id)?
        } else {
            let channel = self.channels.create(name.clone(), at);
            fx.records.push(Record::ChannelCreated { id: channel.id, name, at });
            channel
        };
        if channel.members.insert(account) {
            person.channels.push(channel.id);
            for &seat in person.seats.seats() {
                channel.audience.add(seat);
            }
            fx.records.push(Record::Joined { channel: channel.id, account, at });
        }
        Some(channel.id)
    }

    /// The account is a member no more. A channel that is left empty and silent is forgotten. Tells nobody.
    pub(super) fn leave(&mut self, account: AccountId, id: super::record::ChannelId, fx: &mut Effects) {
        let (Some(channel), Some(person)) = (self.channels.get_mut(id), self.people.get_mut(account)) else {
            return;
        };
        if !channel.members.remove(&account) {
            return;
        }
        person.channels.retain(|&other| other != id);
        for seat in person.seats.seats() {
            channel.audience.remove(seat.session);
        }
        fx.records.push(Record::Parted { channel: id, account });
        if channel.members.is_empty() && !channel.spoken_in && channel.topic.is_none() {
            self.channels.remove(id);
            fx.records.push(Record::ChannelRemoved(id));
        }
    }
}

fn unavailable(command: &str) -> Reply {
    Reply::fail(command, "TEMPORARILY_UNAVAILABLE")
        .text("The server cannot store anything right now, so this was not done; try again later")
}
