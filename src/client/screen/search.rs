//! Search in the history.

use super::buffer::Landing;
use super::{App, Models, Overlay};
use crate::client::input::query::Query;
use crate::client::model::{Said, Target, Ticket};
use crate::client::screen::text::composer::Editor;
use crate::client::screen::text::sanitize::tidy_line;
use crate::client::secret::shown;
use crate::wire::{Cap, Millis, Nick};

/// Limit of the results; a search that finds more is too broad.
const MOST: usize = 100;

/// Search window: the search terms and the result.
#[derive(Debug, Default)]
pub struct Finder {
    /// Index of the server that is searched.
    pub server: usize,
    /// Field for the search terms.
    pub query: Editor,
    /// Search terms that `found` belongs to.
    pub asked: String,
    ticket: Option<Ticket>,
    /// Matching messages, latest first; `None` until the result arrives.
    pub found: Option<Vec<Hit>>,
    /// Reason of a failure.
    pub failed: Option<String>,
    /// Index of the selected message.
    pub at: usize,
}

/// Message that was found. Its text is safe to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Conversation that contains the message.
    pub place: Target,
    /// Nick of the sender.
    pub from: Nick,
    /// Text of the message, in one line.
    pub text: String,
    /// Time stamp of the server.
    pub time: Millis,
    /// Id of the message, if the server gave one.
    pub msgid: Option<String>,
}

impl Finder {
    /// Returns whether a search is in flight.
    pub fn waits(&self) -> bool {
        self.ticket.is_some()
    }

    /// Moves the selection up or down.
    pub fn step(&mut self, by: isize) {
        let last = self.found.as_ref().map_or(0, |found| found.len().saturating_sub(1));
        self.at = self.at.saturating_add_signed(by).min(last);
    }
}

impl App {
    /// Opens the search window, and searches if there are search terms.
    pub(super) fn search(&mut self, words: &str, models: Models<'_, '_>) {
        let mut finder =
            Finder { server: self.here.as_ref().map_or(0, |(server, _)| *server), ..Finder::default() };
        finder.query.set(words);
        self.overlay = Overlay::Find(finder);
        if !words.is_empty() {
            self.ask_search(models);
        }
    }

    /// Handles Enter in the search window: searches if the terms have changed, else jumps to the selected message.
    pub(super) fn search_entered(&mut self, models: Models<'_, '_>) {
        let Overlay::Find(finder) = &self.overlay else { return };
        if finder.query.text().trim() != finder.asked || finder.found.is_none() {
            return self.ask_search(models);
        }
        let Some(hit) = finder.found.as_ref().and_then(|found| found.get(finder.at)).cloned() else { return };
        let spot = (finder.server, hit.place);
        self.overlay = Overlay::None;
        let landing = match hit.msgid {
            Some(id) => Landing::Id(id),
            None => Landing::After(Millis(hit.time.0.saturating_sub(1))),
        };
        self.jump(spot, landing);
    }

    fn ask_search(&mut self, models: Models<'_, '_>) {
        let Overlay::Find(finder) = &mut self.overlay else { return };
        let query = finder.query.text().trim().to_owned();
        if query.is_empty() {
            return;
        }
        let Some(model) = models.get_mut(finder.server) else { return };
        let Query { words, place, from } = Query::parse(&query);
        finder.asked = query;
        (finder.found, finder.failed, finder.at, finder.ticket) = (None, None, 0, None);
        if !model.can(Cap::Search) && model.is_online() {
            finder.failed = Some("this server does not support search".to_owned());
            return;
        }
        match model.search(&words, place.as_ref(), from.as_deref(), MOST) {
            Ok(ticket) => finder.ticket = Some(ticket),
            Err(offline) => finder.failed = Some(offline.to_string()),
        }
    }

    pub(super) fn found(&mut self, server: usize, ticket: Ticket, found: Vec<Said>) {
        let Overlay::Find(finder) = &mut self.overlay else { return };
        if finder.server != server || finder.ticket.take_if(|asked| *asked == ticket).is_none() {
            return;
        }
        let hit = |said: Said| Hit {
            text: tidy_line(&shown(&said), 1000),
            place: said.place,
            from: said.from,
            time: said.time,
            msgid: said.msgid,
        };
        finder.found = Some(found.into_iter().rev().map(hit).collect());
    }

    pub(super) fn not_found(&mut self, ticket: Ticket, reason: &str) {
        if let Overlay::Find(finder) = &mut self.overlay
            && finder.ticket.take_if(|asked| *asked == ticket).is_some()
        {
            finder.failed = Some(tidy_line(reason, 200));
        }
    }
}
