//! Replay for clients without `chathistory`: messages that their account has neither received live, in any session, nor
//! read.

use std::collections::BTreeSet;

use crate::core::effects::ask::{Ask, MissedTalks};
use crate::core::effects::playback::Reader;
use crate::core::effects::{Effects, Output};
use crate::core::model::audience::SessionId;
use crate::core::model::people::Person;
use crate::core::record::seen::{Missed, Seen};
use crate::core::record::{AccountId, ChannelId, Place, Record};
use crate::core::state::Chat;
use crate::core::state::context::Context;
use crate::wire::{Cap, CapSet, MessageId, Millis};

/// Returns the message after which a session has received everything. A client with `chathistory` may not have
/// requested anything older than its session.
pub(in crate::core) fn seen_from(caps: CapSet, began: MessageId) -> MessageId {
    if caps.has(Cap::Chathistory) { began } else { MessageId::default() }
}

/// Returns the last message of a conversation that the account has read.
fn read_up_to(person: &Person, place: Place) -> MessageId {
    person.markers.get(&place).map_or_else(MessageId::default, |&read| MessageId::last_at(read))
}

impl Chat {
    /// Returns the messages that the account's sessions, other than one, have received live. `from` gives the start of
    /// each present session.
    fn seen_by_others(
        &self,
        account: AccountId,
        but: SessionId,
        from: impl Fn(CapSet, MessageId) -> MessageId,
    ) -> Seen {
        let Some(person) = self.people.get(account) else { return Seen::default() };
        let mut seen = person.seen.clone();
        let others = person.seats.seats().map(|seat| seat.session).filter(|&session| session != but);
        for known in others.filter_map(|session| self.sessions.get(&session)) {
            seen.add(from(known.caps, known.began), self.last_message);
        }
        seen
    }

    /// Replays messages to a later session after another session's connection broke. The broken session was thought to
    /// receive everything, but surely received only messages up to `heard`, so the later session did not get the rest.
    pub(in crate::core) fn replay_lost(&self, account: AccountId, heard: MessageId, fx: &mut Effects) {
        let Some(person) = self.people.get(account) else { return };
        let known =
            person.seats.seats().filter_map(|seat| Some((seat.session, self.sessions.get(&seat.session)?)));
        let came_since = known.filter(|(_, known)| !known.caps.has(Cap::Chathistory) && heard < known.began);
        let Some((session, known)) = came_since.min_by_key(|(session, known)| (known.began, *session)) else {
            return;
        };
        let limit = person.replayed(self.settings.replay);
        let seen = self.seen_by_others(account, session, |_, began| began);
        let missed = seen.missed(known.began.next(Millis(0)), limit).after(heard);
        let server = self.settings.server_name.clone();
        let (nick, caps, times) = (person.nick().clone(), known.caps, self.times.clone());
        let reader = Reader { server, account, nick, caps, label: None, times };
        if let Some(ask) = self.missed(person, reader, &person.channels, &missed) {
            fx.outputs.push(Output::Ask { session, label: None, ask: Box::new(ask) });
        }
    }

    /// Creates the query for missed messages of channels and direct conversations, without those that were read.
    fn missed(
        &self,
        person: &Person,
        reader: Reader,
        channels: &[ChannelId],
        missed: &Missed,
    ) -> Option<Ask> {
        missed.start().filter(|_| missed.limit > 0)?;
        let named = |&id: &ChannelId| {
            let name = self.channels.get(id)?.name.clone();
            Some((id, name, missed.after(read_up_to(person, Place::Channel(id)))))
        };
        let talks = person.markers.keys().copied().filter(|place| matches!(place, Place::Direct(..)));
        let read = talks.map(|place| (place, read_up_to(person, place))).collect();
        let talks = MissedTalks { missed: missed.clone(), read };
        Some(Ask::Replay {
            reader,
            channels: channels.iter().filter_map(named).collect(),
            talks: Some(talks),
        })
    }

    /// Records the messages that all sessions have received, when the server stops.
    pub(in crate::core) fn note_seen(&mut self, fx: &mut Effects) {
        let up_to = self.last_message;
        let mut changed = BTreeSet::new();
        for known in self.sessions.values() {
            if let Some(person) = self.people.get_mut(known.account)
                && person.seen.add(seen_from(known.caps, known.began), up_to)
            {
                changed.insert(known.account);
            }
        }
        for account in changed {
            let seen = self.people.get(account).map(|person| person.seen.clone());
            fx.records.extend(seen.map(|seen| Record::Seen(account, seen)));
        }
    }
}

impl Context<'_> {
    /// Replays missed messages to a client without `chathistory`.
    pub(in crate::core) fn replay_missed(&mut self, channels: &[ChannelId]) {
        let Some(me) = self.me().filter(|_| !self.member.caps.has(Cap::Chathistory)) else { return };
        let limit = me.replayed(self.chat.settings.replay);
        // Messages from now on are delivered live.
        let before = self.chat.last_message.next(Millis(0));
        let seen = self.chat.seen_by_others(self.member.account, self.member.session, seen_from);
        let ask = self.chat.missed(me, self.reader(), channels, &seen.missed(before, limit));
        if let Some(ask) = ask {
            self.ask(ask);
        }
    }

    /// Replays the latest messages of channels, just joined, to the account's sessions without `chathistory`. A session
    /// that saw the account leave gets only those since then.
    pub(in crate::core) fn replay_joined(&mut self, joined: &[ChannelId]) {
        let Some(me) = self.me() else { return };
        let limit = me.replayed(self.chat.settings.replay);
        let before = self.chat.last_message;
        let read: Vec<_> = joined.iter().map(|&id| (id, read_up_to(me, Place::Channel(id)))).collect();
        for session in self.my_sessions() {
            let Some(known) = self.chat.sessions.get_mut(&session) else { continue };
            let caps = known.caps;
            let since: Vec<(ChannelId, MessageId)> = read
                .iter()
                .map(|&(id, read)| (id, known.left.remove(&id).unwrap_or_default().max(read)))
                .collect();
            let channels: Vec<_> = since
                .into_iter()
                .filter_map(|(id, since)| {
                    let name = self.chat.channels.get(id)?.name.clone();
                    Some((id, name, Missed::between(since, before, limit)))
                })
                .collect();
            if !caps.has(Cap::Chathistory) && limit > 0 && !channels.is_empty() {
                let ask = Ask::Replay { reader: self.reader().with_caps(caps), channels, talks: None };
                self.fx.outputs.push(Output::Ask { session, label: None, ask: Box::new(ask) });
            }
        }
    }
}
