//! Full-screen client without IO: takes events and keys, gives frames to draw and [`Effect`]s to carry out.
//!
//! | module | content |
//! | --- | --- |
//! | [`App`] here | state of the screen beyond the servers' models |
//! | [`buffer`], [`entry`] | one conversation and its entries |
//! | [`events`] | handling of the models' events |
//! | [`history`] | choice of the next history query |
//! | [`unread`] | read markers, unread counts, typing notifications |
//! | [`input`] | handling of keys and the mouse, execution of commands |
//! | [`keys`] | key bindings, key names |
//! | [`picker`], [`search`] | pick lists, search in the history |
//! | [`view`] | drawing, colours, escape sequences |
//! | [`text`] | text measured in cells |

pub mod buffer;
pub mod entry;
pub mod events;
pub mod history;
pub mod input;
pub mod keys;
pub mod picker;
pub mod search;
#[cfg(test)]
mod tests;
pub mod text;
pub mod unread;
pub mod view;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use self::buffer::Buffer;
use self::picker::Picker;
use super::model::{Model, Target, Ticket};
use crate::client::screen::input::completion::Completion;
use crate::client::screen::search::Finder;
use crate::client::screen::text::composer::Editor;
use crate::client::screen::view::theme::Theme;
use crate::wire::Millis;

/// Conversation on one of the servers: the server's index in [`App::servers`], and the conversation.
pub type Spot = (usize, Target);

/// The models of the servers, in the order of [`App::servers`].
pub type Models<'a, 'b> = &'a mut [&'b mut Model];

/// Side effect that the caller of [`App`] carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Rings the terminal bell.
    Bell,
    /// Shows a desktop notification. Both texts are safe to write to a terminal.
    Notify {
        /// Sender, with the channel where there is one.
        title: String,
        /// Text of the message, shortened.
        body: String,
    },
    /// Copies the text to the clipboard.
    Copy(String),
    /// Redraws the whole screen, because the terminal may show something else.
    Redraw,
    /// Suspends the process until the shell resumes it (SIGCONT).
    Suspend,
    /// Skips the rest of the reconnect delay.
    Hurry,
}

/// Connection state of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Connecting, or waiting for the login.
    #[default]
    Connecting,
    /// Connected and logged in.
    Online,
    /// Disconnected, with a reconnect attempt to come.
    Down {
        /// Reason of the disconnect, safe to write to a terminal.
        reason: String,
        /// Time stamp of the next attempt.
        until: Millis,
    },
    /// Disconnected for good, with the reason.
    Ended(String),
}

/// State of one server.
#[derive(Debug, Default)]
pub struct Server {
    /// Display name, sanitized.
    pub name: String,
    /// State of the connection.
    pub state: State,
    /// Set once the server has sent all that follows a login (channels, topics, markers).
    pub ready: bool,
    /// Round-trip time of the last measurement, in milliseconds.
    pub lag: Option<u64>,
    /// Measurement in flight: its ticket and its time stamp.
    ping: Option<(Ticket, Millis)>,
    /// Time stamp of the last measurement.
    pinged: Millis,
    /// The user's own away message; `None` unless they are away.
    pub away: Option<String>,
    /// Buffers of the server's conversations.
    pub buffers: BTreeMap<Target, Buffer>,
    /// Ticket of the pending query for recent direct conversations (CHATHISTORY TARGETS).
    listed: Option<Ticket>,
    /// Time stamp of the last disconnect.
    down_since: Option<Millis>,
}

/// Window that covers the messages.
#[derive(Debug, Default)]
pub enum Overlay {
    /// No window is open.
    #[default]
    None,
    /// Help, with its scroll offset in rows.
    Help(usize),
    /// List to choose from.
    Pick(Picker),
    /// Search in the history.
    Find(Finder),
}

/// Selected message or run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// Entry of the buffer, by its number.
    Entry(i64),
    /// Message that the server has not confirmed yet.
    Outgoing(Ticket),
}

/// Panels that the user switched on or off. `None` leaves it to the width of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// List of conversations.
    pub places: Option<bool>,
    /// List of members.
    pub members: Option<bool>,
    /// Hides everything but the messages, so that the mouse can select their text.
    pub bare: bool,
}

/// State of the full-screen client beyond the servers' models.
#[derive(Debug)]
pub struct App {
    /// Servers, in the order of the list on the screen.
    pub servers: Vec<Server>,
    /// Conversation on the screen.
    pub here: Option<Spot>,
    /// Conversation that was on the screen before.
    pub before: Option<Spot>,
    /// Theme of the colours.
    pub theme: Theme,
    /// Time zone of the displayed times.
    pub zone: TimeZone,
    /// Size of the terminal in columns and rows.
    pub size: (u16, u16),
    /// Set unless the terminal has reported the loss of its focus.
    pub focused: bool,
    /// Window that covers the messages.
    pub overlay: Overlay,
    /// Selected message or run of joins and leaves.
    pub chosen: Option<Chosen>,
    /// Panels that are shown or hidden.
    pub parts: Parts,
    /// Hint about the last action, and whether it reports an error.
    pub hint: Option<(String, bool)>,
    /// Side effects that wait for the caller.
    pub effects: Vec<Effect>,
    /// Current time, set by the caller before each call.
    pub now: Millis,
    /// Quit message, once the user ends the client.
    pub leaving: Option<String>,
    /// Composer for when no conversation is on the screen.
    scratch: Editor,
    /// Sent lines, oldest first, for recall with the arrow keys.
    sent: Vec<String>,
    /// Index of the recalled line in `sent`, and the draft that it replaced.
    recalled: Option<(usize, String)>,
    completion: Option<Completion>,
    /// Conversation of the last typing notification sent, and its time stamp.
    told: Option<(Spot, Millis)>,
    /// Time stamp of the last read marker sent.
    marked: Millis,
    /// Time stamp of the next call of [`App::settle`] that is due without any event.
    due: Option<Millis>,
    /// Set while Ctrl-C was the last key; a second one quits.
    warned: bool,
    /// Set once the user was warned of unconfirmed messages on leaving; the next attempt quits.
    insists: bool,
}

impl App {
    /// Limit of buffers for each server, against a flood of direct messages from strangers.
    pub const MOST_PLACES: usize = 4_000;

    /// Limit of the loaded history of all buffers together, in bytes. The buffer on the screen is not thinned.
    pub const MOST_BYTES: usize = 256 * 1024 * 1024;

    /// Creates the client for these servers.
    pub fn new(names: impl IntoIterator<Item = String>, theme: Theme, zone: TimeZone, now: Millis) -> Self {
        let server =
            |name: String| Server { name: text::sanitize::tidy_line(&name, 64), ..Server::default() };
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

    /// Returns the buffer on the screen.
    pub fn buffer(&self) -> Option<&Buffer> {
        let (server, place) = self.here.as_ref()?;
        self.servers.get(*server)?.buffers.get(place)
    }

    /// Returns the buffer on the screen; see [`App::buffer`].
    pub fn buffer_mut(&mut self) -> Option<&mut Buffer> {
        let (server, place) = self.here.as_ref()?;
        self.servers.get_mut(*server)?.buffers.get_mut(place)
    }

    /// Returns the buffer of a conversation, and creates it where there is none. `None` at [`App::MOST_PLACES`].
    fn place(&mut self, server: usize, place: &Target) -> Option<&mut Buffer> {
        let buffers = &mut self.servers.get_mut(server)?.buffers;
        if buffers.len() >= Self::MOST_PLACES && !buffers.contains_key(place) {
            return None;
        }
        Some(buffers.entry(place.clone()).or_insert_with(|| Buffer::new(place.clone())))
    }

    /// Drops the oldest entries of the large buffers off the screen when all of them together exceed
    /// [`App::MOST_BYTES`].
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

    /// Iterates over all conversations in the order of the list.
    pub fn spots(&self) -> impl Iterator<Item = (Spot, &Buffer)> {
        let servers = self.servers.iter().enumerate();
        servers.flat_map(|(at, server)| {
            server.buffers.iter().map(move |(place, buffer)| ((at, place.clone()), buffer))
        })
    }

    /// Returns the composer of the conversation on the screen.
    pub fn editor(&self) -> &Editor {
        self.buffer().map_or(&self.scratch, |buffer| &buffer.draft)
    }

    fn editor_mut(&mut self) -> &mut Editor {
        if self.buffer().is_some() {
            // The `None` arm is unreachable; it is there for the borrow checker.
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

    /// Switches to a conversation, and creates its buffer where there is none.
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
        // A draft written without a conversation moves to the first one.
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

    /// Shows a hint.
    fn hint(&mut self, text: &str) {
        self.hint = Some((text::sanitize::tidy_line(text, 400), false));
    }

    /// Shows an error as the hint.
    fn complain(&mut self, text: &str) {
        self.hint = Some((text::sanitize::tidy_line(text, 400), true));
    }

    /// Counts the messages that no server has confirmed yet and that have not failed.
    pub fn pending(&self) -> usize {
        self.spots().map(|(_, buffer)| buffer.outbox.iter().filter(|out| out.failed.is_none()).count()).sum()
    }

    /// Returns the time stamp at which [`App::settle`] must be called even without an event; `None` for never.
    pub fn due(&self) -> Option<Millis> {
        self.due
    }
}
