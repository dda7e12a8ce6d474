//! The full-screen chat, without IO: what happens comes in, what is to be seen and done comes out.
//!
//! | file | what it does |
//! | --- | --- |
//! | [`App`] here | everything that the screen shows beyond the models of the servers |
//! | [`buffer`], [`entry`] | a place and what was said there |
//! | [`events`] | what the servers tell |
//! | [`fetch`] | which part of the past is asked for next |
//! | [`reading`] | what is read, what is new, who types |
//! | [`press`], [`moving`], [`chosen`], [`unfold`] | what keys and the mouse do |
//! | [`typed`] | what commands do |
//! | [`keys`], [`key`] | the one table of keys |
//! | [`complete`], [`picker`], [`finder`] | completion, lists to choose from, the search |
//! | [`view`] | draws it all |
//! | [`paint`] | from cells to what a terminal understands |
//! | [`tidy`], [`wrap`], [`bidi`], [`links`] | text that is measured in cells |
//! | [`theme`] | colours |

pub mod bidi;
pub mod buffer;
pub mod chosen;
pub mod complete;
pub mod editor;
pub mod entry;
pub mod events;
pub mod fetch;
pub mod finder;
pub mod key;
pub mod keys;
pub mod links;
pub mod moving;
pub mod paint;
pub mod picker;
pub mod press;
pub mod reading;
#[cfg(test)]
mod tests;
pub mod theme;
pub mod tidy;
pub mod typed;
pub mod unfold;
pub mod view;
pub mod wrap;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use self::buffer::Buffer;
use self::complete::Completion;
use self::editor::Editor;
use self::finder::Finder;
use self::picker::Picker;
use self::theme::Theme;
use super::model::{Model, Target, Ticket};
use crate::wire::Millis;

/// A place at one of the servers.
pub type Spot = (usize, Target);

/// The models of the servers, in the order of [`App::servers`].
pub type Models<'a, 'b> = &'a mut [&'b mut Model];

/// What the outside is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make the terminal call.
    Bell,
    /// Tell the desktop. Both texts are fit for a terminal.
    Notify {
        /// Who and where.
        title: String,
        /// What.
        body: String,
    },
    /// Put it into the clipboard.
    Copy(String),
    /// Draw everything anew, for the terminal may show something else.
    Redraw,
    /// Stop until the shell lets it go on.
    Suspend,
    /// Do not wait before trying to connect.
    Hurry,
}

/// How it stands with a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// On the way.
    #[default]
    Connecting,
    /// Logged in.
    Online,
    /// It went away, and is tried again at a time.
    Down {
        /// Why, fit for a terminal.
        reason: String,
        /// When.
        until: Millis,
    },
    /// It is not tried any more.
    Ended(String),
}

/// A server, as one sees it.
#[derive(Debug, Default)]
pub struct Server {
    /// What one calls it.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// The server has told what it tells at login.
    pub ready: bool,
    /// Milliseconds that a question took there and back.
    pub lag: Option<u64>,
    /// The question that is out.
    ping: Option<(Ticket, Millis)>,
    /// When one was asked last.
    pinged: Millis,
    /// One is away, with these words.
    pub away: Option<String>,
    /// Channels and talks.
    pub buffers: BTreeMap<Target, Buffer>,
    /// The list of those whom one talked with was asked for.
    listed: Option<Ticket>,
    /// When the connection broke that was there last.
    down_since: Option<Millis>,
}

/// What lies over the talk.
#[derive(Debug, Default)]
pub enum Overlay {
    /// Nothing.
    #[default]
    None,
    /// The help, scrolled down by so many rows.
    Help(usize),
    /// A list to choose from.
    Pick(Picker),
    /// The search.
    Find(Finder),
}

/// A message that one has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// One of the talk, by its number.
    Entry(i64),
    /// One on its way.
    Outgoing(Ticket),
}

/// Parts of the screen that one wants to see, or not; `None` for as there is room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The list of places.
    pub places: Option<bool>,
    /// The members.
    pub members: Option<bool>,
    /// Nothing but the text.
    pub bare: bool,
}

/// Everything that the screen shows beyond the models of the servers.
#[derive(Debug)]
pub struct App {
    /// The servers.
    pub servers: Vec<Server>,
    /// Where one is.
    pub here: Option<Spot>,
    /// Where one was before.
    pub before: Option<Spot>,
    /// Colours.
    pub theme: Theme,
    /// The user's clock.
    pub zone: TimeZone,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Somebody looks at the terminal, for all one knows.
    pub focused: bool,
    /// What lies over the talk.
    pub overlay: Overlay,
    /// The message that one has chosen.
    pub chosen: Option<Chosen>,
    /// Parts of the screen.
    pub parts: Parts,
    /// A line about what just happened, and whether it is bad.
    pub hint: Option<(String, bool)>,
    /// What is to be done outside.
    pub effects: Vec<Effect>,
    /// Now.
    pub now: Millis,
    /// The end, with these words.
    pub leaving: Option<String>,
    /// Where one writes while one is nowhere.
    scratch: Editor,
    /// What was sent, for the arrow keys.
    sent: Vec<String>,
    /// Which of them one looks at, and what one was writing.
    recalled: Option<(usize, String)>,
    completion: Option<Completion>,
    /// Where the others were told that one types, and when.
    told: Option<(Spot, Millis)>,
    /// When it was last told that something is read.
    marked: Millis,
    /// When something is to be done even if nothing happens.
    due: Option<Millis>,
    /// Ctrl-C was the last key: another one ends.
    warned: bool,
    /// One was told that something is on its way, and wanted to end.
    insists: bool,
}

impl App {
    /// Most places of one server. Who has more is flooded by strangers.
    pub const MOST_PLACES: usize = 4_000;

    /// Most bytes of what is loaded of all places together, beside the one that is looked at.
    pub const MOST_BYTES: usize = 256 * 1024 * 1024;

    /// A chat on these servers.
    pub fn new(names: impl IntoIterator<Item = String>, theme: Theme, zone: TimeZone, now: Millis) -> Self {
        let server = |name: String| Server { name: tidy::tidy_line(&name, 64), ..Server::default() };
        Self {
            servers: names.into_iter().map(server).collect(),
            here: None,
            before: None,
            theme,
            zone,
            size: (80, 24),
            focused: true,
            overlay: Overlay::None,
            chosen: None,
            parts: Parts::default(),
            hint: None,
            effects: Vec::new(),
            now,
            leaving: None,
            scratch: Editor::default(),
            sent: Vec::new(),
            recalled: None,
            completion: None,
            told: None,
            marked: Millis(0),
            due: None,
            warned: false,
            insists: false,
        }
    }

    /// The place where one is.
    pub fn buffer(&self) -> Option<&Buffer> {
        let (server, place) = self.here.as_ref()?;
        self.servers.get(*server)?.buffers.get(place)
    }

    /// See [`App::buffer`].
    pub fn buffer_mut(&mut self) -> Option<&mut Buffer> {
        let (server, place) = self.here.as_ref()?;
        self.servers.get_mut(*server)?.buffers.get_mut(place)
    }

    /// A place, made where there is none.
    fn place(&mut self, server: usize, place: &Target) -> Option<&mut Buffer> {
        let buffers = &mut self.servers.get_mut(server)?.buffers;
        if buffers.len() >= Self::MOST_PLACES && !buffers.contains_key(place) {
            return None;
        }
        Some(buffers.entry(place.clone()).or_insert_with(|| Buffer::new(place.clone())))
    }

    /// Drops the oldest of what is loaded of large places aside where all of them together are too large.
    pub(super) fn thin_out(&mut self) {
        let total: usize = self.spots().map(|(_, buffer)| buffer.weight()).sum();
        if total <= Self::MOST_BYTES {
            return;
        }
        let share = Self::MOST_BYTES / 2 / self.spots().count().max(1);
        let here = self.here.clone();
        for (at, server) in self.servers.iter_mut().enumerate() {
            for (place, buffer) in &mut server.buffers {
                if here.as_ref().is_none_or(|(server, spot)| *server != at || spot != place) {
                    buffer.thin_to(share);
                }
            }
        }
    }

    /// All places in the order of the list.
    pub fn spots(&self) -> impl Iterator<Item = (Spot, &Buffer)> {
        let servers = self.servers.iter().enumerate();
        servers.flat_map(|(at, server)| {
            server.buffers.iter().map(move |(place, buffer)| ((at, place.clone()), buffer))
        })
    }

    /// The line in which one writes.
    pub fn editor(&self) -> &Editor {
        self.buffer().map_or(&self.scratch, |buffer| &buffer.draft)
    }

    fn editor_mut(&mut self) -> &mut Editor {
        if self.buffer().is_some() {
            // Just looked up; the other arm is there for the borrow checker.
            return match &self.here {
                Some((server, place)) => self
                    .servers
                    .get_mut(*server)
                    .and_then(|server| server.buffers.get_mut(place))
                    .map_or(&mut self.scratch, |buffer| &mut buffer.draft),
                None => &mut self.scratch,
            };
        }
        &mut self.scratch
    }

    /// Goes to a place, and makes it where there is none.
    pub fn go(&mut self, spot: Spot) {
        if self.here.as_ref() == Some(&spot) {
            return;
        }
        if self.place(spot.0, &spot.1).is_none() {
            return;
        }
        self.stop_typing_here();
        if let Some(buffer) = self.buffer_mut() {
            buffer.divider = None;
            buffer.aside();
        }
        self.before = self.here.replace(spot);
        self.chosen = None;
        self.recalled = None;
        self.completion = None;
        // What is written in the empty chat is not lost.
        let scratch = self.scratch.take();
        if let Some(buffer) = self.buffer_mut() {
            if buffer.draft.is_empty() {
                buffer.draft.set(scratch);
            }
            if buffer.unread > 0 {
                buffer.divider = Some(buffer.marker.unwrap_or_default());
            }
        }
    }

    /// Says something about what just happened.
    fn hint(&mut self, text: &str) {
        self.hint = Some((tidy::tidy_line(text, 400), false));
    }

    /// Says that something did not work.
    fn complain(&mut self, text: &str) {
        self.hint = Some((tidy::tidy_line(text, 400), true));
    }

    /// Messages that no server has confirmed yet.
    pub fn pending(&self) -> usize {
        self.spots().map(|(_, buffer)| buffer.outbox.iter().filter(|out| out.failed.is_none()).count()).sum()
    }

    /// When [`App::settle`] is to be called even if nothing happens; `None` for never.
    pub fn due(&self) -> Option<Millis> {
        self.due
    }
}
