//! Handling of the models' events.

use super::buffer::Change;
use super::entry::{Entry, How, Message, Moved, What};
use super::{App, Effect, Models, State};
use crate::client::model::{Event, Kind, Model, Said, Target};
use crate::client::screen::text::sanitize::{tidy, tidy_line};
use crate::client::secret::shown;
use crate::wire::{ChannelName, Millis, Nick};

/// Age of the direct conversations that are listed at the first login, in milliseconds (8 weeks).
const WEEKS: u64 = 8 * 7 * 24 * 3_600_000;

/// Allowance for the difference between the server's clock and ours, in milliseconds.
const SLACK: u64 = 5 * 60_000;

/// Limit of one message on the screen, in bytes.
const TEXT: usize = 16 * 1024;

impl App {
    /// Records a broken connection, with `retry` milliseconds until the next attempt.
    pub fn down(&mut self, server: usize, reason: &str, retry: u64) {
        let until = Millis(self.now.0 + retry);
        let Some(state) = self.servers.get_mut(server) else { return };
        if state.state == State::Online {
            state.down_since = Some(self.now);
        }
        state.state = State::Down { reason: tidy_line(reason, 400), until };
        state.ready = false;
        state.lag = None;
        state.ping = None;
        state.listed = None;
        state.buffers.values_mut().for_each(super::buffer::Buffer::disconnected);
    }

    /// Records that a server is not tried again.
    pub fn ended(&mut self, server: usize, reason: &str) {
        self.down(server, reason, 0);
        if let Some(state) = self.servers.get_mut(server) {
            state.state = State::Ended(tidy_line(reason, 400));
        }
    }

    /// Records that a server is connected and logged in.
    pub fn up(&mut self, server: usize) {
        if let Some(state) = self.servers.get_mut(server) {
            state.state = State::Online;
        }
    }

    /// Handles an event of a server's model.
    #[allow(clippy::too_many_lines)] // A table.
    pub fn event(&mut self, server: usize, event: Event, models: Models<'_, '_>) {
        let Some(model) = models.get_mut(server) else { return };
        match event {
            Event::Ready { .. } => self.ready(server, model),
            Event::Said(said) => self.said(server, &said, model),
            Event::Confirmed(ticket) => self.confirmed(server, ticket),
            Event::Failed { ticket, target, reason } => {
                let reason = tidy_line(&reason, 400);
                if let Some(buffer) = self.place(server, &target)
                    && let Some(out) = buffer.outbox.iter_mut().find(|out| out.ticket == ticket)
                {
                    out.failed = Some(reason);
                }
            }
            Event::History(page) => self.page(server, page, model),
            Event::NoHistory { ticket, reason, temporary } => {
                self.no_page(server, ticket, &reason, temporary);
            }
            Event::Found(ticket, found) => self.found(server, ticket, found),
            Event::Targets(ticket, targets) => self.listed(server, ticket, targets),
            Event::Reaction { place, msgid, from, mine, emoji, off } => {
                let emoji = tidy_line(&emoji, 32);
                if let (false, Some(buffer)) = (emoji.is_empty(), self.known(server, &place)) {
                    buffer.change(&msgid, Change::React { emoji, from, mine, off });
                }
            }
            Event::Redacted { place, msgid, by, reason } => {
                if let Some(buffer) = self.known(server, &place) {
                    buffer.change(&msgid, Change::Redact(redaction(&by, &reason)));
                }
            }
            Event::Typing { place, who, what } => self.somebody_types(server, &place, who, what),
            Event::Marker { place, time } => self.marker(server, &place, time),
            Event::Online { who, here } => {
                if let Some(buffer) = self.known(server, &Target::Person(who)) {
                    buffer.online = Some(here);
                }
            }
            Event::Noted { target, key, value } if key == "soju.im/muted" => {
                if let Some(buffer) = Target::parse(&target).ok().and_then(|place| self.known(server, &place))
                {
                    buffer.muted = value.as_deref() == Some("1");
                }
            }
            Event::Barrier(ticket) => {
                let now = self.now;
                if let Some(state) = self.servers.get_mut(server)
                    && let Some((_, since)) = state.ping.take_if(|(asked, _)| *asked == ticket)
                {
                    state.lag = Some(now.0.saturating_sub(since.0));
                }
            }
            Event::Joined { ref channel, me, .. } => {
                if me {
                    self.entered_channel(server, channel);
                }
                // JOINs that are part of a login report channels that the account is in already.
                if !me || self.servers.get(server).is_some_and(|state| state.ready) {
                    self.noted(server, channel.clone(), &event);
                }
            }
            Event::JoinFailed { channel, reason } => {
                self.drop_unless_known(server, &channel);
                self.complain(&format!("cannot join {channel}: {reason}"));
            }
            Event::Dropped { channel } => {
                if let Some(buffer) = self.known(server, &Target::Channel(channel)) {
                    buffer.left = true;
                }
            }
            Event::Left { ref channel, me, ref who, .. } => {
                if me && let Some(buffer) = self.known(server, &Target::Channel(channel.clone())) {
                    buffer.left = true;
                }
                self.stops_typing(server, who);
                self.noted(server, channel.clone(), &event);
            }
            Event::Quit { ref channels, ref who, .. } => {
                self.stops_typing(server, who);
                if let Some(buffer) = self.known(server, &Target::Person(who.clone())) {
                    buffer.online = Some(false);
                }
                for channel in channels.clone() {
                    self.noted(server, channel, &event);
                }
            }
            Event::Topic { ref channel, ref by, .. } => {
                if by.is_some() {
                    self.noted(server, channel.clone(), &event);
                }
            }
            Event::Mode { ref channel, .. } => self.noted(server, channel.clone(), &event),
            Event::Renamed { ref from, ref to, .. } => {
                self.renamed(server, from, to);
                self.noted(server, to.clone(), &event);
            }
            Event::Invited { channel, by } => {
                self.effects.push(Effect::Bell);
                self.hint(&format!("{by} invites you to {channel}: /join {channel}"));
            }
            Event::Away { who, words } => {
                if model.me() == Some(&who)
                    && let Some(state) = self.servers.get_mut(server)
                {
                    state.away = words.map(|words| tidy_line(&words, 200));
                }
            }
            Event::Names { .. } | Event::Noted { .. } | Event::Line(_) | Event::Closing(_) => {}
            Event::Info(text) => self.server_says(server, &text),
            Event::Error(text) => {
                self.server_says(server, &text);
                self.complain(&text);
            }
        }
    }

    fn ready(&mut self, server: usize, model: &mut Model) {
        let now = self.now;
        if let Some(state) = self.servers.get_mut(server) {
            (state.state, state.ready) = (State::Online, true);
            let since =
                state.down_since.map_or(now.0.saturating_sub(WEEKS), |since| since.0.saturating_sub(SLACK));
            if model.can(crate::wire::Cap::Chathistory) {
                state.listed = model.targets(Millis(now.0 + 24 * 3_600_000), Millis(since), 50).ok();
            }
            let people = state.buffers.keys().filter(|place| matches!(place, Target::Person(_)));
            people.for_each(|place| model.watch(place.as_str()));
            if let Some(words) = &state.away {
                // AWAY belongs to a session, so a new session has to send it again.
                let _ = model.set_away(words);
            }
        }
        model.follow(&["soju.im/muted"]);
        self.ping(server, model);
        for (channel, _) in model.channels() {
            self.place(server, &Target::Channel(channel.clone()));
        }
    }

    fn said(&mut self, server: usize, said: &Said, model: &mut Model) {
        let place = said.place.clone();
        let new_talk = matches!(place, Target::Person(_))
            && self.servers.get(server).is_some_and(|s| !s.buffers.contains_key(&place));
        if new_talk {
            model.watch(place.as_str());
        }
        let entry = entry_of(said, model.me());
        let seen = self.sees(server, &place);
        let Some(buffer) = self.place(server, &place) else { return };
        let (counts, calls) = (entry.counts(), buffer.calls(&entry));
        if said.mine {
            if let Some(ticket) = said.ticket {
                buffer.outbox.retain(|out| out.ticket != ticket);
            }
            if seen {
                buffer.divider = None;
            }
        }
        buffer.typing.retain(|(who, _)| *who != said.from);
        if let Target::Person(_) = place
            && !said.mine
        {
            buffer.online = Some(true);
        }
        let muted = buffer.muted;
        let new = buffer.happened(entry);
        self.make_room(server, &place);
        let Some(buffer) = self.known(server, &place).filter(|_| new) else { return };
        // A message at or before the read marker does not count.
        if counts && said.time > buffer.marker.unwrap_or_default() {
            buffer.unread += 1;
            buffer.mentions += usize::from(calls);
        }
        if counts && calls && said.kind != Kind::Notice && !muted && !seen {
            let title = match &place {
                Target::Channel(channel) => format!("{} in {channel}", said.from),
                Target::Person(_) => said.from.to_string(),
            };
            self.effects.push(Effect::Bell);
            self.effects
                .push(Effect::Notify { title: tidy_line(&title, 100), body: tidy_line(&said.text, 300) });
        }
    }

    fn entered_channel(&mut self, server: usize, channel: &ChannelName) {
        let place = Target::Channel(channel.clone());
        if let Some(buffer) = self.place(server, &place) {
            (buffer.left, buffer.named) = (false, false);
        }
        if self.here.is_none() {
            self.go((server, place));
        }
    }

    fn confirmed(&mut self, server: usize, ticket: crate::client::model::Ticket) {
        if let Some(state) = self.servers.get_mut(server) {
            for buffer in state.buffers.values_mut() {
                buffer.outbox.retain(|out| out.ticket != ticket);
            }
        }
    }

    /// Returns the buffer of a conversation; `None` if there is none.
    pub(super) fn known(&mut self, server: usize, place: &Target) -> Option<&mut super::buffer::Buffer> {
        self.servers.get_mut(server)?.buffers.get_mut(place)
    }

    fn drop_unless_known(&mut self, server: usize, channel: &ChannelName) {
        let place = Target::Channel(channel.clone());
        let empty = self.known(server, &place).is_some_and(|buffer| buffer.newest().is_none());
        if empty {
            self.close(&(server, place));
        }
    }

    /// Removes a conversation from the list, and switches to its neighbour if it is on the screen.
    pub(super) fn close(&mut self, spot: &super::Spot) {
        if self.here.as_ref() == Some(spot) {
            let order: Vec<super::Spot> = self.spots().map(|(spot, _)| spot).collect();
            let at = order.iter().position(|other| other == spot).unwrap_or(0);
            let next = order.get(at + 1).or_else(|| order.get(at.checked_sub(1)?)).cloned();
            match next {
                Some(next) => self.go(next),
                None => self.here = None,
            }
        }
        if let Some(server) = self.servers.get_mut(spot.0) {
            server.buffers.remove(&spot.1);
        }
        self.before.take_if(|before| before == spot);
    }

    /// Adds an event of a channel as an entry that is no message.
    fn noted(&mut self, server: usize, channel: ChannelName, event: &Event) {
        if let Some(entry) = note_of(event)
            && let Some(buffer) = self.known(server, &Target::Channel(channel.clone()))
        {
            buffer.happened(entry);
            self.make_room(server, &Target::Channel(channel));
        }
    }

    /// Reduces a buffer that is not on the screen.
    fn make_room(&mut self, server: usize, place: &Target) {
        let here = self.here.as_ref().is_some_and(|(at, here)| *at == server && here == place);
        if let Some(buffer) = self.known(server, place).filter(|_| !here) {
            buffer.aside();
        }
    }

    fn renamed(&mut self, server: usize, from: &ChannelName, to: &ChannelName) {
        let (from, to) = (Target::Channel(from.clone()), Target::Channel(to.clone()));
        let Some(state) = self.servers.get_mut(server) else { return };
        if let Some(mut buffer) = state.buffers.remove(&from) {
            buffer.place = to.clone();
            state.buffers.insert(to.clone(), buffer);
        }
        for spot in [&mut self.here, &mut self.before].into_iter().flatten() {
            if *spot == (server, from.clone()) {
                spot.1 = to.clone();
            }
        }
    }

    /// Shows a text of the server in the conversation on the screen, or as a hint if that one is on another server.
    fn server_says(&mut self, server: usize, text: &str) {
        let entry = Entry::new(self.now, None, What::Note(tidy_line(text, 1000).into()));
        let here = self.here.clone().filter(|(at, _)| *at == server);
        match here.and_then(|(_, place)| self.known(server, &place)) {
            Some(buffer) => drop(buffer.happened(entry)),
            None => self.hint(text),
        }
    }
}

/// Formats the account that redacted a message, and the reason.
pub(super) fn redaction(by: &str, reason: &str) -> Box<str> {
    let reason = tidy_line(reason, 200);
    let by = tidy_line(by, 64);
    if reason.is_empty() { by.into() } else { format!("{by}: {reason}").into() }
}

/// Converts a message to an entry that is safe to draw.
pub(super) fn entry_of(said: &Said, me: Option<&Nick>) -> Entry {
    let text = tidy(&shown(said), TEXT);
    let mention = !said.mine && me.is_some_and(|me| names(&text, me.as_str()));
    let message = Message {
        from: said.from.clone(),
        mine: said.mine,
        kind: said.kind,
        text: text.into(),
        reply: said.reply.as_deref().map(Into::into),
        mention,
        redacted: None,
        reactions: Vec::new(),
    };
    Entry::new(said.time, said.msgid.as_deref().map(Into::into), What::Said(Box::new(message)))
}

/// Returns whether the text contains the nick as a word of its own, in any case (ASCII).
pub fn names(text: &str, nick: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || "_-[]\\`^{|}".contains(c);
    let (text, nick) = (text.to_ascii_lowercase(), nick.to_ascii_lowercase());
    text.match_indices(&nick).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part)
            && !text[at + nick.len()..].chars().next().is_some_and(part)
    })
}

/// Converts an event of a channel to an entry; `None` for events that are not shown there.
pub(super) fn note_of(event: &Event) -> Option<Entry> {
    let why = |reason: &str| if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let (time, text) = match event {
        Event::Joined { me: true, time, .. } => (*time, "→ you joined".to_owned()),
        Event::Joined { who, time, .. } => return Some(moved(*time, who, How::Joined, "")),
        Event::Left { who, me: false, by: None, reason, time, .. } => {
            return Some(moved(*time, who, How::Left, reason));
        }
        Event::Quit { who, reason, time, .. } => return Some(moved(*time, who, How::Offline, reason)),
        Event::Left { who, me, by, reason, time, .. } => {
            let what = match (me, by) {
                (_, None) => "← you left".to_owned(),
                (true, Some(by)) => format!("← {by} kicked you"),
                (false, Some(by)) => format!("← {by} kicked {who}"),
            };
            (*time, what + &why(reason))
        }
        Event::Topic { by: Some(by), text, time, .. } => (
            *time,
            if text.is_empty() {
                format!("{by} cleared the topic")
            } else {
                format!("{by} set the topic: {text}")
            },
        ),
        Event::Mode { by, text, time, .. } => (*time, format!("{by} set mode {text}")),
        Event::Renamed { from, to, by, time } => (*time, format!("{by} renamed {from} to {to}")),
        _ => return None,
    };
    Some(Entry::new(time, None, What::Note(tidy_line(&text, 1000).into())))
}

fn moved(time: Millis, who: &Nick, how: How, words: &str) -> Entry {
    let words = tidy_line(words, 400).into();
    Entry::new(time, None, What::Moved(Moved { who: who.clone(), how, words }))
}
