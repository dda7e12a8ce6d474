//! What members may do in a channel: the prefixes before their nicks.

use std::fmt;
use std::sync::Arc;

use crate::wire::Nick;

/// One prefix mode (`PREFIX`, <https://modern.ircdocs.horse/#channel-membership-prefixes>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Rank {
    /// Speaks where only some may.
    Voice = 1 << 0,
    /// Keeps order: kicks, bans and mutes those below.
    HalfOp = 1 << 1,
    /// Runs the channel.
    Op = 1 << 2,
    /// Made the channel: nobody in it can take that away.
    Founder = 1 << 3,
}

impl Rank {
    /// All of them, the highest first.
    pub const ALL: [Self; 4] = [Self::Founder, Self::Op, Self::HalfOp, Self::Voice];

    /// The mode's letter.
    pub fn letter(self) -> char {
        match self {
            Self::Founder => 'q',
            Self::Op => 'o',
            Self::HalfOp => 'h',
            Self::Voice => 'v',
        }
    }

    /// What stands before the nick.
    pub fn prefix(self) -> char {
        match self {
            Self::Founder => '~',
            Self::Op => '@',
            Self::HalfOp => '%',
            Self::Voice => '+',
        }
    }

    /// The rank of a mode's letter.
    pub fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|rank| rank.letter() == letter)
    }

    /// The rank of a prefix.
    pub fn of_prefix(prefix: char) -> Option<Self> {
        Self::ALL.into_iter().find(|rank| rank.prefix() == prefix)
    }
}

/// The ranks that an account has in one channel. They last over PART and JOIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ranks(u8);

impl Ranks {
    /// None.
    pub const NONE: Self = Self(0);
    /// Those of who makes a channel.
    pub const FOUNDER: Self = Self(Rank::Founder as u8);

    /// From the stored form; bits that mean nothing are dropped.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & 0xf)
    }

    /// The stored form.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Has it this one?
    pub fn has(self, rank: Rank) -> bool {
        self.0 & rank as u8 != 0
    }

    /// With one more, or one less.
    #[must_use]
    pub fn set(self, rank: Rank, on: bool) -> Self {
        Self(if on { self.0 | rank as u8 } else { self.0 & !(rank as u8) })
    }

    /// None at all?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The highest.
    pub fn highest(self) -> Option<Rank> {
        self.iter().next()
    }

    /// Is the highest at least this one?
    pub fn at_least(self, rank: Rank) -> bool {
        self.highest() >= Some(rank)
    }

    /// All of them, the highest first.
    pub fn iter(self) -> impl Iterator<Item = Rank> {
        Rank::ALL.into_iter().filter(move |&rank| self.has(rank))
    }

    /// The ranks as clients are told of them: a founder is an op too, since many clients look for `@` or the mode `o`
    /// before they offer what an op may do.
    #[must_use]
    pub fn shown(self) -> Self {
        self.set(Rank::Op, self.has(Rank::Op) || self.has(Rank::Founder))
    }

    /// The change of modes that gives them to a nick: `+ov al al`.
    pub fn granted_to(self, nick: &Nick) -> Arc<str> {
        let letters = self.shown().to_string();
        let names = [" ", nick.as_str()].concat().repeat(letters.len());
        format!("+{letters}{names}").into()
    }

    /// What stands before the nick: all prefixes with multi-prefix, else the highest alone
    /// ([multi-prefix](https://ircv3.net/specs/extensions/multi-prefix)).
    pub fn prefixes(self, all: bool) -> impl Iterator<Item = char> {
        self.shown().iter().map(Rank::prefix).take(if all { Rank::ALL.len() } else { 1 })
    }
}

impl fmt::Display for Ranks {
    /// The letters of the modes, the highest first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|rank| write!(f, "{}", rank.letter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_comes_first() {
        let ranks = Ranks::NONE.set(Rank::Voice, true).set(Rank::Op, true);
        assert_eq!((ranks.highest(), ranks.to_string().as_str()), (Some(Rank::Op), "ov"));
        assert_eq!(ranks.prefixes(true).collect::<String>(), "@+");
        assert_eq!(ranks.prefixes(false).collect::<String>(), "@");
        assert!(ranks.at_least(Rank::HalfOp) && !ranks.at_least(Rank::Founder));
        assert!(!Ranks::NONE.at_least(Rank::Voice));
        assert!(ranks.set(Rank::Op, false).set(Rank::Voice, false).is_empty());
        assert_eq!(Ranks::from_bits(ranks.bits()), ranks);
    }

    #[test]
    fn a_founder_is_an_op_too_in_what_is_shown() {
        let founder = Ranks::FOUNDER;
        assert_eq!(founder.prefixes(true).collect::<String>(), "~@");
        assert_eq!(founder.prefixes(false).collect::<String>(), "~");
        let nick = Nick::parse("al").expect("a nick");
        assert_eq!(&*founder.set(Rank::Voice, true).granted_to(&nick), "+qov al al al");
        assert!(!founder.has(Rank::Op), "it is shown and not kept");
    }
}
