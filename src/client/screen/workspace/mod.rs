//! Workspace: the servers with their conversations, and the state that the components of the screen share.
//!
//! | module | content |
//! | --- | --- |
//! | [`Workspace`] here | servers, conversation on the screen, hint, effects |
//! | [`buffer`], [`entry`] | one conversation with its loading state, and its entries |
//! | [`display_names`] | names that accounts chose, and when they stand alone |
//! | [`events`] | handling of the models' events, answers of the server to requests of the user |
//! | [`lists`] | lists of channels, accounts and messages, and marked messages |
//! | [`greeting`] | text of a screen without messages |
//! | [`history`] | choice of the next history query |
//! | [`unread`] | read markers, unread counts, typing notifications of others, lag |
//! | [`commands`], [`message_actions`] | execution of commands, actions on the selected message |
//! | [`settings`] | what is remembered for the user |
//! | [`consent`] | questions before requests that harm somebody, redactions that can be undone |
//! | [`sending`] | sending of messages, and those that are unconfirmed |

pub mod buffer;
pub mod commands;
pub mod consent;
pub mod display_names;
pub mod entry;
pub mod events;
pub mod greeting;
pub mod history;
pub mod lists;
pub mod message_actions;
pub mod sending;
pub mod settings;
pub mod unread;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::tz::TimeZone;
use ratatui::layout::Size;

use self::buffer::{Buffer, Selection};
use self::consent::OpenQuestion;
use self::display_names::DisplayNames;
use self::greeting::{FirstVisit, Greeting};
use self::lists::directory::Directory;
use self::lists::marks::MarkedMessages;
use self::lists::mentions::MentionLog;
use self::sending::pictures::{MessagePicture, PictureStates};
use self::settings::filter::MessageFilter;
use self::settings::remembered::Remembered;
pub use super::effects::{FileAccess, ScreenEffect};
use crate::client::input::held_redactions::HeldRedactions;
use crate::client::input::ignore::UnconfirmedIgnores;
use crate::client::input::transfers::Transfers;
use crate::client::input::watch::WatchedAccounts;
use crate::client::keys::keymap::KeyMap;
use crate::client::model::{Conversation, Model, Ticket};
use crate::client::screen::text;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::view::theme::{Background, Theme};
use crate::client::settings::Settings;
use crate::client::settings::do_not_disturb::DoNotDisturb;
use crate::client::settings::uses::Uses;
use crate::wire::{Nick, Timestamp};

/// Conversation on one of the servers: the server's index in [`Workspace::servers`], and the conversation.
pub type BufferKey = (usize, Conversation);

/// The models of the servers, in the order of [`Workspace::servers`].
pub type Models<'a, 'b> = &'a mut [&'b mut Model];

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
    /// Name in `servers.toml`, for the keys of files.
    pub key: String,
    /// State of the connection.
    pub state: ConnectionState,
    /// Set once the server has sent all that follows a login (channels, topics, markers).
    pub ready: bool,
    /// State of the first visit of the account.
    pub first_visit: FirstVisit,
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
    /// Display names of the server's accounts.
    pub display_names: DisplayNames,
    /// Message of the day that was not shown yet.
    motd: Vec<String>,
    /// Channels and accounts that the server lists.
    pub directory: Directory,
    /// Pinned messages and bookmarks.
    pub marks: MarkedMessages,
    /// Ticket of the pending query for recent direct conversations (CHATHISTORY TARGETS).
    targets_query: Option<Ticket>,
    /// Time stamp of the last disconnect.
    down_since: Option<Timestamp>,
    /// Accounts that the server reports as ignored.
    blocked: BTreeSet<Nick>,
    /// Decisions about ignored accounts that the server has not confirmed.
    ignores: UnconfirmedIgnores,
    /// Accounts that the user is told about when they come online.
    watched: WatchedAccounts,
    /// Filter of the messages.
    filter: Rc<MessageFilter>,
}

/// Request of a component or a command that another part of the screen carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Closes the window that covers the messages.
    CloseOverlay,
    /// Opens the help, for all commands or the one with this name.
    OpenHelp(Option<&'static str>),
    /// Opens the search, and searches if there are search terms.
    OpenSearch(String),
    /// Opens the quick switcher.
    OpenSwitcher,
    /// Opens the channel browser with this filter.
    OpenChannels(String),
    /// Opens the list of mentions and answers.
    OpenMentions,
    /// Opens the list of the pinned messages of a channel.
    OpenPins(BufferKey),
    /// Opens the list of bookmarks.
    OpenBookmarks,
    /// Opens the thread of a message.
    OpenThread {
        /// Conversation of the message.
        key: BufferKey,
        /// Id of the message.
        msgid: String,
    },
    /// Opens the list of reactions to a message.
    OpenReactions {
        /// Conversation of the message.
        key: BufferKey,
        /// Id of the message.
        msgid: String,
    },
    /// Opens the viewer of these pictures, of which there is at least one.
    OpenPictures(Vec<MessagePicture>),
    /// Shows or hides the members.
    ToggleMembers,
    /// Show the list of members.
    ShowMembers,
    /// Opens the list of the settings.
    OpenSettings,
}

/// Appearance of the screen.
#[derive(Clone, Debug)]
pub struct Display {
    /// Theme of the colours.
    pub theme: Theme,
    /// Background that the terminal reports.
    pub detected_background: Background,
    /// Time zone of the displayed times.
    pub zone: TimeZone,
    /// Size of the terminal, in cells.
    pub size: Size,
    /// Set unless the terminal has reported the loss of its focus.
    pub focused: bool,
    /// Shows the text of messages as written, with its marks and without formats.
    pub raw_text: bool,
    /// Set if the system can suspend the process.
    pub can_suspend: bool,
}

/// Hint about the last action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Text, in one line, safe to draw.
    pub text: String,
    /// Set if it reports an error.
    pub is_error: bool,
}

/// State of the attempts to quit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quit {
    /// Quit message, once the user ends the client.
    pub message: Option<String>,
    /// Set while Ctrl-C was the last key; a second one quits.
    pub ctrl_c_warned: bool,
    /// Time until which a further attempt quits, because the user was warned of messages that are not confirmed.
    pub warned_until: Option<Timestamp>,
}

/// Times of actions that no event causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Timers {
    /// Time stamp of the last read marker sent.
    last_marker_sent: Timestamp,
    /// Time stamp of the next call of [`Workspace::update`] that is due without any event.
    wake_at: Option<Timestamp>,
}

/// Servers with their conversations, and the state that the components share.
#[derive(Debug)]
pub struct Workspace {
    /// Servers, in the order of the list on the screen.
    pub servers: Vec<ServerState>,
    /// Conversation on the screen.
    pub current: Option<BufferKey>,
    /// Conversation that was on the screen before.
    pub previous: Option<BufferKey>,
    /// Appearance of the screen.
    pub display: Display,
    /// Hint about the last action.
    pub hint: Option<Hint>,
    /// Side effects that wait for the caller.
    pub effects: Vec<ScreenEffect>,
    /// Files that are sent and saved.
    pub transfers: Transfers<BufferKey>,
    /// Pictures of messages.
    pub pictures: PictureStates,
    /// Access to the files of this machine.
    pub file_access: FileAccess,
    /// Texts of conversations that were closed, for the lines that the composer recalls.
    pub returned_texts: Vec<String>,
    /// Current time, set by the caller before each call.
    pub now: Timestamp,
    /// State of the attempts to quit.
    pub quit: Quit,
    /// Settings of the user; see [`Workspace::settings`].
    settings: Settings,
    /// Uses of conversations and commands, by which choices are ranked.
    pub uses: Uses,
    /// Span without notifications; see [`Workspace::do_not_disturb`].
    do_not_disturb: Option<DoNotDisturb>,
    /// State of the last run, for conversations that have no buffer yet.
    remembered: Remembered,
    /// Set if the state is kept for the next run.
    pub keeps_state: bool,
    /// Question that waits for the user's consent.
    pub question: Option<OpenQuestion>,
    /// Redactions of own messages that can still be undone.
    pub held: HeldRedactions,
    /// Mentions of the account and answers to it.
    pub mentions: MentionLog,
    /// Number of changes of the servers' directories.
    pub directory_revision: u64,
    /// Greeting of the conversation on the screen.
    pub greeting: Option<Greeting>,
    /// Draft for when no conversation is on the screen.
    scratch: TextField,
    timers: Timers,
}

impl Workspace {
    /// Limit of buffers for each server, against a flood of direct messages from strangers.
    pub const MAX_BUFFERS: usize = 4_000;

    /// Limit of the loaded history of all buffers together, in bytes. The buffer on the screen is not thinned.
    pub const MAX_BYTES: usize = 256 * 1024 * 1024;

    /// Creates the state for these servers.
    pub fn new(
        names: impl IntoIterator<Item = String>,
        theme: Theme,
        zone: TimeZone,
        now: Timestamp,
    ) -> Self {
        let server = |name: String| ServerState {
            name: text::sanitize::sanitize_line(&name, 64),
            key: name,
            ..ServerState::default()
        };
        Self {
            servers: names.into_iter().map(server).collect(),
            current: None,
            previous: None,
            display: Display {
                theme,
                detected_background: theme.background,
                zone,
                size: Size::new(80, 24),
                focused: true,
                raw_text: false,
                can_suspend: true,
            },
            hint: None,
            effects: Vec::new(),
            transfers: Transfers::default(),
            pictures: PictureStates::default(),
            file_access: FileAccess::default(),
            returned_texts: Vec::new(),
            now,
            quit: Quit::default(),
            settings: Settings::default(),
            uses: Uses::default(),
            do_not_disturb: None,
            remembered: Remembered::default(),
            keeps_state: false,
            question: None,
            held: HeldRedactions::default(),
            mentions: MentionLog::default(),
            directory_revision: 0,
            greeting: None,
            scratch: TextField::default(),
            timers: Timers::default(),
        }
    }

    /// Returns the buffer on the screen.
    pub fn current_buffer(&self) -> Option<&Buffer> {
        let (server, conversation) = self.current.as_ref()?;
        self.servers.get(*server)?.buffers.get(conversation)
    }

    /// Returns the buffer on the screen; see [`Workspace::current_buffer`].
    pub fn current_buffer_mut(&mut self) -> Option<&mut Buffer> {
        let (server, conversation) = self.current.as_ref()?;
        self.servers.get_mut(*server)?.buffers.get_mut(conversation)
    }

    /// Returns the buffer of a conversation, and creates it where there is none. `None` at [`Workspace::MAX_BUFFERS`].
    fn open_buffer(&mut self, server: usize, conversation: &Conversation) -> Option<&mut Buffer> {
        let buffers = &mut self.servers.get_mut(server)?.buffers;
        if buffers.len() >= Self::MAX_BUFFERS && !buffers.contains_key(conversation) {
            return None;
        }
        let remembered = &mut self.remembered;
        Some(buffers.entry(conversation.clone()).or_insert_with(|| {
            let mut buffer = Buffer::new(conversation.clone());
            remembered.fill(&(server, conversation.clone()), &mut buffer);
            buffer
        }))
    }

    /// Drops the oldest entries of the large buffers off the screen when all of them together exceed
    /// [`Workspace::MAX_BYTES`].
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

    /// Returns the draft of the conversation on the screen.
    pub fn draft(&self) -> &TextField {
        self.current_buffer().map_or(&self.scratch, |buffer| &buffer.draft)
    }

    /// Returns the draft of the conversation on the screen; see [`Workspace::draft`].
    pub fn draft_mut(&mut self) -> &mut TextField {
        let current_buffer = self.current.as_ref().and_then(|(server, conversation)| {
            let server = self.servers.get_mut(*server)?;
            server.buffers.get_mut(conversation)
        });
        match current_buffer {
            Some(buffer) => &mut buffer.draft,
            None => &mut self.scratch,
        }
    }

    /// Returns the selected message or run.
    pub fn selection(&self) -> Option<Selection> {
        self.current_buffer()?.selection
    }

    /// Selects a message or run in the conversation on the screen, or none.
    pub fn select(&mut self, selection: Option<Selection>) {
        if let Some(buffer) = self.current_buffer_mut() {
            buffer.selection = selection;
        }
    }

    /// Takes the selection away. Returns whether there was one.
    pub fn deselect(&mut self) -> bool {
        self.current_buffer_mut().is_some_and(|buffer| buffer.selection.take().is_some())
    }

    /// Switches to a conversation as the user chose, and creates its buffer where there is none.
    pub fn switch_to(&mut self, key: BufferKey) {
        self.record_use(&key);
        self.show(key);
    }

    /// Puts a conversation on the screen, and creates its buffer where there is none.
    fn show(&mut self, key: BufferKey) {
        if self.current.as_ref() == Some(&key) {
            return;
        }
        if self.open_buffer(key.0, &key.1).is_none() {
            return;
        }
        self.end_first_visit();
        if let Some(buffer) = self.current_buffer_mut() {
            buffer.divider = None;
            buffer.selection = None;
            buffer.trim_background();
        }
        self.previous = self.current.replace(key);
        self.place_scratch();
        self.return_drafts();
        if let Some(buffer) = self.current_buffer_mut()
            && buffer.unread > 0
        {
            buffer.divider = Some(buffer.read_marker.unwrap_or_default());
        }
    }

    /// Switches to the next or previous conversation in the list, wrapping around.
    pub fn switch_by(&mut self, by: isize) {
        let keys: Vec<_> = self.buffers().map(|(key, _)| key).collect();
        if keys.is_empty() {
            return;
        }
        let at = self.current.as_ref().and_then(|here| keys.iter().position(|key| key == here));
        let next = match at {
            Some(at) => (at + keys.len()).saturating_add_signed(by) % keys.len(),
            None => 0,
        };
        if let Some(key) = keys.get(next) {
            self.switch_to(key.clone());
        }
    }

    /// Returns the keys of the actions.
    pub fn keys(&self) -> &KeyMap {
        &self.settings.keys
    }

    /// Shows a hint.
    pub fn show_hint(&mut self, text: &str) {
        self.hint = Some(Hint { text: text::sanitize::sanitize_line(text, 400), is_error: false });
    }

    /// Shows an error as the hint.
    pub fn show_error(&mut self, text: &str) {
        self.hint = Some(Hint { text: text::sanitize::sanitize_line(text, 400), is_error: true });
    }

    /// Returns the time stamp at which [`Workspace::update`] must be called even without an event; `None` for never.
    pub fn wake_time(&self) -> Option<Timestamp> {
        self.timers.wake_at
    }
}
