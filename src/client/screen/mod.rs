//! Full-screen client without IO: takes events and keys, gives frames to draw and [`ScreenEffect`]s to carry out.
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
use super::model::{Conversation, Model, Ticket};
use crate::client::screen::input::completion::Completion;
use crate::client::screen::search::SearchWindow;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::view::theme::Theme;
use crate::wire::Timestamp;

/// Conversation on one of the servers: the server's index in [`App::servers`], and the conversation.
pub type BufferKey = (usize, Conversation);

/// The models of the servers, in the order of [`App::servers`].
pub type Models<'a, 'b> = &'a mut [&'b mut Model];

/// Side effect that the caller of [`App`] carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenEffect {
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
    RetryNow,
}

/// Connection state of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Connecting, or waiting for the login.
    #[default]
    Connecting,
    /// Connected and logged in.
    Online,
    /// Disconnected, with a reconnect attempt to come.
    Disconnected {
        /// Reason of the disconnect, safe to write to a terminal.
        reason: String,
        /// Time stamp of the next attempt.
        retry_at: Timestamp,
    },
    /// Disconnected for good, with the reason.
    Ended(String),
}

/// State of one server.
#[derive(Debug, Default)]
pub struct ServerState {
    /// Display name, sanitized.
    pub name: String,
    /// State of the connection.
    pub state: ConnectionState,
    /// Set once the server has sent all that follows a login (channels, topics, markers).
    pub ready: bool,
    /// Round-trip time of the last measurement, in milliseconds.
    pub lag: Option<u64>,
    /// Measurement in flight: its ticket and its time stamp.
    ping_in_flight: Option<(Ticket, Timestamp)>,
    /// Time stamp of the last measurement.
    last_ping: Timestamp,
    /// The user's own away message; `None` unless they are away.
    pub away_message: Option<String>,
    /// Buffers of the server's conversations.
    pub buffers: BTreeMap<Conversation, Buffer>,
    /// Ticket of the pending query for recent direct conversations (CHATHISTORY TARGETS).
    targets_query: Option<Ticket>,
    /// Time stamp of the last disconnect.
    down_since: Option<Timestamp>,
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
    Find(SearchWindow),
}

/// Selected message or run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Entry of the buffer, by its number.
    Entry(i64),
    /// Message that the server has not confirmed yet.
    Outgoing(Ticket),
}

/// Panels that the user switched on or off. `None` leaves it to the width of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Panels {
    /// List of conversations.
    pub conversations: Option<bool>,
    /// List of members.
    pub members: Option<bool>,
    /// Hides everything but the messages, so that the mouse can select their text.
    pub messages_only: bool,
}

/// State of the full-screen client beyond the servers' models.
#[derive(Debug)]
pub struct App {
    /// Servers, in the order of the list on the screen.
    pub servers: Vec<ServerState>,
    /// Conversation on the screen.
    pub current: Option<BufferKey>,
    /// Conversation that was on the screen before.
    pub previous: Option<BufferKey>,
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
    pub selection: Option<Selection>,
    /// Panels that are shown or hidden.
    pub panels: Panels,
    /// Hint about the last action, and whether it reports an error.
    pub hint: Option<(String, bool)>,
    /// Side effects that wait for the caller.
    pub effects: Vec<ScreenEffect>,
    /// Current time, set by the caller before each call.
    pub now: Timestamp,
    /// Quit message, once the user ends the client.
    pub quit_message: Option<String>,
    /// Composer for when no conversation is on the screen.
    scratch_composer: TextField,
    /// Sent lines, oldest first, for recall with the arrow keys.
    sent_lines: Vec<String>,
    /// Index of the recalled line in `sent`, and the draft that it replaced.
    recalled: Option<(usize, String)>,
    completion: Option<Completion>,
    /// Conversation of the last typing notification sent, and its time stamp.
    last_typing_sent: Option<(BufferKey, Timestamp)>,
    /// Time stamp of the last read marker sent.
    last_marker_sent: Timestamp,
    /// Time stamp of the next call of [`App::settle`] that is due without any event.
    wake_at: Option<Timestamp>,
    /// Set while Ctrl-C was the last key; a second one quits.
    ctrl_c_warned: bool,
    /// Set once the user was warned of unconfirmed messages on leaving; the next attempt quits.
    quit_warned: bool,
}

impl App {
    /// Limit of buffers for each server, against a flood of direct messages from strangers.
    pub const MAX_BUFFERS: usize = 4_000;

    /// Limit of the loaded history of all buffers together, in bytes. The buffer on the screen is not thinned.
    pub const MAX_BYTES: usize = 256 * 1024 * 1024;

    /// Creates the client for these servers.
    pub fn new(
        names: impl IntoIterator<Item = String>,
        theme: Theme,
        zone: TimeZone,
        now: Timestamp,
    ) -> Self {
        let server = |name: String| ServerState {
            name: text::sanitize::sanitize_line(&name, 64),
            ..ServerState::default()
        };
        Self {
            servers: names.into_iter().map(server).collect(),
            current: None,
            previous: None,
            theme,
            zone,
            size: (80, 24),
            focused: true,
            overlay: Overlay::None,
            selection: None,
            panels: Panels::default(),
            hint: None,
            effects: Vec::new(),
            now,
            quit_message: None,
            scratch_composer: TextField::default(),
            sent_lines: Vec::new(),
            recalled: None,
            completion: None,
            last_typing_sent: None,
            last_marker_sent: Timestamp(0),
            wake_at: None,
            ctrl_c_warned: false,
            quit_warned: false,
        }
    }

    /// Returns the buffer on the screen.
    pub fn current_buffer(&self) -> Option<&Buffer> {
        let (server, conversation) = self.current.as_ref()?;
        self.servers.get(*server)?.buffers.get(conversation)
    }

    /// Returns the buffer on the screen; see [`App::current_buffer`].
    pub fn current_buffer_mut(&mut self) -> Option<&mut Buffer> {
        let (server, conversation) = self.current.as_ref()?;
        self.servers.get_mut(*server)?.buffers.get_mut(conversation)
    }

    /// Returns the buffer of a conversation, and creates it where there is none. `None` at [`App::MAX_BUFFERS`].
    fn open_buffer(&mut self, server: usize, place: &Conversation) -> Option<&mut Buffer> {
        let buffers = &mut self.servers.get_mut(server)?.buffers;
        if buffers.len() >= Self::MAX_BUFFERS && !buffers.contains_key(place) {
            return None;
        }
        Some(buffers.entry(place.clone()).or_insert_with(|| Buffer::new(place.clone())))
    }

    /// Drops the oldest entries of the large buffers off the screen when all of them together exceed
    /// [`App::MAX_BYTES`].
    pub(super) fn trim_buffers(&mut self) {
        let total: usize = self.buffers().map(|(_, buffer)| buffer.memory_bytes()).sum();
        if total <= Self::MAX_BYTES {
            return;
        }
        let share = Self::MAX_BYTES / 2 / self.buffers().count().max(1);
        let current = self.current.clone();
        for (at, server) in self.servers.iter_mut().enumerate() {
            for (conversation, buffer) in &mut server.buffers {
                if current.as_ref().is_none_or(|(server, key)| *server != at || key != conversation) {
                    buffer.trim_to(share);
                }
            }
        }
    }

    /// Iterates over all conversations in the order of the list.
    pub fn buffers(&self) -> impl Iterator<Item = (BufferKey, &Buffer)> {
        let servers = self.servers.iter().enumerate();
        servers.flat_map(|(at, server)| {
            server.buffers.iter().map(move |(conversation, buffer)| ((at, conversation.clone()), buffer))
        })
    }

    /// Returns the composer of the conversation on the screen.
    pub fn composer(&self) -> &TextField {
        self.current_buffer().map_or(&self.scratch_composer, |buffer| &buffer.draft)
    }

    fn composer_mut(&mut self) -> &mut TextField {
        if self.current_buffer().is_some() {
            // The `None` arm is unreachable; it is there for the borrow checker.
            return match &self.current {
                Some((server, conversation)) => self
                    .servers
                    .get_mut(*server)
                    .and_then(|server| server.buffers.get_mut(conversation))
                    .map_or(&mut self.scratch_composer, |buffer| &mut buffer.draft),
                None => &mut self.scratch_composer,
            };
        }
        &mut self.scratch_composer
    }

    /// Switches to a conversation, and creates its buffer where there is none.
    pub fn switch_to(&mut self, key: BufferKey) {
        if self.current.as_ref() == Some(&key) {
            return;
        }
        if self.open_buffer(key.0, &key.1).is_none() {
            return;
        }
        self.forget_typing_sent();
        if let Some(buffer) = self.current_buffer_mut() {
            buffer.divider = None;
            buffer.trim_background();
        }
        self.previous = self.current.replace(key);
        self.selection = None;
        self.recalled = None;
        self.completion = None;
        // A draft written without a conversation moves to the first one.
        let scratch = self.scratch_composer.take();
        if let Some(buffer) = self.current_buffer_mut() {
            if buffer.draft.is_empty() {
                buffer.draft.set(scratch);
            }
            if buffer.unread > 0 {
                buffer.divider = Some(buffer.read_marker.unwrap_or_default());
            }
        }
    }

    /// Shows a hint.
    fn show_hint(&mut self, text: &str) {
        self.hint = Some((text::sanitize::sanitize_line(text, 400), false));
    }

    /// Shows an error as the hint.
    fn show_error(&mut self, text: &str) {
        self.hint = Some((text::sanitize::sanitize_line(text, 400), true));
    }

    /// Counts the messages that no server has confirmed yet and that have not failed.
    pub fn unconfirmed_count(&self) -> usize {
        self.buffers()
            .map(|(_, buffer)| buffer.outgoing.iter().filter(|out| out.failed.is_none()).count())
            .sum()
    }

    /// Returns the time stamp at which [`App::update`] must be called even without an event; `None` for never.
    pub fn wake_time(&self) -> Option<Timestamp> {
        self.wake_at
    }
}
