//! The state, and what changes of it are made of.

use std::collections::HashMap;
use std::sync::Arc;

use super::audience::SessionId;
use super::channel::Channels;
use super::effects::Effects;
use super::people::People;
use super::record::{AccountId, Place, Record, Snapshot, StoredMessage};
use super::sends::Sends;
use super::settings::Settings;
use crate::wire::{CapSet, MessageId, Millis};

/// A logged-in connection as the chat knows it.
#[derive(Debug)]
pub(super) struct Session {
    pub account: AccountId,
    pub caps: CapSet,
}

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
    pub(super) password_changes: u64,
    pub(super) writable: bool,
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
            password_changes: 0,
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

    /// How many changes of passwords were followed since the start.
    pub fn password_changes(&self) -> u64 {
        self.password_changes
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
