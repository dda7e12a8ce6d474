//! Member status: the prefix modes of members in a channel.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::wire::Nick;

/// A prefix mode (`PREFIX`, <https://modern.ircdocs.horse/#channel-membership-prefixes>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PrefixMode {
    /// `+v`, voice: may speak in a moderated channel.
    Voice = 1 << 0,
    /// `+h`, half-op: may kick, ban and mute members of lower status; see
    /// [`may_act_on`](crate::core::model::permission_level::PermissionLevel::may_act_on).
    HalfOp = 1 << 1,
    /// `+o`, channel operator: may change modes and the status of others.
    Op = 1 << 2,
    /// `+q`, founder: created the channel, or was named by a founder. Only founders and admins can take this status
    /// away.
    Founder = 1 << 3,
}

impl PrefixMode {
    /// Every prefix mode, the highest first.
    pub const ALL: [Self; 4] = [Self::Founder, Self::Op, Self::HalfOp, Self::Voice];

    /// Returns the letter of the mode.
    pub fn letter(self) -> char {
        match self {
            Self::Founder => 'q',
            Self::Op => 'o',
            Self::HalfOp => 'h',
            Self::Voice => 'v',
        }
    }

    /// Returns the prefix that stands before the nick.
    pub fn prefix(self) -> char {
        match self {
            Self::Founder => '~',
            Self::Op => '@',
            Self::HalfOp => '%',
            Self::Voice => '+',
        }
    }

    /// Returns the prefix mode of a letter.
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.letter() == letter)
    }

    /// Returns the prefix mode of a prefix.
    pub fn from_prefix(prefix: char) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.prefix() == prefix)
    }
}

/// The text is not a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a status: founder, op, half-op or voice")]
pub struct UnknownPrefixMode;

impl fmt::Display for PrefixMode {
    /// Writes the name that the command line uses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Founder => "founder",
            Self::Op => "op",
            Self::HalfOp => "half-op",
            Self::Voice => "voice",
        })
    }
}

impl FromStr for PrefixMode {
    type Err = UnknownPrefixMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|mode| mode.to_string() == text).ok_or(UnknownPrefixMode)
    }
}

/// The prefix modes of an account in one channel. They outlast PART and JOIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MemberStatus(u8);

impl MemberStatus {
    /// No prefix mode.
    pub const NONE: Self = Self(0);
    /// Prefix modes of the account that creates a channel.
    pub const FOUNDER: Self = Self(PrefixMode::Founder as u8);
    /// The status of a member with voice and nothing else.
    pub const VOICE: Self = Self(PrefixMode::Voice as u8);

    /// Creates the set from its stored form. Unknown bits are dropped.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & 0xf)
    }

    /// Returns the stored form.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Returns whether the set holds this prefix mode.
    pub fn has(self, mode: PrefixMode) -> bool {
        self.0 & mode as u8 != 0
    }

    /// Returns the set with a prefix mode added or removed.
    #[must_use]
    pub fn set(self, mode: PrefixMode, on: bool) -> Self {
        Self(if on { self.0 | mode as u8 } else { self.0 & !(mode as u8) })
    }

    /// Returns whether the account has no prefix mode.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the highest prefix mode.
    pub fn highest(self) -> Option<PrefixMode> {
        self.iter().next()
    }

    /// Returns whether the highest prefix mode is this one or a higher one.
    pub fn at_least(self, mode: PrefixMode) -> bool {
        self.highest() >= Some(mode)
    }

    /// Iterates over the prefix modes, the highest first.
    pub fn iter(self) -> impl Iterator<Item = PrefixMode> {
        PrefixMode::ALL.into_iter().filter(move |&mode| self.has(mode))
    }

    /// Returns the prefix modes that clients see. A founder is shown as an operator too, because many clients look for
    /// `@` or the mode `o` before they offer what an operator may do.
    #[must_use]
    pub fn as_shown(self) -> Self {
        self.set(PrefixMode::Op, self.has(PrefixMode::Op) || self.has(PrefixMode::Founder))
    }

    /// Returns the MODE parameters that give these prefix modes to a nick, such as `+ov al al`.
    pub fn mode_params_for(self, nick: &Nick) -> Arc<str> {
        let letters = self.as_shown().to_string();
        let names = [" ", nick.as_str()].concat().repeat(letters.len());
        format!("+{letters}{names}").into()
    }

    /// Returns the prefixes before a nick: all of them with multi-prefix, otherwise the highest
    /// ([multi-prefix](https://ircv3.net/specs/extensions/multi-prefix)).
    pub fn prefixes(self, all: bool) -> impl Iterator<Item = char> {
        self.as_shown().iter().map(PrefixMode::prefix).take(if all { PrefixMode::ALL.len() } else { 1 })
    }
}

impl fmt::Display for MemberStatus {
    /// Writes the letters of the modes, the highest first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|mode| write!(f, "{}", mode.letter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highest_prefix_mode_comes_first() {
        let status = MemberStatus::NONE.set(PrefixMode::Voice, true).set(PrefixMode::Op, true);
        assert_eq!((status.highest(), status.to_string().as_str()), (Some(PrefixMode::Op), "ov"));
        assert_eq!(status.prefixes(true).collect::<String>(), "@+");
        assert_eq!(status.prefixes(false).collect::<String>(), "@");
        assert!(status.at_least(PrefixMode::HalfOp) && !status.at_least(PrefixMode::Founder));
        assert!(!MemberStatus::NONE.at_least(PrefixMode::Voice));
        assert!(status.set(PrefixMode::Op, false).set(PrefixMode::Voice, false).is_empty());
        assert_eq!(MemberStatus::from_bits(status.bits()), status);
    }

    #[test]
    fn founder_is_shown_as_op() {
        let founder = MemberStatus::FOUNDER;
        assert_eq!(founder.prefixes(true).collect::<String>(), "~@");
        assert_eq!(founder.prefixes(false).collect::<String>(), "~");
        let nick = Nick::parse("al").expect("a nick");
        assert_eq!(&*founder.set(PrefixMode::Voice, true).mode_params_for(&nick), "+qov al al al");
        assert!(!founder.has(PrefixMode::Op), "it is shown and not kept");
    }
}
