//! Start and end of sessions, away state, and the audiences of an account.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::replay::seen_from;
use crate::core::effects::event::{Event, EventKind, RENDER_CAPS};
use crate::core::effects::{Effects, Output};
use crate::core::login::Login;
use crate::core::model::audience::{Audience, Roster, Seat, SessionId};
use crate::core::model::people::{Linger, Person};
use crate::core::record::ranks::Rank;
use crate::core::record::{AccountId, ChannelId, MessageKind, Record};
use crate::core::state::silenced::{AWAY, without_words};
use crate::core::state::sync;
use crate::core::state::{Chat, Session};
use crate::wire::{Cap, CapSet, MessageId, Millis};

/// Away message that others see if all sessions of an account are away with `AWAY *`.
const ABSENT: &str = "Not here right now";

impl Chat {
    /// Begins the session of a login that was [admitted](Self::admit).
    pub(in crate::core) fn open(&mut self, session: SessionId, login: &Login, at: Millis, fx: &mut Effects) {
        let account = login.account;
        let Some(person) = self.people.get_mut(account) else { return };
        let first = !person.is_online();
        let seat = Seat { session, caps: login.caps.and(RENDER_CAPS) };
        let other_name = person.realname != login.realname;
        person.realname = login.realname.clone();
        person.active = at;
        person.lingers = None;
        if first {
            person.online_since = at;
            person.away = None;
        }
        self.end_banned_memberships(account, !first, at, fx);
        if first {
            // Other accounts see the JOINs before the account's own sessions are in the audiences.
            let arrivals = self.people.get(account).map(|p| p.channels.clone()).unwrap_or_default();
            for id in arrivals {
                self.announce_arrival(account, id, at, fx);
            }
        } else if other_name && let Some(person) = self.people.get(account) {
            let event = person.event(at, EventKind::Setname(login.realname.clone()));
            let hearers = self.hearers(account, self.who_follows(account));
            Self::fan(hearers.full, &event, fx);
        }
        if let Some(person) = self.people.get_mut(account) {
            self.online += usize::from(person.seats.is_empty());
            person.seats.add(seat);
            for id in &person.channels {
                if let Some(channel) = self.channels.get_mut(*id) {
                    channel.audience.add(seat);
                }
            }
        }
        let known = Session {
            account,
            caps: login.caps,
            away: login.away.clone(),
            monitors: BTreeSet::new(),
            device: login.proof.device(),
            certificate: login.certificate,
            admin_by: None,
            subscriptions: login.metadata.subscriptions.clone(),
            began: self.last_message,
            heard: self.last_message,
            left: HashMap::new(),
        };
        self.sessions.insert(session, known);
        self.most_sessions = self.most_sessions.max(self.sessions.len());
        if first && let Some(person) = self.people.get(account) {
            let to = (&self.settings.server_name, |session| self.nick_of(session));
            self.monitors.announce(person, true, to, fx);
            for watcher in self.monitors.of(person.nick()) {
                let lines = sync::watched(self, watcher, account).into_iter();
                fx.outputs.extend(lines.map(|line| Output::Line(watcher, line)));
            }
        }
        self.weigh_away(account, at, fx);
        self.welcome(session, login, at, fx);
    }

    /// Ends the account's memberships of channels that banned it while it was offline. Members from half-op on stay:
    /// only a KICK removes them.
    fn end_banned_memberships(&mut self, account: AccountId, is_seen: bool, at: Millis, fx: &mut Effects) {
        let Some(person) = self.people.get(account).filter(|person| !person.is_admin()) else { return };
        let banned = |id: &ChannelId| {
            self.channels
                .get(*id)
                .is_some_and(|c| c.lists.bans(person) && !c.ranks(account).at_least(Rank::HalfOp))
        };
        let gone: Vec<ChannelId> = person.channels.iter().copied().filter(banned).collect();
        for id in gone {
            let why: Arc<str> = "Banned".into();
            let message = self.keep_event((account, id), MessageKind::Part, why.clone(), at, fx);
            if is_seen {
                self.tell_banned(account, id, (message, why), fx);
            }
            self.leave(account, id, fx);
        }
    }

    /// Announces the end of a membership to the channel's sessions, including the account's own others.
    fn tell_banned(
        &self,
        account: AccountId,
        id: ChannelId,
        (message, why): (MessageId, Arc<str>),
        fx: &mut Effects,
    ) {
        let (Some(person), Some(channel)) = (self.people.get(account), self.channels.get(id)) else { return };
        if !channel.audience.is_empty() {
            let event =
                person.event(self.times.of(message), EventKind::Part(channel.name.clone(), Some(why)));
            let event = Event { id: Some(message), ..event };
            fx.outputs.push(Output::Fan { audience: channel.audience.snapshot(), event, origin: None });
        }
    }

    fn announce_arrival(&self, account: AccountId, id: ChannelId, at: Millis, fx: &mut Effects) {
        let (Some(person), Some(channel)) = (self.people.get(account), self.channels.get(id)) else { return };
        if channel.audience.is_empty() {
            return;
        }
        let event =
            person.event(at, EventKind::Join(channel.name.clone(), self.realname_in(person, channel)));
        let audience = channel.audience.snapshot();
        fx.outputs.push(Output::Fan { audience: audience.clone(), event, origin: None });
        let ranks = channel.ranks(account);
        if !ranks.is_empty() {
            let change = ranks.granted_to(person.nick());
            let event = Event::of_server(
                &self.settings.server_name,
                at,
                EventKind::Mode(channel.name.shared(), change),
            );
            fx.outputs.push(Output::Fan { audience, event, origin: None });
        }
    }

    /// Ends a session. If it is the account's last, others see it quit: at once, or, with `patient`, after a grace
    /// period in which it may return.
    pub(in crate::core) fn close(
        &mut self,
        session: SessionId,
        reason: &str,
        patient: bool,
        at: Millis,
        fx: &mut Effects,
    ) {
        let Some(known) = self.sessions.remove(&session) else { return };
        let Session { account, caps, monitors, began, heard, .. } = known;
        for nick in monitors {
            self.monitors.remove(&nick, session);
        }
        let (last_message, grace) = (self.last_message, self.settings.grace);
        let Some(person) = self.people.get_mut(account) else { return };
        person.seats.remove(session);
        self.online -= usize::from(person.seats.is_empty());
        for id in &person.channels {
            if let Some(channel) = self.channels.get_mut(*id) {
                channel.audience.remove(session);
            }
        }
        // Messages sent into a connection that broke may not have arrived.
        let up_to = if patient { heard } else { last_message };
        if person.seen.add(seen_from(caps, began), up_to) {
            fx.records.push(Record::Seen(account, person.seen.clone()));
        }
        if !person.seats.is_empty() {
            if patient {
                self.replay_lost(account, heard, fx);
            }
            return self.weigh_away(account, at, fx);
        }
        if patient && grace > Millis(0) {
            let until = Millis(self.steady.0 + grace.0);
            person.lingers = Some(Linger { until, reason: reason.into() });
            self.lingering.insert((until, account));
        } else {
            self.announce_quit(account, reason, at, fx);
        }
    }

    /// Returns the time at which [`InputKind::Tick`](crate::core::InputKind::Tick) is due, by the monotonic clock.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.lingering.first().map(|(until, _)| *until)
    }

    /// Announces the QUIT of accounts whose grace period has ended.
    pub(in crate::core) fn tick(&mut self, at: Millis, fx: &mut Effects) {
        while let Some((until, account)) =
            self.lingering.first().copied().filter(|(until, _)| *until <= self.steady)
        {
            self.lingering.pop_first();
            let Some(person) = self.people.get_mut(account) else { continue };
            // The account may have returned and left again in the meantime.
            if let Some(linger) = person.lingers.take_if(|linger| linger.until == until) {
                self.announce_quit(account, &linger.reason, at, fx);
            }
        }
    }

    pub(in crate::core) fn announce_quit(
        &mut self,
        account: AccountId,
        reason: &str,
        at: Millis,
        fx: &mut Effects,
    ) {
        let Some(person) = self.people.get_mut(account) else { return };
        person.lingers = None;
        person.left = Some(at);
        let Some(person) = self.people.get(account) else { return };
        let event = |reason: &str| person.event(at, EventKind::Quit(reason.into()));
        let (full, without_words) = (event(reason), event(without_words(reason)));
        let hearers = self.hearers(account, self.who_sees(account));
        Self::fan(hearers.full, &full, fx);
        Self::fan(hearers.without_words, &without_words, fx);
        if let Some(person) = self.people.get(account) {
            let to = (&self.settings.server_name, |session| self.nick_of(session));
            self.monitors.announce(person, false, to, fx);
        }
    }

    /// Recomputes the away state of an account and announces a change. An account is away if all of its sessions are.
    /// Sessions with `AWAY *` count only if there are no others
    /// ([pre-away](https://ircv3.net/specs/extensions/pre-away)).
    pub(in crate::core) fn weigh_away(&mut self, account: AccountId, at: Millis, fx: &mut Effects) {
        let Some(person) = self.people.get(account) else { return };
        let seats = person.seats.seats();
        let states: Vec<&Option<Arc<str>>> =
            seats.filter_map(|seat| self.sessions.get(&seat.session)).map(|s| &s.away).collect();
        let counted = |away: &&&Option<Arc<str>>| away.as_deref() != Some("*");
        let away = match states.iter().filter(counted).count() {
            0 => states.first().and_then(|away| (*away).clone()),
            _ if states.iter().filter(counted).any(|away| away.is_none()) => None,
            // All sessions are away. The message that others see already stays as long as one session has it.
            _ => states
                .iter()
                .filter(counted)
                .find(|away| ***away == person.away)
                .or_else(|| states.iter().rfind(|away| counted(away)))
                .and_then(|away| (*away).clone()),
        };
        // `*` is not a text for people. It is the result only if no other sessions are left.
        let away = away.map(|text| if &*text == "*" { ABSENT.into() } else { text });
        if away == person.away {
            return;
        }
        let full = person.event(at, EventKind::Away(away.clone()));
        let without_words = person.event(at, EventKind::Away(away.as_ref().map(|_| AWAY.into())));
        let hearers = self.hearers(account, self.who_follows(account));
        for (audiences, event) in [(hearers.full, full), (hearers.without_words, without_words)] {
            for audience in audiences {
                self.tell_absence(account, &audience, event.clone(), fx);
            }
        }
        if let Some(person) = self.people.get_mut(account) {
            person.away = away;
        }
    }

    /// Sends an AWAY of an account to the sessions of an audience with away-notify
    /// ([away-notify](https://ircv3.net/specs/extensions/away-notify)). The account's own sessions get numerics
    /// instead.
    pub(in crate::core) fn tell_absence(
        &self,
        account: AccountId,
        audience: &Audience,
        event: Event,
        fx: &mut Effects,
    ) {
        let Some(person) = self.people.get(account) else { return };
        let wants = |seat: &&Seat| seat.caps.has(Cap::AwayNotify) && !person.seats.has(seat.session);
        let audience: Audience = audience.seats().filter(wants).copied().collect();
        if !audience.is_empty() {
            fx.outputs.push(Output::Fan { audience, event, origin: None });
        }
    }

    /// Returns audiences that together hold each session that shares a channel with the account once, its own sessions
    /// included.
    pub(in crate::core) fn who_sees(&self, account: AccountId) -> Vec<Audience> {
        let Some(largest) = self.rosters(account).max_by_key(|roster| roster.len()) else {
            return Vec::new();
        };
        // Each session costs a lookup in the largest audience and in the set of those seen.
        self.look_at(8 * self.rosters(account).map(Roster::len).sum::<usize>());
        let mut seen = HashSet::new();
        let others: Audience = self
            .rosters(account)
            .filter(|roster| !std::ptr::eq(*roster, largest))
            .flat_map(Roster::seats)
            .filter(|seat| !largest.has(seat.session) && seen.insert(seat.session))
            .copied()
            .collect();
        [largest.snapshot(), others].into_iter().filter(|audience| !audience.is_empty()).collect()
    }

    /// Returns the audiences of [`who_sees`](Self::who_sees), plus the account's own sessions if it is in no channel,
    /// plus the sessions that monitor it with extended-monitor
    /// ([extended-monitor](https://ircv3.net/specs/extensions/extended-monitor)).
    pub(in crate::core) fn who_follows(&self, account: AccountId) -> Vec<Audience> {
        let mut audiences = self.who_sees(account);
        let Some(person) = self.people.get(account) else { return audiences };
        let watch = |session: SessionId| {
            let caps = self.sessions.get(&session)?.caps;
            let wants = caps.has_any(&[Cap::ExtendedMonitor, Cap::ExtendedMonitorDraft]);
            wants.then_some(Seat { session, caps: caps.and(RENDER_CAPS) })
        };
        let own = person.seats.seats().copied();
        self.look_at((person.seats.len() + self.monitors.of(person.nick()).count()) * person.channels.len());
        let rest: Audience = own
            .chain(self.monitors.of(person.nick()).filter_map(watch).filter(|s| !person.seats.has(s.session)))
            .filter(|seat| !self.rosters(account).any(|roster| roster.has(seat.session)))
            .collect();
        audiences.extend(Some(rest).filter(|rest| !rest.is_empty()));
        audiences
    }

    /// Iterates over the rosters of an account's channels.
    fn rosters(&self, account: AccountId) -> impl Iterator<Item = &Roster> {
        let channels = self.people.get(account).map(|person| person.channels.as_slice()).unwrap_or_default();
        channels.iter().filter_map(|&id| self.channels.get(id)).map(|channel| &channel.audience)
    }

    /// Sends an event to several audiences.
    pub(in crate::core) fn fan(audiences: Vec<Audience>, event: &Event, fx: &mut Effects) {
        for audience in audiences {
            fx.outputs.push(Output::Fan { audience, event: event.clone(), origin: None });
        }
    }

    /// Replaces the capabilities of a session.
    pub(in crate::core) fn set_caps(&mut self, session: SessionId, caps: CapSet) {
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
        // Each is a chunk of a roster to copy.
        let rows = 200 * person.channels.len();
        self.look_at(rows);
    }

    /// Returns the nick of a session, or `*` if it has ended.
    pub(in crate::core) fn nick_of(&self, session: SessionId) -> Arc<str> {
        self.sessions
            .get(&session)
            .and_then(|s| self.people.get(s.account))
            .map_or_else(|| "*".into(), |person| person.nick().as_str().into())
    }
}

impl Person {
    /// Creates an event that this account causes and that is not a message.
    pub(in crate::core) fn event(&self, at: Millis, kind: EventKind) -> Event {
        Event {
            source: self.source.clone(),
            account: Some(self.nick().clone()),
            bot: self.is_bot(),
            time: at,
            id: None,
            tags: Arc::default(),
            kind,
        }
    }
}
