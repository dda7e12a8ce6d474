//! Start and end of sessions, away state, and the audiences of an account.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::replay::received_from;
use super::visibility::is_visible;
use crate::core::effects::event::{Event, EventKind, RENDER_CAPS};
use crate::core::effects::{Effects, Output, monitors};
use crate::core::login::Login;
use crate::core::model::accounts::{AccountState, GracePeriod};
use crate::core::model::audience::{Audience, Recipient, Roster, SessionId};
use crate::core::record::member_status::PrefixMode;
use crate::core::record::received::ReceivedRange;
use crate::core::record::{AccountId, ChannelId, MessageKind, Record};
use crate::core::state::metadata_sync;
use crate::core::state::silencing::{SILENCED_AWAY_MESSAGE, reason_without_text};
use crate::core::state::{Core, SessionState};
use crate::invariants::MustExist as _;
use crate::wire::{Cap, CapSet, MessageId, Timestamp};

/// Away message that others see if all sessions of an account are away with `AWAY *`.
const DEFAULT_AWAY_MESSAGE: &str = "Not here right now";

impl Core {
    /// Begins the session of a login that was [admitted](Self::admit).
    pub(in crate::core) fn open_session(
        &mut self,
        session: SessionId,
        login: &Login,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let account = login.account;
        let account_state = self.accounts.get_mut(account).must_exist("the login was admitted");
        let Some(account_state) = account_state else { return };
        let (is_visible, was_online) = (is_visible(login), account_state.is_online());
        let first = is_visible && !was_online;
        let recipient = Recipient { session, caps: login.caps.intersection(RENDER_CAPS) };
        let realname_changed = is_visible && account_state.realname != login.realname;
        if is_visible {
            account_state.realname = login.realname.clone();
            account_state.last_active = at;
            account_state.grace_period = None;
        }
        if first {
            account_state.online_since = at;
            account_state.away = None;
        }
        self.end_banned_memberships(account, was_online, at, fx);
        if first {
            // Other accounts see the JOINs before the session is in the audiences.
            let channels = self.accounts.get(account).map(|p| p.channels.clone()).unwrap_or_default();
            for id in channels {
                self.announce_join(account, id, at, fx);
            }
        } else if realname_changed && let Some(account_state) = self.accounts.get(account) {
            let event = account_state.event(at, EventKind::Setname(login.realname.clone()));
            let split = self.split_silenced_audience(account, self.channel_and_monitor_audiences(account));
            Self::send_to_audiences(split.full, &event, fx);
        }
        if let Some(account_state) = self.accounts.get_mut(account) {
            if is_visible {
                self.accounts_online += usize::from(account_state.visible_sessions == 0);
                account_state.visible_sessions += 1;
            }
            account_state.sessions.add(recipient);
            for id in &account_state.channels {
                if let Some(channel) = self.channels.get_mut(*id) {
                    channel.audience.add(recipient);
                }
            }
        }
        let known = SessionState {
            account,
            opened: at,
            caps: login.caps,
            is_visible,
            away: login.away.clone(),
            monitors: BTreeSet::new(),
            device: login.proof.device(),
            certificate: login.certificate,
            oper_account: None,
            subscriptions: login.metadata.subscriptions.clone(),
            last_at_start: self.last_message,
            last_received: self.last_message,
            parted_channels: FxHashMap::default(),
        };
        self.sessions.insert(session, Box::new(known));
        self.peak_sessions = self.peak_sessions.max(self.sessions.len());
        self.visible_sessions += usize::from(is_visible);
        self.peak_visible_sessions = self.peak_visible_sessions.max(self.visible_sessions);
        if first && let Some(account_state) = self.accounts.get(account) {
            self.announce(account_state, true, fx);
            for monitoring in self.monitors.sessions_monitoring(account_state.nick()) {
                for reply in metadata_sync::monitored_metadata_lines(self, monitoring, account) {
                    self.send(&self.addressee(monitoring), reply, fx);
                }
            }
        }
        self.update_away(account, at, fx);
        self.send_welcome(session, login, at, fx);
    }

    /// Ends the account's memberships of channels that banned it while it was offline. Members from half-op on stay:
    /// only a KICK removes them.
    fn end_banned_memberships(
        &mut self,
        account: AccountId,
        is_online: bool,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let Some(account_state) =
            self.accounts.get(account).filter(|account_state| !account_state.is_admin())
        else {
            return;
        };
        let banned = |id: &ChannelId| {
            self.channels.get(*id).is_some_and(|c| {
                c.lists.is_banned(account_state) && !c.member_status(account).at_least(PrefixMode::HalfOp)
            })
        };
        let banned_channels: Vec<ChannelId> = account_state.channels.iter().copied().filter(banned).collect();
        for id in banned_channels {
            let reason: Arc<str> = "Banned".into();
            let message = self.record_event((account, id), MessageKind::Part, reason.clone(), at, fx);
            if is_online {
                self.announce_ban_part(account, id, (message, reason), fx);
            }
            self.leave_channel(account, id, fx);
        }
    }

    /// Announces the end of a membership to the channel's sessions, including the account's own others.
    fn announce_ban_part(
        &self,
        account: AccountId,
        id: ChannelId,
        (message, reason): (MessageId, Arc<str>),
        fx: &mut Effects,
    ) {
        let account_state = self.accounts.get(account).must_exist("the caller found the account");
        let channel = self.channels.get(id).must_exist("the account is in the channel");
        let (Some(account_state), Some(channel)) = (account_state, channel) else { return };
        if !channel.audience.is_empty() {
            let event = account_state
                .event(self.times.time_of(message), EventKind::Part(channel.name.clone(), Some(reason)));
            let event = Event { id: Some(message), ..event };
            fx.push(Output::Broadcast { audience: channel.audience.snapshot(), event, origin: None });
        }
    }

    /// Announces the JOIN and the member status of an account to the other sessions of a channel.
    pub(in crate::core) fn announce_join(
        &self,
        account: AccountId,
        id: ChannelId,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let account_state = self.accounts.get(account).must_exist("the caller found the account");
        let channel = self.channels.get(id).must_exist("the account is in the channel");
        let (Some(account_state), Some(channel)) = (account_state, channel) else { return };
        let audience = self.other_sessions(account_state, channel.audience.snapshot());
        if audience.is_empty() {
            return;
        }
        let event = account_state
            .event(at, EventKind::Join(channel.name.clone(), self.realname_shown_in(account_state, channel)));
        fx.push(Output::Broadcast { audience: audience.clone(), event, origin: None });
        let status = channel.member_status(account);
        if !status.is_empty() {
            let change = status.mode_params_for(account_state.nick());
            let event = Event::from_server(
                &self.settings.server_name,
                at,
                EventKind::Mode { target: channel.name.shared(), changes: change },
            );
            fx.push(Output::Broadcast { audience, event, origin: None });
        }
    }

    /// Ends a session. If it is the account's last that others see, they see it quit: at once, or, with
    /// `has_grace_period`, after a grace period in which it may return.
    pub(in crate::core) fn close_session(
        &mut self,
        session: SessionId,
        reason: &str,
        has_grace_period: bool,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        // The core may have ended the session before its connection ended.
        let Some(known) = self.sessions.remove(&session) else { return };
        let SessionState { account, caps, is_visible, monitors, last_at_start, last_received, .. } = *known;
        self.visible_sessions -= usize::from(is_visible);
        for nick in monitors {
            self.monitors.remove(&nick, session);
        }
        let (last_message, grace) = (self.last_message, self.settings.grace);
        let account_state = self.accounts.get_mut(account).must_exist("a session has an account");
        let Some(account_state) = account_state else { return };
        account_state.sessions.remove(session);
        if is_visible {
            account_state.visible_sessions -= 1;
            self.accounts_online -= usize::from(account_state.visible_sessions == 0);
        }
        for id in &account_state.channels {
            if let Some(channel) = self.channels.get_mut(*id) {
                channel.audience.remove(session);
            }
        }
        // Messages sent into a connection that broke may not have arrived.
        let up_to = if has_grace_period { last_received } else { last_message };
        let received = ReceivedRange { after: received_from(caps, last_at_start), up_to };
        if is_visible && account_state.received.add(received) {
            fx.records.push(Record::ReceivedSet(account, account_state.received.clone()));
        }
        let remaining = account_state.visible_sessions;
        if !is_visible {
            return;
        }
        if has_grace_period {
            self.replay_undelivered(account, last_received, fx);
        }
        if remaining > 0 {
            return self.update_away(account, at, fx);
        }
        let account_state = self.accounts.get_mut(account).must_exist("a session has an account");
        let Some(account_state) = account_state else { return };
        if has_grace_period && !grace.is_zero() {
            let until = self.monotonic + grace;
            account_state.grace_period = Some(GracePeriod { until, reason: reason.into() });
            self.quit_deadlines.insert((until, account));
        } else {
            self.announce_quit(account, reason, at, fx);
        }
    }

    /// Returns the time at which [`InputKind::Tick`](crate::core::InputKind::Tick) is due, by the monotonic clock.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.quit_deadlines.first().map(|(until, _)| *until)
    }

    /// Announces the QUIT of accounts whose grace period has ended.
    pub(in crate::core) fn end_grace_periods(&mut self, at: Timestamp, fx: &mut Effects) {
        while let Some((until, account)) =
            self.quit_deadlines.first().copied().filter(|(until, _)| *until <= self.monotonic)
        {
            self.quit_deadlines.pop_first();
            // The account may have been removed, or have returned and left again, in the meantime.
            let Some(account_state) = self.accounts.get_mut(account) else { continue };
            if let Some(grace) = account_state.grace_period.take_if(|grace| grace.until == until) {
                self.announce_quit(account, &grace.reason, at, fx);
            }
        }
    }

    pub(in crate::core) fn announce_quit(
        &mut self,
        account: AccountId,
        reason: &str,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let account_state = self.accounts.get_mut(account).must_exist("the caller found the account");
        let Some(account_state) = account_state else { return };
        account_state.grace_period = None;
        account_state.last_quit = Some(at);
        let Some(account_state) = self.accounts.get(account) else { return };
        let event = |reason: &str| account_state.event(at, EventKind::Quit(reason.into()));
        let (full, without_text) = (event(reason), event(reason_without_text(reason)));
        let audiences = self.channel_audiences(account).into_iter();
        let others = audiences.map(|audience| self.other_sessions(account_state, audience));
        let split =
            self.split_silenced_audience(account, others.filter(|audience| !audience.is_empty()).collect());
        Self::send_to_audiences(split.full, &full, fx);
        Self::send_to_audiences(split.without_text, &without_text, fx);
        if let Some(account_state) = self.accounts.get(account) {
            self.announce(account_state, false, fx);
        }
    }

    /// Notifies the sessions that monitor an account that it came online or went offline.
    fn announce(&self, account_state: &AccountState, is_online: bool, fx: &mut Effects) {
        let notification = monitors::notification(account_state, is_online);
        for session in self.monitors.sessions_monitoring(account_state.nick()) {
            self.send(&self.addressee(session), notification.clone(), fx);
        }
    }

    /// Recomputes the away state of an account and announces a change. An account is away if all of its sessions that
    /// others see are. Sessions with `AWAY *` count only if there are no others
    /// ([pre-away](https://ircv3.net/specs/extensions/pre-away)).
    pub(in crate::core) fn update_away(&mut self, account: AccountId, at: Timestamp, fx: &mut Effects) {
        let account_state = self.accounts.get(account).must_exist("the caller found the account");
        let Some(account_state) = account_state.filter(|it| it.visible_sessions > 0) else { return };
        let sessions = account_state.sessions.recipients();
        let states: Vec<&Option<Arc<str>>> = sessions
            .filter_map(|recipient| self.sessions.get(&recipient.session))
            .filter(|session| session.is_visible)
            .map(|session| &session.away)
            .collect();
        let counted = |away: &&&Option<Arc<str>>| away.as_deref() != Some("*");
        let away = match states.iter().filter(counted).count() {
            0 => states.first().and_then(|away| (*away).clone()),
            _ if states.iter().filter(counted).any(|away| away.is_none()) => None,
            // All sessions are away. The message that others see already stays as long as one session has it.
            _ => states
                .iter()
                .filter(counted)
                .find(|away| ***away == account_state.away)
                .or_else(|| states.iter().rfind(|away| counted(away)))
                .and_then(|away| (*away).clone()),
        };
        // `*` is not a text for people. It is the result only if no other sessions are left.
        let away = away.map(|text| if &*text == "*" { DEFAULT_AWAY_MESSAGE.into() } else { text });
        if away == account_state.away {
            return;
        }
        let full = account_state.event(at, EventKind::Away(away.clone()));
        let without_text =
            account_state.event(at, EventKind::Away(away.as_ref().map(|_| SILENCED_AWAY_MESSAGE.into())));
        let split = self.split_silenced_audience(account, self.channel_and_monitor_audiences(account));
        for (audiences, event) in [(split.full, full), (split.without_text, without_text)] {
            for audience in audiences {
                self.send_away_notify(account, &audience, event.clone(), fx);
            }
        }
        if let Some(account_state) = self.accounts.get_mut(account) {
            account_state.away = away;
        }
    }

    /// Sends an AWAY of an account to the sessions of an audience with away-notify
    /// ([away-notify](https://ircv3.net/specs/extensions/away-notify)). The account's own sessions get numerics
    /// instead.
    pub(in crate::core) fn send_away_notify(
        &self,
        account: AccountId,
        audience: &Audience,
        event: Event,
        fx: &mut Effects,
    ) {
        let account_state = self.accounts.get(account).must_exist("the caller found the account");
        let Some(account_state) = account_state else { return };
        let wants = |recipient: &&Recipient| {
            recipient.caps.has(Cap::AwayNotify) && !account_state.sessions.has(recipient.session)
        };
        let audience: Audience = audience.recipients().filter(wants).copied().collect();
        if !audience.is_empty() {
            fx.push(Output::Broadcast { audience, event, origin: None });
        }
    }

    /// Returns audiences that together hold each session that shares a channel with the account once, its own sessions
    /// included.
    pub(in crate::core) fn channel_audiences(&self, account: AccountId) -> Vec<Audience> {
        let Some(largest) = self.rosters(account).max_by_key(|roster| roster.len()) else {
            return Vec::new();
        };
        // Each session costs a lookup in the largest audience and in the set of those seen.
        self.count_scanned_rows(8 * self.rosters(account).map(Roster::len).sum::<usize>());
        let mut seen = HashSet::new();
        let others: Audience = self
            .rosters(account)
            .filter(|roster| !std::ptr::eq(*roster, largest))
            .flat_map(Roster::recipients)
            .filter(|recipient| !largest.has(recipient.session) && seen.insert(recipient.session))
            .copied()
            .collect();
        [largest.snapshot(), others].into_iter().filter(|audience| !audience.is_empty()).collect()
    }

    /// Returns the audiences of [`channel_audiences`](Self::channel_audiences), plus the account's own sessions if it is in no channel,
    /// plus the sessions that monitor it with extended-monitor
    /// ([extended-monitor](https://ircv3.net/specs/extensions/extended-monitor)).
    pub(in crate::core) fn channel_and_monitor_audiences(&self, account: AccountId) -> Vec<Audience> {
        let mut audiences = self.channel_audiences(account);
        let account_state = self.accounts.get(account).must_exist("the caller found the account");
        let Some(account_state) = account_state else { return audiences };
        let as_recipient = |session: SessionId| {
            let caps = self.sessions.get(&session)?.caps;
            let wants = caps.has_any(&[Cap::ExtendedMonitor, Cap::ExtendedMonitorDraft]);
            wants.then_some(Recipient { session, caps: caps.intersection(RENDER_CAPS) })
        };
        let own = account_state.sessions.recipients().copied();
        self.count_scanned_rows(
            (account_state.sessions.len() + self.monitors.sessions_monitoring(account_state.nick()).count())
                * account_state.channels.len(),
        );
        let rest: Audience = own
            .chain(
                self.monitors
                    .sessions_monitoring(account_state.nick())
                    .filter_map(as_recipient)
                    .filter(|s| !account_state.sessions.has(s.session)),
            )
            .filter(|recipient| !self.rosters(account).any(|roster| roster.has(recipient.session)))
            .collect();
        audiences.extend(Some(rest).filter(|rest| !rest.is_empty()));
        audiences
    }

    /// Iterates over the rosters of an account's channels.
    fn rosters(&self, account: AccountId) -> impl Iterator<Item = &Roster> {
        let channels = self
            .accounts
            .get(account)
            .must_exist("the caller found the account")
            .map(|account_state| account_state.channels.as_slice())
            .unwrap_or_default();
        channels.iter().filter_map(|&id| self.channels.get(id)).map(|channel| &channel.audience)
    }

    /// Sends an event to several audiences.
    pub(in crate::core) fn send_to_audiences(audiences: Vec<Audience>, event: &Event, fx: &mut Effects) {
        for audience in audiences {
            fx.push(Output::Broadcast { audience, event: event.clone(), origin: None });
        }
    }

    /// Replaces the capabilities of a session.
    pub(in crate::core) fn set_caps(&mut self, session: SessionId, caps: CapSet) {
        let known = self.sessions.get_mut(&session).must_exist("the session sent the command");
        let Some(known) = known else { return };
        known.caps = caps;
        let recipient = Recipient { session, caps: caps.intersection(RENDER_CAPS) };
        let account_state = self.accounts.get_mut(known.account).must_exist("a session has an account");
        let Some(account_state) = account_state else { return };
        account_state.sessions.update(recipient);
        for id in &account_state.channels {
            if let Some(channel) = self.channels.get_mut(*id) {
                channel.audience.update(recipient);
            }
        }
        // Each is a chunk of a roster to copy.
        let rows = 200 * account_state.channels.len();
        self.count_scanned_rows(rows);
    }
}

impl AccountState {
    /// Creates an event that this account causes and that is not a message.
    pub(in crate::core) fn event(&self, at: Timestamp, kind: EventKind) -> Event {
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
