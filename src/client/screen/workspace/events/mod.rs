//! Handling of the models' events.

mod answers;
mod closing;

use super::buffer::MessageChange;
use super::entry::{
    Entry, EntryContent, ReactionChange, event_entry, format_redaction, format_text, message_entry,
};
use super::greeting::FirstVisit;
use super::{ConnectionState, Models, Workspace};
use crate::client::answers::format_failed_join;
use crate::client::model::marks::Mark;
use crate::client::model::{
    ChatMessage, Conversation, DISPLAY_NAME_KEY, Event, MUTED_KEY, MessageKind, Model,
};
use crate::client::screen::text::markup::strip_marks;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::settings::BLOCKED_KEY;
use crate::wire::{ChannelName, Nick, Timestamp};

/// Age of the direct conversations that are listed at the first login, in milliseconds (8 weeks).
const INITIAL_TARGETS_AGE: u64 = 8 * 7 * 24 * 3_600_000;

/// Allowance for the difference between the server's clock and ours, in milliseconds.
const CLOCK_SKEW: u64 = 5 * 60_000;

impl Workspace {
    /// Records a broken connection, with `retry` milliseconds until the next attempt.
    pub fn handle_disconnected(&mut self, server: usize, reason: &str, retry_delay: u64) {
        let retry_at = Timestamp(self.now.0 + retry_delay);
        let Some(state) = self.servers.get_mut(server) else { return };
        if state.state == ConnectionState::Online {
            state.down_since = Some(self.now);
        }
        state.state = ConnectionState::Disconnected { reason: sanitize_line(reason, 400), retry_at };
        state.ready = false;
        state.lag = None;
        state.ping_in_flight = None;
        state.targets_query = None;
        state.directory.reset_connection();
        state.marks.reset_connection();
        state.watched.disconnected();
        state.buffers.values_mut().for_each(super::buffer::Buffer::reset_connection);
    }

    /// Records that a server is not tried again.
    pub fn handle_ended(&mut self, server: usize, reason: &str) {
        self.handle_disconnected(server, reason, 0);
        if let Some(state) = self.servers.get_mut(server) {
            state.state = ConnectionState::Ended(sanitize_line(reason, 400));
        }
    }

    /// Records that a server is connected and logged in.
    pub fn handle_connected(&mut self, server: usize) {
        if let Some(state) = self.servers.get_mut(server) {
            state.state = ConnectionState::Online;
        }
        self.pictures.retry_unreachable(server);
    }

    /// Handles an event of a server's model.
    #[allow(clippy::too_many_lines)] // A table.
    ///
    /// `uncovered` is set unless a window covers the messages.
    pub fn handle_event(&mut self, server: usize, event: Event, models: Models<'_, '_>, uncovered: bool) {
        let Some(model) = models.get_mut(server) else { return };
        match event {
            Event::Ready { reconnected } => self.handle_ready(server, model, reconnected),
            Event::Message(message) => self.handle_message(server, &message, model, uncovered),
            Event::Confirmed(ticket) => self.handle_confirmed(server, ticket),
            Event::Failed { ticket, target, reason, .. } => {
                let reason = sanitize_line(&reason, 400);
                if let Some(buffer) = self.open_buffer(server, &target)
                    && let Some(out) = buffer.outgoing.iter_mut().find(|out| out.ticket == ticket)
                {
                    out.failed = Some(reason);
                }
                self.check_addressee(server, &target, model);
            }
            Event::History(page) => self.handle_page(server, page, model),
            Event::QueryFailed { ticket, reason, temporary } => {
                self.handle_query_failed(server, ticket, &reason, temporary);
            }
            Event::ChannelList { .. } | Event::AccountList { .. } => self.handle_listing(server, event),
            Event::Targets(ticket, targets) => self.handle_targets(server, ticket, targets),
            Event::Reaction { conversation, msgid, from, mine, emoji, removed, time } => {
                let emoji = sanitize_line(&emoji, 32);
                if let (false, Some(buffer)) = (emoji.is_empty(), self.find_buffer(server, &conversation)) {
                    let change = ReactionChange { emoji, from, mine, removed, time };
                    buffer.apply_change(&msgid, MessageChange::React(change));
                }
            }
            Event::Redacted { conversation, msgid, by, reason } => {
                self.mentions.remove(server, &msgid);
                if let Some(buffer) = self.find_buffer(server, &conversation) {
                    buffer.apply_change(&msgid, MessageChange::Redact(format_redaction(&by, &reason)));
                }
            }
            Event::Typing { conversation, nick, status: what } => {
                self.handle_typing(server, &conversation, nick, what);
            }
            Event::ReadMarker { conversation, time } => self.handle_read_marker(server, &conversation, time),
            Event::MonitorFull { nicks } => {
                let text =
                    self.servers.get_mut(server).and_then(|state| state.watched.handle_refused(&nicks));
                if let Some(text) = text {
                    self.show_server_text(server, &text);
                    self.show_error(&text);
                }
            }
            Event::Presence { nick, online } => self.handle_presence(server, &nick, online),
            Event::Metadata { target, key, value } if key == BLOCKED_KEY => {
                if let Ok(account) = Nick::parse_foreign(&target) {
                    self.handle_blocked(server, &account, value.as_deref());
                }
            }
            Event::Metadata { target, key, value } if key == MUTED_KEY => {
                if let Some(buffer) = Conversation::parse(&target)
                    .ok()
                    .and_then(|conversation| self.find_buffer(server, &conversation))
                {
                    buffer.muted = value.as_deref() == Some("1");
                }
            }
            Event::Metadata { target, key, value } if key == DISPLAY_NAME_KEY => {
                if let (Some(state), Ok(nick)) = (self.servers.get_mut(server), Nick::parse_foreign(&target))
                {
                    state.display_names.set(&nick, value.as_deref());
                }
            }
            Event::Metadata { target, key, value } if Mark::from_key(&key).is_some() => {
                if let Some(mark) = Mark::from_key(&key) {
                    self.handle_marks(server, (&target, mark), value.as_deref(), models);
                }
            }
            Event::Barrier(ticket) => {
                let now = self.now;
                if let Some(state) = self.servers.get_mut(server)
                    && let Some((_, since)) = state.ping_in_flight.take_if(|(asked, _)| *asked == ticket)
                {
                    state.lag = Some(now.0.saturating_sub(since.0));
                }
            }
            Event::Joined { ref channel, is_me: me, .. } => {
                if me {
                    self.handle_own_join(server, channel);
                }
                // JOINs that are part of a login report channels that the account is in already.
                if !me || self.servers.get(server).is_some_and(|state| state.ready) {
                    self.append_event(server, channel.clone(), &event, model.me());
                }
            }
            Event::JoinFailed { channel, reason } => {
                self.close_if_empty(server, &channel);
                let text = format_failed_join(&channel, &reason);
                self.show_server_text(server, &text);
                self.show_error(&text);
            }
            Event::MembershipLost { channel } => {
                if let Some(buffer) = self.find_buffer(server, &Conversation::Channel(channel)) {
                    buffer.left = true;
                }
            }
            Event::Left { ref channel, is_me: me, ref nick, .. } => {
                if me && let Some(buffer) = self.find_buffer(server, &Conversation::Channel(channel.clone()))
                {
                    buffer.left = true;
                }
                self.clear_typing(server, nick);
                self.append_event(server, channel.clone(), &event, model.me());
            }
            Event::Quit { ref channels, ref nick, .. } => {
                self.clear_typing(server, nick);
                if let Some(buffer) = self.find_buffer(server, &Conversation::Direct(nick.clone())) {
                    buffer.set_peer_online(false);
                }
                for channel in channels.clone() {
                    self.append_event(server, channel, &event, model.me());
                }
            }
            Event::Topic { ref channel, by: None, ref text, .. } if !model.is_in(channel) => {
                let topic = if text.is_empty() {
                    "no topic is set".to_owned()
                } else {
                    self.display.topic_line(text)
                };
                self.show_hint(&format!("{channel}: {topic}"));
            }
            Event::Topic { ref channel, ref by, .. } => {
                if by.is_some() {
                    self.append_event(server, channel.clone(), &event, model.me());
                }
            }
            Event::Mode { ref channel, .. } => self.append_event(server, channel.clone(), &event, model.me()),
            Event::NickChanged { old, new } => self.follow_nick(server, &old, &new),
            Event::ChannelRenamed { ref from, ref to, .. } => {
                let (old, new) = (Conversation::Channel(from.clone()), Conversation::Channel(to.clone()));
                self.rename_conversation(server, &old, &new);
                self.append_event(server, to.clone(), &event, model.me());
            }
            Event::Invited { channel, by } => {
                let filter = self.message_filter(server);
                if Nick::parse_foreign(&by).is_ok_and(|by| filter.ignores(&by)) {
                    return;
                }
                self.ring();
                self.show_hint(&format!("{by} invites you to {channel}: /join {channel}"));
            }
            Event::Away { nick, message } => {
                if model.me() == Some(&nick)
                    && let Some(state) = self.servers.get_mut(server)
                {
                    state.away_message = message.map(|words| sanitize_line(&words, 200));
                }
            }
            // The search handles its results itself.
            Event::SearchResults(..)
            | Event::SearchIncomplete(_)
            | Event::Names { .. }
            | Event::Metadata { .. }
            | Event::UserModes(_) => {}
            Event::ServerError(reason) => self.show_closing_reason(server, &reason),
            Event::Motd(lines) => {
                if let Some(state) = self.servers.get_mut(server) {
                    state.motd = lines;
                }
            }
            Event::Answered { .. } => debug_assert!(false, "the screen takes answers before"),
            Event::Received { .. } | Event::Progress(_) | Event::Result(_) | Event::Oversized(_) => {
                debug_assert!(false, "events for scripts alone");
            }
            Event::Info(text) => self.show_server_text(server, &text),
            Event::Error(text) => {
                self.show_server_text(server, &text);
                self.show_error(&text);
            }
        }
    }

    fn handle_ready(&mut self, server: usize, model: &mut Model, reconnected: bool) {
        let now = self.now;
        self.open_remembered(server);
        if let Some(state) = self.servers.get_mut(server) {
            (state.state, state.ready) = (ConnectionState::Online, true);
            let since = state.down_since.map_or(now.0.saturating_sub(INITIAL_TARGETS_AGE), |since| {
                since.0.saturating_sub(CLOCK_SKEW)
            });
            if model.has_cap(crate::wire::Cap::Chathistory) {
                state.targets_query =
                    model.query_targets(Timestamp(now.0 + 24 * 3_600_000), Timestamp(since), 50).ok();
            }
            let direct =
                state.buffers.keys().filter(|conversation| matches!(conversation, Conversation::Direct(_)));
            direct.for_each(|conversation| model.monitor_nick(conversation.as_str()));
            state.ignores.send_all(model);
            if let Some(message) = &state.away_message {
                // AWAY belongs to a session, so a new session has to send it again.
                let _ = model.set_away(message);
            }
        }
        model.subscribe_metadata(&[
            Mark::Pin.key(),
            Mark::Bookmark.key(),
            MUTED_KEY,
            BLOCKED_KEY,
            DISPLAY_NAME_KEY,
        ]);
        self.send_ping(server, model);
        model.query_user_modes();
        for (channel, _) in model.channels() {
            let conversation = Conversation::Channel(channel.clone());
            self.adopt_name(server, &conversation);
            self.open_buffer(server, &conversation);
        }
        self.return_to_last_conversation();
        self.settle_scratch(server);
        if let Some(state) = self.servers.get_mut(server).filter(|_| !reconnected) {
            let mut buffers = state.buffers.values();
            if !state.buffers.is_empty() && buffers.all(|buffer| buffer.is_never_read) {
                state.first_visit = FirstVisit::Pending;
            }
        }
        self.show_motd(server);
    }

    /// Shows the message of the day in the conversation on the screen, or its first line as the hint if that one is on
    /// another server.
    fn show_motd(&mut self, server: usize) {
        let Some(state) = self.servers.get_mut(server) else { return };
        let lines = std::mem::take(&mut state.motd);
        let Some(first) = lines.first() else { return };
        if self.current.as_ref().is_none_or(|(at, _)| *at != server) {
            return self.show_hint(&format!("message of the day: {first} — /motd shows it all"));
        }
        for line in std::iter::once("Message of the day:").chain(lines.iter().map(String::as_str)) {
            self.show_server_text(server, line);
        }
    }

    fn handle_message(&mut self, server: usize, message: &ChatMessage, model: &mut Model, uncovered: bool) {
        let conversation = message.conversation.clone();
        let is_new_direct = matches!(conversation, Conversation::Direct(_))
            && self.servers.get(server).is_some_and(|s| !s.buffers.contains_key(&conversation));
        let filter = self.message_filter(server);
        if is_new_direct {
            // An ignored account opens no conversation.
            if !message.mine && filter.ignores(&message.from) {
                return;
            }
            model.monitor_nick(conversation.as_str());
        }
        if let (Conversation::Direct(_), false) = (&conversation, message.mine) {
            self.adopt_name(server, &conversation);
        }
        let mut entry = message_entry(message, model.me());
        filter.judge(&mut entry);
        let mentions_user = entry.message().is_some_and(|message| message.mention);
        let notified = self.is_notified(&(server, conversation.clone()), mentions_user);
        let is_viewed = uncovered && self.is_viewing(server, &conversation);
        let Some(buffer) = self.open_buffer(server, &conversation) else { return };
        let (counts, calls) = (entry.counts_as_unread(), buffer.is_mention(&entry));
        if message.mine {
            if let Some(ticket) = message.ticket {
                buffer.outgoing.retain(|out| out.ticket != ticket);
            }
            if is_viewed {
                buffer.divider = None;
            }
        }
        buffer.typing.retain(|(nick, _)| *nick != message.from);
        if let Conversation::Direct(_) = conversation
            && !message.mine
        {
            buffer.set_peer_online(true);
        }
        let muted = buffer.muted;
        let mention = (calls || message.reply_to.is_some()).then(|| entry.clone());
        let new = buffer.append_live(entry);
        self.trim_background_buffer(server, &conversation);
        if let Some(entry) = mention.filter(|_| new) {
            self.note_mention(&(server, conversation.clone()), &entry);
        }
        let Some(buffer) = self.find_buffer(server, &conversation).filter(|_| new) else { return };
        // A message at or before the read marker does not count.
        if counts && message.time > buffer.read_marker.unwrap_or_default() {
            buffer.unread += 1;
            buffer.mentions += usize::from(calls);
        }
        if counts && notified && message.kind != MessageKind::Notice && !muted && !is_viewed {
            let names = self.servers.get(server).map(|state| &state.display_names);
            let from = names.map_or(message.from.as_str(), |names| names.short_name(&message.from));
            let title = match &conversation {
                Conversation::Channel(channel) => format!("{from} in {channel}"),
                Conversation::Direct(_) => from.to_owned(),
            };
            let (text, markup) = format_text(&message.text);
            self.notify(&title, &strip_marks(&text, &markup));
        }
    }

    fn handle_own_join(&mut self, server: usize, channel: &ChannelName) {
        let conversation = Conversation::Channel(channel.clone());
        self.adopt_name(server, &conversation);
        if let Some(buffer) = self.open_buffer(server, &conversation) {
            (buffer.left, buffer.names_queried) = (false, false);
        }
        if self.current.is_none() {
            self.show((server, conversation));
        }
        self.return_to_last_conversation();
    }

    fn handle_confirmed(&mut self, server: usize, ticket: crate::client::model::Ticket) {
        self.remembered.confirm(server, ticket);
        if let Some(state) = self.servers.get_mut(server) {
            for buffer in state.buffers.values_mut() {
                buffer.outgoing.retain(|out| out.ticket != ticket);
            }
        }
    }

    /// Returns the buffer of a conversation; `None` if there is none.
    pub fn find_buffer(
        &mut self,
        server: usize,
        conversation: &Conversation,
    ) -> Option<&mut super::buffer::Buffer> {
        self.servers.get_mut(server)?.buffers.get_mut(conversation)
    }

    fn close_if_empty(&mut self, server: usize, channel: &ChannelName) {
        let conversation = Conversation::Channel(channel.clone());
        let empty = self.find_buffer(server, &conversation).is_some_and(|buffer| buffer.newest().is_none());
        if empty {
            self.close_buffer(&(server, conversation));
        }
    }

    /// Removes a conversation from the list. If it is on the screen, the one before comes back, or else its neighbour.
    pub fn close_buffer(&mut self, key: &super::BufferKey) {
        if self.current.as_ref() == Some(key) {
            let order: Vec<super::BufferKey> = self.buffers().map(|(key, _)| key).collect();
            let at = order.iter().position(|other| other == key).unwrap_or(0);
            let neighbour = || order.get(at + 1).or_else(|| order.get(at.checked_sub(1)?));
            // Back to where the user came from.
            let previous = self.previous.clone().filter(|it| it != key && order.contains(it));
            match previous.or_else(|| neighbour().cloned()) {
                Some(next) => self.show(next),
                None => self.current = None,
            }
        }
        let closed = self.servers.get_mut(key.0).and_then(|server| server.buffers.remove(&key.1));
        if let Some(buffer) = closed {
            self.keep_closed_draft(key, &buffer);
        }
        self.previous.take_if(|before| before == key);
    }

    /// Adds an event of a channel as an entry that is no message.
    fn append_event(&mut self, server: usize, channel: ChannelName, event: &Event, me: Option<&Nick>) {
        if let Some(entry) = event_entry(event, me)
            && let Some(buffer) = self.find_buffer(server, &Conversation::Channel(channel.clone()))
        {
            buffer.append_live(entry);
            self.trim_background_buffer(server, &Conversation::Channel(channel));
        }
    }

    /// Reduces a buffer that is not on the screen.
    fn trim_background_buffer(&mut self, server: usize, conversation: &Conversation) {
        let is_current =
            self.current.as_ref().is_some_and(|(at, here)| *at == server && here == conversation);
        if let Some(buffer) = self.find_buffer(server, conversation).filter(|_| !is_current) {
            buffer.trim_background();
        }
    }

    fn rename_conversation(&mut self, server: usize, from: &Conversation, to: &Conversation) {
        let Some(state) = self.servers.get_mut(server) else { return };
        if let Some(mut buffer) = state.buffers.remove(from) {
            buffer.conversation = to.clone();
            state.buffers.insert(to.clone(), buffer);
        }
        self.remembered.rename(&(server, from.clone()), &(server, to.clone()));
        for key in [&mut self.current, &mut self.previous].into_iter().flatten() {
            if key.0 == server && key.1 == *from {
                key.1 = to.clone();
            }
        }
    }

    /// Takes over the form in which the server writes the name of a conversation. Names that differ in case only are one,
    /// and a buffer keeps the form in which it was opened.
    fn adopt_name(&mut self, server: usize, conversation: &Conversation) {
        let known = self.find_buffer(server, conversation);
        if known.is_some_and(|buffer| buffer.conversation.as_str() != conversation.as_str()) {
            self.rename_conversation(server, conversation, conversation);
        }
    }

    /// Follows an account to its new nick, unless there is a conversation of that name already.
    fn follow_nick(&mut self, server: usize, old: &Nick, new: &Nick) {
        let (from, to) = (Conversation::Direct(old.clone()), Conversation::Direct(new.clone()));
        if old == new || self.find_buffer(server, &to).is_none() {
            self.rename_conversation(server, &from, &to);
        }
        self.clear_typing(server, old);
        let Some(state) = self.servers.get_mut(server) else { return };
        let name = state.display_names.display_name(old).map(str::to_owned);
        state.display_names.set(old, None);
        state.display_names.set(new, name.as_deref());
    }

    /// Shows a text of the server in the conversation on the screen, or as a hint if that one is on another server.
    pub(super) fn show_server_text(&mut self, server: usize, text: &str) {
        let entry = Entry::new(self.now, None, EntryContent::Note(sanitize_line(text, 1000).into()));
        let current = self.current.clone().filter(|(at, _)| *at == server);
        match current.and_then(|(_, conversation)| self.find_buffer(server, &conversation)) {
            Some(buffer) => drop(buffer.append_live(entry)),
            None => self.show_hint(text),
        }
    }
}
