//! Sessions coming and going.

use std::collections::HashSet;
use std::sync::Arc;

use super::audience::{Audience, Seat, SessionId};
use super::effects::{Effects, Output};
use super::event::{Event, EventKind, RENDER_CAPS};
use super::login::Login;
use super::people::Person;
use super::record::AccountId;
use super::state::{Chat, Session};
use crate::wire::{CapSet, Millis};

impl Chat {
    pub(super) fn open(&mut self, session: SessionId, login: &Login, at: Millis, fx: &mut Effects) {
        let account = login.account;
        let Some(person) = self.people.get_mut(account).filter(|p| !p.account.disabled) else {
            // It was removed or disabled between the check of the password and now.
            fx.outputs.push(Output::Close(session, "This account cannot log in".into()));
            return;
        };
        if person.password_change > login.since {
            let reason = "The password was changed, log in with the new one";
            fx.outputs.push(Output::Close(session, reason.into()));
            return;
        }
        let first = !person.is_online();
        let seat = Seat { session, caps: login.caps.and(RENDER_CAPS) };
        if first {
            person.online_since = at;
            person.away = None;
            // The others see it arrive before its own sessions are among them.
            let arrivals: Vec<_> = person.channels.clone();
            for id in arrivals {
                self.announce_arrival(account, id, at, fx);
            }
        }
        if let Some(person) = self.people.get_mut(account) {
            person.realname = login.realname.clone();
            person.active = at;
            person.seats.add(seat);
            for id in &person.channels {
                if let Some(channel) = self.channels.get_mut(*id) {
                    channel.audience.add(seat);
                }
            }
        }
        self.sessions.insert(session, Session { account, caps: login.caps });
        self.most_sessions = self.most_sessions.max(self.sessions.len());
        self.welcome(session, login, at, fx);
    }

    fn announce_arrival(
        &self,
        account: AccountId,
        id: super::record::ChannelId,
        at: Millis,
        fx: &mut Effects,
    ) {
        let (Some(person), Some(channel)) = (self.people.get(account), self.channels.get(id)) else { return };
        if channel.audience.seats().is_empty() {
            return;
        }
        let event = person.event(at, EventKind::Join(channel.name.clone()));
        fx.outputs.push(Output::Fan { audience: channel.audience.clone(), event, origin: None });
    }

    pub(super) fn close(&mut self, session: SessionId, reason: &str, at: Millis, fx: &mut Effects) {
        let Some(Session { account, .. }) = self.sessions.remove(&session) else { return };
        let Some(person) = self.people.get_mut(account) else { return };
        person.seats.remove(session);
        for id in &person.channels {
            if let Some(channel) = self.channels.get_mut(*id) {
                channel.audience.remove(session);
            }
        }
        if person.is_online() {
            return;
        }
        let event = person.event(at, EventKind::Quit(reason.into()));
        let audience = self.who_sees(account);
        if !audience.seats().is_empty() {
            fx.outputs.push(Output::Fan { audience, event, origin: None });
        }
    }

    /// The sessions that share a channel with an account, each once, its own among them.
    pub(super) fn who_sees(&self, account: AccountId) -> Audience {
        let channels: Vec<_> = self
            .people
            .get(account)
            .map(|person| person.channels.iter().filter_map(|&id| self.channels.get(id)).collect())
            .unwrap_or_default();
        if let [only] = channels.as_slice() {
            return only.audience.clone();
        }
        let mut seen = HashSet::new();
        channels
            .iter()
            .flat_map(|channel| channel.audience.seats())
            .filter(|seat| seen.insert(seat.session))
            .copied()
            .collect()
    }

    /// The session has other capabilities now.
    pub(super) fn set_caps(&mut self, session: SessionId, caps: CapSet) {
        let Some(known) = self.sessions.get_mut(&session) else { return };
        known.caps = caps;
        let seat = Seat { session, caps: caps.and(RENDER_CAPS) };
        let Some(person) = self.people.get_mut(known.account) else { return };
        person.seats.change(seat);
        for id in &person.channels {
            if let Some(channel) = self.channels.get_mut(*id) {
                channel.audience.change(seat);
            }
        }
    }

    /// The nick of a session, `*` for one that is gone.
    pub(super) fn nick_of(&self, session: SessionId) -> Arc<str> {
        self.sessions
            .get(&session)
            .and_then(|s| self.people.get(s.account))
            .map_or_else(|| "*".into(), |person| person.nick().as_str().into())
    }
}

impl Person {
    /// Something that this person did, that is not a message.
    pub(super) fn event(&self, at: Millis, kind: EventKind) -> Event {
        Event {
            source: self.source.clone(),
            account: Some(self.nick().clone()),
            time: at,
            id: None,
            tags: Arc::default(),
            kind,
        }
    }
}
