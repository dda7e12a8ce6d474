//! Settings that the user chose, and state that the client keeps between two runs, without access to files.
//!
//! | module | content |
//! | --- | --- |
//! | [`Settings`] here | values of the settings |
//! | [`catalog`] | names of the settings, with their texts and checks; `/set` and the file use it |
//! | [`file`](mod@file) | text of `client.toml`: parsing, changes that keep comments, the commented default |
//! | [`colors`], [`time_format`], [`highlights`] | values of single settings |
//! | [`do_not_disturb`] | spans without notifications |
//! | [`state`] | drafts, uses, conversation and panels on the screen at the end of the last run |
//! | [`uses`] | counts of uses, by which choices are ranked |

pub mod catalog;
pub mod colors;
pub mod do_not_disturb;
pub mod file;
pub mod highlights;
pub mod server_name;
pub mod state;
pub mod time_format;
pub mod uses;

use std::collections::BTreeMap;

use self::colors::{Role, RoleColors};
use self::state::ConversationKey;
use self::time_format::TimeFormat;
use crate::client::keys::keymap::KeyMap;
use crate::client::model::Conversation;
use crate::wire::Nick;

/// Metadata key of a direct conversation with an ignored account, which all clients of the user share
/// ([soju](https://codeberg.org/emersion/soju/src/branch/master/doc/ext)).
pub const BLOCKED_KEY: &str = "soju.im/blocked";

/// Settings of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent")]
pub struct Settings {
    /// Built-in theme.
    pub theme: ThemeChoice,
    /// Colours of single roles in place of those of the theme.
    pub colors: BTreeMap<Role, RoleColors>,
    /// Format of the times beside the messages.
    pub time_format: TimeFormat,
    /// Rings the terminal bell for a notification.
    pub bell: bool,
    /// Takes clicks and the wheel of the mouse from the terminal.
    pub mouse: bool,
    /// Shows pictures where the terminal can.
    pub images: bool,
    /// Words that count as a mention.
    pub highlights: Vec<String>,
    /// Accounts whose messages are hidden.
    pub ignored: Vec<IgnoredAccount>,
    /// Accounts that the user is told about when they come online.
    pub watched: Vec<IgnoredAccount>,
    /// Sends typing notifications.
    pub send_typing: bool,
    /// Sends read markers.
    pub send_read_marks: bool,
    /// Panels beside the messages.
    pub layout: LayoutSettings,
    /// Messages that are notified.
    pub notify: NotifySettings,
    /// Keys of the actions.
    pub keys: KeyMap,
}

/// Built-in theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeChoice {
    /// Dark or light, by what the terminal reports of its background.
    #[default]
    Auto,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// With a high contrast, for the background that the terminal reports.
    HighContrast,
}

/// Panels beside the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayoutSettings {
    /// List of the conversations: shown, hidden, or `None` to leave it to the width of the screen.
    pub sidebar: Option<bool>,
    /// Its width in cells; `None` to leave it to the width of the screen.
    pub sidebar_width: Option<u16>,
    /// List of the members: shown, hidden, or `None` to leave it to the width of the screen.
    pub members: Option<bool>,
    /// Its width in cells; `None` to leave it to the width of the screen.
    pub members_width: Option<u16>,
}

/// Messages that ring the bell and notify the desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyLevel {
    /// All messages of others.
    All,
    /// Messages that mention the user.
    Mentions,
    /// No message at all.
    Nothing,
}

/// Levels of notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifySettings {
    /// Level of channels.
    pub channels: NotifyLevel,
    /// Level of direct conversations.
    pub direct: NotifyLevel,
    /// Levels of single conversations.
    pub conversations: BTreeMap<ConversationKey, NotifyLevel>,
}

/// Account of the lists of ignored and watched ones: on one server, or on all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IgnoredAccount {
    /// Name of the server; `None` for all.
    pub server: Option<String>,
    /// Name of the account.
    pub account: Nick,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            colors: BTreeMap::new(),
            time_format: TimeFormat::default(),
            bell: true,
            mouse: true,
            images: true,
            highlights: Vec::new(),
            ignored: Vec::new(),
            watched: Vec::new(),
            send_typing: true,
            send_read_marks: true,
            layout: LayoutSettings::default(),
            notify: NotifySettings {
                channels: NotifyLevel::Mentions,
                direct: NotifyLevel::All,
                conversations: BTreeMap::new(),
            },
            keys: KeyMap::default(),
        }
    }
}

impl NotifySettings {
    /// Returns the level of a conversation.
    pub fn level(&self, key: &ConversationKey) -> NotifyLevel {
        let kind = match key.conversation {
            Conversation::Channel(_) => self.channels,
            Conversation::Direct(_) => self.direct,
        };
        self.conversations.get(key).copied().unwrap_or(kind)
    }
}

impl IgnoredAccount {
    /// Returns whether the entry is about this server.
    pub fn is_on(&self, server: &str) -> bool {
        self.server.as_deref().is_none_or(|name| name == server)
    }

    /// Returns whether it is this account on this server.
    pub fn matches(&self, server: &str, account: &Nick) -> bool {
        self.account == *account && self.is_on(server)
    }
}
