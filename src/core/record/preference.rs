//! Preferences of accounts, and their text form.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Preferences of an account, set by itself or by an admin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Preferences {
    /// Maximum number of messages that are replayed to its clients; `None` for the server's default.
    pub replay: Option<u8>,
    /// The account is a bot (user mode +B): nothing is replayed to it.
    pub bot: bool,
}

impl Preferences {
    /// Maximum value of [`Preferences::replay`].
    pub const MAX_REPLAYED: u8 = 100;
}

/// A change of one preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// New value of [`Preferences::replay`].
    Replay(Option<u8>),
    /// New value of [`Preferences::bot`].
    Bot(bool),
}

impl fmt::Display for Preference {
    /// Writes `replay 50`, `replay default` or `bot on`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replay(Some(most)) => write!(f, "replay {most}"),
            Self::Replay(None) => f.write_str("replay default"),
            Self::Bot(true) => f.write_str("bot on"),
            Self::Bot(false) => f.write_str("bot off"),
        }
    }
}

/// Error for a text that is not a preference with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are `replay` with 0 to {MOST} or `default`, and `bot` with `on` or `off`", MOST = Preferences::MAX_REPLAYED)]
pub struct InvalidPreference;

impl FromStr for Preference {
    type Err = InvalidPreference;

    fn from_str(text: &str) -> Result<Self, InvalidPreference> {
        let (name, value) = text.split_once(' ').ok_or(InvalidPreference)?;
        match (name.to_ascii_lowercase().as_str(), value.to_ascii_lowercase().as_str()) {
            ("replay", "default") => Ok(Self::Replay(None)),
            ("replay", most) if most.bytes().all(|byte| byte.is_ascii_digit()) => {
                let most = most.parse().ok().filter(|most| *most <= Preferences::MAX_REPLAYED);
                most.map(|most| Self::Replay(Some(most))).ok_or(InvalidPreference)
            }
            ("bot", "on") => Ok(Self::Bot(true)),
            ("bot", "off") => Ok(Self::Bot(false)),
            _ => Err(InvalidPreference),
        }
    }
}

impl Preferences {
    /// Returns the preferences with one of them changed.
    #[must_use]
    pub fn with(self, change: Preference) -> Self {
        match change {
            Preference::Replay(replay) => Self { replay, ..self },
            Preference::Bot(bot) => Self { bot, ..self },
        }
    }
}
