//! Read markers, unread counts, typing notifications of others, lag.

use super::buffer::Scroll;
use super::{BufferKey, ConnectionState, Models, Workspace};
use crate::client::model::{Conversation, Model, TypingStatus};
use crate::client::settings::do_not_disturb::DoNotDisturb;
use crate::wire::{Nick, Timestamp};

/// Lifetime of a typing notification `active`, in milliseconds
/// ([typing](https://ircv3.net/specs/client-tags/typing)).
pub const ACTIVE_LIFETIME: u64 = 6_000;
/// Lifetime of a typing notification `paused`, in milliseconds.
const PAUSED_LIFETIME: u64 = 30_000;
/// Shortest time between two updates of read markers, in milliseconds.
const MARKER_INTERVAL: u64 = 1_500;
/// Shortest time between two measurements of the lag, in milliseconds.
const PING_INTERVAL: u64 = 30_000;

impl Workspace {
    /// Returns whether the user sees new messages of a conversation now, unless a window covers them: focused, on the
    /// screen, not scrolled up.
    pub fn is_viewing(&self, server: usize, conversation: &Conversation) -> bool {
        self.display.focused
            && self.current.as_ref().is_some_and(|(at, here)| *at == server && here == conversation)
            && self.current_buffer().is_some_and(|buffer| buffer.scroll == Scroll::Bottom)
    }

    /// Handles a read marker, set here or on another device.
    pub fn handle_read_marker(
        &mut self,
        server: usize,
        conversation: &Conversation,
        time: Option<Timestamp>,
    ) {
        let is_current =
            self.current.as_ref().is_some_and(|(at, here)| *at == server && here == conversation);
        let Some(buffer) = self.find_buffer(server, conversation) else { return };
        buffer.is_never_read = time.is_none() && buffer.read_marker.is_none();
        buffer.read_marker = buffer.read_marker.max(time);
        buffer.sent_marker = buffer.sent_marker.max(time);
        buffer.recount_unread();
        if is_current && buffer.divider.is_none() && buffer.unread > 0 {
            buffer.divider = Some(buffer.read_marker.unwrap_or_default());
        }
    }

    /// Marks what the user sees as read, and sends the read markers that the server does not know yet.
    fn send_read_markers(&mut self, models: Models<'_, '_>, uncovered: bool) {
        if let Some((server, conversation)) = self.current.clone()
            && uncovered
            && self.is_viewing(server, &conversation)
            && let Some(buffer) = self.current_buffer_mut()
            && let Some(latest) = buffer.latest_server_time()
        {
            buffer.read_marker = buffer.read_marker.max(Some(latest));
            (buffer.unread, buffer.mentions) = (0, 0);
        }
        let soon = Timestamp(self.timers.last_marker_sent.0 + MARKER_INTERVAL);
        let mut any_unsent = false;
        for (server, model) in
            self.servers.iter_mut().zip(models.iter_mut()).filter(|(server, _)| server.ready)
        {
            for (conversation, buffer) in
                server.buffers.iter_mut().filter(|(_, buffer)| buffer.read_marker > buffer.sent_marker)
            {
                if let Some(marker) = buffer.read_marker.filter(|_| soon <= self.now) {
                    buffer.sent_marker = Some(marker);
                    if self.settings.send_read_marks {
                        model.set_read_marker(conversation, marker);
                    }
                }
                any_unsent = true;
            }
        }
        if any_unsent && soon <= self.now {
            self.timers.last_marker_sent = self.now;
        } else if any_unsent {
            self.schedule_wake(soon);
        }
    }

    pub(super) fn schedule_wake(&mut self, time: Timestamp) {
        self.timers.wake_at = Some(self.timers.wake_at.map_or(time, |due| due.min(time)));
    }

    pub(super) fn handle_typing(
        &mut self,
        server: usize,
        conversation: &Conversation,
        nick: Nick,
        status: TypingStatus,
    ) {
        let now = self.now.0;
        if self.message_filter(server).ignores(&nick) {
            return;
        }
        let Some(buffer) = self.find_buffer(server, conversation) else { return };
        buffer.typing.retain(|(other, _)| *other != nick);
        let expires_at = match status {
            TypingStatus::Active => now + ACTIVE_LIFETIME,
            TypingStatus::Paused => now + PAUSED_LIFETIME,
            TypingStatus::Done => return,
        };
        // The status bar names at most two nicks, and shows a count above that.
        if buffer.typing.len() < 20 {
            buffer.typing.push((nick, Timestamp(expires_at)));
        }
    }

    pub(super) fn clear_typing(&mut self, server: usize, nick: &Nick) {
        if let Some(state) = self.servers.get_mut(server) {
            state.buffers.values_mut().for_each(|buffer| buffer.typing.retain(|(other, _)| other != nick));
        }
    }

    pub(super) fn send_ping(&mut self, server: usize, model: &mut Model) {
        let now = self.now;
        if let Some(state) = self.servers.get_mut(server)
            && let Ok(ticket) = model.send_barrier()
        {
            state.ping_in_flight = Some((ticket, now));
            state.last_ping = now;
        }
    }

    /// Measures the lag of each server, if due. Called on a key press, when somebody is there to see it.
    pub fn measure_lag(&mut self, models: Models<'_, '_>) {
        for server in 0..self.servers.len() {
            let state = &self.servers[server];
            if state.ready
                && state.ping_in_flight.is_none()
                && self.now.0 >= state.last_ping.0 + PING_INTERVAL
                && let Some(model) = models.get_mut(server)
            {
                self.send_ping(server, model);
            }
        }
    }

    /// Brings everything up to date after an event: limits, history queries, read markers, typing notifications. Sets
    /// the time of the next wake-up. `uncovered` is set unless a window covers the messages.
    pub fn update(&mut self, models: Models<'_, '_>, uncovered: bool) {
        self.timers.wake_at = None;
        self.trim_buffers();
        self.resume_unsent(models);
        self.update_outgoing(models);
        self.close_missing(models);
        self.send_due_queries(models);
        self.monitor_watched(models);
        self.send_due_redactions(models);
        self.send_read_markers(models, uncovered);
        self.update_greeting(models);
        let now = self.now;
        // The status line shows the end of a span without notifications.
        let mut next: Option<Timestamp> = match self.do_not_disturb() {
            Some(DoNotDisturb::Until(end)) => Some(end),
            Some(DoNotDisturb::On) | None => None,
        };
        for (at, server) in self.servers.iter_mut().enumerate() {
            for (conversation, buffer) in &mut server.buffers {
                next = buffer.loading.retry_at().filter(|retry| *retry > now).into_iter().chain(next).min();
                if buffer.typing.is_empty() {
                    continue;
                }
                buffer.typing.retain(|(_, until)| *until > now);
                // Only a visible notification is worth a wake-up.
                if self.current.as_ref().is_some_and(|(here, key)| *here == at && key == conversation) {
                    next = buffer.typing.iter().map(|(_, until)| *until).chain(next).min();
                }
            }
            if let ConnectionState::Disconnected { retry_at: until, .. } = server.state {
                // The countdown to the next attempt changes once a second.
                if until > now {
                    let left = (until.0 - now.0) % 1000;
                    next = [Some(Timestamp(now.0 + if left == 0 { 1000 } else { left })), next]
                        .into_iter()
                        .flatten()
                        .min();
                }
            }
        }
        if let Some(next) = next {
            self.schedule_wake(next);
        }
    }

    /// Handles a change of the focus. A loss of it sets the line above new messages.
    pub fn set_focused(&mut self, focused: bool) {
        self.display.focused = focused;
        if let (false, Some(buffer)) = (focused, self.current_buffer_mut()) {
            buffer.divider = buffer.latest_server_time().or(buffer.divider);
        }
    }

    /// Returns the best other conversation with unread messages: mentions first, then the next one in the list that is
    /// not muted, then muted ones.
    pub fn next_unread(&self) -> Option<BufferKey> {
        let current = self.current.as_ref();
        let keys: Vec<_> =
            self.buffers().filter(|(key, buffer)| Some(key) != current && buffer.unread > 0).collect();
        let follows_current = |key: &BufferKey| current.is_some_and(|here| key > here);
        let best = |wanted: &dyn Fn(&BufferKey, &super::buffer::Buffer) -> bool| {
            let found = || keys.iter().filter(|(key, buffer)| wanted(key, buffer));
            found()
                .find(|(key, _)| follows_current(key))
                .or_else(|| found().next())
                .map(|(key, _)| key.clone())
        };
        best(&|key, buffer| buffer.mentions > 0 && !self.is_silent(key, buffer))
            .or_else(|| best(&|key, buffer| !self.is_silent(key, buffer)))
            .or_else(|| best(&|_, _| true))
    }
}
