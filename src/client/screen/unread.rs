//! Read markers, unread counts, typing notifications, lag.

use super::buffer::Scroll;
use super::{App, Models, Overlay, Spot, State};
use crate::client::model::{Model, Target, Typing};
use crate::wire::{Millis, Nick};

/// Shortest time between two typing notifications, in milliseconds
/// ([typing](https://ircv3.net/specs/client-tags/typing)).
const SAY_AGAIN: u64 = 3_000;
/// Lifetime of a received notification `active`, in milliseconds.
const ACTIVE: u64 = 6_000;
/// Lifetime of a received notification `paused`, in milliseconds.
const PAUSED: u64 = 30_000;
/// Shortest time between two updates of read markers, in milliseconds.
const MARK_AGAIN: u64 = 1_500;
/// Shortest time between two measurements of the lag, in milliseconds.
const PING_AGAIN: u64 = 30_000;

impl App {
    /// Returns whether the user sees new messages of a conversation now: focused, on the screen, not scrolled up, no
    /// window open.
    pub(super) fn sees(&self, server: usize, place: &Target) -> bool {
        self.focused
            && self.here.as_ref().is_some_and(|(at, here)| *at == server && here == place)
            && matches!(self.overlay, Overlay::None)
            && self.buffer().is_some_and(|buffer| buffer.scroll == Scroll::Bottom)
    }

    /// Handles a read marker, set here or on another device.
    pub(super) fn marker(&mut self, server: usize, place: &Target, time: Option<Millis>) {
        let here = self.here.as_ref().is_some_and(|(at, here)| *at == server && here == place);
        let Some(buffer) = self.known(server, place) else { return };
        buffer.marker = buffer.marker.max(time);
        buffer.told = buffer.told.max(time);
        buffer.count();
        if here && buffer.divider.is_none() && buffer.unread > 0 {
            buffer.divider = Some(buffer.marker.unwrap_or_default());
        }
    }

    /// Marks what the user sees as read, and sends the read markers that the server does not know yet.
    pub(super) fn mark(&mut self, models: Models<'_, '_>) {
        if let Some((server, place)) = self.here.clone()
            && self.sees(server, &place)
            && let Some(buffer) = self.buffer_mut()
            && let Some(latest) = buffer.latest()
        {
            buffer.marker = buffer.marker.max(Some(latest));
            (buffer.unread, buffer.mentions) = (0, 0);
        }
        let soon = Millis(self.marked.0 + MARK_AGAIN);
        let mut told = false;
        for (server, model) in
            self.servers.iter_mut().zip(models.iter_mut()).filter(|(server, _)| server.ready)
        {
            for (place, buffer) in server.buffers.iter_mut().filter(|(_, buffer)| buffer.marker > buffer.told)
            {
                if let Some(marker) = buffer.marker.filter(|_| soon <= self.now) {
                    buffer.told = Some(marker);
                    model.mark_read(place, marker);
                }
                told = true;
            }
        }
        if told && soon <= self.now {
            self.marked = self.now;
        } else if told {
            self.wake_at(soon);
        }
    }

    pub(super) fn wake_at(&mut self, time: Millis) {
        self.due = Some(self.due.map_or(time, |due| due.min(time)));
    }

    pub(super) fn somebody_types(&mut self, server: usize, place: &Target, who: Nick, what: Typing) {
        let now = self.now.0;
        let Some(buffer) = self.known(server, place) else { return };
        buffer.typing.retain(|(other, _)| *other != who);
        let until = match what {
            Typing::Active => now + ACTIVE,
            Typing::Paused => now + PAUSED,
            Typing::Done => return,
        };
        // The status bar names at most two nicks, and shows a count above that.
        if buffer.typing.len() < 20 {
            buffer.typing.push((who, Millis(until)));
        }
    }

    pub(super) fn stops_typing(&mut self, server: usize, who: &Nick) {
        if let Some(state) = self.servers.get_mut(server) {
            state.buffers.values_mut().for_each(|buffer| buffer.typing.retain(|(other, _)| other != who));
        }
    }

    /// Sends a typing notification for a change of the composer, if one is due. Commands send none.
    pub(super) fn writes(&mut self, models: Models<'_, '_>) {
        let Some(here) = self.here.clone() else { return };
        let text = self.editor().text();
        let command = text.starts_with('/') && !text.starts_with("//");
        let Some(model) = models.get_mut(here.0) else { return };
        if text.trim().is_empty() {
            if self.told.take().is_some_and(|(spot, at)| spot == here && self.now.0 < at.0 + ACTIVE) {
                model.typing(&here.1, Typing::Done);
            }
        } else if !command && !self.buffer().is_some_and(|buffer| buffer.left) {
            let due = match &self.told {
                Some((spot, at)) => *spot != here || self.now.0 >= at.0 + SAY_AGAIN,
                None => true,
            };
            if due {
                model.typing(&here.1, Typing::Active);
                self.told = Some((here, self.now));
            }
        }
    }

    /// Forgets the notification on leaving a conversation. It expires at the others by itself.
    pub(super) fn stop_typing_here(&mut self) {
        self.told = None;
    }

    pub(super) fn ping(&mut self, server: usize, model: &mut Model) {
        let now = self.now;
        if let Some(state) = self.servers.get_mut(server)
            && let Ok(ticket) = model.barrier()
        {
            state.ping = Some((ticket, now));
            state.pinged = now;
        }
    }

    /// Measures the lag of each server, if due. Called on a key press, when somebody is there to see it.
    pub(super) fn measure(&mut self, models: Models<'_, '_>) {
        for server in 0..self.servers.len() {
            let state = &self.servers[server];
            if state.ready
                && state.ping.is_none()
                && self.now.0 >= state.pinged.0 + PING_AGAIN
                && let Some(model) = models.get_mut(server)
            {
                self.ping(server, model);
            }
        }
    }

    /// Brings everything up to date after an event: limits, history queries, read markers, typing notifications. Sets
    /// [`App::due`].
    pub fn settle(&mut self, models: Models<'_, '_>) {
        self.due = None;
        self.thin_out();
        self.fetch(models);
        self.mark(models);
        let now = self.now;
        let mut next: Option<Millis> = None;
        for (at, server) in self.servers.iter_mut().enumerate() {
            for (place, buffer) in &mut server.buffers {
                next = buffer.retry.filter(|retry| *retry > now).into_iter().chain(next).min();
                if buffer.typing.is_empty() {
                    continue;
                }
                buffer.typing.retain(|(_, until)| *until > now);
                // Only a visible notification is worth a wake-up.
                if self.here.as_ref().is_some_and(|(here, spot)| *here == at && spot == place) {
                    next = buffer.typing.iter().map(|(_, until)| *until).chain(next).min();
                }
            }
            if let State::Down { until, .. } = server.state {
                // The countdown to the next attempt changes once a second.
                if until > now {
                    let left = (until.0 - now.0) % 1000;
                    next = [Some(Millis(now.0 + if left == 0 { 1000 } else { left })), next]
                        .into_iter()
                        .flatten()
                        .min();
                }
            }
        }
        if let Some(next) = next {
            self.wake_at(next);
        }
    }

    /// Handles a change of the focus. A loss of it sets the line above new messages.
    pub(super) fn focus(&mut self, focused: bool) {
        self.focused = focused;
        if let (false, Some(buffer)) = (focused, self.buffer_mut()) {
            buffer.divider = buffer.latest().or(buffer.divider);
        }
    }

    /// Returns the best other conversation with unread messages: mentions first, then the next one in the list that is
    /// not muted, then muted ones.
    pub(super) fn unread_elsewhere(&self) -> Option<Spot> {
        let here = self.here.as_ref();
        let spots: Vec<_> =
            self.spots().filter(|(spot, buffer)| Some(spot) != here && buffer.unread > 0).collect();
        let after = |spot: &Spot| here.is_some_and(|here| spot > here);
        let best = |wanted: &dyn Fn(&super::buffer::Buffer) -> bool| {
            let found = || spots.iter().filter(|(_, buffer)| wanted(buffer));
            found().find(|(spot, _)| after(spot)).or_else(|| found().next()).map(|(spot, _)| spot.clone())
        };
        best(&|buffer| buffer.mentions > 0 && !buffer.muted)
            .or_else(|| best(&|buffer| !buffer.muted))
            .or_else(|| best(&|_| true))
    }
}
