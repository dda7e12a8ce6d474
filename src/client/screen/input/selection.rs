//! Actions on the selected message.

use crate::client::model::Kind;
use crate::client::screen::buffer::Scroll;
use crate::client::screen::entry::{Entry, Message};
use crate::client::screen::view::{self, Layout};
use crate::client::screen::{App, Chosen, Effect, Models, Overlay, Spot};

impl App {
    /// Moves the selection to the message or run of joins and leaves above or below.
    pub(in crate::client::screen) fn choose(&mut self, above: bool) {
        let Some(buffer) = self.buffer() else { return };
        let says = |number: &i64| {
            buffer.entry(*number).is_some_and(|entry| entry.message().is_some())
                || view::begins(self, buffer, *number)
        };
        let range = buffer.numbers();
        let waiting = &buffer.outbox;
        let last = || {
            let bottom = match buffer.scroll {
                Scroll::Bottom => range.end - 1,
                Scroll::At { number, .. } => number,
            };
            (range.start..=bottom).rev().find(says).map(Chosen::Entry)
        };
        let at = |ticket| waiting.iter().position(|out| out.ticket == ticket);
        let next = match (self.chosen, above) {
            (None, true) => match waiting.last() {
                Some(out) if buffer.scroll == Scroll::Bottom => Some(Chosen::Outgoing(out.ticket)),
                _ => last(),
            },
            (None, false) => None,
            (Some(Chosen::Outgoing(ticket)), true) => {
                match at(ticket).and_then(|at| waiting.get(at.checked_sub(1)?)) {
                    Some(out) => Some(Chosen::Outgoing(out.ticket)),
                    None => last().or(self.chosen),
                }
            }
            (Some(Chosen::Outgoing(ticket)), false) => {
                at(ticket).and_then(|at| waiting.get(at + 1)).map(|out| Chosen::Outgoing(out.ticket))
            }
            (Some(Chosen::Entry(number)), true) => {
                (range.start..number).rev().find(says).map(Chosen::Entry).or(self.chosen)
            }
            (Some(Chosen::Entry(number)), false) => {
                let next = (number + 1..range.end).find(says).map(Chosen::Entry);
                next.or_else(|| waiting.first().map(|out| Chosen::Outgoing(out.ticket)))
            }
        };
        self.chosen = next;
        if let Some(Chosen::Entry(number)) = next {
            self.show(number);
        }
    }

    /// Scrolls until an entry is visible.
    fn show(&mut self, number: i64) {
        let talk = Layout::of(self).talk;
        let page = usize::from(talk.height);
        let Some(buffer) = self.buffer() else { return };
        let (lowest, below) = match buffer.scroll {
            Scroll::Bottom => (buffer.numbers().end - 1, 0),
            Scroll::At { number, below } => (number, below),
        };
        if number > lowest || number == lowest && below > 0 {
            let end = number == buffer.numbers().end - 1;
            if let Some(buffer) = self.buffer_mut() {
                buffer.scroll = if end { Scroll::Bottom } else { Scroll::At { number, below: 0 } };
            }
            return;
        }
        let rows: usize =
            (number..=lowest).map(|n| view::height(self, buffer, n, talk.width)).take(page + 1).sum();
        if rows > page + below {
            let up = isize::try_from(rows - page - below).unwrap_or(0);
            self.scroll(up);
        }
    }

    /// Returns the selected message, or the last one of another account where none is selected.
    pub(in crate::client::screen) fn meant(&self) -> Option<(Spot, &Entry, &Message)> {
        let spot = self.here.clone()?;
        let buffer = self.buffer()?;
        let entry = match self.chosen {
            Some(Chosen::Entry(number)) => buffer.entry(number)?,
            Some(Chosen::Outgoing(_)) => return None,
            None => buffer.backwards().map(|(_, entry)| entry).find(|entry| entry.counts())?,
        };
        Some((spot, entry, entry.message()?))
    }

    pub(in crate::client::screen) fn reply(&mut self, models: Models<'_, '_>) {
        if let Some(Chosen::Outgoing(_)) = self.chosen {
            return self.send_again(models);
        }
        let Some(id) = self.meant().and_then(|(_, entry, _)| entry.id.clone()) else { return };
        self.chosen = None;
        if let Some(buffer) = self.buffer_mut() {
            buffer.reply = Some(id.into());
        }
    }

    pub(in crate::client::screen) fn react_to_chosen(&mut self) {
        let Some((spot, Some(id))) = self.meant().map(|(spot, entry, _)| (spot, entry.id.clone())) else {
            return;
        };
        self.overlay = Overlay::Pick(Self::reactions(&spot, &id));
        self.chosen = None;
    }

    /// Reacts to the message of [`Self::meant`].
    pub(in crate::client::screen) fn react_with(
        &mut self,
        emoji: &str,
        models: Models<'_, '_>,
    ) -> Result<(), String> {
        let meant = self.meant().map(|(spot, entry, _)| (spot, entry.id.clone()));
        let Some((spot, Some(id))) = meant else { return Err("there is no message to react to".to_owned()) };
        self.react(&spot, &id, emoji, models)?;
        self.chosen = None;
        Ok(())
    }

    /// Replies to the message of [`Self::meant`].
    pub(in crate::client::screen) fn reply_with(&mut self, text: &str, models: Models<'_, '_>) {
        let Some((spot, Some(id))) = self.meant().map(|(spot, entry, _)| (spot, entry.id.clone())) else {
            return;
        };
        self.chosen = None;
        self.say(spot.0, &spot.1, text, Some(&id), models);
        self.go_to_latest();
    }

    /// Gives a reaction, or withdraws it if the own account gave the same one.
    pub(in crate::client::screen) fn react(
        &mut self,
        spot: &Spot,
        msgid: &str,
        emoji: &str,
        models: Models<'_, '_>,
    ) -> Result<(), String> {
        let given =
            self.servers.get(spot.0).and_then(|server| server.buffers.get(&spot.1)?.find(msgid)).is_some_and(
                |(_, message)| {
                    message.reactions.iter().any(|reaction| &*reaction.emoji == emoji && reaction.mine)
                },
            );
        let Some(model) = models.get_mut(spot.0) else { return Ok(()) };
        model.react(&spot.1, msgid, emoji, given).map_err(|offline| offline.to_string())
    }

    pub(in crate::client::screen) fn redact_chosen(&mut self, models: Models<'_, '_>) {
        if let Some(Chosen::Outgoing(ticket)) = self.chosen {
            if let Some(buffer) = self.buffer_mut() {
                // A message in flight may still arrive; only a failed one can be dropped.
                buffer.outbox.retain(|out| out.ticket != ticket || out.failed.is_none());
            }
            self.chosen = None;
            return;
        }
        let Some((spot, Some(id))) = self.meant().map(|(spot, entry, _)| (spot, entry.id.clone())) else {
            return;
        };
        self.chosen = None;
        if let Some(model) = models.get_mut(spot.0)
            && let Err(offline) = model.redact(&spot.1, &id, "")
        {
            self.complain(&offline.to_string());
        }
    }

    /// Redacts the own last message in the conversation on the screen.
    pub(in crate::client::screen) fn delete_last(
        &mut self,
        why: &str,
        models: Models<'_, '_>,
    ) -> Result<(), String> {
        let last = self.buffer().and_then(|buffer| {
            let mine = |entry: &Entry| entry.message().is_some_and(|one| one.mine && one.redacted.is_none());
            buffer
                .backwards()
                .map(|(_, entry)| entry)
                .filter(|entry| mine(entry))
                .find_map(|entry| entry.id.clone())
        });
        let (Some(id), Some((server, place))) = (last, self.here.clone()) else {
            return Err("no message of yours to take back here".to_owned());
        };
        let Some(model) = models.get_mut(server) else { return Ok(()) };
        model.redact(&place, &id, why).map_err(|offline| offline.to_string())
    }

    pub(in crate::client::screen) fn copy_chosen(&mut self) {
        let text = match self.chosen {
            Some(Chosen::Outgoing(ticket)) => self
                .buffer()
                .and_then(|buffer| buffer.outbox.iter().find(|out| out.ticket == ticket))
                .map(|out| out.text.clone()),
            Some(Chosen::Entry(number)) if self.chosen_run().is_some() => view::copied(self, number),
            _ => self.meant().map(|(_, _, message)| message.text.to_string()),
        };
        if let Some(text) = text {
            self.effects.push(Effect::Copy(text));
            self.hint("copied");
        }
        self.chosen = None;
    }

    /// Sends the selected message again, if it failed.
    pub(in crate::client::screen) fn send_again(&mut self, models: Models<'_, '_>) {
        let Some(Chosen::Outgoing(ticket)) = self.chosen else { return };
        let Some((server, place)) = self.here.clone() else { return };
        let Some(buffer) = self.buffer_mut() else { return };
        let Some(at) = buffer.outbox.iter().position(|out| out.ticket == ticket && out.failed.is_some())
        else {
            self.hint("not failed: still waiting for the server");
            return;
        };
        if buffer.outbox[at].secret {
            return self.complain("not sent again: the password was not kept; type the message anew");
        }
        let out = buffer.outbox.remove(at);
        self.chosen = None;
        if out.kind == Kind::Action {
            self.act_out(server, &place, &out.text, models);
        } else {
            self.say(server, &place, &out.text, out.reply.as_deref(), models);
        }
    }
}
