//! The modes of channels (<https://modern.ircdocs.horse/#channel-modes>), without the prefixes of members and
//! without who does what to whom: those are in `commands/mode`.

use std::fmt;
use std::sync::Arc;

use crate::wire::{Millis, Nick};

/// A mode that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Flag {
    /// `C`: no CTCP but ACTION.
    NoCtcp = 1 << 0,
    /// `i`: only who was invited joins.
    InviteOnly = 1 << 1,
    /// `m`: only who has a voice speaks.
    Moderated = 1 << 2,
    /// `n`: only members speak.
    MembersOnly = 1 << 3,
    /// `s`: others do not see that the channel is there.
    Secret = 1 << 4,
    /// `t`: only half-ops and higher set the topic.
    TopicLock = 1 << 5,
}

impl Flag {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::NoCtcp, Self::InviteOnly, Self::Moderated, Self::MembersOnly, Self::Secret, Self::TopicLock];

    /// The mode's letter.
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

    /// The flag of a letter.
    pub fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.letter() == letter)
    }
}

/// Everything that is set on a channel beside its lists and ranks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modes {
    flags: u8,
    /// `k`: the word that one must say to join.
    pub key: Option<Arc<str>>,
    /// `l`: most members that it takes.
    pub limit: Option<u32>,
}

impl Default for Modes {
    /// `+n`, as every new channel has it.
    fn default() -> Self {
        Self { flags: Flag::MembersOnly as u8, key: None, limit: None }
    }
}

impl Modes {
    /// From the stored form; bits that mean nothing are dropped.
    pub fn new(flags: u8, key: Option<Arc<str>>, limit: Option<u32>) -> Self {
        Self { flags: flags & 0x3f, key, limit }
    }

    /// The stored form of what is on or off.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// Is it on?
    pub fn has(&self, flag: Flag) -> bool {
        self.flags & flag as u8 != 0
    }

    /// Turns it on or off.
    pub fn set(&mut self, flag: Flag, on: bool) {
        self.flags = if on { self.flags | flag as u8 } else { self.flags & !(flag as u8) };
    }

    /// `+klnt key 20`; who is not in the channel is not told the key.
    pub fn show(&self, to_member: bool) -> String {
        let letters = Flag::ALL.into_iter().filter(|&flag| self.has(flag)).map(Flag::letter);
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

/// A list of masks that a channel has (type A of `CHANMODES`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListKind {
    /// `b`: may not join nor speak; with `m:` before it, may not speak.
    Ban,
    /// `e`: no ban concerns them.
    Except,
    /// `I`: may join where only who was invited may.
    Invex,
}

impl ListKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ban, Self::Except, Self::Invex];

    /// The mode's letter.
    pub fn letter(self) -> char {
        match self {
            Self::Ban => 'b',
            Self::Except => 'e',
            Self::Invex => 'I',
        }
    }

    /// The list of a letter.
    pub fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.letter() == letter)
    }
}

/// An entry of a list: the mask as it is shown, who set it, when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// `nick!user@host` with wildcards, or `a:account`; `m:` before it makes a ban a mute.
    pub mask: Arc<str>,
    /// Who set it.
    pub by: Nick,
    /// When.
    pub at: Millis,
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
    fn modes_show_with_their_values() {
        let mut modes = Modes::default();
        assert_eq!(modes.show(true), "+n");
        modes.set(Flag::TopicLock, true);
        modes.key = Some("sesame".into());
        modes.limit = Some(20);
        assert_eq!(
            (modes.show(true).as_str(), modes.show(false).as_str()),
            ("+ntkl sesame 20", "+ntkl * 20")
        );
        assert_eq!(Modes::new(modes.flags(), modes.key.clone(), modes.limit), modes);
    }
}
