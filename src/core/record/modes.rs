//! Channel modes and list modes (<https://modern.ircdocs.horse/#channel-modes>). Member status is in `member_status`,
//! and the rules for changes are in `commands/channel/mode`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

use crate::wire::{Nick, Timestamp};

/// A channel mode without a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ModeFlag {
    /// `C`: CTCP messages other than ACTION are refused.
    NoCtcp = 1 << 0,
    /// `i`: joining needs an invitation.
    InviteOnly = 1 << 1,
    /// `m`: speaking needs voice or a higher member status.
    Moderated = 1 << 2,
    /// `n`: only members may speak.
    MembersOnly = 1 << 3,
    /// `s`: the channel is hidden from accounts that are not in it.
    Secret = 1 << 4,
    /// `t`: setting the topic needs half-op or higher.
    TopicLock = 1 << 5,
}

impl ModeFlag {
    /// Every flag, in the order in which modes are shown.
    pub const ALL: [Self; 6] =
        [Self::NoCtcp, Self::InviteOnly, Self::Moderated, Self::MembersOnly, Self::Secret, Self::TopicLock];

    /// Returns the letter of the mode.
    pub fn letter(self) -> char {
        match self {
            Self::NoCtcp => 'C',
            Self::InviteOnly => 'i',
            Self::Moderated => 'm',
            Self::MembersOnly => 'n',
            Self::Secret => 's',
            Self::TopicLock => 't',
        }
    }

    /// Returns the mode of a letter.
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.letter() == letter)
    }
}

/// The modes of a channel, except for lists and member status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modes {
    flags: u8,
    /// `k`: the channel key, which JOIN must give.
    pub key: Option<Arc<str>>,
    /// `l`: maximum number of members.
    pub limit: Option<u32>,
}

impl Default for Modes {
    /// Returns `+n`, the mode of a new channel.
    fn default() -> Self {
        Self { flags: ModeFlag::MembersOnly as u8, key: None, limit: None }
    }
}

impl Modes {
    /// Creates modes from their stored form. Unknown bits are dropped.
    pub fn new(flags: u8, key: Option<Arc<str>>, limit: Option<u32>) -> Self {
        Self { flags: flags & 0x3f, key, limit }
    }

    /// Returns the stored form of the flags.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// Returns whether a flag is set.
    pub fn has(&self, flag: ModeFlag) -> bool {
        self.flags & flag as u8 != 0
    }

    /// Sets or clears a flag.
    pub fn set(&mut self, flag: ModeFlag, on: bool) {
        self.flags = if on { self.flags | flag as u8 } else { self.flags & !(flag as u8) };
    }

    /// Formats the modes, as in `+klnt key 20`. The key is shown to members only.
    pub fn to_mode_string(&self, to_member: bool) -> String {
        let letters = ModeFlag::ALL.into_iter().filter(|&flag| self.has(flag)).map(ModeFlag::letter);
        let mut modes: String = std::iter::once('+').chain(letters).collect();
        let mut args = String::new();
        if let Some(key) = &self.key {
            modes.push('k');
            args.push(' ');
            args.push_str(if to_member { key } else { "*" });
        }
        if let Some(limit) = self.limit {
            modes.push('l');
            args.push(' ');
            args.push_str(&limit.to_string());
        }
        modes + &args
    }
}

/// A list mode of a channel (type A of `CHANMODES`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ListKind {
    /// `b`, bans: a match may neither join nor speak. With `m:` before the mask, it may only not speak.
    Ban,
    /// `e`, ban exceptions: bans do not apply to a match.
    Except,
    /// `I`, invite exceptions: a match may join an invite-only channel.
    Invex,
}

impl ListKind {
    /// Every list mode.
    pub const ALL: [Self; 3] = [Self::Ban, Self::Except, Self::Invex];

    /// Returns the letter of the mode.
    pub fn letter(self) -> char {
        match self {
            Self::Ban => 'b',
            Self::Except => 'e',
            Self::Invex => 'I',
        }
    }

    /// Returns the list mode of a letter.
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.letter() == letter)
    }
}

/// An entry of a mask list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEntry {
    /// `nick!user@host` with wildcards, or `a:account`. A leading `m:` makes a ban a mute.
    pub mask: Arc<str>,
    /// Name of the account that set it.
    pub by: Nick,
    /// Time at which it was set.
    pub at: Timestamp,
}

impl fmt::Display for ListKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_string_hides_key_from_non_members() {
        let mut modes = Modes::default();
        assert_eq!(modes.to_mode_string(true), "+n");
        modes.set(ModeFlag::TopicLock, true);
        modes.key = Some("sesame".into());
        modes.limit = Some(20);
        assert_eq!(
            (modes.to_mode_string(true).as_str(), modes.to_mode_string(false).as_str()),
            ("+ntkl sesame 20", "+ntkl * 20")
        );
        assert_eq!(Modes::new(modes.flags(), modes.key.clone(), modes.limit), modes);
    }
}
