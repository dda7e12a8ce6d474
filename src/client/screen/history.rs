//! Choice of the next history query.
//!
//! The loaded history of a buffer never has a gap. The buffer on the screen comes first. Of the others at most one is
//! queried at a time for each server, so that messages that the user sends don't wait behind history.

use super::buffer::{Buffer, Change, Landing, Scroll, Want};
use super::entry::{Entry, What};
use super::events::{entry_of, note_of, redaction};
use super::{App, Models};
use crate::client::model::{Event, Model, Page, Past, Point, Target, Ticket};
use crate::client::screen::text::sanitize::tidy_line;
use crate::wire::{Cap, Millis};

/// Lines requested by one query.
const LINES: usize = 200;

/// Size of a result, in bytes, from which the server may have cut it.
const CUT: usize = 256 * 1024;

/// Limit of the pages that are loaded of missed messages. With more, only the latest page is loaded, and the rest when
/// the user scrolls there.
const PARTS: u8 = 5;

/// Distance of the scroll position from the end of the loaded history, in entries, below which more is queried.
const NEAR: u8 = 150;

/// Limit of the retries of a history query that failed temporarily.
const RETRIES: u8 = 4;

/// Delay of the first retry, in milliseconds. Each further one waits twice as long, so the last comes after 30 seconds.
const FIRST_RETRY: u64 = 2_000;

impl App {
    /// Sends the history queries that are due.
    pub fn fetch(&mut self, models: Models<'_, '_>) {
        let here = self.here.clone();
        let now = self.now;
        for (at, server) in self.servers.iter_mut().enumerate() {
            let Some(model) = models.get_mut(at) else { continue };
            if !server.ready || !model.is_online() {
                continue;
            }
            let here = here.as_ref().filter(|(server, _)| *server == at).map(|(_, place)| place);
            if let Some(buffer) = here.and_then(|place| server.buffers.get_mut(place)) {
                if buffer.asked.is_none()
                    && let Some(want) = wanted(buffer, true, now)
                {
                    ask(buffer, want, model);
                }
                if let Target::Channel(channel) = &buffer.place
                    && !buffer.named
                    && model.is_in(channel)
                {
                    buffer.named = true;
                    let channel = channel.clone();
                    let _ = model.names(&channel);
                    // WHO in a large channel costs more than the away states are worth.
                    if model
                        .channels()
                        .find(|(name, _)| **name == channel)
                        .is_some_and(|(_, c)| c.members.len() < 500)
                    {
                        model.who(channel.as_str());
                    }
                }
            }
            let busy =
                server.buffers.iter().any(|(place, buffer)| Some(place) != here && buffer.asked.is_some());
            if busy {
                continue;
            }
            let others = server.buffers.iter_mut().filter(|(place, _)| Some(*place) != here);
            let next = others
                .map(|(_, buffer)| buffer)
                .find_map(|buffer| Some((wanted(buffer, false, now)?, buffer)));
            if let Some((want, buffer)) = next {
                ask(buffer, want, model);
            }
        }
    }

    /// Handles a page of history.
    pub(super) fn page(&mut self, server: usize, page: Page, model: &mut Model) {
        let Some(buffer) = self.asker(server, page.ticket) else { return };
        let Some((_, want)) = buffer.asked.take() else { return };
        (buffer.failures, buffer.retry) = (0, None);
        let whole = page.lines < model.page(LINES) && page.bytes < CUT;
        let (mut entries, mut changes) = (Vec::new(), Vec::new());
        for event in page.events {
            match event {
                Event::Said(said) => entries.push(entry_of(&said, model.me())),
                Event::Reaction { msgid, from, mine, emoji, off, .. } => {
                    let emoji = tidy_line(&emoji, 32);
                    if !emoji.is_empty() {
                        changes.push((msgid, Change::React { emoji, from, mine, off }));
                    }
                }
                Event::Redacted { msgid, by, reason, .. } => {
                    changes.push((msgid, Change::Redact(redaction(&by, &reason))));
                }
                other => entries.extend(note_of(&other)),
            }
        }
        arrived(buffer, want, entries, page.ends, (page.lines == 0, whole));
        for (id, change) in changes {
            buffer.change(&id, change);
        }
        buffer.count();
        let unread = buffer.unread;
        let (place, marker) = (buffer.place.clone(), buffer.marker);
        // The buffer is on the screen already, and has no line above the new messages yet.
        if self.here == Some((server, place))
            && let Some(buffer) = self.buffer_mut()
            && buffer.divider.is_none()
            && unread > 0
        {
            buffer.divider = Some(marker.unwrap_or_default());
        }
        if let Some(Landing::Id(id)) = self.buffer_mut().and_then(|buffer| buffer.landed.take())
            && let Some((number, _)) = self.buffer().and_then(|buffer| buffer.find(&id))
        {
            self.chosen = Some(super::Chosen::Entry(number));
        }
    }

    /// Handles the failure of a history query. A `temporary` failure is followed by up to [`RETRIES`] further tries.
    pub(super) fn no_page(&mut self, server: usize, ticket: Ticket, reason: &str, temporary: bool) {
        let now = self.now;
        let Some(buffer) = self.asker(server, ticket) else { return self.not_found(ticket, reason) };
        let Some((_, want)) = buffer.asked.take() else { return };
        if temporary && buffer.failures < RETRIES {
            buffer.retry = Some(Millis(now.0 + (FIRST_RETRY << buffer.failures)));
            buffer.failures += 1;
            return;
        }
        let jump = matches!(want, Want::Around(_));
        if jump {
            // The target of the jump is out of reach. The rest of the history may not be.
            buffer.jump = None;
            (buffer.failures, buffer.retry) = (0, None);
        } else {
            buffer.broken = true;
            if !buffer.detached {
                // Messages that arrive from now on are shown in spite of the failure.
                buffer.caught_up();
                buffer.known = true;
            }
        }
        let place = buffer.place.clone();
        if self.here == Some((server, place.clone())) && (jump || !matches!(place, Target::Person(_))) {
            self.complain(&format!("cannot load the history of {place}: {reason}"));
        }
    }

    fn asker(&mut self, server: usize, ticket: Ticket) -> Option<&mut Buffer> {
        let buffers = self.servers.get_mut(server)?.buffers.values_mut();
        buffers.into_iter().find(|buffer| buffer.asked.as_ref().is_some_and(|(asked, _)| *asked == ticket))
    }

    /// Handles the list of recent direct conversations.
    pub(super) fn listed(&mut self, server: usize, ticket: Ticket, targets: Vec<(Target, Millis)>) {
        let Some(state) = self.servers.get_mut(server) else { return };
        if state.listed.take_if(|asked| *asked == ticket).is_none() {
            return;
        }
        for (place, _) in targets.into_iter().filter(|(place, _)| matches!(place, Target::Person(_))) {
            self.place(server, &place);
        }
    }

    /// Switches to a conversation and scrolls to a message, which is queried if it is not loaded.
    pub(super) fn jump(&mut self, spot: super::Spot, landing: Landing) {
        self.go(spot);
        let height = usize::from(self.size.1);
        let Some(buffer) = self.buffer_mut() else { return };
        let loaded = match &landing {
            Landing::Id(id) => buffer.find(id).map(|(number, _)| number),
            Landing::After(time) => {
                let there = buffer.oldest().is_some_and(|oldest| oldest.time <= *time) || buffer.whole;
                there.then(|| buffer.after(*time))
            }
        };
        if let Some(number) = loaded {
            look_at(buffer, number, height);
            if let Landing::Id(_) = landing {
                self.chosen = Some(super::Chosen::Entry(number));
            }
        } else {
            buffer.jump = Some(landing);
            buffer.try_again();
        }
    }
}

/// Scrolls so that an entry stands near the middle of the screen.
fn look_at(buffer: &mut Buffer, number: i64, height: usize) {
    let last = buffer.numbers().end - 1;
    let lowest = number + i64::try_from(height / 3).unwrap_or(0);
    buffer.scroll = if lowest >= last { Scroll::Bottom } else { Scroll::At { number: lowest, below: 0 } };
}

/// Returns the next history query of a buffer. `seen` is set for the buffer on the screen.
fn wanted(buffer: &Buffer, seen: bool, now: Millis) -> Option<Want> {
    if buffer.broken || buffer.left && buffer.known || buffer.retry.is_some_and(|retry| now < retry) {
        return None;
    }
    if let Some(landing) = &buffer.jump {
        return Some(Want::Around(landing.clone()));
    }
    if !buffer.known || buffer.newest().is_none() && !buffer.live {
        return Some(Want::Latest);
    }
    let numbers = buffer.numbers();
    let (near_end, near_start) = match buffer.scroll {
        Scroll::Bottom => (true, few(buffer, numbers.end)),
        Scroll::At { number, .. } => (numbers.end - number < i64::from(NEAR), few(buffer, number)),
    };
    if !buffer.live && (!buffer.detached || near_end && seen) {
        return Some(Want::Newer(buffer.parts));
    }
    (seen && near_start && !buffer.whole).then_some(Want::Older)
}

/// Returns whether fewer than [`NEAR`] entries that fill the screen precede an entry. Joins and leaves are folded and
/// don't count, but [`Buffer::ASIDE`] entries of any kind are enough.
fn few(buffer: &Buffer, number: i64) -> bool {
    let start = buffer.numbers().start;
    let Ok(count) = usize::try_from(number - start) else { return true };
    if count >= Buffer::ASIDE {
        return false;
    }
    let above = (start..number).rev().filter_map(|number| buffer.entry(number));
    let seen = above.filter(|entry| !matches!(entry.what, What::Moved(_))).take(usize::from(NEAR)).count();
    seen < usize::from(NEAR)
}

fn ask(buffer: &mut Buffer, want: Want, model: &mut Model) {
    if !model.can(Cap::Chathistory) {
        // Without a history on the server, the buffer starts with the first message that arrives.
        (buffer.known, buffer.whole) = (true, true);
        buffer.jump = None;
        buffer.caught_up();
        return;
    }
    let point = |entry: Option<&Entry>| entry.map(|entry| model.point(entry.id.as_deref(), entry.time));
    let with_id = |mut entries: Box<dyn Iterator<Item = &Entry> + '_>| {
        // Other servers may send messages without an id.
        point(entries.find(|entry| entry.id.is_some() || entry.message().is_some()))
    };
    let past = match &want {
        Want::Latest => Past::Latest,
        Want::Older => {
            let oldest = with_id(Box::new(buffer.numbers().filter_map(|number| buffer.entry(number))));
            match buffer.ends.0.clone().or(oldest).or_else(|| point(buffer.oldest())) {
                Some(point) => Past::Before(point),
                None => Past::Latest,
            }
        }
        // A note without an id was seen when it happened, so the query starts at the last message, or at its time
        // stamp.
        Want::Newer(_) => match buffer
            .ends
            .1
            .clone()
            .or_else(|| with_id(Box::new(buffer.backwards().map(|(_, entry)| entry))))
        {
            Some(point) => Past::After(point),
            None => Past::Latest,
        },
        Want::Around(Landing::Id(id)) => Past::Around(Point::Id(id.clone())),
        Want::Around(Landing::After(time)) => Past::Around(Point::Time(*time)),
    };
    // Several messages may share one millisecond. Duplicates are dropped on insertion.
    let past = match past {
        Past::Before(Point::Time(time)) => Past::Before(Point::Time(Millis(time.0 + 1))),
        Past::After(Point::Time(time)) => Past::After(Point::Time(Millis(time.0.saturating_sub(1)))),
        past => past,
    };
    let first = !buffer.known;
    if let Ok(ticket) = model.history(&buffer.place, &past, LINES) {
        buffer.asked = Some((ticket, want));
        if first {
            if let Target::Person(_) = buffer.place {
                model.marker(&buffer.place);
                model.watch(buffer.place.as_str());
            }
            model.noted(&buffer.place, "soju.im/muted");
        }
    }
}

fn arrived(
    buffer: &mut Buffer,
    want: Want,
    entries: Vec<Entry>,
    ends: Option<(Point, Point)>,
    (empty, whole): (bool, bool),
) {
    let (first, last) = ends.unzip();
    match want {
        Want::Latest => {
            buffer.known = true;
            buffer.whole |= empty || whole;
            buffer.load(entries, false);
            buffer.ends.0 = first;
            buffer.caught_up();
        }
        Want::Older => {
            let new = buffer.load(entries, true);
            let end = goes_nowhere(buffer, new, first.is_some() && first != buffer.ends.0);
            buffer.whole |= empty || end;
            buffer.ends.0 = first;
        }
        Want::Newer(parts) => {
            let new = buffer.load(entries, false);
            let end = goes_nowhere(buffer, new, last.is_some() && last != buffer.ends.1);
            buffer.ends.1 = last;
            if whole || end {
                buffer.caught_up();
            } else if !buffer.detached && parts + 1 >= PARTS {
                // Too much to load it all: the latest page comes next, and older pages as the user scrolls back.
                buffer.skip_to_latest();
            } else {
                buffer.parts = parts + 1;
            }
        }
        Want::Around(landing) => {
            buffer.jump = None;
            if empty {
                return;
            }
            buffer.forget();
            buffer.detached = true;
            buffer.known = true;
            buffer.load(entries, false);
            buffer.ends = (first, last);
            let number = match &landing {
                Landing::Id(id) => buffer.find(id).map(|(number, _)| number),
                Landing::After(time) => Some(buffer.after(*time)),
            };
            let last = buffer.numbers().end - 1;
            buffer.scroll =
                Scroll::At { number: number.map_or(last, |number| (number + 8).min(last)), below: 0 };
            buffer.landed = Some(landing);
        }
    }
}

/// Returns whether paging in this direction must end. A page without a new entry, such as one of reactions alone, leads
/// to the next page. Paging ends when a page repeats the bound of the one before, or after `FRUITLESS` such pages,
/// because a server could make them up forever.
fn goes_nowhere(buffer: &mut Buffer, new: bool, further: bool) -> bool {
    const FRUITLESS: u8 = 100;
    buffer.fruitless = if new { 0 } else { buffer.fruitless.saturating_add(1) };
    !new && (!further || buffer.fruitless >= FRUITLESS)
}
