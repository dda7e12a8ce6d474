//! What the administrator decides and the rules depend on.

use std::sync::Arc;

use crate::wire::Millis;
use crate::wire::message::MAX_PARAMS;

/// The name that the server speaks under: the source of its replies.
///
/// It has a dot because clients take a source without one for a person.
pub const SERVER_NAME: &str = "chat.parlour";

/// The host in everybody's `nick!user@host`. Nobody's address is shown to others.
pub const USER_HOST: &str = "parlour";

/// The version in VERSION and `RPL_MYINFO`.
pub const VERSION: &str = concat!("parlour-", env!("CARGO_PKG_VERSION"));

/// Settings of the chat. Fixed while it runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the network, one word (`NETWORK`).
    pub network: Arc<str>,
    /// Lines of the message of the day; none for no message.
    pub motd: Vec<String>,
    /// Most channels that an account is a member of (`CHANLIMIT`).
    pub channels_per_account: usize,
    /// Most bytes of a line after its tags, CR LF counted (`LINELEN`).
    pub line_bytes: usize,
    /// When the server started.
    pub started: Millis,
    /// For so many milliseconds an account whose last connection broke still counts as there.
    pub grace: Millis,
    /// Most messages of each channel, and of all talks together, that a client gets replayed which cannot ask for them.
    pub replay: usize,
}

impl Settings {
    /// Most bytes of a topic (`TOPICLEN`).
    pub const TOPIC_BYTES: usize = 390;
    /// Most bytes of an away message (`AWAYLEN`).
    pub const AWAY_BYTES: usize = 390;
    /// Most bytes of the text of a QUIT or PART.
    pub const REASON_BYTES: usize = 390;
    /// Most bytes of the name given with USER (`NAMELEN`).
    pub const REALNAME_BYTES: usize = 128;
    /// Most bytes of a channel's key (`KEYLEN`).
    pub const KEY_BYTES: usize = 32;
    /// Most messages that one CHATHISTORY returns (`CHATHISTORY`).
    pub const HISTORY: usize = 1000;
    /// Most nicks that a session watches (`MONITOR`).
    pub const MONITORED: usize = 200;
    /// Most changes of one MODE that take a value (`MODES`): what is left of a message's parameters beside the channel
    /// and the letters.
    pub const MODES: usize = MAX_PARAMS - 2;
    /// Most targets of one command (`TARGMAX`).
    pub const TARGETS: usize = 16;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            network: "Parlour".into(),
            motd: Vec::new(),
            channels_per_account: 250,
            line_bytes: 2048,
            started: Millis(0),
            grace: Millis(0),
            replay: 100,
        }
    }
}

/// The longest start of a text that has at most `bytes` bytes and ends between characters.
pub fn clip(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}
